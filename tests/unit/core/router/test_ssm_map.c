/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Joins that name no sources and get them from ssm_map or a filter: which records count and as what, and how their leaves are
 * queried.
 */
#include "core/policy/group_map.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "support/engine.h"

/* The kinds of groups, in both families. */
enum { MAPPED_SSM, MAPPED_ASM, PLAIN_SSM, PLAIN_ASM, GROUP_KINDS };

static const char *const groups[FAMILIES][GROUP_KINDS] = {
	{"232.1.1.1", "239.1.1.1", "232.9.1.1", "239.9.1.1"},
	{"ff3e::1:1", "ff1e::1:1", "ff3e::9:1", "ff1e::9:1"},
};
static const char *const own[FAMILIES] = {"10.9.9.9", "2001:db8::9"};
static const char *const mapped[FAMILIES] = {"INCLUDE{10.1.1.1 10.1.1.2}",
                                             "INCLUDE{2001:db8:1::1 2001:db8:1::2}"};

static struct group_map_entry entry_of(const char *range, const char *source)
{
	struct group_map_entry entry = {.source = addr_of(source)};

	assert_null(range_parse(range, &entry.groups));
	return entry;
}

/* DOWN1 and DOWN2 get the map and the standard's range. */
static void map_links(void)
{
	const struct group_map_entry entries[] = {
		entry_of("232.1.0.0/16", "10.1.1.1"),       entry_of("232.1.1.0/24", "10.1.1.2"),
		entry_of("239.1.0.0/16", "10.1.1.1"),       entry_of("239.1.1.0/24", "10.1.1.2"),
		entry_of("ff3e::1:0/112", "2001:db8:1::1"), entry_of("ff3e::1:1", "2001:db8:1::2"),
		entry_of("ff1e::1:0/112", "2001:db8:1::1"), entry_of("ff1e::1:1", "2001:db8:1::2"),
	};
	struct group_map *map = group_map_new(entries, LENGTH(entries));

	assert_non_null(map);
	for (uint8_t link = DOWN1; link <= DOWN2; link++) {
		struct link_settings *settings = &engine.links[link].settings;

		settings->ssm_map = map;
		settings->ssm_prefix[FAMILY_IPV4] = addr_of("232.0.0.0");
		settings->ssm_length[FAMILY_IPV4] = 96 + 8;
		settings->ssm_prefix[FAMILY_IPV6] = addr_of("ff30::");
		settings->ssm_length[FAMILY_IPV6] = 32;
		give_link(link);
	}
	group_map_release(map);
}

static int open_mapped(void **state)
{
	open_usual(state);
	map_links();
	pass(100000); /* the queries that ask hosts again */
	forget();
	return 0;
}

#define mapped_test(function) cmocka_unit_test_setup_teardown(function, open_mapped, close_any)

/* Another host of the same link. */
static void old_report(const char *host, enum version version, const char *group, bool is_leave)
{
	receive(DOWN1, craft_old(host, version, group, is_leave));
}

static void records_of_each_version_and_mode(void **state)
{
	/* What a record makes of each kind of group: M the mapped sources, S the record's own one, A all, X all
	 * but its own one, - nothing. */
	static const struct {
		enum version version;
		enum record_type type;
		bool sources;
		const char result[GROUP_KINDS + 1];
	} rows[] = {
		{VERSION_1, IS_EX, false, "MM-A"}, {VERSION_2, IS_EX, false, "MM-A"},
		{VERSION_2, TO_IN, false, "----"}, {VERSION_3, IS_EX, false, "MM-A"},
		{VERSION_3, TO_EX, false, "MM-A"}, {VERSION_3, IS_EX, true, "-X-X"},
		{VERSION_3, TO_EX, true, "-X-X"},  {VERSION_3, IS_IN, true, "SSSS"},
		{VERSION_3, TO_IN, true, "SSSS"},  {VERSION_3, ALLOW, true, "SSSS"},
		{VERSION_3, TO_IN, false, "----"}, {VERSION_3, IS_IN, false, "----"},
	};

	for (enum family family = FAMILY_IPV4; family < FAMILIES; family++) {
		for (size_t i = 0; i < LENGTH(rows); i++) {
			if (family == FAMILY_IPV6 && rows[i].version == VERSION_1)
				continue;
			close_any(state);
			open_mapped(state);
			for (int kind = 0; kind < GROUP_KINDS; kind++) {
				const char *group = groups[family][kind];
				char expected[64];

				snprintf(expected, sizeof expected, "%s{%s}",
				         rows[i].result[kind] == 'S' ? "INCLUDE" : "EXCLUDE",
				         rows[i].result[kind] == 'A' ? "" : own[family]);
				if (rows[i].version == VERSION_3)
					report(DOWN1, rows[i].type, group,
					       rows[i].sources ? own[family] : "");
				else
					old_report(host_of(DOWN1, group), rows[i].version, group,
					           rows[i].type == TO_IN);
				assert_string_equal(membership_of(group),
				                    rows[i].result[kind] == '-'   ? "never"
				                    : rows[i].result[kind] == 'M' ? mapped[family]
				                                                  : expected);
			}
		}
	}
}

/* Specific queries since the last forget: all are about the whole group. */
static size_t whole_queries(const char *group)
{
	struct addr address = addr_of(group);
	struct sent_query sent;
	size_t count = 0;

	for (size_t n = 0; nth_query(n, &sent); n++) {
		if (addr_is_unspecified(&sent.query.group))
			continue;
		assert_true(addr_equal(&sent.query.group, &address));
		assert_int_equal(sent.query.source_count, 0);
		count++;
	}
	return count;
}

static void the_last_older_host_leaves(void **state)
{
	(void)state;
	for (enum family family = FAMILY_IPV4; family < FAMILIES; family++) {
		for (int kind = MAPPED_SSM; kind <= MAPPED_ASM; kind++) {
			const char *group = groups[family][kind];

			join(DOWN1, group);
			forget();
			leave(DOWN1, group);
			assert_int_equal(whole_queries(group), 1);
			pass(1999);
			assert_string_equal(membership_of(group), "never");
			pass(1);
			assert_int_equal(whole_queries(group), 2);
			assert_string_equal(membership_of(group), "INCLUDE{}");
		}
	}
}

static void an_older_host_that_stays_answers(void **state)
{
	(void)state;
	for (enum family family = FAMILY_IPV4; family < FAMILIES; family++) {
		const char *group = groups[family][MAPPED_SSM];
		const char *other = family == FAMILY_IPV4 ? "10.0.1.6" : "fe80::1:6";

		join(DOWN1, group);
		old_report(other, VERSION_2, group, false);
		forget();
		leave(DOWN1, group);
		pass(500);
		old_report(other, VERSION_2, group, false);
		pass(100000);
		assert_string_equal(membership_of(group), "never");
		pass(160000 - 1500); /* the membership interval of 270 s has passed since the join */
		assert_string_equal(membership_of(group), "never");
		pass(15000);
		assert_string_equal(membership_of(group), "INCLUDE{}");
	}
}

/* The query that a host of version 3 causes must also reach the older ones. */
static void other_hosts_leave_by_whole_queries_too(void **state)
{
	(void)state;
	for (enum family family = FAMILY_IPV4; family < FAMILIES; family++) {
		const char *group = groups[family][MAPPED_SSM];
		const char *other = family == FAMILY_IPV4 ? "10.0.1.6" : "fe80::1:6";

		join(DOWN1, group);
		receive(DOWN1, craft_record(other, ALLOW, group, own[family]));
		forget();
		receive(DOWN1, craft_record(other, TO_IN, group, ""));
		assert_int_equal(whole_queries(group), 1);
		pass(500);
		join(DOWN1, group);
		pass(2000);
		assert_string_equal(membership_of(group), mapped[family]);
	}
}

static void hosts_of_version_3_alone_are_asked_by_source(void **state)
{
	struct sent_query sent;

	(void)state;
	report(DOWN1, TO_EX, "232.1.1.1", "");
	forget();
	report(DOWN1, TO_IN, "232.1.1.1", "");
	assert_true(nth_query(0, &sent));
	assert_int_equal(sent.query.source_count, 2);
	pass(2000);
	assert_string_equal(membership_of("232.1.1.1"), "INCLUDE{}");
}

static void version_1_hosts_do_not_leave(void **state)
{
	(void)state;
	old_report("10.0.1.6", VERSION_1, "232.1.1.1", false);
	join(DOWN1, "232.1.1.1");
	forget();
	leave(DOWN1, "232.1.1.1");
	assert_int_equal(whole_queries("232.1.1.1"), 0);
	pass(5000);
	assert_string_equal(membership_of("232.1.1.1"), "never");
}

/* Version 3 hosts count as older ones there, and so does what they join. */
static void on_a_link_of_an_older_version(void **state)
{
	(void)state;
	engine.links[DOWN1].settings.version[FAMILY_IPV4] = VERSION_2;
	engine.links[DOWN1].settings.version[FAMILY_IPV6] = VERSION_2;
	give_link(DOWN1);
	for (enum family family = FAMILY_IPV4; family < FAMILIES; family++) {
		const char *group = groups[family][MAPPED_ASM];

		pass(100000);
		forget();
		report(DOWN1, IS_IN, group, own[family]);
		assert_string_equal(membership_of(group), mapped[family]);
		join(DOWN1, group);
		forget();
		leave(DOWN1, group);
		assert_int_equal(whole_queries(group), 1);
		pass(500);
		join(DOWN1, group);
		pass(3000);
		assert_string_equal(membership_of(group), "never");
		report(DOWN1, TO_IN, group, "");
		pass(2000);
		assert_string_equal(membership_of(group), "INCLUDE{}");
	}
}

static void fast_leave_sees_mapped_hosts(void **state)
{
	(void)state;
	engine.links[DOWN1].settings.fast_leave = engine.links[DOWN1].settings.track_hosts = true;
	give_link(DOWN1);
	receive(DOWN1, craft_record("10.0.1.6", TO_EX, "232.1.1.1", ""));
	receive(DOWN1, craft_record("10.0.1.7", TO_EX, "232.1.1.1", ""));
	forget();
	receive(DOWN1, craft_record("10.0.1.6", TO_IN, "232.1.1.1", ""));
	assert_string_equal(membership_of("232.1.1.1"), "never");
	receive(DOWN1, craft_record("10.0.1.7", TO_IN, "232.1.1.1", ""));
	assert_string_equal(membership_of("232.1.1.1"), "INCLUDE{}");
}

/* The elected querier asks about the group, and its query lowers the timers of what was left. */
static void another_querier_asks(void **state)
{
	struct query general = {
		.version = VERSION_3, .max_response = 10000, .robustness = 2, .query_interval = 125000};
	struct query specific = {
		.version = VERSION_3, .max_response = 1000, .robustness = 2, .query_interval = 125000};

	(void)state;
	receive(DOWN1, craft_query("10.0.1.0", general, NULL, NULL));
	join(DOWN1, "232.1.1.1");
	forget();
	leave(DOWN1, "232.1.1.1");
	pass(500);
	receive(DOWN1, craft_query("10.0.1.0", specific, "232.1.1.1", NULL));
	assert_int_equal(whole_queries("232.1.1.1"), 0);
	pass(1999);
	assert_string_equal(membership_of("232.1.1.1"), "never");
	pass(1);
	assert_string_equal(membership_of("232.1.1.1"), "INCLUDE{}");
}

static void filters_see_the_mapped_sources(void **state)
{
	(void)state;
	give_filters(DOWN1, NULL, "allow all from 10.1.1.2\ndeny all");
	join(DOWN1, "232.1.1.1");
	assert_string_equal(membership_of("232.1.1.1"), "INCLUDE{10.1.1.2}");
	join(DOWN1, "232.1.2.1");
	assert_string_equal(membership_of("232.1.2.1"), "never");
}

/* A filter that allows single sources does to older hosts what a map does. */
static void joins_that_a_filter_narrows(void **state)
{
	(void)state;
	give_filters(DOWN1, NULL, "allow all from 10.1.1.2\ndeny all");
	join(DOWN1, "239.9.1.1");
	old_report("10.0.1.6", VERSION_2, "239.9.1.1", false);
	assert_string_equal(membership_of("239.9.1.1"), "INCLUDE{10.1.1.2}");
	forget();
	leave(DOWN1, "239.9.1.1");
	assert_int_equal(whole_queries("239.9.1.1"), 1);
	pass(500);
	old_report("10.0.1.6", VERSION_2, "239.9.1.1", false);
	pass(5000);
	assert_string_equal(membership_of("239.9.1.1"), "never");
	old_report("10.0.1.6", VERSION_2, "239.9.1.1", true);
	pass(1999);
	assert_string_equal(membership_of("239.9.1.1"), "never");
	pass(1);
	assert_string_equal(membership_of("239.9.1.1"), "INCLUDE{}");
}

static void a_new_map_is_learned_by_a_query(void **state)
{
	struct sent_query sent;

	(void)state;
	engine.links[DOWN1].settings.ssm_map = NULL;
	give_link(DOWN1);
	forget();
	map_links();
	assert_true(nth_query(0, &sent));
	assert_int_equal(sent.link, DOWN1);
	assert_true(addr_is_unspecified(&sent.query.group));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		mapped_test(records_of_each_version_and_mode),
		mapped_test(the_last_older_host_leaves),
		mapped_test(an_older_host_that_stays_answers),
		mapped_test(other_hosts_leave_by_whole_queries_too),
		mapped_test(hosts_of_version_3_alone_are_asked_by_source),
		mapped_test(version_1_hosts_do_not_leave),
		mapped_test(on_a_link_of_an_older_version),
		mapped_test(fast_leave_sees_mapped_hosts),
		mapped_test(another_querier_asks),
		mapped_test(filters_see_the_mapped_sources),
		mapped_test(joins_that_a_filter_narrows),
		mapped_test(a_new_map_is_learned_by_a_query),
	};

	return cmocka_run_group_tests_name("ssm_map", tests, NULL, NULL);
}
