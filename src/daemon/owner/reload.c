/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/owner/reload.h"

#include "core/tables/links.h"
#include "daemon/config/diff.h"
#include "daemon/log/clock.h"
#include "daemon/log/log.h"
#include "daemon/owner/confinement.h"
#include "daemon/owner/families.h"
#include "daemon/owner/instances.h"
#include "daemon/owner/kernel_table.h"
#include "daemon/owner/link_log.h"
#include "daemon/owner/owner.h"
#include "daemon/owner/requests.h"
#include "daemon/owner/upcalls.h"
#include "daemon/owner/uplink.h"

#include <stdio.h>
#include <string.h>

#define RELOAD_INTERVAL MTIME_SECOND

/* What a slot was before the reload, to return to and to compare with. */
struct before {
	const struct config_instance *config;
	unsigned table;
	struct table *tables[FAMILIES];
	struct holder holders[FAMILIES];
};

struct attempt {
	struct owner *owner;
	struct config *config, *old;
	struct config_diff plan;
	struct before before[CONFIG_INSTANCES_MAX];
	size_t old_count;
};

static struct instance_slot *slot_of(const struct attempt *attempt, size_t instance)
{
	return &attempt->owner->instances[attempt->plan.slots[instance]];
}

/* Each line of a reload has its number, so that the log does not take it for a repeat. */

static bool make_plan(struct attempt *attempt)
{
	const struct config_instance *running[CONFIG_INSTANCES_MAX];
	struct owner *owner = attempt->owner;

	for (size_t i = 0; i < CONFIG_INSTANCES_MAX; i++) {
		const struct instance_slot *slot = &owner->instances[i];

		running[i] = slot->config;
		attempt->before[i] = (struct before){.config = slot->config, .table = slot->table};
		memcpy(attempt->before[i].tables, slot->tables, sizeof slot->tables);
		memcpy(attempt->before[i].holders, slot->holders, sizeof slot->holders);
	}
	attempt->old = owner->config;
	attempt->old_count = owner->instance_count;
	if (config_diff_plan(&attempt->plan, running, attempt->config))
		return true;
	warnx("reload: #%u: more than %d instances, those that end and those that begin together; restart "
	      "instead",
	      owner->reloads, CONFIG_INSTANCES_MAX);
	return false;
}

/* The slots have their new configurations; those of instances that end still have their old ones. */
static void enter(struct attempt *attempt)
{
	struct owner *owner = attempt->owner;

	owner->config = attempt->config;
	for (size_t i = 0; i < attempt->config->instance_count; i++) {
		unsigned slot = attempt->plan.slots[i];

		instance_take_slot(owner, slot, &attempt->config->instances[i]);
		if (owner->instance_count <= slot)
			owner->instance_count = slot + 1;
	}
}

static bool open_tables(struct attempt *attempt)
{
	bool any = false;

	for (size_t i = 0; i < attempt->config->instance_count; i++) {
		struct instance_slot *slot = slot_of(attempt, i);
		int result = attempt->plan.kinds[i] == DIFF_ADD
		                     ? families_open(attempt->owner, slot, upcalls_receive)
		                     : families_reopen(attempt->owner, slot, upcalls_receive);

		if (result != 0)
			return false;
		for (int family = 0; family < FAMILIES; family++)
			any |= slot->tables[family] != NULL || slot->holders[family].there;
	}
	if (!any)
		warnx("nothing is left to serve");
	return any;
}

static bool start_new(struct attempt *attempt)
{
	for (size_t i = 0; i < attempt->config->instance_count; i++) {
		struct instance_slot *slot = slot_of(attempt, i);

		if (!instance_name_links(attempt->owner, slot)) {
			warnx("instance %s: out of memory", slot->config->name);
			return false;
		}
		if (attempt->plan.kinds[i] == DIFF_ADD &&
		    !instance_start(attempt->owner, slot, requests_take))
			return false;
	}
	return true;
}

static void leave(struct instance_slot *slot)
{
	*slot = (struct instance_slot){.number = slot->number};
}

/* The turn closes the tables that were opened for nothing. */
static void revert(struct attempt *attempt)
{
	struct owner *owner = attempt->owner;

	links_reconfigure_end(owner->links, false);
	for (size_t i = 0; i < attempt->config->instance_count; i++) {
		struct instance_slot *slot = slot_of(attempt, i);

		if (attempt->plan.kinds[i] != DIFF_ADD)
			continue;
		instance_stop(owner, slot);
		leave(slot);
	}
	for (size_t i = 0; i < owner->instance_count; i++) {
		struct instance_slot *slot = &owner->instances[i];

		slot->config = attempt->before[i].config;
		slot->table = attempt->before[i].table;
		memcpy(slot->tables, attempt->before[i].tables, sizeof slot->tables);
		memcpy(slot->holders, attempt->before[i].holders, sizeof slot->holders);
	}
	owner->config = attempt->old;
	owner->instance_count = attempt->old_count;
}

/* Its streams end with it: no other instance has the same claims. */
static void end_instance(struct owner *owner, struct instance_slot *slot)
{
	info("reload: #%u: instance %s: removed", owner->reloads, slot->config->name);
	instance_stop(owner, slot);
	for (int family = 0; family < FAMILIES; family++)
		if (slot->tables[family] != NULL)
			routes_unwant_all(slot->tables[family]->routes, slot->number);
	links_forget_instance(owner->links, slot->number);
	leave(slot);
}

static void log_change(const struct attempt *attempt, size_t instance)
{
	unsigned number = attempt->owner->reloads;
	const struct instance_slot *slot = slot_of(attempt, instance);
	char text[256];

	switch ((enum diff_kind)attempt->plan.kinds[instance]) {
	case DIFF_KEEP:
		break;
	case DIFF_CHANGE:
		config_diff_describe(attempt->before[slot->number].config, slot->config, text, sizeof text);
		info("reload: #%u: instance %s: changed: %s", number, slot->config->name, text);
		break;
	case DIFF_ADD:
		info("reload: #%u: instance %s: added", number, slot->config->name);
		break;
	}
}

static void change_instance(struct instance_slot *slot, const struct before *before)
{
	slot->settings_due |= !instance_settings_equal(&before->config->settings, &slot->config->settings);
	for (int family = 0; family < FAMILIES; family++)
		if (before->tables[family] != NULL && slot->tables[family] == NULL)
			routes_unwant_all(before->tables[family]->routes, slot->number);
}

static void change_globals(struct owner *owner, const struct config *old)
{
	const struct config *config = owner->config;

	if (config->ring_size != old->ring_size)
		info("reload: #%u: ring_size: holds for instances that begin from now on; the others keep "
		     "theirs",
		     owner->reloads);
	loop_set_priority(config);
	/* A socket that cannot be made does not replace one that clients reach. */
	if (!confinement_check_reload(owner, old))
		return;
	if (strcmp(config->control.socket, old->control.socket) == 0 &&
	    strcmp(config->control.group, old->control.group) == 0 &&
	    config->control.mode == old->control.mode)
		return;
	owner->control_handlers->reopen(owner);
}

static void commit(struct attempt *attempt)
{
	struct owner *owner = attempt->owner;
	uint64_t touched = 0;
	mtime now = clock_now();

	for (uint64_t removed = attempt->plan.removed; removed != 0; removed &= removed - 1)
		end_instance(owner, &owner->instances[__builtin_ctzll(removed)]);
	for (size_t i = 0; i < attempt->config->instance_count; i++) {
		struct instance_slot *slot = slot_of(attempt, i);

		if (attempt->plan.kinds[i] != DIFF_ADD)
			change_instance(slot, &attempt->before[slot->number]);
		if (attempt->plan.kinds[i] != DIFF_KEEP)
			touched |= (uint64_t)1 << slot->number;
		log_change(attempt, i);
	}
	while (owner->instances[owner->instance_count - 1].config == NULL)
		owner->instance_count--;
	links_reconfigure_end(owner->links, true);
	uplinks_reconsider(owner, now);
	tables_reconfigure(owner, now);
	settings_reload(owner);
	change_globals(owner, attempt->old);
	if (owner->interfaces.known)
		link_log_missing(owner, touched);
}

static bool put_into_force(struct owner *owner, struct config *config)
{
	struct attempt attempt = {.owner = owner, .config = config};

	config_filters_share(config, owner->config);
	config_group_maps_share(config, owner->config);
	if (!make_plan(&attempt))
		return false;
	links_reconfigure_begin(owner->links);
	enter(&attempt);
	if (!open_tables(&attempt) || !start_new(&attempt)) {
		revert(&attempt);
		return false;
	}
	commit(&attempt);
	config_free(attempt.old);
	return true;
}

static struct config *read_again(const struct owner *owner, char problem[CONFIG_ERROR_SIZE])
{
	if (owner->options->config_path != NULL)
		return config_load(owner->options->config_path, problem);
	snprintf(problem, CONFIG_ERROR_SIZE,
	         "the instances are on the command line, and there is no file to read "
	         "again; restart mcproxy to change them");
	return NULL;
}

void reload(struct owner *owner)
{
	const char *path = options_source(owner->options);
	char *problem = owner->reload_problem;
	struct config *config = read_again(owner, problem);

	owner->reload_wanted = false;
	owner->reloads++;
	service_reloading(owner);
	if (config == NULL)
		warnx("reload: #%u: %s", owner->reloads, problem);
	else
		snprintf(problem, CONFIG_ERROR_SIZE, "what it asks for cannot be had; the log says why");
	if (config != NULL && put_into_force(owner, config)) {
		*problem = '\0';
		info("reload: #%u: %s is in force", owner->reloads, path);
	} else {
		warnx("reload: #%u: failed; everything stays as it was", owner->reloads);
		config_free(config);
	}
	service_reloaded(owner);
	owner->reload_at = clock_now() + RELOAD_INTERVAL;
}
