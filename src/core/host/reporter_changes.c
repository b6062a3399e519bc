/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/host/reporter_changes.h"

#define REPEAT_STEPS 32 /* of the repetition interval: repetitions come together and fill packets */
/* Linux sends the first report of an IGMPv1 or IGMPv2 group with its second timer tick, after 30 ms at most.
 * */
#define KERNEL_REPORT_TIME 100

/* The entry owns the filter from now on. */
static void set_reported(struct reporter *reporter, struct reporter_entry *entry,
                         const struct stored_filter *reported)
{
	size_t before = report_build_state_size(reporter->family, entry);

	stored_filter_clear(&entry->reported, reporter->pool);
	entry->reported = *reported;
	reporter->reported_bytes += report_build_state_size(reporter->family, entry) - before;
	report_walk_changed(&reporter->walk, entry);
}

void reporter_assume(struct reporter *reporter, struct reporter_entry *entry, const struct filter *filter)
{
	struct stored_filter reported = {.mode = FILTER_INCLUDE};

	if (stored_filter_set(&reported, reporter->pool, filter))
		set_reported(reporter, entry, &reported);
}

/* The sources that are in one list only; false when there are too many. */
static bool difference(struct reporter *reporter, const struct sources *a, const struct sources *b,
                       struct sources *changed)
{
	struct sources common = sources_on(reporter->scratch.block, REPORTER_SOURCES_MAX);

	*changed = sources_on(reporter->scratch.allow, REPORTER_SOURCES_MAX);
	if (!sources_union(changed, a, b) || !sources_intersection(&common, a, b))
		return false;
	sources_subtract(changed, &common);
	return true;
}

/* Does the reporter speak a newer version than the kernel, which follows a version 1 query? Then no report of
 * the kernel repeats what the reporter has sent. */
static bool is_alone(const struct reporter *reporter, mtime now)
{
	return reporter->role.answers ||
	       (reporter->kernel_v1_until > now && reporter->version_spoken > VERSION_1);
}

/* RFC 9776 section 8.1: the robustness that the querier announces is used. */
static uint8_t copies(const struct reporter *reporter, mtime now)
{
	if (!is_alone(reporter, now))
		return reporter->role.copies;
	return reporter->querier_robustness != 0 ? reporter->querier_robustness
	       : reporter->role.answers          ? reporter->role.copies
	                                         : reporter->settings->robustness;
}

/* The sources whose change is still to be reported: the new ones with all copies, the others with the rest.
 * */
static void merge_pending(const struct reporter *reporter, mtime now, const struct reporter_entry *entry,
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
			list[*count] = (struct pending_source){changed->list[j], copies(reporter, now)};
		++*count;
		i += order <= 0;
		j += order >= 0;
	}
}

/* False when there are too many, or memory is short: then the whole list must be reported. */
static bool add_pending(struct reporter *reporter, mtime now, struct reporter_entry *entry,
                        const struct filter *before, const struct filter *after)
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
	merge_pending(reporter, now, entry, &changed, list, &count);
	reporter_clear_pending(reporter, entry);
	entry->pending = list;
	entry->pending_count = count;
	entry->pending_capacity = (uint16_t)capacity;
	return true;
}

/* Does the reporter send joins of an older version? A kernel that keeps the group sends MLDv1 reports at
 * once. */
static bool sends_join(const struct reporter *reporter)
{
	return reporter->role.answers || reporter->family == FAMILY_IPV4;
}

/* Does the reporter send leaves of an older version? A kernel that keeps the group sends them at once, but
 * not for a group that it has not reported yet. */
static bool sends_leave(const struct reporter *reporter, mtime now, const struct reporter_entry *entry)
{
	return is_alone(reporter, now) || entry->kernel_due;
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
	if (before.mode != filter->mode || !add_pending(reporter, now, entry, &before, filter)) {
		entry->mode_left = copies(reporter, now);
		reporter_clear_pending(reporter, entry);
	}
	set_reported(reporter, entry, &reported);
	if (was != is) {
		entry->join_left = is && sends_join(reporter) ? copies(reporter, now) : 0;
		entry->leave_left = was && sends_leave(reporter, now, entry);
		entry->kernel_due = false;
	} else if (reporter->version_spoken != VERSION_3) {
		return exact; /* older versions have no sources */
	}
	entry->change_at = now;
	entry->offset = 0;
	reporter_entry_expire(reporter, entry, now);
	return exact;
}

/* Reports that go out now are repeated together, and with those that went out a little earlier or later: so
 * repetitions fill packets as the first reports did. Older versions use a packet for each group anyway. */
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
	bool kernel_due = older && entry->join_left > 0 && !is_alone(reporter, now);
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
