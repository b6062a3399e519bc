/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/host/reporter_entries.h"

#include "core/base/xorshift.h"

/* RFC 2236 section 8.10, RFC 2710 section 7.10; RFC 9776 section 8.11. */
#define UNSOLICITED_REPORT_INTERVAL_OLDER 10000
#define UNSOLICITED_REPORT_INTERVAL       1000

mtime reporter_random_delay(struct reporter *reporter, mtime limit)
{
	uint64_t number = xorshift_next(&reporter->random);

	return limit <= 1 ? 1 : 1 + (mtime)(number % (uint64_t)limit);
}

struct reporter_entry *reporter_oldest(const struct reporter *reporter)
{
	return (struct reporter_entry *)reporter->entries.oldest;
}

struct reporter_entry *reporter_find(const struct reporter *reporter, const struct addr *group)
{
	struct index_node *node = index_find(&reporter->entries, addr_hash(group, reporter->seed));

	for (; node != NULL; node = index_find_next(&reporter->entries, node))
		if (addr_equal(&((struct reporter_entry *)node)->group, group))
			break;
	return (struct reporter_entry *)node;
}

bool reporter_add(struct reporter *reporter, struct reporter_entry *entry, const struct addr *group)
{
	entry->group = *group;
	entry->change_at = entry->answer_at = MTIME_NEVER;
	return index_add(&reporter->entries, &entry->node, addr_hash(group, reporter->seed));
}

void reporter_clear_pending(struct reporter *reporter, struct reporter_entry *entry)
{
	pool_give(reporter->pool, entry->pending, entry->pending_capacity * sizeof *entry->pending);
	entry->pending = NULL;
	entry->pending_count = entry->pending_capacity = 0;
}

void reporter_clear_change(struct reporter *reporter, struct reporter_entry *entry)
{
	reporter_clear_pending(reporter, entry);
	entry->mode_left = entry->join_left = entry->leave_left = 0;
	entry->change_at = MTIME_NEVER;
	entry->send_change = entry->kernel_due = false;
}

void reporter_clear_asked(struct reporter *reporter, struct reporter_entry *entry)
{
	pool_give(reporter->pool, entry->asked, entry->asked_count * sizeof *entry->asked);
	entry->asked = NULL;
	entry->asked_count = 0;
}

void reporter_clear_answer(struct reporter *reporter, struct reporter_entry *entry)
{
	reporter_clear_asked(reporter, entry);
	entry->answer_at = MTIME_NEVER;
	entry->send_answer = false;
}

void reporter_forget(struct reporter *reporter, struct reporter_entry *entry)
{
	reporter_clear_change(reporter, entry);
	reporter_clear_answer(reporter, entry);
	entry->offset = 0;
	report_queue_move(&reporter->queue, entry, PLACE_NONE);
}

void reporter_remove(struct reporter *reporter, struct reporter_entry *entry)
{
	report_walk_skip(&reporter->walk, reporter_oldest(reporter), entry);
	reporter_forget(reporter, entry);
	reporter->reported_bytes -= report_build_state_size(reporter->family, entry);
	stored_filter_clear(&entry->reported, reporter->pool);
	index_remove(&reporter->entries, &entry->node);
}

struct reporter_entry *reporter_pull_idle(struct reporter *reporter)
{
	struct reporter_entry *entry = reporter->queue.idle;

	if (entry != NULL)
		report_queue_move(&reporter->queue, entry, PLACE_NONE);
	return entry;
}

void reporter_put_back(struct reporter *reporter, struct reporter_entry *entry)
{
	entry->offset = 0;
	report_queue_wait(&reporter->queue, entry);
	if (reporter_is_idle(entry))
		report_queue_move(&reporter->queue, entry, PLACE_IDLE);
}

void reporter_entry_expire(struct reporter *reporter, struct reporter_entry *entry, mtime now)
{
	if (entry->place != PLACE_DUE)
		entry->offset = 0;
	if (entry->change_at <= now) {
		/* An answer that is going out starts again behind the change. */
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

enum version reporter_version(const struct reporter *reporter, mtime now)
{
	enum version version = reporter->role.version;

	if (reporter->role.fixed_version != VERSION_NONE)
		return reporter->role.fixed_version;
	/* The host does not follow a version 1 querier: version 1 has no leaves, so one forged query would keep
	 * every stream for minutes. */
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
			reporter_put_back(reporter, entry);
		}
		report_walk_init(&reporter->walk);
		reporter->general_at = reporter->general_due = reporter->general_by = MTIME_NEVER;
	}
	reporter->version_spoken = (uint8_t)version;
	reporter->repeats_drawn_at = MTIME_NEVER;
}

mtime reporter_repetition_interval(const struct reporter *reporter)
{
	if (reporter->settings->unsolicited_report_interval != 0)
		return reporter->settings->unsolicited_report_interval;
	return reporter->version_spoken == VERSION_3 ? UNSOLICITED_REPORT_INTERVAL
	                                             : UNSOLICITED_REPORT_INTERVAL_OLDER;
}
