/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/owner/repair.h"

#include "daemon/log/clock.h"
#include "daemon/log/log.h"
#include "daemon/owner/adoption.h"
#include "daemon/owner/holder.h"
#include "daemon/owner/kernel_table.h"
#include "daemon/owner/owner.h"
#include "daemon/owner/settings.h"
#include "kernel/mroute_watch.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#define AUDIT_INTERVAL (600 * MTIME_SECOND)
#define RETRY_INTERVAL (1 * MTIME_SECOND)
#define LOG_INTERVAL   (60 * MTIME_SECOND)

enum damage { DAMAGE_ROUTE, DAMAGE_STRANGE, DAMAGE_VIF, DAMAGE_RULE, DAMAGES };

struct repair {
	struct loop_source source;
	struct mroute_watch *watch;
	mtime audit_at;
	bool auditing;
	enum family audited; /* the family whose entries the audit reads */
	mtime links_at;      /* when to check vifs and rules again, after a failure; MTIME_NEVER */
	mtime quiet_until[DAMAGES];
};

/* What take_news needs. */
struct reading {
	struct owner *owner;
	mtime now;
	bool audited;
};

static bool may_log(struct repair *repair, enum damage damage, mtime now)
{
	if (repair->quiet_until[damage] > now)
		return false;
	repair->quiet_until[damage] = now + LOG_INTERVAL;
	return true;
}

static void restored_vif(struct repair *repair, const struct vif *vif, mtime now)
{
	if (may_log(repair, DAMAGE_VIF, now))
		warnx("link %s: another process deleted its vif of %s: restored", vif->name,
		      family_name(vif->table->family));
}

static void restored_rule(struct repair *repair, const struct vif *vif, mtime now)
{
	if (may_log(repair, DAMAGE_RULE, now))
		warnx("link %s: another process deleted a policy rule (ip mrule) of %s: restored", vif->name,
		      family_name(vif->table->family));
}

/* link_log.c logs an interface that is gone. */
static void check_vif(struct owner *owner, const struct vif *vif, mtime now)
{
	struct mrt *mrt = vif->table->mrt;
	int result;

	if (mrt_has_vif(mrt, vif->number))
		return;
	result = mrt_add_vif(mrt, vif->number, vif->ifindex);
	if (result == 0)
		restored_vif(owner->repair, vif, now);
	else if (result != -ENODEV)
		owner->repair->links_at = now + RETRY_INTERVAL;
}

static void check_rules(struct owner *owner, const struct vif *vif, mtime now)
{
	int result = table_lead(owner, vif);

	if (result > 0)
		restored_rule(owner->repair, vif, now);
	else if (result < 0)
		owner->repair->links_at = now + RETRY_INTERVAL;
}

static void check_links(struct owner *owner, mtime now)
{
	const struct table *table;

	LL_FOREACH (owner->tables, table) {
		for (unsigned number = 0; number < MRT_VIFS; number++) {
			if (table->vifs[number] == NULL)
				continue;
			check_vif(owner, table->vifs[number], now);
			check_rules(owner, table->vifs[number], now);
		}
	}
}

static void vifs_changed(struct owner *owner, const struct mroute_news *news, mtime now)
{
	const struct table *table;

	LL_FOREACH (owner->tables, table)
		for (unsigned number = 0; number < MRT_VIFS; number++)
			if (table->family == news->family && table->vifs[number] != NULL &&
			    table->vifs[number]->ifindex == news->ifindex)
				check_vif(owner, table->vifs[number], now);
}

static void rule_gone(struct owner *owner, const struct rule *rule, mtime now)
{
	const struct table *table;

	LL_FOREACH (owner->tables, table)
		for (unsigned number = 0; number < MRT_VIFS; number++)
			if (table->family == rule->family && table->id == rule->table &&
			    table->vifs[number] != NULL &&
			    strcmp(table->vifs[number]->name, rule->interface) == 0)
				check_rules(owner, table->vifs[number], now);
}

/* Those whose place among an entry's outputs netlink reports. */
static uint32_t kernel_vifs(const struct table *table)
{
	uint32_t vifs = 0;

	for (unsigned number = 0; number < MRT_VIFS; number++)
		if (mrt_has_vif(table->mrt, number) && mrt_threshold(table->mrt, number) != MRT_TTL_NEVER)
			vifs |= (uint32_t)1 << number;
	return vifs;
}

/* False when the entry leads to an interface that is no vif here. */
static bool read_observed(const struct table *table, const struct mroute_news *news,
                          struct route_observed *observed)
{
	observed->input = news->input != 0 ? table_find_vif(table, news->input) : MRT_VIFS;
	for (size_t i = 0; i < news->output_count; i++) {
		unsigned number = table_find_vif(table, news->outputs[i]);

		if (number == MRT_VIFS)
			return false;
		observed->outputs |= (uint32_t)1 << number;
	}
	return true;
}

/* Deletes an entry that no instance wants, unless it is one of our own that the owner has just deleted. */
static void remove_strange(struct owner *owner, struct table *table, const struct route_key *key, mtime now)
{
	char source[ADDR_TEXT_SIZE], group[ADDR_TEXT_SIZE];
	struct mrt_counters counters;

	/* A group that is not forwarded: the next run looks for vifs with such entries (adoption.c). */
	if (!addr_is_proxied_stream(&key->source, &key->group) ||
	    mrt_route_counters(table->mrt, &key->source, &key->group, &counters) != 0 ||
	    mrt_del_route(table->mrt, &key->source, &key->group) != 0 ||
	    !may_log(owner->repair, DAMAGE_STRANGE, now))
		return;
	warnx("another process made an entry for (%s, %s), which no instance wants: deleted",
	      addr_format(&key->source, source), addr_format(&key->group, group));
}

static void route_changed(const struct reading *reading, struct table *table, const struct mroute_news *news)
{
	struct route_key key = {.source = news->source, .group = news->group};
	struct route_observed observed = {
		.present = news->kind == MROUTE_ENTRY, .audited = reading->audited, .vifs = UINT32_MAX};
	enum route_verdict verdict;

	if (observed.present)
		observed.present = read_observed(table, news, &observed);
	verdict = routes_observe(table->routes, &key, &observed);
	if (verdict == ROUTE_STRANGE &&
	    !adoption_note(reading->owner, table, &key, observed.input, observed.outputs))
		remove_strange(reading->owner, table, &key, reading->now);
	if (verdict != ROUTE_WRONG)
		return;
	reading->owner->loop.again = true;
	if (!observed.present)
		return;
	observed.vifs = kernel_vifs(table);
	routes_observe(table->routes, &key, &observed);
}

/* Checks everything, a part each turn. */
static void begin_audit(struct owner *owner, mtime now)
{
	struct repair *repair = owner->repair;
	struct table *table;

	repair->audit_at = now + AUDIT_INTERVAL;
	settings_look(owner, now);
	check_links(owner, now);
	LL_FOREACH (owner->tables, table) {
		routes_read_all(table->routes);
		routes_audit(table->routes);
	}
	repair->audited = FAMILY_IPV4;
	repair->auditing = mroute_watch_audit_begin(repair->watch, repair->audited) == 0;
}

static void take_news(void *context, const struct mroute_news *news)
{
	const struct reading *reading = context;
	struct owner *owner = reading->owner;
	struct table *table;

	switch (news->kind) {
	case MROUTE_ENTRY:
	case MROUTE_ENTRY_GONE:
		LL_FOREACH (owner->tables, table)
			if (table->family == news->family && table->id == news->table)
				route_changed(reading, table, news);
		break;
	case MROUTE_VIFS:
		vifs_changed(owner, news, reading->now);
		break;
	case MROUTE_ROUTER:
		holders_try_now(owner);
		break;
	case MROUTE_RP_FILTER:
		if (owner->settings.rp_filter != NULL)
			settings_look(owner, reading->now);
		break;
	case MROUTE_RULE_GONE:
		rule_gone(owner, &news->rule, reading->now);
		break;
	case MROUTE_OVERRUN:
		owner->repair->audit_at = reading->now;
		holders_try_now(owner);
		break;
	}
}

void repair_receive(struct owner *owner, mtime now)
{
	struct reading reading = {.owner = owner, .now = now};

	if (owner->repair != NULL)
		mroute_watch_receive(owner->repair->watch, take_news, &reading);
}

static void ready(void *context, struct loop_source *source, mtime now)
{
	(void)source;
	repair_receive(context, now);
}

static void next_family(struct owner *owner)
{
	struct repair *repair = owner->repair;
	struct table *table;

	LL_FOREACH (owner->tables, table)
		routes_audit(table->routes);
	repair->auditing =
		++repair->audited < FAMILIES && mroute_watch_audit_begin(repair->watch, repair->audited) == 0;
}

static void continue_audit(struct owner *owner, mtime now)
{
	struct reading reading = {.owner = owner, .now = now, .audited = true};
	struct table *table;

	LL_FOREACH (owner->tables, table)
		routes_audit(table->routes);
	if (mroute_watch_audit_next(owner->repair->watch, take_news, &reading) <= 0)
		next_family(owner);
	owner->loop.again = true;
}

static void log_restored(struct owner *owner, struct table *table, mtime now)
{
	char source[ADDR_TEXT_SIZE], group[ADDR_TEXT_SIZE];
	struct route_key key;
	uint64_t restored = routes_restored(table->routes, &key);

	if (restored == table->logged_restored)
		return;
	table->logged_restored = restored;
	if (may_log(owner->repair, DAMAGE_ROUTE, now))
		warnx("another process changed or deleted forwarding entries, such as (%s, %s): restored",
		      addr_format(&key.source, source), addr_format(&key.group, group));
}

void repair_apply(struct owner *owner, mtime now)
{
	struct repair *repair = owner->repair;
	struct table *table;

	if (repair == NULL)
		return;
	if (repair->links_at <= now) {
		repair->links_at = MTIME_NEVER;
		check_links(owner, now);
	}
	if (repair->auditing)
		continue_audit(owner, now);
	else if (repair->audit_at <= now)
		begin_audit(owner, now);
	LL_FOREACH (owner->tables, table)
		log_restored(owner, table, now);
}

mtime repair_deadline(const struct owner *owner)
{
	const struct repair *repair = owner->repair;

	if (repair == NULL)
		return MTIME_NEVER;
	return repair->auditing ? 0 : mtime_min(repair->audit_at, repair->links_at);
}

void repair_open(struct owner *owner)
{
	struct repair *repair = calloc(1, sizeof *repair);
	int result = repair != NULL ? mroute_watch_open(&repair->watch) : -ENOMEM;

	if (result != 0) {
		errno = -result;
		warn("netlink: changes by other processes cannot be watched for");
		free(repair);
		return;
	}
	owner->repair = repair;
	repair->audit_at = clock_now() + AUDIT_INTERVAL;
	repair->links_at = MTIME_NEVER;
	repair->source =
		(struct loop_source){.fd = mroute_watch_fd(repair->watch), .ready = ready, .context = owner};
	loop_watch(&owner->loop, &repair->source);
}

void repair_close(struct owner *owner)
{
	if (owner->repair != NULL)
		mroute_watch_close(owner->repair->watch);
	free(owner->repair);
	owner->repair = NULL;
}
