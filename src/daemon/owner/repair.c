/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/owner/repair.h"

#include "daemon/log/clock.h"
#include "daemon/log/log.h"
#include "daemon/owner/kernel_table.h"
#include "kernel/mroute_watch.h"
#include "daemon/owner/holder.h"
#include "daemon/owner/settings.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#define AUDIT_INTERVAL (600 * MTIME_SECOND)
#define RETRY_INTERVAL (1 * MTIME_SECOND)
#define TELL_INTERVAL  (60 * MTIME_SECOND)

enum damage { DAMAGE_ROUTE, DAMAGE_STRANGE, DAMAGE_VIF, DAMAGE_RULE, DAMAGES };

struct guard {
	struct loop_source source;
	struct watch *watch;
	mtime audit_at;
	bool auditing;
	enum family audited; /* the family whose entries are being told */
	mtime links_at;      /* when vifs and rules are looked at, after a failure; MTIME_NEVER */
	mtime quiet_until[DAMAGES];
};

/* What the callback for each piece of news needs. */
struct hearing {
	struct owner *owner;
	mtime now;
	bool audited;
};

static bool may_tell(struct guard *guard, enum damage damage, mtime now)
{
	if (guard->quiet_until[damage] > now)
		return false;
	guard->quiet_until[damage] = now + TELL_INTERVAL;
	return true;
}

static const char *family_name(enum family family)
{
	return family == FAMILY_IPV4 ? "IPv4" : "IPv6";
}

static void restored_vif(struct guard *guard, const struct vif *vif, mtime now)
{
	if (may_tell(guard, DAMAGE_VIF, now))
		warnx("%s: another process deleted its vif of %s: restored", vif->name,
		      family_name(vif->table->family));
}

static void restored_rule(struct guard *guard, const struct vif *vif, mtime now)
{
	if (may_tell(guard, DAMAGE_RULE, now))
		warnx("%s: another process deleted a policy rule (ip mrule) of %s: restored", vif->name,
		      family_name(vif->table->family));
}

/* An interface that is gone is told elsewhere. */
static void check_vif(struct owner *owner, const struct vif *vif, mtime now)
{
	struct mrt *mrt = vif->table->mrt;
	int result;

	if (mrt_has_vif(mrt, vif->number))
		return;
	result = mrt_add_vif(mrt, vif->number, vif->ifindex);
	if (result == 0)
		restored_vif(owner->guard, vif, now);
	else if (result != -ENODEV)
		owner->guard->links_at = now + RETRY_INTERVAL;
}

static void check_rules(struct owner *owner, const struct vif *vif, mtime now)
{
	int result = table_lead(owner, vif);

	if (result > 0)
		restored_rule(owner->guard, vif, now);
	else if (result < 0)
		owner->guard->links_at = now + RETRY_INTERVAL;
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

static void heard_vifs(struct owner *owner, const struct watch_news *news, mtime now)
{
	const struct table *table;

	LL_FOREACH (owner->tables, table)
		for (unsigned number = 0; number < MRT_VIFS; number++)
			if (table->family == news->family && table->vifs[number] != NULL &&
			    table->vifs[number]->ifindex == news->ifindex)
				check_vif(owner, table->vifs[number], now);
}

static void heard_rule(struct owner *owner, const struct rule *rule, mtime now)
{
	const struct table *table;

	LL_FOREACH (owner->tables, table)
		for (unsigned number = 0; number < MRT_VIFS; number++)
			if (table->family == rule->family && table->id == rule->table &&
			    table->vifs[number] != NULL &&
			    strcmp(table->vifs[number]->name, rule->interface) == 0)
				check_rules(owner, table->vifs[number], now);
}

/* MRT_VIFS when it is no vif here. */
static unsigned find_vif(const struct table *table, int ifindex)
{
	unsigned number = 0;

	while (number < MRT_VIFS && (table->vifs[number] == NULL || table->vifs[number]->ifindex != ifindex))
		number++;
	return number;
}

static uint32_t kernel_vifs(const struct table *table)
{
	uint32_t vifs = 0;

	for (unsigned number = 0; number < MRT_VIFS; number++)
		if (mrt_has_vif(table->mrt, number))
			vifs |= (uint32_t)1 << number;
	return vifs;
}

/* False when it leads to a vif that is not ours. */
static bool read_told(const struct table *table, const struct watch_news *news, struct route_told *told)
{
	told->input = news->input != 0 ? find_vif(table, news->input) : MRT_VIFS;
	for (size_t i = 0; i < news->output_count; i++) {
		unsigned number = find_vif(table, news->outputs[i]);

		if (number == MRT_VIFS)
			return false;
		told->outputs |= (uint32_t)1 << number;
	}
	return true;
}

/* Unless it is one of our own that was deleted a moment ago. */
static void remove_strange(struct owner *owner, struct table *table, const struct route_key *key, mtime now)
{
	char source[ADDR_TEXT_SIZE], group[ADDR_TEXT_SIZE];
	struct mrt_counters counters;

	if (mrt_route_counters(table->mrt, &key->source, &key->group, &counters) != 0 ||
	    mrt_del_route(table->mrt, &key->source, &key->group) != 0 ||
	    !may_tell(owner->guard, DAMAGE_STRANGE, now))
		return;
	warnx("another process made an entry for (%s, %s), which nobody here wants: deleted",
	      addr_format(&key->source, source), addr_format(&key->group, group));
}

static void heard_route(const struct hearing *hearing, struct table *table, const struct watch_news *news)
{
	struct route_key key = {.source = news->source, .group = news->group};
	struct route_told told = {
		.present = news->kind == WATCH_ROUTE, .audited = hearing->audited, .vifs = UINT32_MAX};
	enum route_verdict verdict;

	if (told.present)
		told.present = read_told(table, news, &told);
	verdict = routes_told(table->routes, &key, &told);
	if (verdict == ROUTE_STRANGE)
		remove_strange(hearing->owner, table, &key, hearing->now);
	if (verdict != ROUTE_WRONG)
		return;
	hearing->owner->again = true;
	if (!told.present)
		return;
	told.vifs = kernel_vifs(table);
	routes_told(table->routes, &key, &told);
}

/* Everything is looked at, a part each turn. */
static void begin_audit(struct owner *owner, mtime now)
{
	struct guard *guard = owner->guard;
	struct table *table;

	guard->audit_at = now + AUDIT_INTERVAL;
	settings_look(owner, now);
	check_links(owner, now);
	LL_FOREACH (owner->tables, table) {
		routes_read_all(table->routes);
		routes_audit(table->routes);
	}
	guard->audited = FAMILY_IPV4;
	guard->auditing = watch_audit_begin(guard->watch, guard->audited) == 0;
}

static void hear(void *context, const struct watch_news *news)
{
	const struct hearing *hearing = context;
	struct owner *owner = hearing->owner;
	struct table *table;

	switch (news->kind) {
	case WATCH_ROUTE:
	case WATCH_ROUTE_GONE:
		LL_FOREACH (owner->tables, table)
			if (table->family == news->family && table->id == news->table)
				heard_route(hearing, table, news);
		break;
	case WATCH_VIFS:
		heard_vifs(owner, news, hearing->now);
		break;
	case WATCH_ROUTER:
		holders_try_now(owner);
		break;
	case WATCH_RP_FILTER:
		if (owner->rpfilter != NULL)
			settings_look(owner, hearing->now);
		break;
	case WATCH_RULE_GONE:
		heard_rule(owner, &news->rule, hearing->now);
		break;
	case WATCH_OVERRUN:
		owner->guard->audit_at = hearing->now;
		holders_try_now(owner);
		break;
	}
}

void guard_hear(struct owner *owner, mtime now)
{
	struct hearing hearing = {.owner = owner, .now = now};

	if (owner->guard != NULL)
		watch_receive(owner->guard->watch, hear, &hearing);
}

static void heard(struct owner *owner, struct loop_source *source, mtime now)
{
	(void)source;
	guard_hear(owner, now);
}

static void next_family(struct owner *owner)
{
	struct guard *guard = owner->guard;
	struct table *table;

	LL_FOREACH (owner->tables, table)
		routes_audit(table->routes);
	guard->auditing = ++guard->audited < FAMILIES && watch_audit_begin(guard->watch, guard->audited) == 0;
}

static void continue_audit(struct owner *owner, mtime now)
{
	struct hearing hearing = {.owner = owner, .now = now, .audited = true};
	struct table *table;

	LL_FOREACH (owner->tables, table)
		routes_audit(table->routes);
	if (watch_audit_next(owner->guard->watch, hear, &hearing) <= 0)
		next_family(owner);
	owner->again = true;
}

static void tell_restored(struct owner *owner, struct table *table, mtime now)
{
	char source[ADDR_TEXT_SIZE], group[ADDR_TEXT_SIZE];
	struct route_key key;
	uint64_t restored = routes_restored(table->routes, &key);

	if (restored == table->restored)
		return;
	table->restored = restored;
	if (may_tell(owner->guard, DAMAGE_ROUTE, now))
		warnx("another process changed or deleted forwarding entries, such as (%s, %s): restored",
		      addr_format(&key.source, source), addr_format(&key.group, group));
}

void guard_apply(struct owner *owner, mtime now)
{
	struct guard *guard = owner->guard;
	struct table *table;

	if (guard == NULL)
		return;
	if (guard->links_at <= now) {
		guard->links_at = MTIME_NEVER;
		check_links(owner, now);
	}
	if (guard->auditing)
		continue_audit(owner, now);
	else if (guard->audit_at <= now)
		begin_audit(owner, now);
	LL_FOREACH (owner->tables, table)
		tell_restored(owner, table, now);
}

mtime guard_deadline(const struct owner *owner)
{
	const struct guard *guard = owner->guard;

	if (guard == NULL)
		return MTIME_NEVER;
	return guard->auditing ? 0 : mtime_min(guard->audit_at, guard->links_at);
}

void guard_open(struct owner *owner)
{
	struct guard *guard = calloc(1, sizeof *guard);
	int result = guard != NULL ? watch_open(&guard->watch) : -ENOMEM;

	if (result != 0) {
		errno = -result;
		warn("netlink: changes by other processes cannot be watched for");
		free(guard);
		return;
	}
	owner->guard = guard;
	guard->audit_at = clock_now() + AUDIT_INTERVAL;
	guard->links_at = MTIME_NEVER;
	guard->source = (struct loop_source){.fd = watch_fd(guard->watch), .ready = heard};
	owner_watch(owner, &guard->source);
}

void guard_close(struct owner *owner)
{
	if (owner->guard != NULL)
		watch_close(owner->guard->watch);
	free(owner->guard);
	owner->guard = NULL;
}
