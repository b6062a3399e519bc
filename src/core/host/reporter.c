/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/host/reporter.h"

void reporter_init(struct reporter *reporter, enum family family, struct pool *pool,
                   const struct link_settings *settings, uint64_t seed)
{
	reporter->family = family;
	reporter->pool = pool;
	reporter->settings = settings;
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

void reporter_set(struct reporter *reporter, mtime now, const struct reporter_role *role)
{
	reporter->role = *role;
	reporter_follow_version(reporter, now);
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
	if (!reporter->settings->repeat_without_querier || reporter->missed_at > now)
		return;
	reporter->missing = true;
	reporter->repeats++;
	reporter->missed_at = now + reporter->settings->query_interval;
	reporter_report_all(reporter, now);
}

mtime reporter_deadline(struct reporter *reporter)
{
	mtime at = reporter->queue.next_at;

	if (reporter->queue.due != NULL)
		return 0;
	if (reporter->settings->repeat_without_querier && reporter->entries.count > 0)
		at = mtime_min(at, reporter->missed_at);
	at = mtime_min(at, reporter->announce_at);
	return mtime_min(at, mtime_min(reporter->walk.at, reporter->general_due));
}

/* All that was due of the entry is out. */
static void entry_done(struct reporter *reporter, struct reporter_entry *entry)
{
	if (entry->send_answer)
		reporter_clear_answer(reporter, entry);
	report_queue_move(&reporter->queue, entry, PLACE_NONE);
	reporter_put_back(reporter, entry);
}

static void write_due(struct reporter *reporter, mtime now, struct report_writer *writer)
{
	struct reporter_entry *entry;

	while ((entry = reporter->queue.due) != NULL) {
		if (entry->send_change) {
			if (!report_build_change(&reporter->scratch, entry, writer, &entry->offset))
				return;
			reporter_change_reported(reporter, now, entry);
		}
		if (entry->send_answer &&
		    !report_build_answer(&reporter->scratch, entry, writer, &entry->offset))
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

	/* An answer may have become due behind a change that needs no report. */
	do {
		reporter_expire(reporter, now);
		size = reporter->version_spoken == VERSION_3
		               ? pull_v3(reporter, now, message, capacity, source, destination)
		               : pull_older(reporter, now, message, source, destination);
	} while (size == 0 && reporter->queue.next_at <= now);
	reporter->packets_sent += size > 0;
	return size;
}
