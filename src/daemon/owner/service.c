/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/owner/service.h"

#include "core/tables/links.h"
#include "daemon/log/log.h"
#include "daemon/owner/adoption.h"
#include "daemon/owner/holder.h"
#include "daemon/owner/instances.h"
#include "daemon/owner/notify.h"
#include "daemon/owner/owner.h"

#include <stdio.h>
#include <string.h>

#define RETRY_INTERVAL (MTIME_SECOND / 10)

static mtime round_interval(void)
{
	return notify_watchdog_interval() / 2;
}

void service_open(struct owner *owner, mtime now)
{
	bool watched;

	notify_open();
	watched = notify_watchdog_interval() != MTIME_NEVER;
	owner->service = (struct service){.links_changed = true,
	                                  .round_at = watched ? now + round_interval() : MTIME_NEVER,
	                                  .retry_at = MTIME_NEVER};
}

void service_close(struct owner *owner)
{
	(void)owner;
	notify_close();
}

mtime service_deadline(const struct owner *owner)
{
	return mtime_min(owner->service.round_at, owner->service.retry_at);
}

static void retry(struct owner *owner, mtime now)
{
	owner->service.retry_at = mtime_min(owner->service.retry_at, now + RETRY_INTERVAL);
}

/* The watchdog. */

static bool all_have_answered(const struct owner *owner)
{
	for (size_t i = 0; i < owner->instance_count; i++)
		if (owner->instances[i].channel != NULL &&
		    owner->instances[i].heartbeat != HEARTBEAT_ANSWERED)
			return false;
	return true;
}

static void miss(struct instance_slot *instance)
{
	if (instance->heartbeat == HEARTBEAT_ASKED)
		warnx("instance %s: its worker does not respond; mcproxy no longer feeds the service manager's watchdog",
		      instance->config->name);
	instance->heartbeat = HEARTBEAT_MISSED;
}

/* Asks no worker again that did not answer in the last round: its answer is on the way, or never comes. */
static void begin_round(struct owner *owner, mtime now)
{
	owner->service.round_at = now + round_interval();
	for (size_t i = 0; i < owner->instance_count; i++) {
		struct instance_slot *instance = &owner->instances[i];

		if (instance->channel == NULL || instance->heartbeat == HEARTBEAT_WANTED)
			continue;
		if (instance->heartbeat == HEARTBEAT_ANSWERED)
			instance->heartbeat = HEARTBEAT_WANTED;
		else
			miss(instance);
	}
	if (all_have_answered(owner))
		notify_watchdog();
}

void service_ping(struct owner *owner, mtime now)
{
	struct input ping = {.kind = INPUT_PING};

	owner->service.retry_at = MTIME_NEVER;
	if (owner->service.round_at == MTIME_NEVER)
		return;
	if (now >= owner->service.round_at)
		begin_round(owner, now);
	for (size_t i = 0; i < owner->instance_count; i++) {
		struct instance_slot *instance = &owner->instances[i];

		if (instance->channel == NULL || instance->heartbeat != HEARTBEAT_WANTED)
			continue;
		if (worker_tell(instance->channel, &ping, NULL, 0))
			instance->heartbeat = HEARTBEAT_ASKED;
		else
			retry(owner, now);
	}
}

void service_pong(struct owner *owner, struct instance_slot *instance)
{
	if (instance->heartbeat == HEARTBEAT_MISSED)
		info("instance %s: its worker responds again", instance->config->name);
	instance->heartbeat = HEARTBEAT_ANSWERED;
	if (all_have_answered(owner))
		notify_watchdog();
}

/* The text. */

/* Names, each once and after a space. */
struct names {
	char text[200];
	unsigned count;
};

static void add_name(struct names *names, const char *name)
{
	char word[32], all[sizeof names->text + 2];
	size_t used = strlen(names->text);

	snprintf(word, sizeof word, " %s ", name);
	snprintf(all, sizeof all, "%s ", names->text);
	if (strstr(all, word) != NULL)
		return;
	names->count++;
	snprintf(names->text + used, sizeof names->text - used, " %s", name);
}

static bool is_usable(const struct links_port *port)
{
	return port->usable[FAMILY_IPV4] || port->usable[FAMILY_IPV6];
}

/* Each family once: instances mostly share the default table. */
static void append_holders(const struct owner *owner, char *text, size_t size)
{
	bool shown[FAMILIES] = {false};

	for (size_t i = 0; i < owner->instance_count; i++)
		for (int family = 0; family < FAMILIES; family++) {
			const struct holder *holder = &owner->instances[i].holders[family];
			char name[HOLDER_TEXT_SIZE];
			size_t used = strlen(text);

			if (!holder->there || shown[family])
				continue;
			shown[family] = true;
			snprintf(text + used, size - used, "; %s is not served: %s", family_name(family),
			         holder_text(holder, name));
		}
}

static void format_status(const struct owner *owner, char *text, size_t size)
{
	struct names used = {0}, awaited = {0};
	struct links_port port;
	size_t cursor = 0;
	unsigned instance;
	const char *pattern;

	while (links_next_port(owner->links, &cursor, &port))
		add_name(is_usable(&port) ? &used : &awaited, port.name);
	cursor = 0;
	while (links_next_missing(owner->links, &cursor, &instance, &pattern))
		add_name(&awaited, pattern);
	snprintf(text, size, "%u link%s in use%s%s%s%s", used.count, used.count == 1 ? "" : "s",
	         used.count > 0 ? ":" : "", used.text, awaited.count > 0 ? "; waiting for" : "",
	         awaited.text);
	append_holders(owner, text, size);
}

/* Ready: the sockets are open, the workers run, and the first dump of interfaces is over. */
void service_report(struct owner *owner, mtime now)
{
	struct service *service = &owner->service;
	char text[512];

	if (!notify_is_open() || !owner->interfaces.known)
		return;
	if (service->links_changed) {
		format_status(owner, text, sizeof text);
		service->links_changed = !notify_status(text);
	}
	if (!service->ready_reported && !adoption_is_settling(owner))
		service->ready_reported = notify_ready();
	if (service->links_changed || (!service->ready_reported && !adoption_is_settling(owner)))
		retry(owner, now);
}

void service_reloading(struct owner *owner)
{
	owner->service.ready_reported = true;
	notify_reloading();
}

void service_reloaded(struct owner *owner)
{
	owner->service.ready_reported = false;
	owner->service.links_changed = true;
}

void service_stopping(struct owner *owner)
{
	(void)owner;
	notify_stopping();
}
