/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/host/reporter_inside.h"

void reporter_init(struct reporter *reporter, enum family family, struct pool *pool, uint64_t seed)
{
	reporter->family = family;
	reporter->pool = pool;
	reporter->seed = seed;
	reporter->random = seed | 1;
	report_queue_init(&reporter->queue);
	report_walk_init(&reporter->walk);
	reporter->query_received_at = reporter->missed_at = reporter->repeats_drawn_at = MTIME_NEVER;
	reporter->general_at = reporter->general_due = reporter->general_by = MTIME_NEVER;
	reporter->announce_at = reporter->announced_at = MTIME_NEVER;
	reporter->querier = addr_unspecified(family);
}

void reporter_fini(struct reporter *reporter)
{
	index_fini(&reporter->entries);
}

/* Xorshift; the seed is random. */
uint64_t reporter_random(struct reporter *reporter)
{
	reporter->random ^= reporter->random << 13;
	reporter->random ^= reporter->random >> 7;
	reporter->random ^= reporter->random << 17;
	return reporter->random;
}

mtime reporter_random_delay(struct reporter *reporter, mtime limit)
{
	uint64_t number = reporter_random(reporter);

	return limit <= 1 ? 1 : 1 + (mtime)(number % (uint64_t)limit);
}

struct reporter_entry *reporter_find(const struct reporter *reporter, const struct addr *group)
{
	struct index_node *node = index_find(&reporter->entries, addr_hash(group, reporter->seed));

	for (; node != NULL; node = index_find_next(node))
		if (addr_equal(&((struct reporter_entry *)node)->group, group))
			break;
	return (struct reporter_entry *)node;
}

struct reporter_entry *reporter_oldest(const struct reporter *reporter)
{
	return (struct reporter_entry *)reporter->entries.oldest;
}

struct reporter_entry *reporter_newer(const struct reporter_entry *entry)
{
	return (struct reporter_entry *)entry->node.newer;
}

bool reporter_add(struct reporter *reporter, struct reporter_entry *entry, const struct addr *group)
{
	entry->group = *group;
	entry->change_at = entry->answer_at = MTIME_NEVER;
	return index_add(&reporter->entries, &entry->node, addr_hash(group, reporter->seed));
}

bool reporter_is_idle(const struct reporter_entry *entry)
{
	return entry->reported.mode == FILTER_INCLUDE && entry->reported.count == 0 &&
	       entry->place != PLACE_DUE && reporter_entry_at(entry) == MTIME_NEVER;
}

/* Where it belongs when nothing of it is due. */
static void put_back(struct reporter *reporter, struct reporter_entry *entry)
{
	entry->offset = 0;
	report_queue_wait(&reporter->queue, entry);
	if (reporter_is_idle(entry))
		report_queue_move(&reporter->queue, entry, PLACE_IDLE);
}

void reporter_forget(struct reporter *reporter, struct reporter_entry *entry)
{
	reporter_clear_change(reporter, entry);
	reporter_clear_answer(reporter, entry);
	entry->offset = 0;
	report_queue_move(&reporter->queue, entry, PLACE_NONE);
}

struct reporter_entry *reporter_pull_idle(struct reporter *reporter)
{
	struct reporter_entry *entry = reporter->queue.idle;

	if (entry != NULL)
		report_queue_move(&reporter->queue, entry, PLACE_NONE);
	return entry;
}

void reporter_remove(struct reporter *reporter, struct reporter_entry *entry)
{
	report_walk_skip(&reporter->walk, reporter_oldest(reporter), entry);
	reporter_forget(reporter, entry);
	reporter->reported_bytes -= reporter_reported_size(reporter, entry);
	stored_filter_clear(&entry->reported, reporter->pool);
	index_remove(&reporter->entries, &entry->node);
}

enum version reporter_version(const struct reporter *reporter, mtime now)
{
	enum version version = reporter->settings.version;

	if (reporter->settings.fixed_version != VERSION_NONE)
		return reporter->settings.fixed_version;
	if (reporter->v1_querier_until > now)
		return VERSION_1;
	return reporter->v2_querier_until > now && version > VERSION_2 ? VERSION_2 : version;
}

void reporter_follow_version(struct reporter *reporter, mtime now)
{
	enum version version = reporter_version(reporter, now);
	struct reporter_entry *entry;

	if (version == reporter->version_spoken)
		return;
	if (reporter->version_spoken != VERSION_NONE) {
		for (entry = reporter_oldest(reporter); entry; entry = reporter_newer(entry)) {
			reporter_forget(reporter, entry);
			put_back(reporter, entry);
		}
		report_walk_init(&reporter->walk);
		reporter->general_at = reporter->general_due = reporter->general_by = MTIME_NEVER;
	}
	reporter->version_spoken = (uint8_t)version;
	reporter->repeats_drawn_at = MTIME_NEVER;
}

void reporter_set(struct reporter *reporter, mtime now, const struct reporter_settings *settings)
{
	reporter->settings = *settings;
	reporter_follow_version(reporter, now);
}

void reporter_entry_expire(struct reporter *reporter, struct reporter_entry *entry, mtime now)
{
	if (entry->place != PLACE_DUE)
		entry->offset = 0;
	if (entry->change_at <= now) {
		/* An answer that is going out begins anew behind the change. */
		if (!entry->send_change)
			entry->offset = 0;
		entry->send_change = true;
		entry->change_at = MTIME_NEVER;
	}
	if (entry->answer_at <= now) {
		entry->send_answer = true;
		entry->answer_at = MTIME_NEVER;
	}
	report_queue_move(&reporter->queue, entry, PLACE_DUE);
}

void reporter_expire(struct reporter *reporter, mtime now)
{
	struct reporter_entry *entry, *next;

	reporter_follow_version(reporter, now);
	reporter_follow_general(reporter, now);
	reporter_follow_announcement(reporter, now);
	for (entry = report_queue_take(&reporter->queue, now); entry != NULL; entry = next) {
		next = entry->next;
		reporter_entry_expire(reporter, entry, now);
	}
	if (!reporter->settings.repeat_without_querier || reporter->missed_at > now)
		return;
	reporter->missing = true;
	reporter->repeats++;
	reporter->missed_at = now + reporter->settings.query_interval;
	reporter_tell_all(reporter, now);
}

mtime reporter_deadline(struct reporter *reporter)
{
	mtime at = reporter->queue.next_at;

	if (reporter->queue.due != NULL)
		return 0;
	if (reporter->settings.repeat_without_querier && reporter->entries.count > 0)
		at = mtime_min(at, reporter->missed_at);
	at = mtime_min(at, reporter->announce_at);
	return mtime_min(at, mtime_min(reporter->walk.at, reporter->general_due));
}

/* Nothing of it is due any more. */
static void entry_done(struct reporter *reporter, struct reporter_entry *entry)
{
	if (entry->send_answer)
		reporter_clear_answer(reporter, entry);
	report_queue_move(&reporter->queue, entry, PLACE_NONE);
	put_back(reporter, entry);
}

static void write_due(struct reporter *reporter, mtime now, struct report_writer *writer)
{
	struct reporter_entry *entry;

	while ((entry = reporter->queue.due) != NULL) {
		if (entry->send_change) {
			if (!report_build_change(reporter, entry, writer, &entry->offset))
				return;
			reporter_change_reported(reporter, now, entry);
		}
		if (entry->send_answer && !report_build_answer(reporter, entry, writer, &entry->offset))
			return;
		entry_done(reporter, entry);
	}
}

static size_t pull_v3(struct reporter *reporter, mtime now, uint8_t *message, size_t capacity,
                      const struct addr *source, struct addr *destination)
{
	struct report_writer writer;

	report_writer_open(&writer, reporter->family, message, capacity);
	write_due(reporter, now, &writer);
	if (reporter->queue.due == NULL && reporter->walk.at <= now)
		report_walk_write(&reporter->walk, reporter_oldest(reporter), now, &writer);
	return report_build_end(&writer, source, destination);
}

/* Older versions: a packet per group, and no source lists. */
static size_t pull_older(struct reporter *reporter, mtime now, uint8_t *message, const struct addr *source,
                         struct addr *destination)
{
	enum version version = reporter->version_spoken;
	struct reporter_entry *entry;

	while ((entry = reporter->queue.due) != NULL) {
		size_t size = 0;

		if (entry->leave_left > 0)
			size = report_build_older_leave(reporter->family, version, &entry->group, message,
			                                source, destination);
		else if (reporter_entry_is_member(entry) && (entry->send_answer || entry->join_left > 0))
			size = report_build_older_join(reporter->family, version, &entry->group, message,
			                               source, destination);
		if (entry->send_change)
			reporter_change_reported(reporter, now, entry);
		entry_done(reporter, entry);
		if (size > 0)
			return size;
	}
	return 0;
}

size_t reporter_pull(struct reporter *reporter, mtime now, uint8_t *message, size_t capacity,
                     const struct addr *source, struct addr *destination)
{
	size_t size;

	/* An answer may have become due behind a change that has nothing to say. */
	do {
		reporter_expire(reporter, now);
		size = reporter->version_spoken == VERSION_3
		               ? pull_v3(reporter, now, message, capacity, source, destination)
		               : pull_older(reporter, now, message, source, destination);
	} while (size == 0 && reporter->queue.next_at <= now);
	reporter->packets_sent += size > 0;
	return size;
}
