/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/instances.h"

#include "daemon/clock.h"
#include "daemon/log.h"
#include "daemon/table.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#define STOP_PATIENCE (5 * MTIME_SECOND) /* a worker answers within microseconds */

static bool start_instance(struct owner *owner, unsigned number)
{
	struct instance_slot *slot = &owner->instances[number];
	int result;

	result = worker_start(&slot->worker, &slot->config->settings, owner_random(),
	                      owner->config->ring_size, owner->record_fd, (uint8_t)number);
	if (result != 0) {
		errno = -result;
		warn("%s: worker cannot start", slot->config->name);
		return false;
	}
	slot->heartbeat = HEARTBEAT_HEARD;
	if (slot->config->upstream_count == 0)
		info("%s: no upstream link: a querier only, streams are forwarded between its links",
		     slot->config->name);
	slot->channel = worker_channel(slot->worker);
	slot->source = (struct loop_source){.fd = lane_fd(slot->channel->up), .ready = grant_requests};
	return owner_watch(owner, &slot->source);
}

static bool name_links(struct owner *owner, unsigned number)
{
	const struct config_instance *config = &owner->config->instances[number];

	for (size_t i = 0; i < config->upstream_count; i++)
		if (!links_name(owner->links, number, ROLE_UPSTREAM, config->upstream[i].name,
		                &config->upstream[i].settings))
			return false;
	for (size_t i = 0; i < config->downstream_count; i++)
		if (!links_name(owner->links, number, ROLE_DOWNSTREAM, config->downstream[i].name,
		                &config->downstream[i].settings))
			return false;
	return true;
}

bool instances_make(struct owner *owner)
{
	owner->instances = calloc(owner->config->instance_count, sizeof *owner->instances);
	if (owner->instances == NULL)
		return false;
	owner->instance_count = owner->config->instance_count;
	for (unsigned i = 0; i < owner->instance_count; i++) {
		owner->instances[i].owner = owner;
		owner->instances[i].number = i;
		owner->instances[i].config = &owner->config->instances[i];
	}
	return true;
}

int instances_open(struct owner *owner)
{
	tables_clean();
	for (size_t i = 0; i < owner->instance_count; i++) {
		int result = tables_open(owner, &owner->instances[i]);

		if (result != 0)
			return result;
	}
	if (owner->tables == NULL)
		warnx("nothing is left to serve");
	return owner->tables != NULL ? 0 : 1;
}

bool instances_start(struct owner *owner)
{
	for (unsigned i = 0; i < owner->instance_count; i++)
		if (!name_links(owner, i) || !start_instance(owner, i))
			return false;
	return true;
}

static void stop_instance(struct owner *owner, struct instance_slot *slot, mtime deadline)
{
	struct input stop = {.kind = INPUT_STOP};

	if (slot->worker == NULL)
		return;
	lane_wake(slot->channel->down);
	while (!intake_tell(slot, &stop, NULL, 0) && clock_now() < deadline)
		grant_requests(owner, &slot->source, clock_now());
	lane_wake(slot->channel->down);
	while (slot->channel != NULL && clock_now() < deadline) {
		grant_requests(owner, &slot->source, clock_now());
		if (slot->channel != NULL)
			usleep(100);
	}
	if (slot->channel == NULL)
		grant_recording_error(owner, worker_finish(slot->worker));
	slot->worker = NULL;
}

void instances_stop(struct owner *owner)
{
	mtime deadline = clock_now() + STOP_PATIENCE;

	for (size_t i = 0; i < owner->instance_count; i++)
		stop_instance(owner, &owner->instances[i], deadline);
}
