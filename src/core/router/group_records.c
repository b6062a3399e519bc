/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/router/group_records.h"

#include "core/router/group_hosts.h"
#include "core/router/group_queries.h"
#include "core/router/group_timers.h"

#include <assert.h>

/* What a record does to a source. It depends on the set that has the source before the record. */
enum action {
	NONE = 0,            /* does not occur; for a new source: not added */
	KEEP = 1,            /* stays as it is */
	DELETE = 2,          /* leaves the list */
	RUN = 3,             /* source timer = group membership interval */
	RUN_GROUP_TIMER = 4, /* source timer = group timer */
	BLOCK_IT = 5,        /* source timer = 0: into Y */
	ACTION = 7,          /* mask of the above */
	ASK = 8,             /* flag: and Send Q(G,{source}) */
};

/* A row of the tables of RFC 9776 sections 6.4.1 and 6.4.2 (RFC 9777 sections 7.4.1 and 7.4.2): what it does
 * to each kind of source, and to the group. */
struct record_row {
	uint8_t running_listed; /* source in A or X, and in the record */
	uint8_t running;        /* in A or X, not in the record */
	uint8_t blocked_listed; /* in Y, and in the record */
	uint8_t blocked;        /* in Y, not in the record */
	uint8_t listed;         /* new: only in the record */
	bool exclude;           /* new mode EXCLUDE, group timer = group membership interval */
	bool ask_group;         /* Q(G) */
};

/* clang-format off */
static const struct record_row rows[2][BLOCK + 1] = {
	[FILTER_INCLUDE] = {
		/* INCLUDE (A)    IS_IN (B)  INCLUDE (A+B)       (B)=GMI */
		[IS_IN] = {RUN,        KEEP,       NONE, NONE,   RUN,                   false, false},
		/* INCLUDE (A)    IS_EX (B)  EXCLUDE (A*B,B-A)   (B-A)=0; Delete (A-B); Group Timer=GMI */
		[IS_EX] = {KEEP,       DELETE,     NONE, NONE,   BLOCK_IT,              true,  false},
		/* INCLUDE (A)    TO_IN (B)  INCLUDE (A+B)       (B)=GMI; Send Q(G,A-B) */
		[TO_IN] = {RUN,        KEEP | ASK, NONE, NONE,   RUN,                   false, false},
		/* INCLUDE (A) TO_EX (B) EXCLUDE (A*B,B-A) (B-A)=0; Delete (A-B); Send Q(G,A*B); Group
		 * Timer=GMI */
		[TO_EX] = {KEEP | ASK, DELETE,     NONE, NONE,   BLOCK_IT,              true,  false},
		/* INCLUDE (A)    ALLOW (B)  INCLUDE (A+B)       (B)=GMI */
		[ALLOW] = {RUN,        KEEP,       NONE, NONE,   RUN,                   false, false},
		/* INCLUDE (A)    BLOCK (B)  INCLUDE (A)         Send Q(G,A*B) */
		[BLOCK] = {KEEP | ASK, KEEP,       NONE, NONE,   NONE,                  false, false},
	},
	[FILTER_EXCLUDE] = {
		/* EXCLUDE (X,Y)  IS_IN (A)  EXCLUDE (X+A,Y-A)   (A)=GMI */
		[IS_IN] = {RUN,        KEEP,       RUN,  KEEP,   RUN,                   false, false},
		/* EXCLUDE (X,Y) IS_EX (A) EXCLUDE (A-Y,Y*A) (A-X-Y)=GMI; Delete (X-A), (Y-A); Group
		 * Timer=GMI */
		[IS_EX] = {KEEP,       DELETE,     KEEP, DELETE, RUN,                   true,  false},
		/* EXCLUDE (X,Y)  TO_IN (A)  EXCLUDE (X+A,Y-A)   (A)=GMI; Send Q(G,X-A); Send Q(G) */
		[TO_IN] = {RUN,        KEEP | ASK, RUN,  KEEP,   RUN,                   false, true},
		/* EXCLUDE (X,Y) TO_EX (A) EXCLUDE (A-Y,Y*A) (A-X-Y)=Group Timer; Delete (X-A), (Y-A); Send
		 * Q(G,A-Y);
		 *                                               Group Timer=GMI */
		[TO_EX] = {KEEP | ASK, DELETE,     KEEP, DELETE, RUN_GROUP_TIMER | ASK, true,  false},
		/* EXCLUDE (X,Y)  ALLOW (A)  EXCLUDE (X+A,Y-A)   (A)=GMI */
		[ALLOW] = {RUN,        KEEP,       RUN,  KEEP,   RUN,                   false, false},
		/* EXCLUDE (X,Y)  BLOCK (A)  EXCLUDE (X+(A-Y),Y) (A-X-Y)=Group Timer; Send Q(G,A-Y) */
		[BLOCK] = {KEEP | ASK, KEEP,       KEEP, KEEP,   RUN_GROUP_TIMER | ASK, false, false},
	},
};
/* clang-format on */

/* Makes room for more sources by doubling the list. False when the pool is exhausted. */
static bool grow(struct group *group, struct pool *pool, size_t needed)
{
	size_t capacity = group->source_capacity ? group->source_capacity : 1;
	struct source *sources;

	if (needed <= group->source_capacity)
		return true;
	while (capacity < needed)
		capacity *= 2;
	if (capacity > UINT16_MAX)
		capacity = UINT16_MAX;
	sources = pool_take(pool, capacity * sizeof *sources);
	if (sources == NULL)
		return false;
	if (group->source_count > 0)
		memcpy(sources, group->sources, group->source_count * sizeof *sources);
	pool_give(pool, group->sources, group->source_capacity * sizeof *sources);
	group->sources = sources;
	group->source_capacity = (uint16_t)capacity;
	return true;
}

/* Is the source in the set? For a walk over ascending sources; `at` is the position of the walk in the
 * set. */
static bool walk_has(const struct sources *set, size_t *at, const struct addr *addr)
{
	while (*at < set->count && addr_compare(&set->list[*at], addr) < 0)
		++*at;
	return *at < set->count && addr_equal(&set->list[*at], addr);
}

/* How many of the record's sources would be new to the list. */
static size_t count_new(const struct group *group, const struct sources *listed)
{
	size_t at = 0, known = 0;

	for (uint16_t i = 0; i < group->source_count && at < listed->count; i++)
		known += walk_has(listed, &at, &group->sources[i].addr);
	return listed->count - known;
}

struct record_step {
	const struct group_timers *timers;
	mtime now;
	mtime old_exclude_until;
	unsigned flags;
};

/* Applies an action to a source that stays or is new. */
static void act(struct group *group, struct source *source, uint8_t action, struct record_step *step)
{
	switch ((enum action)(action & ACTION)) {
	case RUN:
		source->until = step->now + step->timers->membership_interval;
		if (group->asking == ASKS_LATER)
			source->queries_left = 0;
		break;
	case RUN_GROUP_TIMER:
		source->until = step->old_exclude_until;
		break;
	case BLOCK_IT:
		source->until = SOURCE_BLOCKED;
		source->queries_left = 0;
		break;
	case KEEP:
	case NONE:
	case DELETE:
	case ACTION:
	case ASK:
		break;
	}
	if (action & ASK && source->until != SOURCE_BLOCKED)
		step->flags |= group_ask_source(group, step->timers, step->now, source);
}

/* Applies the row to the sources in the list, and removes those that the row deletes. */
static void apply_to_known(struct group *group, const struct record_row *row, const struct sources *listed,
                           struct record_step *step)
{
	uint16_t kept = 0;
	size_t at = 0;

	for (uint16_t i = 0; i < group->source_count; i++) {
		struct source *source = &group->sources[i];
		bool blocked = source->until == SOURCE_BLOCKED;
		uint8_t action = walk_has(listed, &at, &source->addr)
		                         ? (blocked ? row->blocked_listed : row->running_listed)
		                         : (blocked ? row->blocked : row->running);

		if ((action & ACTION) == DELETE) {
			if (blocked || group->mode == FILTER_INCLUDE)
				step->flags |= GROUP_CHANGED;
			continue;
		}
		act(group, source, action, step);
		if (blocked != (source->until == SOURCE_BLOCKED))
			step->flags |= GROUP_CHANGED;
		group->sources[kept++] = *source;
	}
	group->source_count = kept;
}

static void insert_source(struct group *group, const struct addr *addr, uint8_t action,
                          struct record_step *step)
{
	uint16_t place = group->source_count;
	struct source source = {.addr = *addr, .until = SOURCE_BLOCKED};

	while (place > 0 && addr_compare(&group->sources[place - 1].addr, addr) > 0)
		place--;
	memmove(&group->sources[place + 1], &group->sources[place],
	        (size_t)(group->source_count - place) * sizeof source);
	group->source_count++;
	group->sources[place] = source;
	act(group, &group->sources[place], action, step);
	/* In EXCLUDE mode a running source passes, as it did while it was not in the list. */
	if (group->mode == FILTER_INCLUDE)
		step->flags |= GROUP_CHANGED;
}

/* Adds the sources that only the record has. Those beyond the limit are left out, and the caller counts that:
 * INCLUDE then passes fewer streams than wanted, EXCLUDE more. */
static void apply_to_new(struct group *group, struct pool *pool, uint8_t action, const struct sources *listed,
                         size_t new_count, struct record_step *step)
{
	size_t room = step->timers->sources_max > group->source_count
	                      ? (size_t)step->timers->sources_max - group->source_count
	                      : 0;

	if ((action & ACTION) == NONE || new_count == 0)
		return;
	if (new_count > room) {
		step->flags |= GROUP_SOURCES_MAX;
		new_count = room;
	}
	if (!grow(group, pool, group->source_count + new_count)) {
		step->flags |= GROUP_MEMORY;
		return;
	}
	for (size_t i = 0; i < listed->count && new_count > 0; i++) {
		if (group_find_source(group, &listed->list[i]) != NULL)
			continue;
		insert_source(group, &listed->list[i], action, step);
		new_count--;
	}
}

static unsigned apply_row(struct group *group, struct pool *pool, const struct record_row *row,
                          const struct sources *listed, const struct group_timers *timers, mtime now)
{
	struct record_step step = {.timers = timers, .now = now, .old_exclude_until = group->exclude_until};
	/* Counted before the row deletes any: a new source is in no set of the old state. */
	size_t new_count = count_new(group, listed);

	apply_to_known(group, row, listed, &step);
	apply_to_new(group, pool, row->listed, listed, new_count, &step);
	if (row->exclude) {
		if (group->mode == FILTER_INCLUDE)
			step.flags |= GROUP_CHANGED;
		group->mode = FILTER_EXCLUDE;
		group->exclude_until = now + timers->membership_interval;
		/* Older queries have no S flag: more of them would lower the timers of other routers. */
		if (timers->version < VERSION_3)
			group_cancel_queries(group);
		else if (group->asking == ASKS_LATER)
			group->queries_left = 0;
	}
	if (row->ask_group)
		step.flags |= group_ask(group, timers, now);
	if (timers->fast_leave)
		step.flags |= group_expire(group, timers, now);
	return step.flags;
}

bool group_express_as_older(enum record_type *type, bool has_sources)
{
	switch (*type) {
	case IS_EX:
	case TO_EX:
		*type = IS_EX;
		return true;
	case IS_IN:
	case ALLOW:
		*type = IS_EX;
		return has_sources;
	case TO_IN:
		*type = has_sources ? IS_EX : TO_IN;
		return true;
	case BLOCK:
		*type = TO_IN;
		return has_sources;
	}
	return false;
}

/* Which records count while older hosts are members (RFC 9776 section 7.3.2, RFC 9777 section 8.3.2). False:
 * the record is ignored. BLOCK is the leave of an older host, if one has sent it. */
static bool limit_to_version(enum version version, enum version report_version, enum record_type type,
                             bool *drop_sources)
{
	*drop_sources = version < VERSION_3 && type == TO_EX;
	if (version < VERSION_3 && type == BLOCK && report_version == VERSION_3)
		return false;
	return version > VERSION_1 || (type != TO_IN && type != BLOCK);
}

/* An older host has joined, by IS_EX or, where it gets listed sources, by IS_IN. */
static void note_older_host(struct group *group, const struct group_timers *timers, mtime now,
                            enum version version, enum record_type type)
{
	mtime until = now + timers->older_host_present_interval;

	if (version == VERSION_1)
		group->v1_host_until = until;
	else
		group->v2_host_until = until;
	if (type != IS_IN)
		return;
	group->lists_older = true;
	if (timers->version < VERSION_3)
		group_cancel_queries(group);
}

unsigned group_apply(struct group *group, struct pool *pool, const struct group_timers *timers, mtime now,
                     enum version report_version, const struct addr *host, enum record_type type,
                     const struct sources *sources)
{
	static const struct sources nothing = {0};
	bool drop_sources;
	unsigned flags = 0;

	assert(type >= IS_IN && type <= BLOCK);
	if (timers->version < VERSION_3 && report_version == VERSION_3) {
		if (!group_express_as_older(&type, sources->count > 0))
			return 0;
		sources = &nothing;
	}
	if (report_version < VERSION_3 && (type == IS_EX || type == IS_IN))
		note_older_host(group, timers, now, report_version, type);
	if (timers->track_hosts && timers->version == VERSION_3)
		flags = group_track_host(group, pool, timers, now, report_version, host, type, sources);
	else if (group->members != NULL)
		group_forget_hosts(group, pool);
	if (!limit_to_version(group_version(group, timers, now), report_version, type, &drop_sources))
		return flags;
	return flags | apply_row(group, pool, &rows[group->mode][type], drop_sources ? &nothing : sources,
	                         timers, now);
}
