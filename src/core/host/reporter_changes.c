/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/host/reporter_inside.h"

/* RFC 2236 section 8.10, RFC 2710 section 7.10; RFC 9776 section 8.11. */
#define UNSOLICITED_REPORT_INTERVAL_OLDER 10000
#define UNSOLICITED_REPORT_INTERVAL       1000
#define REPEAT_STEPS                      32 /* of that interval: repetitions come together and fill packets */
/* Linux sends the first report of an IGMPv1 or IGMPv2 group with its second timer tick, in 30 ms at most. */
#define KERNEL_REPORT_TIME 100

/* The filter goes over to the entry. */
static void put_told(struct reporter *reporter, struct reporter_entry *entry,
                     const struct stored_filter *reported)
{
	size_t before = reporter_reported_size(reporter, entry);

	stored_filter_clear(&entry->reported, reporter->pool);
	entry->reported = *reported;
	reporter->reported_bytes += reporter_reported_size(reporter, entry) - before;
	report_walk_changed(&reporter->walk, entry);
}

void reporter_assume(struct reporter *reporter, struct reporter_entry *entry, const struct filter *filter)
{
	struct stored_filter reported = {.mode = FILTER_INCLUDE};

	if (stored_filter_set(&reported, reporter->pool, filter))
		put_told(reporter, entry, &reported);
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

/* Sources whose change is to be reported: the new ones with all copies, and those that still had some left. */
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

/* False when there are too many, or memory is short: then the whole list must be reported. */
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
	reporter_clear_pending(reporter, entry);
	entry->pending = list;
	entry->pending_count = count;
	entry->pending_capacity = (uint16_t)capacity;
	return true;
}

/* Is a join of an older version sent here? Where the kernel keeps the group, it sends MLDv1 reports at
 * once. */
static bool sends_join(const struct reporter *reporter)
{
	return reporter->settings.answers || reporter->family == FAMILY_IPV4;
}

/* Is a leave of an older version sent here? Where the kernel keeps the group, it sends that at once, but none
 * of a group that it has not reported yet. */
static bool sends_leave(const struct reporter *reporter, const struct reporter_entry *entry)
{
	return reporter->settings.answers || entry->kernel_due;
}

bool reporter_change(struct reporter *reporter, mtime now, struct reporter_entry *entry,
                     const struct filter *filter)
{
	static const struct filter everything = {.mode = FILTER_EXCLUDE};
	struct filter before = stored_filter_view(&entry->reported);
	struct stored_filter reported = {.mode = FILTER_EXCLUDE};
	bool exact, was, is;

	reporter_follow_version(reporter, now);
	if (filter_equal(&before, filter))
		return true;
	exact = stored_filter_set(&reported, reporter->pool, filter);
	if (!exact)
		filter = &everything;
	if (filter_equal(&before, filter))
		return exact;
	was = !filter_is_none(&before);
	is = !filter_is_none(filter);
	if (before.mode != filter->mode || !add_pending(reporter, entry, &before, filter)) {
		entry->mode_left = copies(reporter);
		reporter_clear_pending(reporter, entry);
	}
	put_told(reporter, entry, &reported);
	if (was != is) {
		entry->join_left = is && sends_join(reporter) ? copies(reporter) : 0;
		entry->leave_left = was && sends_leave(reporter, entry);
		entry->kernel_due = false;
	} else if (reporter->version_spoken != VERSION_3) {
		return exact; /* older versions know no sources */
	}
	entry->change_at = now;
	entry->offset = 0;
	reporter_entry_expire(reporter, entry, now);
	return exact;
}

mtime reporter_repetition_interval(const struct reporter *reporter)
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
	mtime interval = reporter_repetition_interval(reporter), step = interval / REPEAT_STEPS;

	if (reporter->version_spoken != VERSION_3)
		return now + reporter_random_delay(reporter, interval);
	if (reporter->repeats_drawn_at != now) {
		reporter->repeats_drawn_at = now;
		reporter->repeats_at = now + reporter_random_delay(reporter, interval);
		if (step > 1 && reporter->repeats_at - now > step)
			reporter->repeats_at -= reporter->repeats_at % step;
	}
	return reporter->repeats_at;
}

static void count_down_pending(struct reporter *reporter, struct reporter_entry *entry)
{
	uint16_t kept = 0;

	for (uint16_t i = 0; i < entry->pending_count; i++)
		if (--entry->pending[i].copies_left > 0)
			entry->pending[kept++] = entry->pending[i];
	entry->pending_count = kept;
	if (kept == 0)
		reporter_clear_pending(reporter, entry);
}

void reporter_change_reported(struct reporter *reporter, mtime now, struct reporter_entry *entry)
{
	bool older = reporter->version_spoken != VERSION_3;
	bool kernel_due = older && entry->join_left > 0 && !reporter->settings.answers;
	bool more;

	entry->mode_left -= entry->mode_left > 0;
	entry->join_left -= entry->join_left > 0;
	count_down_pending(reporter, entry);
	more = older ? entry->join_left > 0 : entry->mode_left > 0 || entry->pending_count > 0;
	if (!more)
		reporter_clear_change(reporter, entry);
	else
		entry->change_at = repetition_time(reporter, now);
	if (kernel_due)
		entry->change_at = now + KERNEL_REPORT_TIME;
	entry->kernel_due = kernel_due;
	entry->send_change = false;
	entry->offset = 0;
}
