/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/owner/instances.h"

#include "core/tables/links.h"
#include "daemon/log/clock.h"
#include "daemon/log/log.h"
#include "daemon/owner/families.h"
#include "daemon/owner/kernel_table.h"
#include "daemon/owner/link_readers.h"
#include "daemon/owner/owner.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#define STOP_PATIENCE (5 * MTIME_SECOND) /* a worker answers within microseconds */

bool instance_names_link(const struct owner *owner, const struct instance_slot *slot, enum link_role role,
                         enum family family, const char *interface)
{
	const struct config_instance *config = slot->config;
	const struct config_link *links = role == ROLE_UPSTREAM ? config->upstream : config->downstream;
	size_t count = role == ROLE_UPSTREAM ? config->upstream_count : config->downstream_count;

	for (size_t i = 0; i < count; i++)
		if (links[i].settings.version[family] != VERSION_NONE &&
		    links_match(owner->links, links[i].name, interface))
			return true;
	return false;
}

bool instance_start(struct owner *owner, struct instance_slot *slot, loop_handler *requests)
{
	int result;

	result = worker_start(&slot->worker, &slot->config->settings, random_seed(), owner->config->ring_size,
	                      owner->recording_fd, (uint8_t)slot->number);
	if (result != 0) {
		errno = -result;
		warn("instance %s: worker cannot start", slot->config->name);
		return false;
	}
	slot->heartbeat = HEARTBEAT_ANSWERED;
	memset(slot->forwarding, 0, sizeof slot->forwarding);
	if (slot->config->upstream_count == 0)
		info("instance %s: no upstream link: a querier only, streams are forwarded between its links",
		     slot->config->name);
	slot->channel = worker_channel(slot->worker);
	slot->source =
		(struct loop_source){.fd = lane_fd(slot->channel->up), .ready = requests, .context = owner};
	return loop_watch(&owner->loop, &slot->source);
}

bool instance_name_links(struct owner *owner, const struct instance_slot *slot)
{
	const struct config_instance *config = slot->config;

	for (size_t i = 0; i < config->upstream_count; i++)
		if (!links_name(owner->links, slot->number, ROLE_UPSTREAM, config->upstream[i].name,
		                &config->upstream[i].settings))
			return false;
	for (size_t i = 0; i < config->downstream_count; i++)
		if (!links_name(owner->links, slot->number, ROLE_DOWNSTREAM, config->downstream[i].name,
		                &config->downstream[i].settings))
			return false;
	return true;
}

void instance_take_slot(struct owner *owner, unsigned number, const struct config_instance *config)
{
	struct instance_slot *slot = &owner->instances[number];

	slot->number = number;
	slot->config = config;
}

bool instances_make(struct owner *owner)
{
	owner->instances = calloc(CONFIG_INSTANCES_MAX, sizeof *owner->instances);
	if (owner->instances == NULL)
		return false;
	owner->instance_count = owner->config->instance_count;
	for (unsigned i = 0; i < owner->instance_count; i++)
		instance_take_slot(owner, i, &owner->config->instances[i]);
	return true;
}

int instances_open(struct owner *owner, loop_handler *upcalls)
{
	tables_clean(owner);
	for (size_t i = 0; i < owner->instance_count; i++) {
		int result = families_open(owner, &owner->instances[i], upcalls);

		if (result != 0)
			return result;
	}
	if (owner->tables != NULL || holders_are_waited_for(owner))
		return 0;
	warnx("nothing is left to serve");
	return 1;
}

bool instances_start(struct owner *owner, loop_handler *requests)
{
	for (unsigned i = 0; i < owner->instance_count; i++)
		if (!instance_name_links(owner, &owner->instances[i]) ||
		    !instance_start(owner, &owner->instances[i], requests))
			return false;
	return true;
}

void recording_log_error(struct owner *owner, int error)
{
	if (error == 0 || owner->logged_recording)
		return;
	owner->logged_recording = true;
	errno = error;
	warn("%s: the recording has ended before its time", owner->options->recording_path);
}

void instances_wake(struct owner *owner)
{
	for (size_t i = 0; i < owner->instance_count; i++)
		if (owner->instances[i].channel != NULL)
			lane_wake(owner->instances[i].channel->down);
}

/* Takes requests of a worker until it has room, or has stopped. Sleeps until the worker rings. */
static void wait_for_requests(struct owner *owner, struct instance_slot *slot, mtime deadline)
{
	struct pollfd fd = {.fd = slot->source.fd, .events = POLLIN};
	mtime left = deadline - clock_now();

	if (!slot->again && left > 0)
		poll(&fd, 1, (int)left);
	slot->source.ready(owner, &slot->source, clock_now());
}

static void stop(struct owner *owner, struct instance_slot *slot, mtime deadline)
{
	struct input input = {.kind = INPUT_STOP};

	if (slot->worker == NULL)
		return;
	while (!worker_tell(slot->channel, &input, NULL, 0) && clock_now() < deadline)
		wait_for_requests(owner, slot, deadline);
	lane_wake(slot->channel->down);
	while (slot->channel != NULL && clock_now() < deadline)
		wait_for_requests(owner, slot, deadline);
	if (slot->channel == NULL)
		recording_log_error(owner, worker_finish(slot->worker));
	else
		loop_unwatch(&owner->loop, &slot->source);
	slot->worker = NULL;
	slot->channel = NULL;
	link_readers_instance_ended(owner, slot->number);
	snapshot_reader_instance_stopped(owner, slot->number);
}

void instance_stop(struct owner *owner, struct instance_slot *slot)
{
	stop(owner, slot, clock_now() + STOP_PATIENCE);
}

void instances_stop(struct owner *owner)
{
	mtime deadline = clock_now() + STOP_PATIENCE;

	for (size_t i = 0; i < owner->instance_count; i++)
		stop(owner, &owner->instances[i], deadline);
}

void instances_announce_events(struct owner *owner, bool wanted)
{
	struct input input = {.kind = INPUT_EVENTS, .wanted = wanted};

	for (size_t i = 0; i < owner->instance_count; i++) {
		struct instance_slot *slot = &owner->instances[i];

		if (slot->events_wanted != wanted && worker_tell(slot->channel, &input, NULL, 0))
			slot->events_wanted = wanted;
	}
}

void instances_announce_settings(struct owner *owner)
{
	struct input input = {.kind = INPUT_SETTINGS};

	for (size_t i = 0; i < owner->instance_count; i++) {
		struct instance_slot *slot = &owner->instances[i];

		if (slot->settings_due && worker_tell(slot->channel, &input, &slot->config->settings,
		                                      sizeof slot->config->settings))
			slot->settings_due = false;
	}
}
