/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/owner/holder.h"

#include "daemon/log/clock.h"
#include "daemon/log/log.h"
#include "daemon/owner/instances.h"
#include "daemon/owner/kernel_table.h"
#include "daemon/owner/owner.h"

#include <stdio.h>
#include <string.h>

#define RETRY_INTERVAL  (30 * MTIME_SECOND)
#define TRY_INTERVAL    (MTIME_SECOND / 4)
#define SEARCH_INTERVAL (2 * MTIME_SECOND) /* a search reads much of /proc */
#define ENDING_MAX      (5 * MTIME_SECOND)

const char *holder_text(const struct holder *holder, char text[HOLDER_TEXT_SIZE])
{
	if (holder->pid == 0)
		snprintf(text, HOLDER_TEXT_SIZE, "another program");
	else if (holder->pid == 1)
		snprintf(text, HOLDER_TEXT_SIZE, "%s (pid 1), for a service that starts again",
		         holder->program);
	else
		snprintf(text, HOLDER_TEXT_SIZE, "%s (pid %d)", holder->program, (int)holder->pid);
	return text;
}

static bool is_same(const struct holder *holder, const struct holder *other)
{
	return holder->there == other->there && holder->pid == other->pid &&
	       strcmp(holder->program, other->program) == 0;
}

static void find(enum family family, struct holder *holder, mtime now)
{
	struct holder found = {.there = true, .searched_at = now, .missed_at = MTIME_NEVER};

	holder->searched_at = now;
	if (!mrt_owner_find(family, true, &found.pid, found.program)) {
		found.missed_at = holder->there ? mtime_min(holder->missed_at, now) : 0;
		/* A program that ends closes its sockets one by one: its name stays a little longer. */
		if (now - found.missed_at < ENDING_MAX) {
			holder->missed_at = found.missed_at;
			return;
		}
	}
	*holder = found;
}

void holder_found(struct owner *owner, struct instance_slot *instance, enum family family)
{
	struct holder *holder = &instance->holders[family], before = *holder;
	char name[TABLE_NAME_SIZE], text[HOLDER_TEXT_SIZE];
	mtime now = clock_now();

	holders_wait(owner, now);
	if (holder->there && now < holder->searched_at + SEARCH_INTERVAL) {
		owner->holders_at = mtime_min(owner->holders_at, holder->searched_at + SEARCH_INTERVAL);
		return;
	}
	find(family, holder, now);
	if (is_same(holder, &before))
		return;
	owner->service.links_changed = true;
	warnx("%s: another multicast router is running: %s; %s is left out until it ends",
	      table_name(family, instance->config->table, name), holder_text(holder, text),
	      family_name(family));
}

void holder_gone(struct owner *owner, struct instance_slot *instance, enum family family)
{
	char name[TABLE_NAME_SIZE], text[HOLDER_TEXT_SIZE];

	if (!instance->holders[family].there)
		return;
	info("%s: %s: %s does not hold multicast routing any more: served from now on",
	     instance->config->name, table_name(family, instance->config->table, name),
	     holder_text(&instance->holders[family], text));
	holder_forget(owner, instance, family);
	/* The same program may have had the control socket. */
	if (owner->control != NULL)
		owner->control_handlers->retry(owner);
}

void holder_forget(struct owner *owner, struct instance_slot *instance, enum family family)
{
	if (instance->holders[family].there)
		owner->service.links_changed = true;
	instance->holders[family] = (struct holder){.there = false};
}

bool holder_share(struct owner *owner, struct instance_slot *instance, enum family family)
{
	for (const struct instance_slot *other = owner->instances; other < instance; other++) {
		if (other->config == NULL || other->table != instance->table || !other->holders[family].there)
			continue;
		instance->holders[family] = other->holders[family];
		return true;
	}
	return false;
}

bool holders_are_waited_for(const struct owner *owner)
{
	return owner->holders_at != MTIME_NEVER;
}

void holders_wait(struct owner *owner, mtime now)
{
	owner->holders_at = mtime_min(owner->holders_at, now + RETRY_INTERVAL);
}

void holders_try_now(struct owner *owner)
{
	if (holders_are_waited_for(owner))
		owner->holders_at = mtime_min(owner->holders_at, owner->holders_tried_at + TRY_INTERVAL);
}
