/* SPDX-License-Identifier: BSD-2-Clause */
#include "recording.h"

#include "core/policy/group_map.h"
#include "policy_source.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define OBJECT_MAX (64 << 20)       /* bytes of a filter or a group map */
#define NOW_MAX    ((mtime)1 << 53) /* far beyond any clock; intervals can be added without overflow */

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

static void free_object(struct read_object *object)
{
	free(object->bytes);
	if (object->object != NULL && object->head.kind == RECORDING_POLICY)
		policy_release(object->object);
	else if (object->object != NULL)
		group_map_release(object->object);
}

void recording_close(struct recording *recording)
{
	for (size_t i = 0; i < recording->object_count; i++)
		free_object(&recording->objects[i]);
	free(recording->objects);
	free(recording->bytes);
	*recording = (struct recording){.problem = recording->problem};
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
	    !holds_bool(payload, offsetof(struct link_change, settings.require_router_alert)) ||
	    !holds_bool(payload, offsetof(struct link_change, settings.verify_source_subnet)) ||
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
	case INPUT_ADOPTED:
		return is_route_input(input) ? NULL : "input with addresses of different families";
	case INPUT_SNAPSHOT:
		return input->cursor < SNAPSHOT_CURSORS && input->what < SNAPSHOT_SOURCES
		               ? NULL
		               : "unknown snapshot";
	case INPUT_EVENTS:
		return input->wanted <= 1 ? NULL : "flag that is neither 0 nor 1";
	case INPUT_STOP:
	case INPUT_PING:
	case INPUT_ALL_ADOPTED:
	case INPUT_REPEAT:
		return NULL;
	case INPUT_SETTINGS:
		return size == sizeof(struct instance_settings) ? NULL : "settings of a wrong size";
	case INPUT_REVIEW:
		return input->every_link <= 1 && input->prefix_length <= 128 ? NULL : "impossible review";
	case INPUT_LISTEN:
		return "an input that no engine gets";
	}
	return "unknown input";
}

/* Makes the object when its last part has come. */
static const char *complete_object(struct read_object *object)
{
	size_t count = object->size / sizeof(struct group_map_entry);
	const struct group_map_entry *entries = (const void *)object->bytes;

	if (object->head.kind == RECORDING_POLICY) {
		object->bytes[object->size] = '\0';
		object->object = policy_from_source((const char *)object->bytes);
	} else if (object->size % sizeof *entries == 0 && count <= GROUP_MAP_ENTRIES_MAX) {
		for (size_t i = 0; i < count; i++)
			if (addr_family(&entries[i].groups.first) != addr_family(&entries[i].groups.last) ||
			    addr_compare(&entries[i].groups.first, &entries[i].groups.last) > 0)
				return "group map with an impossible range";
		object->object = group_map_new(entries, count);
	}
	return object->object != NULL ? NULL : "filter or group map that cannot be made";
}

static struct read_object *find_object(const struct recording *recording, uint8_t instance, uint32_t number)
{
	for (size_t i = 0; i < recording->object_count; i++)
		if (recording->objects[i].instance == instance && recording->objects[i].head.number == number)
			return &recording->objects[i];
	return NULL;
}

/* An instance that starts numbers its objects from 1 on. */
static void forget_objects(struct recording *recording, uint8_t instance)
{
	size_t kept = 0;

	for (size_t i = 0; i < recording->object_count; i++)
		if (recording->objects[i].instance == instance)
			free_object(&recording->objects[i]);
		else
			recording->objects[kept++] = recording->objects[i];
	recording->object_count = kept;
}

static struct read_object *add_object(struct recording *recording, const struct recorded *recorded)
{
	struct read_object *objects =
		realloc(recording->objects, (recording->object_count + 1) * sizeof *objects);
	uint8_t *bytes = malloc(recorded->object.size + 1);

	if (objects != NULL)
		recording->objects = objects;
	if (objects == NULL || bytes == NULL) {
		free(bytes);
		return NULL;
	}
	objects[recording->object_count] = (struct read_object){
		.head = recorded->object, .instance = recorded->head.instance, .bytes = bytes};
	return &objects[recording->object_count++];
}

static const char *object_problem(struct recording *recording, const struct recorded *recorded)
{
	const struct recording_object *head = &recorded->object;
	struct read_object *object;

	if (head->number == 0 || head->number > RECORDING_OBJECTS_MAX || head->kind > RECORDING_GROUP_MAP ||
	    head->size > OBJECT_MAX)
		return "impossible filter or group map";
	object = find_object(recording, recorded->head.instance, head->number);
	if (object == NULL)
		object = add_object(recording, recorded);
	if (object == NULL)
		return "no memory";
	if (object->object != NULL || object->head.kind != head->kind || object->head.size != head->size ||
	    recorded->payload_size > head->size - object->size)
		return "filter or group map with parts that do not fit";
	if (recorded->payload_size > 0)
		memcpy(object->bytes + object->size, recorded->payload, recorded->payload_size);
	object->size += recorded->payload_size;
	return object->size == head->size ? complete_object(object) : NULL;
}

/* The object for a number that stands in place of a pointer; false: there is none of this kind. */
static bool resolve(const struct recording *recording, uint8_t instance, enum recording_object_kind kind,
                    const void *number, const void **pointer)
{
	const struct read_object *object;

	*pointer = NULL;
	if (number == NULL)
		return true;
	object = (uintptr_t)number <= RECORDING_OBJECTS_MAX
	                 ? find_object(recording, instance, (uint32_t)(uintptr_t)number)
	                 : NULL;
	if (object == NULL || object->object == NULL || object->head.kind != (uint32_t)kind)
		return false;
	*pointer = object->object;
	return true;
}

static const char *resolve_link(const struct recording *recording, struct recorded *recorded)
{
	struct link_settings *settings = &recorded->change.settings;
	uint8_t instance = recorded->head.instance;
	const void *in, *out, *groups, *map;

	memcpy(&recorded->change, recorded->payload, sizeof recorded->change);
	if (!resolve(recording, instance, RECORDING_POLICY, settings->filter_in, &in) ||
	    !resolve(recording, instance, RECORDING_POLICY, settings->filter_out, &out) ||
	    !resolve(recording, instance, RECORDING_GROUP_MAP, settings->static_groups, &groups) ||
	    !resolve(recording, instance, RECORDING_GROUP_MAP, settings->ssm_map, &map))
		return "link with an unknown filter or group map";
	settings->filter_in = in;
	settings->filter_out = out;
	settings->static_groups = groups;
	settings->ssm_map = map;
	recorded->payload = (const uint8_t *)&recorded->change;
	return NULL;
}

static const char *request_problem(const uint8_t *body)
{
	if (body[offsetof(struct request, kind)] < REQUEST_SEND ||
	    body[offsetof(struct request, kind)] > REQUEST_ALL_ADOPTED)
		return "unknown request";
	/* The body of an event begins otherwise. */
	if (body[offsetof(struct request, kind)] == REQUEST_EVENT)
		return NULL;
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
	case RECORDING_OBJECT:
		return sizeof(struct recording_object);
	case RECORDING_TURN:
	case RECORDING_FULL:
	case RECORDING_KINDS:
		return 0;
	}
	return 0;
}

static const char *head_problem(const struct recording_head *head, size_t left)
{
	if (head->kind < RECORDING_START || head->kind >= RECORDING_KINDS)
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
	    head->kind != RECORDING_REQUEST && head->kind != RECORDING_OBJECT)
		return "payload where none belongs";
	return NULL;
}

static const char *body_problem(struct recording *recording, struct recorded *recorded, const uint8_t *body)
{
	const char *problem = recorded->head.kind == RECORDING_REQUEST ? request_problem(body) : NULL;

	if (problem != NULL)
		return problem;
	recorded->payload = body + recorded->head.head_of_payload;
	recorded->payload_size = recorded->head.size - recorded->head.head_of_payload;
	memcpy(&recorded->start, body, recorded->head.head_of_payload);
	if (recorded->head.kind == RECORDING_START)
		forget_objects(recording, recorded->head.instance);
	if (recorded->head.kind == RECORDING_OBJECT)
		return object_problem(recording, recorded);
	if (recorded->head.kind != RECORDING_INPUT)
		return NULL;
	problem = input_problem(&recorded->input, recorded->payload, recorded->payload_size);
	if (problem == NULL && recorded->input.kind == INPUT_LINK)
		problem = resolve_link(recording, recorded);
	return problem;
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
		recording->problem = body_problem(recording, recorded,
		                                  recording->bytes + recording->at + sizeof recorded->head);
	if (recording->problem != NULL)
		return false;
	recording->at += sizeof recorded->head + recorded->head.size;
	return true;
}
