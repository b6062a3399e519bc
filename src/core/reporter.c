/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/reporter.h"

#include "core/report_builder.h"

/* RFC 2236 section 8.10, RFC 2710 section 7.10; RFC 9776 section 8.11. */
#define UNSOLICITED_REPORT_INTERVAL_OLDER 10000
#define UNSOLICITED_REPORT_INTERVAL       1000
#define GENERAL_INTERVAL                  100 /* between general queries that are followed */
#define REPEAT_STEPS                      32 /* of that interval: repetitions come together and fill packets */

void reporter_init(struct reporter *reporter, enum family family, struct pool *pool, uint64_t seed)
{
	reporter->family = family;
	reporter->pool = pool;
	reporter->seed = seed;
	reporter->random = seed | 1;
	report_queue_init(&reporter->queue);
	report_walk_init(&reporter->walk);
	reporter->query_heard_at = reporter->missed_at = reporter->repeats_drawn_at = MTIME_NEVER;
	reporter->general_at = reporter->general_due = reporter->general_by = MTIME_NEVER;
	reporter->querier = addr_unspecified(family);
}

void reporter_fini(struct reporter *reporter)
{
	index_fini(&reporter->entries);
}

/* Xorshift; the seed is random. */
static uint64_t random_number(struct reporter *reporter)
{
	reporter->random ^= reporter->random << 13;
	reporter->random ^= reporter->random >> 7;
	reporter->random ^= reporter->random << 17;
	return reporter->random;
}

/* A delay in 1..limit. */
static mtime random_delay(struct reporter *reporter, mtime limit)
{
	uint64_t number = random_number(reporter);

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

static size_t told_size(const struct reporter *reporter, const struct reporter_entry *entry)
{
	struct filter told = stored_filter_view(&entry->told);

	return filter_is_none(&told) ? 0 : report_build_record_size(reporter->family, told.sources.count);
}

/* False, and it stays as it was, when memory is short. */
static bool set_told(struct reporter *reporter, struct reporter_entry *entry, const struct filter *filter)
{
	size_t before = told_size(reporter, entry);

	if (!stored_filter_set(&entry->told, reporter->pool, filter))
		return false;
	reporter->told_bytes += told_size(reporter, entry) - before;
	report_walk_changed(&reporter->walk, entry);
	return true;
}

static void clear_pending(struct reporter *reporter, struct reporter_entry *entry)
{
	pool_give(reporter->pool, entry->pending, entry->pending_capacity * sizeof *entry->pending);
	entry->pending = NULL;
	entry->pending_count = entry->pending_capacity = 0;
}

static void clear_asked(struct reporter *reporter, struct reporter_entry *entry)
{
	pool_give(reporter->pool, entry->asked, entry->asked_count * sizeof *entry->asked);
	entry->asked = NULL;
	entry->asked_count = 0;
}

static void clear_answer(struct reporter *reporter, struct reporter_entry *entry)
{
	clear_asked(reporter, entry);
	entry->answer_at = MTIME_NEVER;
	entry->send_answer = false;
}

bool reporter_is_idle(const struct reporter_entry *entry)
{
	return entry->told.mode == FILTER_INCLUDE && entry->told.count == 0 && entry->place != PLACE_DUE &&
	       reporter_entry_at(entry) == MTIME_NEVER;
}

/* Where it belongs when nothing of it is due. */
static void put_back(struct reporter *reporter, struct reporter_entry *entry)
{
	entry->offset = 0;
	report_queue_wait(&reporter->queue, entry);
	if (reporter_is_idle(entry))
		report_queue_move(&reporter->queue, entry, PLACE_IDLE);
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
	reporter->told_bytes -= told_size(reporter, entry);
	stored_filter_clear(&entry->told, reporter->pool);
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
	follow_version(reporter, now);
}

/* Older version querier present interval: RFC 9776 section 8.12 allows for ten response times of the last
 * query, RFC 9777 section 9.12 for one response interval. Linux, with which we keep in step where it speaks
 * for us, does the same for IGMP as for MLD. */
static mtime older_querier_interval(const struct reporter *reporter, uint32_t max_response)
{
	const struct reporter_settings *settings = &reporter->settings;
	mtime queries = settings->robustness * (mtime)settings->query_interval;

	if (settings->answers && reporter->family == FAMILY_IPV4 && max_response > 0)
		return queries + 10 * (mtime)max_response;
	return queries + settings->query_response_interval;
}

void reporter_older_querier(struct reporter *reporter, mtime now, enum version version, uint32_t max_response)
{
	mtime until = now + older_querier_interval(reporter, max_response);

	if (version == VERSION_1)
		reporter->v1_querier_until = until;
	else if (version == VERSION_2)
		reporter->v2_querier_until = until;
	follow_version(reporter, now);
}

static void entry_expire(struct reporter *reporter, struct reporter_entry *entry, mtime now)
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

static mtime repetition_interval(const struct reporter *reporter)
{
	if (reporter->settings.unsolicited_report_interval != 0)
		return reporter->settings.unsolicited_report_interval;
	return reporter->version_spoken == VERSION_3 ? UNSOLICITED_REPORT_INTERVAL
	                                             : UNSOLICITED_REPORT_INTERVAL_OLDER;
}

/* What goes out now is repeated together, and with what went out a little earlier or later, so that
 * repetitions fill packets as the first reports did. Older versions have a packet for each group anyway. */
static mtime repetition_time(struct reporter *reporter, mtime now)
{
	mtime interval = repetition_interval(reporter), step = interval / REPEAT_STEPS;

	if (reporter->version_spoken != VERSION_3)
		return now + random_delay(reporter, interval);
	if (reporter->repeats_drawn_at != now) {
		reporter->repeats_drawn_at = now;
		reporter->repeats_at = now + random_delay(reporter, interval);
		if (step > 1 && reporter->repeats_at - now > step)
			reporter->repeats_at -= reporter->repeats_at % step;
	}
	return reporter->repeats_at;
}

/* The sources that are in one list only; false when there are too many. */
static bool difference(struct reporter *reporter, const struct sources *a, const struct sources *b,
                       struct sources *changed)
{
	struct sources common = sources_on(reporter->block, REPORTER_SOURCES_MAX);

	*changed = sources_on(reporter->allow, REPORTER_SOURCES_MAX);
	if (!sources_union(changed, a, b) || !sources_intersection(&common, a, b))
		return false;
	sources_subtract(changed, &common);
	return true;
}

/* RFC 9776 section 8.1: where the querier tells its robustness, it is ours. */
static uint8_t copies(const struct reporter *reporter)
{
	if (reporter->settings.answers && reporter->querier_robustness != 0)
		return reporter->querier_robustness;
	return reporter->settings.copies;
}

/* Sources whose change is to be told: the new ones with all copies, and those that still had some left. */
static void merge_pending(const struct reporter *reporter, const struct reporter_entry *entry,
                          const struct sources *changed, struct pending_source *list, uint16_t *count)
{
	size_t i = 0, j = 0;

	while (i < entry->pending_count || j < changed->count) {
		int order = i == entry->pending_count ? 1
		            : j == changed->count     ? -1
		                                  : addr_compare(&entry->pending[i].addr, &changed->list[j]);

		if (order < 0)
			list[*count] = entry->pending[i];
		else
			list[*count] = (struct pending_source){changed->list[j], copies(reporter)};
		++*count;
		i += order <= 0;
		j += order >= 0;
	}
}

/* False when there are too many, or memory is short: then the whole list must be told. */
static bool add_pending(struct reporter *reporter, struct reporter_entry *entry, const struct filter *before,
                        const struct filter *after)
{
	struct sources changed;
	struct pending_source *list;
	size_t capacity;
	uint16_t count = 0;

	if (!difference(reporter, &before->sources, &after->sources, &changed))
		return false;
	capacity = entry->pending_count + changed.count;
	if (capacity > REPORTER_SOURCES_MAX)
		return false;
	list = pool_take(reporter->pool, capacity * sizeof *list);
	if (list == NULL)
		return false;
	merge_pending(reporter, entry, &changed, list, &count);
	clear_pending(reporter, entry);
	entry->pending = list;
	entry->pending_count = count;
	entry->pending_capacity = (uint16_t)capacity;
	return true;
}

void reporter_assume(struct reporter *reporter, struct reporter_entry *entry, const struct filter *filter)
{
	set_told(reporter, entry, filter);
}

void reporter_change(struct reporter *reporter, mtime now, struct reporter_entry *entry,
                     const struct filter *filter)
{
	static const struct filter everything = {.mode = FILTER_EXCLUDE};
	struct filter before = stored_filter_view(&entry->told);
	bool was = !filter_is_none(&before), is = !filter_is_none(filter);
	bool whole = before.mode != filter->mode;

	follow_version(reporter, now);
	if (filter_equal(&before, filter))
		return;
	if (!whole)
		whole = !add_pending(reporter, entry, &before, filter);
	if (!set_told(reporter, entry, filter))
		whole = set_told(reporter, entry, &everything);
	if (whole) {
		entry->mode_left = copies(reporter);
		clear_pending(reporter, entry);
	}
	if (was != is) {
		entry->join_left = is ? copies(reporter) : 0;
		entry->leave_left = was;
	}
	entry->change_at = now;
	entry->offset = 0;
	entry_expire(reporter, entry, now);
}

/* Queries. */

/* The earliest time that was promised stands. */
static void answer_by(struct reporter *reporter, struct reporter_entry *entry, mtime at)
{
	entry->answer_at = mtime_min(entry->answer_at, at);
	if (entry->place != PLACE_DUE)
		report_queue_wait(&reporter->queue, entry);
}

/* Of the sources asked for so far and those asked for now; an empty set: the whole group. */
static struct sources merge_asked(struct reporter *reporter, const struct reporter_entry *entry,
                                  const struct addr *list, size_t count)
{
	struct sources before = {.list = entry->asked, .count = entry->asked_count};
	struct sources merged = sources_on(reporter->allow, REPORTER_SOURCES_MAX),
		       more = sources_on(reporter->block, REPORTER_SOURCES_MAX);

	if (count == 0 || count > REPORTER_SOURCES_MAX)
		return merged;
	memcpy(more.list, list, count * sizeof *list);
	more.count = count;
	if (!sources_union(&merged, &before, &more))
		merged.count = 0;
	return merged;
}

/* RFC 9776 section 5.2, rules 3 to 5: an answer about the whole group stands; lists of sources are merged.
 * Without memory for the list the answer is about the whole group. */
static void note_asked(struct reporter *reporter, struct reporter_entry *entry, const struct addr *list,
                       size_t count)
{
	bool answering = entry->answer_at != MTIME_NEVER || entry->send_answer;
	struct sources asked;

	if (answering && entry->asked_count == 0)
		return;
	asked = merge_asked(reporter, entry, list, count);
	clear_asked(reporter, entry);
	if (asked.count > 0)
		entry->asked = pool_take(reporter->pool, asked.count * sizeof *entry->asked);
	if (entry->asked != NULL) {
		memcpy(entry->asked, asked.list, asked.count * sizeof *entry->asked);
		entry->asked_count = (uint16_t)asked.count;
	}
	/* An answer that is going out begins anew. */
	if (entry->send_answer && !entry->send_change)
		entry->offset = 0;
}

static bool is_member(const struct reporter_entry *entry)
{
	struct filter told = stored_filter_view(&entry->told);

	return !filter_is_none(&told);
}

static void answer_general(struct reporter *reporter, mtime now, uint32_t max_response)
{
	struct reporter_entry *entry;

	if (reporter->version_spoken == VERSION_3) {
		report_walk_start(&reporter->walk, reporter_oldest(reporter), reporter->told_bytes, now,
		                  max_response, random_number(reporter));
		return;
	}
	/* Older versions: each group by itself. */
	for (entry = reporter_oldest(reporter); entry; entry = reporter_newer(entry))
		if (is_member(entry))
			answer_by(reporter, entry, now + random_delay(reporter, max_response));
}

/* Nobody asks everybody often. Where somebody does all the same, in older versions each query would look at
 * all groups, and in version 3 have all of them told: what comes too soon is followed a little later, once.
 */
static void hear_general(struct reporter *reporter, mtime now, uint32_t max_response)
{
	bool is_first = reporter->general_at == MTIME_NEVER;
	bool waits = reporter->version_spoken == VERSION_3 && report_walk_is_waiting(&reporter->walk);

	if (!waits && !is_first && now - reporter->general_at < GENERAL_INTERVAL) {
		reporter->general_due = reporter->general_at + GENERAL_INTERVAL;
		reporter->general_by = mtime_min(reporter->general_by, now + max_response);
		return;
	}
	if (!waits)
		reporter->general_at = now;
	answer_general(reporter, now, max_response);
}

static void follow_general(struct reporter *reporter, mtime now)
{
	mtime left = reporter->general_by - now;

	if (reporter->general_due > now)
		return;
	reporter->general_due = reporter->general_by = MTIME_NEVER;
	reporter->general_at = now;
	answer_general(reporter, now, left > 1 ? (uint32_t)left : 1);
}

/* RFC 9776 section 5.2, rule 1: an answer to a general query that comes sooner is enough. */
static void answer_group(struct reporter *reporter, mtime now, const struct upstream_query *query,
                         const struct addr *sources)
{
	struct reporter_entry *entry = reporter_find(reporter, &query->group);
	mtime at = now + random_delay(reporter, query->max_response);

	if (entry == NULL || !is_member(entry) || report_walk_tells_all_by(&reporter->walk, at))
		return;
	note_asked(reporter, entry, sources, query->source_count);
	answer_by(reporter, entry, at);
}

/* The whole state, unasked. */
static void tell_all(struct reporter *reporter, mtime now)
{
	answer_general(reporter, now, MTIME_SECOND);
}

void reporter_start(struct reporter *reporter, mtime now)
{
	follow_version(reporter, now);
	reporter->missed_at = now + group_membership_interval(reporter);
	reporter->missing = false;
	/* The routers there may know nothing of us. */
	if (reporter->settings.answers)
		tell_all(reporter, now);
}

void reporter_heard_query(struct reporter *reporter, mtime now, const struct upstream_query *query,
                          const struct addr *sources)
{
	follow_version(reporter, now);
	reporter->queries_heard++;
	reporter->query_heard_at = now;
	reporter->querier = query->querier;
	reporter->querier_robustness = query->robustness;
	reporter->querier_query_interval = query->query_interval;
	reporter->missed_at = now + group_membership_interval(reporter);
	reporter->missing = false;
	/* RFC 9776 section 7.2.1: only general queries tell the querier's version. */
	if (addr_is_unspecified(&query->group))
		reporter_older_querier(reporter, now, query->version, query->max_response);
	if (!reporter->settings.answers)
		return;
	if (addr_is_unspecified(&query->group))
		hear_general(reporter, now, query->max_response);
	else
		answer_group(reporter, now, query, sources);
}

/* Time. */

void reporter_expire(struct reporter *reporter, mtime now)
{
	struct reporter_entry *entry, *next;

	follow_version(reporter, now);
	follow_general(reporter, now);
	for (entry = report_queue_take(&reporter->queue, now); entry != NULL; entry = next) {
		next = entry->next;
		entry_expire(reporter, entry, now);
	}
	if (!reporter->settings.repeat_without_querier || reporter->missed_at > now)
		return;
	reporter->missing = true;
	reporter->repeats++;
	reporter->missed_at = now + reporter->settings.query_interval;
	tell_all(reporter, now);
}

mtime reporter_deadline(struct reporter *reporter)
{
	mtime at = reporter->queue.next_at;

	if (reporter->queue.due != NULL)
		return 0;
	if (reporter->settings.repeat_without_querier && reporter->entries.count > 0)
		at = mtime_min(at, reporter->missed_at);
	return mtime_min(at, mtime_min(reporter->walk.at, reporter->general_due));
}

/* Packets. */

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

/* A state-change report is out: counts down, and arms the next one. Reports of the whole state count as
 * copies of every source's change, too. */
static void change_told(struct reporter *reporter, mtime now, struct reporter_entry *entry)
{
	bool more;

	entry->mode_left -= entry->mode_left > 0;
	entry->join_left -= entry->join_left > 0;
	count_down_pending(reporter, entry);
	more = reporter->version_spoken == VERSION_3 ? entry->mode_left > 0 || entry->pending_count > 0
	                                             : entry->join_left > 0;
	if (!more)
		clear_change(reporter, entry);
	else
		entry->change_at = repetition_time(reporter, now);
	entry->send_change = false;
	entry->offset = 0;
}

/* Nothing of it is due any more. */
static void entry_done(struct reporter *reporter, struct reporter_entry *entry)
{
	if (entry->send_answer)
		clear_answer(reporter, entry);
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
			change_told(reporter, now, entry);
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
		else if (is_member(entry) && (entry->send_answer || entry->join_left > 0))
			size = report_build_older_join(reporter->family, version, &entry->group, message,
			                               source, destination);
		if (entry->send_change)
			change_told(reporter, now, entry);
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
