/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/reporter.h"

#include "core/igmp.h"
#include "core/mld.h"

#include <assert.h>
#include <utlist.h>

#define SOURCES_MAX (sizeof((struct reporter *)0)->allow / sizeof(struct addr))
/* RFC 2236 section 8.10, RFC 2710 section 7.10; RFC 9776 section 8.11. */
#define UNSOLICITED_REPORT_INTERVAL_OLDER 10000
#define UNSOLICITED_REPORT_INTERVAL       1000

void reporter_init(struct reporter *reporter, enum family family, struct pool *pool, uint64_t seed)
{
	reporter->family = family;
	reporter->pool = pool;
	reporter->seed = seed;
	reporter->random = seed | 1;
	reporter->walk_at = reporter->query_heard_at = reporter->missed_at = MTIME_NEVER;
	reporter->querier = addr_unspecified(family);
}

void reporter_fini(struct reporter *reporter)
{
	HASH_CLEAR(hh, reporter->entries);
	deadlines_fini(&reporter->deadlines);
}

/* A delay in 1..limit (xorshift; the seed is random). */
static mtime random_delay(struct reporter *reporter, mtime limit)
{
	reporter->random ^= reporter->random << 13;
	reporter->random ^= reporter->random >> 7;
	reporter->random ^= reporter->random << 17;
	return limit <= 1 ? 1 : 1 + (mtime)(reporter->random % (uint64_t)limit);
}

struct reporter_entry *reporter_find(const struct reporter *reporter, const struct addr *group)
{
	struct reporter_entry *entry;

	HASH_FIND_BYHASHVALUE(hh, reporter->entries, group, sizeof *group, addr_hash(group, reporter->seed),
	                      entry);
	return entry;
}

bool reporter_add(struct reporter *reporter, struct reporter_entry *entry, const struct addr *group)
{
	if (!deadlines_reserve(&reporter->deadlines, reporter->armed + 1))
		return false;
	entry->group = *group;
	entry->change_at = entry->answer_at = MTIME_NEVER;
	HASH_ADD_BYHASHVALUE(hh, reporter->entries, group, sizeof *group, addr_hash(group, reporter->seed),
	                     entry);
	reporter->armed += entry->hh.tbl != NULL;
	return entry->hh.tbl != NULL;
}

static void clear_pending(struct reporter *reporter, struct reporter_entry *entry)
{
	pool_give(reporter->pool, entry->pending, entry->pending_capacity * sizeof *entry->pending);
	entry->pending = NULL;
	entry->pending_count = entry->pending_capacity = 0;
}

static void clear_answer(struct reporter *reporter, struct reporter_entry *entry)
{
	pool_give(reporter->pool, entry->asked, entry->asked_count * sizeof *entry->asked);
	entry->asked = NULL;
	entry->asked_count = 0;
	entry->answer_at = MTIME_NEVER;
	entry->send_answer = false;
}

static void set_idle(struct reporter *reporter, struct reporter_entry *entry, bool idle)
{
	if (entry->idle == idle)
		return;
	entry->idle = idle;
	if (idle)
		DL_APPEND(reporter->idle, entry);
	else
		DL_DELETE(reporter->idle, entry);
}

static void set_due(struct reporter *reporter, struct reporter_entry *entry, bool due)
{
	if (entry->due == due)
		return;
	if (due)
		set_idle(reporter, entry, false);
	entry->due = due;
	entry->offset = 0;
	if (due)
		DL_APPEND(reporter->due, entry);
	else
		DL_DELETE(reporter->due, entry);
}

static void clear_change(struct reporter *reporter, struct reporter_entry *entry)
{
	clear_pending(reporter, entry);
	entry->mode_left = entry->join_left = entry->leave_left = 0;
	entry->change_at = MTIME_NEVER;
	entry->send_change = false;
}

void reporter_forget(struct reporter *reporter, struct reporter_entry *entry)
{
	clear_change(reporter, entry);
	clear_answer(reporter, entry);
	set_due(reporter, entry, false);
	deadlines_remove(&reporter->deadlines, &entry->deadline);
}

struct reporter_entry *reporter_pull_idle(struct reporter *reporter)
{
	struct reporter_entry *entry = reporter->idle;

	if (entry != NULL)
		set_idle(reporter, entry, false);
	return entry;
}

void reporter_remove(struct reporter *reporter, struct reporter_entry *entry)
{
	if (reporter->walk == entry)
		reporter->walk = entry->hh.next;
	reporter_forget(reporter, entry);
	set_idle(reporter, entry, false);
	deadlines_remove(&reporter->deadlines, &entry->deadline);
	stored_filter_clear(&entry->told, reporter->pool);
	HASH_DEL(reporter->entries, entry);
	reporter->armed--;
}

bool reporter_is_idle(const struct reporter_entry *entry)
{
	return entry->told.mode == FILTER_INCLUDE && entry->told.count == 0 && !entry->due &&
	       entry->change_at == MTIME_NEVER && entry->answer_at == MTIME_NEVER;
}

static void arm(struct reporter *reporter, struct reporter_entry *entry)
{
	deadlines_set(&reporter->deadlines, &entry->deadline, mtime_min(entry->change_at, entry->answer_at));
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

static mtime group_membership_interval(const struct reporter *reporter)
{
	const struct reporter_settings *settings = &reporter->settings;
	mtime robustness = reporter->querier_robustness ? reporter->querier_robustness : settings->robustness;
	mtime interval = reporter->querier_query_interval ? reporter->querier_query_interval
	                                                  : settings->query_interval;

	return robustness * interval + settings->query_response_interval;
}

/* RFC 9776 section 7.2.1: a change of version cancels what is pending. */
static void follow_version(struct reporter *reporter, mtime now)
{
	enum version version = reporter_version(reporter, now);
	struct reporter_entry *entry, *next;

	if (version == reporter->version_spoken)
		return;
	if (reporter->version_spoken != VERSION_NONE) {
		HASH_ITER (hh, reporter->entries, entry, next) {
			clear_change(reporter, entry);
			clear_answer(reporter, entry);
			set_due(reporter, entry, false);
			arm(reporter, entry);
		}
		reporter->walk_at = MTIME_NEVER;
	}
	reporter->version_spoken = (uint8_t)version;
}

void reporter_set(struct reporter *reporter, mtime now, const struct reporter_settings *settings)
{
	reporter->settings = *settings;
	follow_version(reporter, now);
}

void reporter_older_querier(struct reporter *reporter, mtime now, enum version version)
{
	/* RFC 9776 section 8.12: older version querier present timeout. */
	mtime until = now + reporter->settings.robustness * (mtime)reporter->settings.query_interval +
	              reporter->settings.query_response_interval;

	if (version == VERSION_1)
		reporter->v1_querier_until = until;
	else if (version == VERSION_2)
		reporter->v2_querier_until = until;
	follow_version(reporter, now);
}

static mtime repetition_interval(const struct reporter *reporter)
{
	if (reporter->settings.unsolicited_report_interval != 0)
		return reporter->settings.unsolicited_report_interval;
	return reporter->version_spoken == VERSION_3 ? UNSOLICITED_REPORT_INTERVAL
	                                             : UNSOLICITED_REPORT_INTERVAL_OLDER;
}

/* Sources whose change is to be told: the new ones with all copies, and those that still had some left.
 * Without memory they are told by the next answer to a query. */
static void add_pending(struct reporter *reporter, struct reporter_entry *entry,
                        const struct sources *changed)
{
	size_t capacity = entry->pending_count + changed->count, count = 0, i = 0, j = 0;
	struct pending_source *list = pool_take(reporter->pool, capacity * sizeof *list);

	if (list == NULL)
		return;
	while (i < entry->pending_count || j < changed->count) {
		int order = i == entry->pending_count ? 1
		            : j == changed->count     ? -1
		                                  : addr_compare(&entry->pending[i].addr, &changed->list[j]);

		if (order < 0)
			list[count++] = entry->pending[i];
		else
			list[count++] = (struct pending_source){changed->list[j], reporter->settings.copies};
		i += order <= 0;
		j += order >= 0;
	}
	clear_pending(reporter, entry);
	entry->pending = list;
	entry->pending_count = (uint16_t)count;
	entry->pending_capacity = (uint16_t)capacity;
}

/* The sources that are in one list only. */
static struct sources symmetric_difference(struct reporter *reporter, const struct sources *a,
                                           const struct sources *b)
{
	struct sources only_a = sources_on(reporter->allow, SOURCES_MAX),
		       only_b = sources_on(reporter->block, SOURCES_MAX);

	sources_difference(&only_a, a, b);
	sources_difference(&only_b, b, a);
	for (size_t i = 0; i < only_b.count; i++)
		sources_insert(&only_a, &only_b.list[i]);
	return only_a;
}

void reporter_assume(struct reporter *reporter, struct reporter_entry *entry, const struct filter *filter)
{
	stored_filter_set(&entry->told, reporter->pool, filter);
}

void reporter_change(struct reporter *reporter, mtime now, struct reporter_entry *entry,
                     const struct filter *filter)
{
	struct filter before = stored_filter_view(&entry->told);
	bool was = !filter_is_none(&before), is = !filter_is_none(filter);

	if (filter_equal(&before, filter))
		return;
	if (before.mode != filter->mode) {
		entry->mode_left = reporter->settings.copies;
		clear_pending(reporter, entry);
	} else {
		struct sources changed = symmetric_difference(reporter, &before.sources, &filter->sources);

		add_pending(reporter, entry, &changed);
	}
	if (was != is) {
		entry->join_left = is ? reporter->settings.copies : 0;
		entry->leave_left = was ? 1 : 0;
	}
	if (!stored_filter_set(&entry->told, reporter->pool, filter))
		return;
	entry->change_at = now;
	entry->offset = 0;
	arm(reporter, entry);
}

/* Queries. */

static void answer_later(struct reporter *reporter, mtime now, struct reporter_entry *entry,
                         uint32_t max_response)
{
	mtime at = now + random_delay(reporter, max_response);

	if (entry->answer_at > at)
		entry->answer_at = at;
	arm(reporter, entry);
}

/* RFC 9776 section 5.2, rules 3 to 5: an answer about the whole group stands; lists of sources are merged. */
static void note_asked(struct reporter *reporter, struct reporter_entry *entry, const struct addr *list,
                       size_t count)
{
	struct sources asked = {.list = entry->asked, .count = entry->asked_count};
	struct sources merged = sources_on(reporter->allow, SOURCES_MAX),
		       more = sources_on(reporter->block, SOURCES_MAX);
	bool whole = entry->answer_at != MTIME_NEVER && entry->asked_count == 0;
	mtime at = entry->answer_at;

	if (whole)
		return;
	for (size_t i = 0; i < count && i < SOURCES_MAX; i++)
		more.list[more.count++] = list[i];
	if (count == 0 || !sources_union(&merged, &asked, &more))
		merged.count = 0;
	clear_answer(reporter, entry);
	entry->answer_at = at;
	if (merged.count == 0)
		return;
	entry->asked = pool_take(reporter->pool, merged.count * sizeof *entry->asked);
	if (entry->asked == NULL)
		return;
	memcpy(entry->asked, merged.list, merged.count * sizeof *entry->asked);
	entry->asked_count = (uint16_t)merged.count;
}

static bool is_member(const struct reporter_entry *entry)
{
	struct filter told = stored_filter_view(&entry->told);

	return !filter_is_none(&told);
}

/* The whole state goes out within `window`: a few groups after a random delay, many spread over it packet by
 * packet. */
static void start_walk(struct reporter *reporter, mtime now, mtime window)
{
	size_t per_packet = reporter->family == FAMILY_IPV4 ? 180 : 70;
	size_t packets = HASH_COUNT(reporter->entries) / per_packet + 1;
	mtime at = now + random_delay(reporter, packets > 1 ? window / 8 : window);

	if (reporter->walk_at != MTIME_NEVER && reporter->walk_at <= at)
		return;
	reporter->walk = reporter->entries;
	reporter->walk_at = at;
	reporter->walk_interval = window * 3 / 4 / (mtime)packets;
}

static void answer_general(struct reporter *reporter, mtime now, uint32_t max_response)
{
	struct reporter_entry *entry, *next;

	if (reporter->version_spoken == VERSION_3) {
		start_walk(reporter, now, max_response);
		return;
	}
	/* Older versions: each group by itself. */
	HASH_ITER (hh, reporter->entries, entry, next)
		if (is_member(entry))
			answer_later(reporter, now, entry, max_response);
}

/* The whole state, unasked. */
static void tell_all(struct reporter *reporter, mtime now)
{
	if (reporter->entries != NULL)
		answer_general(reporter, now, MTIME_SECOND);
}

void reporter_start(struct reporter *reporter, mtime now)
{
	reporter->missed_at = now + group_membership_interval(reporter);
	reporter->missing = false;
	/* The routers there may know nothing of us. */
	if (reporter->settings.answers)
		tell_all(reporter, now);
}

void reporter_heard_query(struct reporter *reporter, mtime now, const struct upstream_query *query,
                          const struct addr *sources)
{
	struct reporter_entry *entry;

	reporter->queries_heard++;
	reporter->query_heard_at = now;
	reporter->querier = query->querier;
	reporter->querier_robustness = query->robustness;
	reporter->querier_query_interval = query->query_interval;
	reporter->missed_at = now + group_membership_interval(reporter);
	reporter->missing = false;
	/* RFC 9776 section 7.2.1: only general queries tell the querier's version. */
	if (addr_is_unspecified(&query->group))
		reporter_older_querier(reporter, now, query->version);
	if (!reporter->settings.answers)
		return;
	if (addr_is_unspecified(&query->group)) {
		answer_general(reporter, now, query->max_response);
		return;
	}
	entry = reporter_find(reporter, &query->group);
	if (entry == NULL || !is_member(entry))
		return;
	note_asked(reporter, entry, sources, query->source_count);
	answer_later(reporter, now, entry, query->max_response);
}

/* Time. */

static struct reporter_entry *entry_of_deadline(struct deadline *deadline)
{
	return (struct reporter_entry *)(void *)((char *)deadline -
	                                         offsetof(struct reporter_entry, deadline));
}

void reporter_expire(struct reporter *reporter, mtime now)
{
	struct deadline *first;

	follow_version(reporter, now);
	while ((first = deadlines_first(&reporter->deadlines)) != NULL && first->at <= now) {
		struct reporter_entry *entry = entry_of_deadline(first);

		entry->send_change |= entry->change_at <= now;
		entry->send_answer |= entry->answer_at <= now;
		if (entry->change_at <= now)
			entry->change_at = MTIME_NEVER;
		if (entry->answer_at <= now)
			entry->answer_at = MTIME_NEVER;
		arm(reporter, entry);
		set_due(reporter, entry, true);
	}
	if (reporter->settings.repeat_without_querier && reporter->missed_at <= now) {
		reporter->missing = true;
		reporter->repeats++;
		reporter->missed_at = now + reporter->settings.query_interval;
		tell_all(reporter, now);
	}
}

mtime reporter_deadline(struct reporter *reporter)
{
	const struct deadline *first = deadlines_first(&reporter->deadlines);
	mtime at = first ? first->at : MTIME_NEVER;

	if (reporter->settings.repeat_without_querier && reporter->entries != NULL)
		at = mtime_min(at, reporter->missed_at);
	return mtime_min(at, reporter->walk_at);
}

/* Packets. */

struct record_list {
	enum record_type type;
	struct sources sources;
};

static struct record_list change_of_mode(const struct reporter_entry *entry)
{
	struct filter told = stored_filter_view(&entry->told);

	return (struct record_list){told.mode == FILTER_EXCLUDE ? TO_EX : TO_IN, told.sources};
}

/* ALLOW and BLOCK of the sources whose change is to be told, by how they stand now. */
static size_t changes_of_sources(struct reporter *reporter, const struct reporter_entry *entry,
                                 struct record_list records[2])
{
	struct filter told = stored_filter_view(&entry->told);
	struct sources allow = sources_on(reporter->allow, SOURCES_MAX),
		       block = sources_on(reporter->block, SOURCES_MAX);
	size_t count = 0;

	for (uint16_t i = 0; i < entry->pending_count; i++)
		sources_append(filter_passes(&told, &entry->pending[i].addr) ? &allow : &block,
		               &entry->pending[i].addr);
	if (allow.count > 0)
		records[count++] = (struct record_list){ALLOW, allow};
	if (block.count > 0)
		records[count++] = (struct record_list){BLOCK, block};
	return count;
}

/* RFC 9776 section 5.2: the state, or of the sources asked for those that are wanted. */
static size_t answer_of(struct reporter *reporter, const struct reporter_entry *entry,
                        struct record_list *record)
{
	struct filter told = stored_filter_view(&entry->told);
	struct sources wanted = sources_on(reporter->allow, SOURCES_MAX);

	if (entry->asked_count == 0) {
		*record = (struct record_list){told.mode == FILTER_EXCLUDE ? IS_EX : IS_IN, told.sources};
		return is_member(entry);
	}
	for (uint16_t i = 0; i < entry->asked_count; i++)
		if (filter_passes(&told, &entry->asked[i]))
			sources_append(&wanted, &entry->asked[i]);
	*record = (struct record_list){IS_IN, wanted};
	return wanted.count > 0;
}

/* Adds records, without the first *offset sources that went out before; false when the packet is full,
 * *offset then tells how far it came. EXCLUDE lists cannot be spread over packets: what does not fit is left
 * out (RFC 9776 section 4.2.16). */
static bool write_records(struct report_writer *writer, const struct addr *group,
                          const struct record_list *records, size_t count, uint16_t *offset)
{
	size_t before = 0;

	for (size_t i = 0; i < count; i++) {
		const struct sources *sources = &records[i].sources;
		bool exclude = records[i].type == IS_EX || records[i].type == TO_EX;
		size_t done = *offset > before ? *offset - before : 0;
		int written;

		before += sources->count;
		if (done > 0 && done >= sources->count)
			continue;
		/* An EXCLUDE list begins in a fresh packet if this one would cut it. */
		if (exclude && writer->records > 0 &&
		    writer->capacity - writer->size <
		            4 + addr_wire_size(writer->family) * (1 + sources->count))
			return false;
		written =
			report_writer_add(writer, records[i].type, group,
		                          sources->list ? sources->list + done : NULL, sources->count - done);
		if (written < 0)
			return false;
		if (exclude || done + (size_t)written == sources->count)
			continue;
		*offset = (uint16_t)(before - sources->count + done + (size_t)written);
		return false;
	}
	return true;
}

static void count_down_pending(struct reporter *reporter, struct reporter_entry *entry)
{
	uint16_t kept = 0;

	for (uint16_t i = 0; i < entry->pending_count; i++)
		if (--entry->pending[i].copies_left > 0)
			entry->pending[kept++] = entry->pending[i];
	entry->pending_count = kept;
	if (kept == 0)
		clear_pending(reporter, entry);
}

/* A round of an entry is out: counts down, and arms its repetition. */
static void round_done(struct reporter *reporter, mtime now, struct reporter_entry *entry)
{
	bool more;

	if (entry->send_answer)
		clear_answer(reporter, entry);
	if (entry->send_change) {
		entry->send_change = false;
		entry->mode_left -= entry->mode_left > 0;
		count_down_pending(reporter, entry);
		more = entry->mode_left > 0 || entry->pending_count > 0 || entry->join_left > 0;
		if (more && entry->change_at == MTIME_NEVER)
			entry->change_at = now + random_delay(reporter, repetition_interval(reporter));
	}
	set_due(reporter, entry, false);
	arm(reporter, entry);
	set_idle(reporter, entry, reporter_is_idle(entry));
}

static bool write_entry(struct reporter *reporter, struct report_writer *writer, struct reporter_entry *entry)
{
	struct record_list records[2];
	size_t count = 0;

	entry->join_left = entry->leave_left = 0;
	if (entry->send_change && entry->mode_left > 0) {
		records[0] = change_of_mode(entry);
		count = 1;
	} else if (entry->send_change) {
		count = changes_of_sources(reporter, entry, records);
	} else if (entry->send_answer) {
		count = answer_of(reporter, entry, records);
	}
	return write_records(writer, &entry->group, records, count, &entry->offset);
}

static void write_due(struct reporter *reporter, mtime now, struct report_writer *writer)
{
	struct reporter_entry *entry;

	while ((entry = reporter->due) != NULL) {
		bool both = entry->send_change && entry->send_answer;

		if (!write_entry(reporter, writer, entry))
			return;
		if (both) {
			/* The answer follows the change, in a round of its own. */
			clear_answer(reporter, entry);
			entry->answer_at = now;
		}
		round_done(reporter, now, entry);
	}
}

/* A packet of the answer to a general query. */
static void write_walk(struct reporter *reporter, mtime now, struct report_writer *writer)
{
	while (reporter->walk != NULL) {
		struct reporter_entry *entry = reporter->walk;
		struct filter told = stored_filter_view(&entry->told);
		struct record_list record = {told.mode == FILTER_EXCLUDE ? IS_EX : IS_IN, told.sources};

		if (!filter_is_none(&told)) {
			uint16_t offset = reporter->walk_offset;

			if (!write_records(writer, &entry->group, &record, 1, &offset)) {
				reporter->walk_offset = offset;
				reporter->walk_at = now + reporter->walk_interval;
				return;
			}
		}
		reporter->walk_offset = 0;
		reporter->walk = entry->hh.next;
	}
	reporter->walk_at = MTIME_NEVER;
}

static size_t pull_v3(struct reporter *reporter, mtime now, uint8_t *message, size_t capacity,
                      const struct addr *source, struct addr *destination)
{
	struct report_writer writer;

	report_writer_open(&writer, reporter->family, message, capacity);
	write_due(reporter, now, &writer);
	if (reporter->due == NULL && reporter->walk_at <= now)
		write_walk(reporter, now, &writer);
	if (writer.records == 0)
		return 0;
	if (reporter->family == FAMILY_IPV4) {
		*destination = addr_from_ipv4_number(IGMP_V3_ROUTERS);
		return igmp_finish_report(&writer);
	}
	*destination = mld_v2_routers;
	return mld_finish_report(&writer, source);
}

static size_t encode_older_report(const struct reporter *reporter, const struct reporter_entry *entry,
                                  uint8_t *message, const struct addr *source, struct addr *destination)
{
	*destination = entry->group;
	return reporter->family == FAMILY_IPV4
	               ? igmp_encode_report(message, reporter->version_spoken, &entry->group)
	               : mld_encode_report(message, &entry->group, source);
}

static size_t encode_older_leave(const struct reporter *reporter, const struct reporter_entry *entry,
                                 uint8_t *message, const struct addr *source, struct addr *destination)
{
	if (reporter->version_spoken == VERSION_1)
		return 0;
	*destination =
		reporter->family == FAMILY_IPV4 ? addr_from_ipv4_number(IGMP_ALL_ROUTERS) : mld_all_routers;
	return reporter->family == FAMILY_IPV4 ? igmp_encode_leave(message, &entry->group)
	                                       : mld_encode_done(message, &entry->group, source);
}

/* Older versions: a packet per group, and no source lists. */
static size_t pull_older(struct reporter *reporter, mtime now, uint8_t *message, const struct addr *source,
                         struct addr *destination)
{
	struct reporter_entry *entry;

	while ((entry = reporter->due) != NULL) {
		size_t size = 0;

		entry->mode_left = 0;
		clear_pending(reporter, entry);
		if (entry->leave_left > 0) {
			size = encode_older_leave(reporter, entry, message, source, destination);
			entry->leave_left = 0;
		} else if (is_member(entry) && (entry->send_answer || entry->join_left > 0)) {
			size = encode_older_report(reporter, entry, message, source, destination);
			entry->join_left -= entry->send_change && entry->join_left > 0;
		}
		round_done(reporter, now, entry);
		if (size > 0)
			return size;
	}
	return 0;
}

size_t reporter_pull(struct reporter *reporter, mtime now, uint8_t *message, size_t capacity,
                     const struct addr *source, struct addr *destination)
{
	size_t size;

	reporter_expire(reporter, now);
	size = reporter->version_spoken == VERSION_3
	               ? pull_v3(reporter, now, message, capacity, source, destination)
	               : pull_older(reporter, now, message, source, destination);
	reporter->packets_sent += size > 0;
	return size;
}
