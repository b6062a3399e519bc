/* SPDX-License-Identifier: BSD-2-Clause */
#include "recording.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define NOW_MAX ((mtime)1 << 53) /* far beyond any clock; intervals can be added without overflow */

static bool fail(struct recording *recording, const char *problem)
{
	recording->problem = problem;
	return false;
}

static bool read_stream(struct recording *recording, FILE *stream)
{
	size_t capacity = 0, got;

	do {
		if (recording->size == capacity) {
			uint8_t *bytes =
				realloc(recording->bytes, capacity = capacity ? 2 * capacity : 65536);

			if (bytes == NULL)
				return fail(recording, "no memory");
			recording->bytes = bytes;
		}
		got = fread(recording->bytes + recording->size, 1, capacity - recording->size, stream);
		recording->size += got;
	} while (got > 0);
	return !ferror(stream) || fail(recording, "cannot be read");
}

static bool check_file_head(struct recording *recording)
{
	struct recording_file file;

	if (recording->size < sizeof file)
		return fail(recording, "too short for a recording");
	memcpy(&file, recording->bytes, sizeof file);
	if (memcmp(file.magic, RECORDING_MAGIC, RECORDING_MAGIC_SIZE) != 0)
		return fail(recording, "not a recording");
	if (file.input_size != sizeof(struct input) || file.request_size != sizeof(struct request) ||
	    file.link_change_size != sizeof(struct link_change))
		return fail(recording, "made by another build");
	recording->at = sizeof file;
	return true;
}

bool recording_open(struct recording *recording, const char *path)
{
	FILE *stream = fopen(path, "rb");
	bool done;

	*recording = (struct recording){0};
	if (stream == NULL)
		return fail(recording, strerror(errno));
	done = read_stream(recording, stream) && check_file_head(recording);
	fclose(stream);
	return done;
}

void recording_close(struct recording *recording)
{
	free(recording->bytes);
	recording->bytes = NULL;
}

/* Bytes that are read as bools later must be 0 or 1. */
static bool holds_bool(const uint8_t *body, size_t offset)
{
	return body[offset] <= 1;
}

static const char *settings_problem(const struct link_settings *settings)
{
	for (int family = 0; family < FAMILIES; family++)
		if (settings->version[family] > VERSION_3)
			return "link with an unknown protocol version";
	if (settings->robustness < 1)
		return "link with an impossible robustness";
	if (settings->router_discovery > ROUTER_DISCOVERY_AUTO)
		return "link with unknown router discovery";
	if (settings->query_interval == 0 || settings->query_response_interval == 0 ||
	    settings->last_member_query_interval == 0)
		return "link with an interval of zero";
	return NULL;
}

static const char *link_problem(const uint8_t *payload, size_t size)
{
	struct link_change change;

	if (size != sizeof change)
		return "link of another size";
	if (!holds_bool(payload, offsetof(struct link_change, present)) ||
	    !holds_bool(payload, offsetof(struct link_change, settings.fast_leave)) ||
	    !holds_bool(payload, offsetof(struct link_change, settings.track_hosts)) ||
	    !holds_bool(payload, offsetof(struct link_change, settings.querier_election)) ||
	    !holds_bool(payload, offsetof(struct link_change, addresses.subnets_unknown)) ||
	    !holds_bool(payload, offsetof(struct link_change, family[FAMILY_IPV4].usable)) ||
	    !holds_bool(payload, offsetof(struct link_change, family[FAMILY_IPV6].usable)))
		return "link with a flag that is neither 0 nor 1";
	memcpy(&change, payload, sizeof change);
	if (change.settings.forward_without_querier > FORWARD_AUTO)
		return "link with an unknown policy";
	if (change.role > ROLE_DOWNSTREAM)
		return "link with an unknown role";
	if (memchr(change.name, 0, sizeof change.name) == NULL)
		return "link with an unterminated name";
	for (int family = 0; family < FAMILIES; family++)
		if (change.family[family].usable &&
		    addr_family(&change.family[family].address) != (enum family)family)
			return "link with an address of another family";
	if (change.addresses.address_count[FAMILY_IPV4] > LINK_ADDRESSES_MAX ||
	    change.addresses.address_count[FAMILY_IPV6] > LINK_ADDRESSES_MAX ||
	    change.addresses.subnet_count > LINK_SUBNETS_MAX)
		return "link with too many addresses";
	return settings_problem(&change.settings);
}

static bool is_route_input(const struct input *input)
{
	return addr_family(&input->source) == addr_family(&input->group) &&
	       input->family == addr_family(&input->group);
}

static const char *input_problem(const struct input *input, const uint8_t *payload, size_t size)
{
	if (input->link >= LINKS_MAX || input->family >= FAMILIES)
		return "input of an impossible link or family";
	switch ((enum input_kind)input->kind) {
	case INPUT_PACKET:
		return NULL;
	case INPUT_LINK:
		return link_problem(payload, size);
	case INPUT_UPCALL:
	case INPUT_COUNTERS:
		return is_route_input(input) ? NULL : "input with addresses of different families";
	case INPUT_SNAPSHOT:
		return input->cursor < SNAPSHOT_CURSORS && input->what < SNAPSHOT_SOURCES
		               ? NULL
		               : "unknown snapshot";
	case INPUT_EVENTS:
		return input->wanted <= 1 ? NULL : "flag that is neither 0 nor 1";
	case INPUT_STOP:
	case INPUT_PING:
	case INPUT_REPEAT:
		return NULL;
	case INPUT_SETTINGS:
		return size == sizeof(struct instance_settings) ? NULL : "settings of a wrong size";
	case INPUT_LISTEN:
		return "an input that no engine gets";
	}
	return "unknown input";
}

static const char *request_problem(const uint8_t *body)
{
	if (body[offsetof(struct request, kind)] < REQUEST_SEND ||
	    body[offsetof(struct request, kind)] > REQUEST_PONG)
		return "unknown request";
	return holds_bool(body, offsetof(struct request, more)) ? NULL : "flag that is neither 0 nor 1";
}

static size_t body_size_of(enum recording_kind kind)
{
	switch (kind) {
	case RECORDING_START:
		return sizeof(struct recording_start);
	case RECORDING_INPUT:
		return sizeof(struct input);
	case RECORDING_REQUEST:
		return sizeof(struct request);
	case RECORDING_TURN:
	case RECORDING_FULL:
		return 0;
	}
	return 0;
}

static const char *head_problem(const struct recording_head *head, size_t left)
{
	if (head->kind < RECORDING_START || head->kind > RECORDING_FULL)
		return "unknown record";
	if (head->size > left)
		return "the file ends within a record";
	if (head->now < 0 || head->now > NOW_MAX)
		return "impossible time";
	if (head->head_of_payload != body_size_of(head->kind) || head->size < head->head_of_payload)
		return "record of another size";
	if (head->size > (size_t)head->head_of_payload + REQUEST_PAYLOAD_MAX)
		return "payload too large";
	if (head->size > head->head_of_payload && head->kind != RECORDING_INPUT &&
	    head->kind != RECORDING_REQUEST)
		return "payload where none belongs";
	return NULL;
}

static const char *body_problem(struct recorded *recorded, const uint8_t *body)
{
	const char *problem = recorded->head.kind == RECORDING_REQUEST ? request_problem(body) : NULL;

	if (problem != NULL)
		return problem;
	recorded->payload = body + recorded->head.head_of_payload;
	recorded->payload_size = recorded->head.size - recorded->head.head_of_payload;
	memcpy(&recorded->start, body, recorded->head.head_of_payload);
	if (recorded->head.kind == RECORDING_INPUT)
		return input_problem(&recorded->input, recorded->payload, recorded->payload_size);
	return NULL;
}

bool recording_next(struct recording *recording, struct recorded *recorded)
{
	size_t left = recording->size - recording->at;

	if (left == 0 || recording->problem != NULL)
		return false;
	if (left < sizeof recorded->head)
		return fail(recording, "the file ends within a record");
	recorded->offset = recording->at;
	memcpy(&recorded->head, recording->bytes + recording->at, sizeof recorded->head);
	recording->problem = head_problem(&recorded->head, left - sizeof recorded->head);
	if (recording->problem == NULL)
		recording->problem =
			body_problem(recorded, recording->bytes + recording->at + sizeof recorded->head);
	if (recording->problem != NULL)
		return false;
	recording->at += sizeof recorded->head + recorded->head.size;
	return true;
}
