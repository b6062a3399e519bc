/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Groups of an engine: joins and leaves of all versions, the filter wanted upstream, the merge over
 * downstream links (RFC 4605 section 4.1), expiry, limits. The filter machine itself is test_group's.
 */
#include "core/router/instance.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "support/engine.h"

#define MEMBERSHIP_INTERVAL 270000 /* 2 * 125 s + 2 * 10 s */

/* One step: a record heard on a link, and the filter then wanted upstream. */
struct step {
	uint8_t link;
	enum record_type type;
	const char *sources;
	const char *wanted; /* NULL: nothing is kept */
};

static void run_steps(const char *group, const struct step *steps)
{
	for (const struct step *step = steps; step->type != 0; step++) {
		forget();
		report(step->link, step->type, group, step->sources);
		if (step->wanted == NULL)
			assert_int_equal(requests_of(REQUEST_MEMBERSHIP), 0);
		else
			assert_string_equal(membership_of(group), step->wanted);
	}
}

static void one_link(void **state)
{
	static const struct step rows[][6] = {
		{{DOWN1, TO_EX, "", "EXCLUDE{}"}, {DOWN1, TO_EX, "", NULL}, {DOWN1, IS_EX, "", NULL}},
		{{DOWN1, IS_EX, "10.9.9.1", "EXCLUDE{10.9.9.1}"}},
		{{DOWN1, ALLOW, "10.9.9.1", "INCLUDE{10.9.9.1}"},
	         {DOWN1, ALLOW, "10.9.9.2 10.9.9.1", "INCLUDE{10.9.9.1 10.9.9.2}"},
	         {DOWN1, IS_IN, "10.9.9.2", NULL},
	         {DOWN1, TO_EX, "10.9.9.2 10.9.9.3", "EXCLUDE{10.9.9.3}"},
	         {DOWN1, ALLOW, "10.9.9.3", "EXCLUDE{}"}},
		{{DOWN1, TO_IN, "10.9.9.1", "INCLUDE{10.9.9.1}"}, {DOWN1, IS_EX, "", "EXCLUDE{}"}},
		{{DOWN1, ALLOW, "10.9.9.2 10.9.9.2 10.9.9.1", "INCLUDE{10.9.9.1 10.9.9.2}"}},
		/* What takes away, or names nothing, makes no state. */
		{{DOWN1, TO_IN, "", NULL},
	         {DOWN1, IS_IN, "", NULL},
	         {DOWN1, ALLOW, "", NULL},
	         {DOWN1, BLOCK, "10.9.9.1", NULL}},
		/* Sources that cannot send are as if they were not listed. */
		{{DOWN1, ALLOW, "0.0.0.0 127.0.0.1 239.1.1.1 255.255.255.255", NULL},
	         {DOWN1, TO_EX, "0.0.0.0 10.9.9.1 127.0.0.1", "EXCLUDE{10.9.9.1}"}},
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(rows); i++) {
		engine_open(&usual_settings);
		usual_links();
		run_steps("239.1.1.1", rows[i]);
	}
}

static void merge_over_two_links(void **state)
{
	static const struct step rows[][6] = {
		{{DOWN1, ALLOW, "10.9.9.1", "INCLUDE{10.9.9.1}"},
	         {DOWN2, ALLOW, "10.9.9.2", "INCLUDE{10.9.9.1 10.9.9.2}"}},
		{{DOWN1, TO_EX, "10.9.9.1 10.9.9.2", "EXCLUDE{10.9.9.1 10.9.9.2}"},
	         {DOWN2, TO_EX, "10.9.9.2 10.9.9.3", "EXCLUDE{10.9.9.2}"},
	         {DOWN2, ALLOW, "10.9.9.2", "EXCLUDE{}"}},
		{{DOWN1, TO_EX, "10.9.9.1 10.9.9.2", "EXCLUDE{10.9.9.1 10.9.9.2}"},
	         {DOWN2, ALLOW, "10.9.9.2", "EXCLUDE{10.9.9.1}"}},
		{{DOWN2, ALLOW, "10.9.9.2", "INCLUDE{10.9.9.2}"},
	         {DOWN1, TO_EX, "10.9.9.1 10.9.9.2", "EXCLUDE{10.9.9.1}"}},
		{{DOWN1, TO_EX, "", "EXCLUDE{}"}, {DOWN2, TO_EX, "10.9.9.1", "EXCLUDE{}"}},
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(rows); i++) {
		engine_open(&usual_settings);
		usual_links();
		run_steps("239.1.1.1", rows[i]);
	}
}

static void one_member_left_of_two(void **state)
{
	(void)state;
	engine.links[DOWN1].settings.fast_leave = engine.links[DOWN2].settings.fast_leave = true;
	give_link(DOWN1);
	give_link(DOWN2);
	run_steps("239.1.1.1", (const struct step[]){
				       {DOWN1, TO_EX, "", "EXCLUDE{}"},
				       {DOWN2, ALLOW, "10.9.9.1", "EXCLUDE{}"},
				       {DOWN1, TO_IN, "", "INCLUDE{10.9.9.1}"},
				       {DOWN1, ALLOW, "10.9.9.2", "INCLUDE{10.9.9.1 10.9.9.2}"},
				       {DOWN2, BLOCK, "10.9.9.1", "INCLUDE{10.9.9.2}"},
				       {DOWN1, TO_IN, "", "INCLUDE{}"},
				       {0},
			       });
}

static void older_versions(void **state)
{
	(void)state;
	receive(DOWN1, craft_old("10.0.1.5", VERSION_1, "239.1.1.1", false));
	assert_string_equal(membership_of("239.1.1.1"), "EXCLUDE{}");
	join(DOWN1, "239.1.1.2");
	assert_string_equal(membership_of("239.1.1.2"), "EXCLUDE{}");
	join(DOWN1, "ff05::1");
	assert_string_equal(membership_of("ff05::1"), "EXCLUDE{}");
	forget();
	/* RFC 9776 section 7.3.2: with a version 1 host present, leaves do not count; the others are asked
	 * for. */
	leave(DOWN1, "239.1.1.1");
	leave(DOWN1, "239.1.1.2");
	leave(DOWN1, "ff05::1");
	pass(2000);
	assert_string_equal(membership_of("239.1.1.1"), "never");
	assert_string_equal(membership_of("239.1.1.2"), "INCLUDE{}");
	assert_string_equal(membership_of("ff05::1"), "INCLUDE{}");
	pass(MEMBERSHIP_INTERVAL);
	assert_string_equal(membership_of("239.1.1.1"), "INCLUDE{}");
}

static void link_of_version_2_hears_version_3(void **state)
{
	(void)state;
	engine_open(&usual_settings);
	engine.link_settings.version[FAMILY_IPV4] = VERSION_2;
	usual_links();
	run_steps("239.1.1.1", (const struct step[]){{DOWN1, ALLOW, "10.9.9.1", "EXCLUDE{}"}, {0}});
	run_steps("239.1.1.2", (const struct step[]){{DOWN1, TO_EX, "10.9.9.1", "EXCLUDE{}"}, {0}});
	forget();
	report(DOWN1, TO_IN, "239.1.1.1", "");
	pass(2000);
	assert_string_equal(membership_of("239.1.1.1"), "INCLUDE{}");
}

/* What is asked, when, and what follows when nobody answers. */
static void leave_is_asked_for_and_expires(void **state)
{
	static const struct {
		enum version version;
		const char *group;
	} rows[] = {{VERSION_2, "239.1.1.1"},
	            {VERSION_3, "239.1.1.1"},
	            {VERSION_2, "ff05::1"},
	            {VERSION_3, "ff05::1"}};

	(void)state;
	for (size_t i = 0; i < LENGTH(rows); i++) {
		struct addr group = addr_of(rows[i].group);
		struct sent_query sent;
		mtime start;

		engine_open(&usual_settings);
		engine.link_settings.version[addr_family(&group)] = (uint8_t)rows[i].version;
		usual_links();
		join(DOWN1, rows[i].group);
		forget();
		start = engine.now;
		leave(DOWN1, rows[i].group);
		pass(1999);
		for (size_t n = 0; n < 2; n++) {
			assert_true(nth_query(n, &sent));
			assert_int_equal(sent.at - start, n * 1000);
			assert_int_equal(sent.link, DOWN1);
			assert_int_equal(sent.query.version, rows[i].version);
			assert_true(addr_equal(&sent.query.group, &group));
			assert_int_equal(sent.query.max_response, 1000);
			assert_int_equal(sent.query.source_count, 0);
			assert_false(sent.query.suppress);
		}
		assert_false(nth_query(2, &sent));
		assert_int_equal(requests_of(REQUEST_MEMBERSHIP), 0);
		pass(1);
		assert_string_equal(membership_of(rows[i].group), "INCLUDE{}");
		forget();
		pass(20000);
		assert_int_equal(requests_of(REQUEST_MEMBERSHIP), 0);
	}
}

static void leave_that_somebody_answers(void **state)
{
	(void)state;
	join(DOWN1, "239.1.1.1");
	forget();
	leave(DOWN1, "239.1.1.1");
	pass(1500);
	join(DOWN1, "239.1.1.1");
	pass(MEMBERSHIP_INTERVAL - 1);
	assert_int_equal(requests_of(REQUEST_MEMBERSHIP), 0);
	pass(1);
	assert_string_equal(membership_of("239.1.1.1"), "INCLUDE{}");
}

static void blocked_source_is_asked_for_by_name(void **state)
{
	struct sent_query sent;

	(void)state;
	report(DOWN1, ALLOW, "239.1.1.1", "10.9.9.1 10.9.9.2");
	forget();
	report(DOWN1, BLOCK, "239.1.1.1", "10.9.9.2");
	assert_true(nth_query(0, &sent));
	assert_int_equal(sent.query.source_count, 1);
	assert_int_equal(sent.query.sources[3], 2);
	pass(1999);
	assert_int_equal(requests_of(REQUEST_SEND), 2);
	assert_int_equal(requests_of(REQUEST_MEMBERSHIP), 0);
	pass(1);
	assert_string_equal(membership_of("239.1.1.1"), "INCLUDE{10.9.9.1}");
}

static void members_that_fall_silent_expire(void **state)
{
	(void)state;
	join(DOWN1, "239.1.1.1");
	report(DOWN1, ALLOW, "239.1.1.2", "10.9.9.1");
	pass(1000);
	report(DOWN1, ALLOW, "239.1.1.2", "10.9.9.2");
	forget();
	pass(MEMBERSHIP_INTERVAL - 1001);
	assert_int_equal(requests_of(REQUEST_MEMBERSHIP), 0);
	pass(1);
	assert_string_equal(membership_of("239.1.1.1"), "INCLUDE{}");
	assert_string_equal(membership_of("239.1.1.2"), "INCLUDE{10.9.9.2}");
	pass(1000);
	assert_string_equal(membership_of("239.1.1.2"), "INCLUDE{}");
}

static void fast_leave_asks_nobody(void **state)
{
	(void)state;
	engine.links[DOWN1].settings.fast_leave = true;
	give_link(DOWN1);
	report(DOWN1, TO_EX, "239.1.1.1", "");
	receive(DOWN1, craft_record("10.0.1.6", TO_EX, "239.1.1.1", ""));
	/* The other one stays. */
	report(DOWN1, TO_IN, "239.1.1.1", "");
	assert_int_equal(requests_of(REQUEST_SEND), 1);
	pass(500);
	receive(DOWN1, craft_record("10.0.1.6", IS_EX, "239.1.1.1", ""));
	pass(10000);
	forget();
	receive(DOWN1, craft_record("10.0.1.6", TO_IN, "239.1.1.1", ""));
	assert_string_equal(membership_of("239.1.1.1"), "INCLUDE{}");
	assert_int_equal(requests_of(REQUEST_SEND), 0);
}

/* Two hosts behind one address: the first fast leave cuts the other off, until it answers the next query;
 * then the address tells nobody any more. */
static void fast_leave_of_a_shared_address(void **state)
{
	(void)state;
	engine.links[DOWN1].settings.fast_leave = true;
	give_link(DOWN1);
	for (int i = 0; i < 2; i++) {
		/* A host that zaps is one host. */
		report(DOWN1, TO_EX, "239.1.1.1", "");
		report(DOWN1, TO_IN, "239.1.1.1", "");
		assert_string_equal(membership_of("239.1.1.1"), "INCLUDE{}");
	}
	report(DOWN1, TO_EX, "239.1.1.1", "");
	report(DOWN1, IS_EX, "239.1.1.1", "");
	report(DOWN1, TO_IN, "239.1.1.1", "");
	assert_int_equal(requests_of(REQUEST_SEND), 0);
	pass(60000);
	report(DOWN1, IS_EX, "239.1.1.1", "");
	forget();
	report(DOWN1, TO_IN, "239.1.1.1", "");
	assert_int_equal(requests_of(REQUEST_SEND), 1);
	report(DOWN1, IS_EX, "239.1.1.1", "");
	/* Of other groups, too; other hosts are none the worse for it. */
	report(DOWN1, TO_EX, "239.1.1.2", "");
	receive(DOWN1, craft_record("10.0.1.6", TO_EX, "239.1.1.3", ""));
	forget();
	receive(DOWN1, craft_record("10.0.1.6", TO_IN, "239.1.1.3", ""));
	assert_int_equal(requests_of(REQUEST_SEND), 0);
	report(DOWN1, TO_IN, "239.1.1.2", "");
	assert_int_equal(requests_of(REQUEST_SEND), 1);
	pass(11 * MEMBERSHIP_INTERVAL);
	report(DOWN1, TO_EX, "239.1.1.2", "");
	forget();
	report(DOWN1, TO_IN, "239.1.1.2", "");
	assert_int_equal(requests_of(REQUEST_SEND), 0);
}

static uint32_t groups_of(uint8_t link)
{
	uint32_t groups = 0;

	for (size_t i = 0; i < engine.kept_count; i++) {
		const struct snapshot_item *record = (const void *)engine.kept[i].payload;

		if (engine.kept[i].request.kind == REQUEST_SNAPSHOT)
			for (uint16_t j = 0; j < engine.kept[i].request.count; j++)
				if (record[j].link.id == link && record[j].link.family == FAMILY_IPV4)
					groups = record[j].link.groups;
	}
	return groups;
}

/* With no byte of memory left, every group that is there is refreshed as if there were plenty. */
static void refreshing_takes_no_memory(void **state)
{
	struct instance_settings settings = usual_settings;
	struct input input = {.kind = INPUT_SNAPSHOT, .what = SNAPSHOT_LINKS, .first = true};
	char group[ADDR_TEXT_SIZE];
	uint32_t count = 0;

	(void)state;
	settings.memory_max = 1 << 20;
	engine_open(&settings);
	engine.link_settings.fast_leave = true;
	usual_links();
	want_events(true);
	for (; newest_event(EVENT_DROP) == NULL; count++) {
		snprintf(group, sizeof group, "239.1.%u.%u", count >> 8, count & 255);
		report(DOWN1, count % 2 ? TO_EX : ALLOW, group, count % 2 ? "" : "10.9.9.1 10.9.9.2");
		assert_true(count < 10000);
	}
	assert_int_equal(newest_event(EVENT_DROP)->before, DROP_MEMORY);
	assert_true(count > 1000);
	for (int round = 0; round < 5; round++) {
		pass(100000);
		forget();
		for (uint32_t n = 0; n + 1 < count; n++) {
			snprintf(group, sizeof group, "239.1.%u.%u", n >> 8, n & 255);
			report(DOWN1, n % 2 ? IS_EX : IS_IN, group, n % 2 ? "" : "10.9.9.1 10.9.9.2");
		}
		assert_null(newest_event(EVENT_DROP));
		assert_null(newest_event(EVENT_LEAVE));
		assert_null(newest_event(EVENT_FILTER));
	}
	give(&input, NULL, 0);
	turn();
	assert_true(groups_of(DOWN1) >= count - 1);
}

static void report_many(enum record_type type, uint32_t groups)
{
	struct addr from = addr_of("10.0.1.5");
	const struct addr *none = NULL;

	for (uint32_t n = 0; n < groups; n++) {
		struct record record = {.type = type, .group = nth_addr("239.1.0.0", n)};
		struct craft craft = craft_v3_report_of(&from, &record, &none, 1);

		give_packet(DOWN1, FAMILY_IPV4, &craft);
	}
	turn();
}

/* Far more timers have moved than are corrected at a time: no group ends early, and all end in time. */
static void many_refreshed_groups_end_in_time(void **state)
{
	enum { GROUPS = 5000 };

	(void)state;
	report_many(TO_EX, GROUPS);
	assert_int_equal(requests_of(REQUEST_MEMBERSHIP), GROUPS);
	pass(100000);
	report_many(IS_EX, GROUPS);
	forget();
	pass(MEMBERSHIP_INTERVAL - 1);
	assert_int_equal(requests_of(REQUEST_MEMBERSHIP), 0);
	pass(1);
	assert_int_equal(requests_of(REQUEST_MEMBERSHIP), GROUPS);
}

static void hosts_max(void **state)
{
	(void)state;
	want_events(true);
	engine.links[DOWN1].settings.track_hosts = true;
	engine.links[DOWN1].settings.hosts_max = 1;
	give_link(DOWN1);
	report(DOWN1, TO_EX, "239.1.1.1", "");
	assert_null(newest_event(EVENT_DROP));
	receive(DOWN1, craft_record("10.0.1.6", TO_EX, "239.1.1.1", ""));
	assert_int_equal(newest_event(EVENT_DROP)->before, DROP_HOSTS_MAX);
}

static void groups_of_the_link_are_not_proxied(void **state)
{
	static const char *const groups[] = {"224.0.0.1",   "224.0.0.2",   "224.0.0.22", "224.0.0.106",
	                                     "224.0.0.251", "224.0.0.255", "ff02::1",    "ff02::fb",
	                                     "ff01::1",     "ff12::1"};

	(void)state;
	for (size_t i = 0; i < LENGTH(groups); i++) {
		join(DOWN1, groups[i]);
		report(DOWN1, TO_EX, groups[i], "");
		report(DOWN1, ALLOW, groups[i], strchr(groups[i], ':') ? "2001:db8::1" : "10.9.9.9");
		leave(DOWN1, groups[i]);
	}
	assert_int_equal(engine.kept_count, 0);
}

static void source_specific_range(void **state)
{
	static const struct {
		const char *group;
		enum record_type type;
		const char *sources;
		bool counts;
	} rows[] = {
		{"232.1.1.1", ALLOW, "10.9.9.9", true},   {"232.1.1.2", IS_IN, "10.9.9.9", true},
		{"232.1.1.3", TO_IN, "10.9.9.9", true},   {"232.1.1.4", TO_EX, "", false},
		{"232.1.1.5", IS_EX, "10.9.9.9", false},  {"233.1.1.1", TO_EX, "", true},
		{"ff3e::1", ALLOW, "2001:db8::1", true},  {"ff3e::2", TO_EX, "", false},
		{"ff35::3", IS_EX, "2001:db8::1", false}, {"ff0e::1", TO_EX, "", true},
	};

	(void)state;
	engine_open(&usual_settings);
	engine.link_settings.ssm_prefix[FAMILY_IPV4] = addr_of("232.0.0.0");
	engine.link_settings.ssm_length[FAMILY_IPV4] = 96 + 8;
	engine.link_settings.ssm_prefix[FAMILY_IPV6] = addr_of("ff30::");
	engine.link_settings.ssm_length[FAMILY_IPV6] = 32;
	usual_links();
	want_events(true);
	for (size_t i = 0; i < LENGTH(rows); i++) {
		report(DOWN1, rows[i].type, rows[i].group, rows[i].sources);
		assert_int_equal(strcmp(membership_of(rows[i].group), "never") != 0, rows[i].counts);
	}
	assert_int_equal(newest_event(EVENT_DROP)->before, DROP_SSM);
	join(DOWN1, "232.1.1.9");
	assert_string_equal(membership_of("232.1.1.9"), "never");
}

/* The drop's cause is told; what was there before stays and goes on working. */
static void groups_max(void **state)
{
	(void)state;
	engine.links[DOWN1].settings.groups_max = 3;
	give_link(DOWN1);
	want_events(true);
	join(DOWN1, "239.1.1.1");
	join(DOWN1, "239.1.1.2");
	report(DOWN1, ALLOW, "239.1.1.3", "10.9.9.9");
	assert_int_equal(events_of(EVENT_DROP), 0);
	join(DOWN1, "239.1.1.4");
	assert_string_equal(membership_of("239.1.1.4"), "never");
	assert_int_equal(newest_event(EVENT_DROP)->before, DROP_GROUPS_MAX);
	join(DOWN1, "ff05::1"); /* the other family counts for itself */
	assert_string_equal(membership_of("ff05::1"), "EXCLUDE{}");
	join(DOWN2, "239.1.1.4"); /* and so does the other link */
	assert_string_equal(membership_of("239.1.1.4"), "EXCLUDE{}");
	report(DOWN1, ALLOW, "239.1.1.3", "10.9.9.8");
	assert_string_equal(membership_of("239.1.1.3"), "INCLUDE{10.9.9.8 10.9.9.9}");
	leave(DOWN1, "239.1.1.1");
	pass(2000);
	join(DOWN1, "239.1.1.5");
	assert_string_equal(membership_of("239.1.1.5"), "EXCLUDE{}");
}

static void sources_max(void **state)
{
	(void)state;
	engine.links[DOWN1].settings.sources_max = 2;
	give_link(DOWN1);
	want_events(true);
	report(DOWN1, ALLOW, "239.1.1.1", "10.9.9.1 10.9.9.2");
	assert_int_equal(events_of(EVENT_DROP), 0);
	report(DOWN1, ALLOW, "239.1.1.1", "10.9.9.3");
	assert_string_equal(membership_of("239.1.1.1"), "INCLUDE{10.9.9.1 10.9.9.2}");
	assert_int_equal(newest_event(EVENT_DROP)->before, DROP_SOURCES_MAX);
	assert_int_equal(newest_event(EVENT_DROP)->link, DOWN1);
}

/* With hardly any memory everything that does not fit is refused and counted, and memory that comes free
 * serves again. */
static void memory_max(void **state)
{
	struct instance_settings small = usual_settings;
	unsigned refused = 0;

	(void)state;
	small.memory_max = 200000;
	engine_open(&small);
	usual_links();
	want_events(true);
	for (int round = 0; round < 3; round++) {
		unsigned joined = 0;

		forget();
		for (unsigned n = 0; n < 2000; n++) {
			struct addr group = nth_addr("239.1.0.0", n);
			char text[ADDR_TEXT_SIZE];

			report(DOWN1, ALLOW, addr_format(&group, text),
			       "10.9.9.1 10.9.9.2 10.9.9.3 10.9.9.4");
		}
		joined = (unsigned)requests_of(REQUEST_MEMBERSHIP);
		assert_in_range(joined, 100, 1000);
		assert_int_equal(round == 0 || joined == refused, 1);
		refused = joined;
		assert_int_equal(newest_event(EVENT_DROP)->before, DROP_MEMORY);
		/* The other links have their shares. */
		assert_int_equal(newest_event(EVENT_DROP)->link, DOWN1);
		if (round == 2)
			upcall(UP, "10.9.9.9", "239.2.2.2");
		assert_string_equal(route_of("10.9.9.9", "239.2.2.2"), round < 2 ? "never" : "0 ->");
		pass(MEMBERSHIP_INTERVAL);
		assert_int_equal(requests_of(REQUEST_MEMBERSHIP), 2 * joined);
	}
}

/* Lists of sources of one link fill all memory that they may have. */
static void fill_memory(uint8_t link, const char *first_group)
{
	want_events(true);
	forget();
	for (unsigned n = 0; newest_event(EVENT_DROP) == NULL; n++) {
		struct addr group = nth_addr(first_group, n);
		char text[ADDR_TEXT_SIZE];

		assert_true(n < 100000);
		report(link, ALLOW, addr_format(&group, text),
		       addr_family(&group) == FAMILY_IPV4
		               ? "10.9.9.1 10.9.9.2 10.9.9.3 10.9.9.4 10.9.9.5 10.9.9.6"
		               : "2001:db8::1 2001:db8::2 2001:db8::3 2001:db8::4 2001:db8::5");
	}
	assert_int_equal(newest_event(EVENT_DROP)->before, DROP_MEMORY);
	assert_int_equal(newest_event(EVENT_DROP)->link, link);
}

/* What still works, on the link whose lists fill the memory and on another one. */
static void joins_that_find_memory(void **state)
{
	static const struct {
		uint8_t link;
		enum record_type type;
		const char *group, *sources, *wanted;
	} rows[] = {
		{DOWN1, ALLOW, "239.9.9.1", "10.9.9.1", "never"},
		{DOWN1, IS_IN, "ff3e::9:1", "2001:db8::1", "never"},
		{DOWN1, TO_EX, "239.9.9.2", "", "EXCLUDE{}"},
		{DOWN1, IS_EX, "ff3e::9:2", "", "EXCLUDE{}"},
		{DOWN1, TO_EX, "239.9.9.3", "10.9.9.1", "EXCLUDE{}"}, /* a superset */
		{DOWN2, ALLOW, "239.9.9.4", "10.9.9.1", "INCLUDE{10.9.9.1}"},
		{DOWN2, IS_IN, "ff3e::9:4", "2001:db8::1", "INCLUDE{2001:db8::1}"},
		{DOWN2, TO_EX, "239.9.9.5", "10.9.9.1", "EXCLUDE{10.9.9.1}"},
		{DOWN2, TO_EX, "ff3e::9:5", "", "EXCLUDE{}"},
	};

	(void)state;
	for (int v6 = 0; v6 < 2; v6++) {
		struct instance_settings settings = usual_settings;

		settings.memory_max = 1 << 20;
		engine_open(&settings);
		usual_links();
		fill_memory(DOWN1, v6 ? "ff3e::1:0:0" : "239.1.0.0");
		forget();
		for (size_t i = 0; i < LENGTH(rows); i++) {
			report(rows[i].link, rows[i].type, rows[i].group, rows[i].sources);
			assert_string_equal(membership_of(rows[i].group), rows[i].wanted);
		}
		upcall(UP, "10.9.9.9", "239.9.9.2");
		assert_string_equal(route_of("10.9.9.9", "239.9.9.2"), "0 -> 1");
		instance_free(engine.instance);
		engine.instance = NULL;
	}
}

/* The reserve holds joins without sources, and their streams, while lists of all links fill the rest. */
static void the_reserve_is_for_joins_without_sources(void **state)
{
	struct instance_settings settings = usual_settings;

	(void)state;
	settings.memory_max = 1 << 20;
	engine_open(&settings);
	usual_links();
	fill_memory(DOWN1, "239.1.0.0");
	fill_memory(DOWN2, "239.2.0.0");
	forget();
	for (unsigned n = 0; n < 300; n++) {
		struct addr group = nth_addr("239.9.0.0", n);
		char text[ADDR_TEXT_SIZE];

		report(n % 2 ? DOWN1 : DOWN2, TO_EX, addr_format(&group, text), "");
		upcall(UP, "10.9.9.9", text);
		assert_string_equal(route_of("10.9.9.9", text), n % 2 ? "0 -> 1" : "0 -> 2");
	}
	assert_int_equal(events_of(EVENT_DROP), 0);
}

static uint64_t memory_of(uint8_t link, uint64_t *share)
{
	struct input input = {.kind = INPUT_SNAPSHOT, .what = SNAPSHOT_LINKS, .first = true};
	uint64_t memory = 0;

	forget();
	give(&input, NULL, 0);
	turn();
	for (size_t i = 0; i < engine.kept_count; i++) {
		const struct snapshot_item *items = (const void *)engine.kept[i].payload;

		for (uint16_t n = 0;
		     engine.kept[i].request.kind == REQUEST_SNAPSHOT && n < engine.kept[i].request.count; n++)
			if (items[n].link.id == link) {
				memory = items[n].link.memory;
				*share = items[n].link.memory_share;
			}
	}
	return memory;
}

/* Each byte that a link takes counts for it until it is released; the shares follow links and settings. */
static void memory_counts_for_its_link(void **state)
{
	uint64_t share;

	(void)state;
	engine.link_settings.track_hosts = true;
	usual_links();
	assert_int_equal(memory_of(DOWN1, &share), 0);
	assert_int_equal(share, usual_settings.memory_max / 2 / 3);
	report(DOWN1, ALLOW, "239.1.1.1", "10.9.9.1 10.9.9.2");
	report(DOWN2, TO_EX, "239.1.1.1", "10.9.9.7");
	report(DOWN2, TO_EX, "ff3e::9", "");
	upcall(UP, "10.9.9.9", "239.1.1.1");
	upcall(DOWN2, "10.9.9.8", "239.1.1.2");
	assert_true(memory_of(DOWN1, &share) > 0);
	assert_true(memory_of(DOWN2, &share) > 0);
	assert_true(memory_of(UP, &share) > 0);
	/* The stream moves, and so does what it takes. */
	wrong_link(DOWN2, "10.9.9.9", "239.1.1.1");
	assert_int_equal(memory_of(UP, &share), 0);
	/* The other link pays for the group that both use. The engine asserts that nothing is left of a link. */
	link_gone(DOWN1);
	assert_int_equal(requests_of(REQUEST_LINK_FREE), 1);
	memory_of(DOWN2, &share);
	assert_int_equal(share, usual_settings.memory_max / 2 / 2);
	pass(2 * MEMBERSHIP_INTERVAL);
	counters("10.9.9.8", "239.1.1.2", 0);
	counters("10.9.9.9", "239.1.1.1", 0);
	assert_int_equal(memory_of(DOWN2, &share), 0);
	assert_int_equal(memory_of(UP, &share), 0);
}

/* The event of a refusal names the host where hosts are tracked. */
static void refusal_names_the_host(void **state)
{
	struct instance_settings settings = usual_settings;
	struct addr host = addr_of(host_of(DOWN1, "239.1.1.1"));

	(void)state;
	settings.memory_max = 1 << 20;
	for (int track = 0; track < 2; track++) {
		engine_open(&settings);
		engine.link_settings.track_hosts = track;
		usual_links();
		fill_memory(DOWN1, "239.1.0.0");
		assert_int_equal(addr_equal(&newest_event(EVENT_DROP)->source, &host), track);
		instance_free(engine.instance);
		engine.instance = NULL;
	}
}

static void merged_filter_too_long_is_a_superset(void **state)
{
	struct record record = {.type = ALLOW, .group = addr_of("239.1.1.1"), .source_count = 60};
	struct addr from = addr_of("10.0.1.5"), sources[60];
	const struct addr *list = sources;

	(void)state;
	engine_open(&usual_settings);
	engine.link_settings.sources_max = 5000;
	usual_links();
	for (uint32_t n = 0; n <= REQUEST_SOURCES_MAX; n += LENGTH(sources)) {
		struct craft craft;

		for (uint32_t i = 0; i < LENGTH(sources); i++)
			sources[i] = nth_addr("10.9.0.1", n + i);
		craft = craft_v3_report_of(&from, &record, &list, 1);
		give_packet(n % 120 ? DOWN1 : DOWN2, FAMILY_IPV4, &craft);
	}
	turn();
	assert_string_equal(membership_of("239.1.1.1"), "EXCLUDE{}");
	assert_int_equal(requests_of(REQUEST_MEMBERSHIP), 1);
}

/* In both families, with fast leaves and without. */
static void events_name_the_host(void **state)
{
	static const char *const groups[] = {"239.1.1.1", "ff1e::1"};

	(void)state;
	for (size_t i = 0; i < LENGTH(groups) * 2; i++) {
		const char *group = groups[i / 2];
		struct addr host = addr_of(host_of(DOWN1, group));
		bool fast = i % 2 != 0;

		engine.links[DOWN1].settings.fast_leave = fast;
		give_link(DOWN1);
		want_events(true);
		forget();
		report(DOWN1, ALLOW, group, i / 2 == 0 ? "10.9.9.1" : "fd00::1");
		assert_true(addr_equal(&newest_event(EVENT_JOIN)->host, &host));
		report(DOWN1, TO_EX, group, "");
		assert_non_null(newest_event(EVENT_FILTER));
		assert_true(addr_equal(&newest_event(EVENT_FILTER)->host, &host));
		report(DOWN1, TO_IN, group, "");
		if (fast) {
			assert_null(newest_event(EVENT_LEAVING));
			assert_true(addr_equal(&newest_event(EVENT_LEAVE)->host, &host));
			continue;
		}
		assert_true(addr_equal(&newest_event(EVENT_LEAVING)->host, &host));
		assert_null(newest_event(EVENT_LEAVE));
		pass(10000);
		assert_true(addr_is_unspecified(&newest_event(EVENT_LEAVE)->host));
	}
}

/* Hosts beside others, where hosts are tracked: their repeated reports and answers are no news. The first leave
 * makes queries, the second one comes while they are out. */
static void events_name_other_hosts(void **state)
{
	static const char *const hosts[] = {"10.0.1.71", "10.0.1.72", "10.0.1.73"};

	(void)state;
	for (int tracked = 0; tracked < 2; tracked++) {
		engine.links[DOWN1].settings.track_hosts = tracked;
		engine.links[DOWN1].settings.fast_leave = tracked;
		give_link(DOWN1);
		want_events(true);
		for (size_t i = 0; i < LENGTH(hosts); i++) {
			forget();
			for (int repeat = 0; repeat < 2; repeat++)
				receive(DOWN1, craft_record(hosts[i], TO_EX, "239.1.1.7", ""));
			receive(DOWN1, craft_record(hosts[i], IS_EX, "239.1.1.7", ""));
			assert_int_equal(events_of(EVENT_JOIN), i == 0);
			assert_int_equal(events_of(EVENT_HOST_JOIN), tracked && i > 0);
		}
		for (size_t i = 0; i < LENGTH(hosts); i++) {
			forget();
			for (int repeat = 0; repeat < 2; repeat++)
				receive(DOWN1, craft_record(hosts[i], TO_IN, "239.1.1.7", ""));
			assert_int_equal(events_of(EVENT_LEAVING), i == 0);
			assert_int_equal(events_of(EVENT_HOST_LEAVE), tracked && i == 1);
			assert_int_equal(events_of(EVENT_LEAVE), tracked && i == 2);
		}
		pass(10000);
		assert_int_equal(events_of(EVENT_LEAVE), 1);
	}
}

/* A host that names other sources does not leave; one that blocks its last wanted source does. */
static void only_leaves_are_leaves(void **state)
{
	(void)state;
	want_events(true);
	report(DOWN1, TO_EX, "239.1.1.1", "");
	report(DOWN1, BLOCK, "239.1.1.1", "10.9.9.1");
	report(DOWN1, TO_IN, "239.1.1.1", "10.9.9.2");
	assert_null(newest_event(EVENT_LEAVING));
	report(DOWN1, ALLOW, "232.1.1.1", "10.9.9.1");
	report(DOWN1, BLOCK, "232.1.1.1", "10.9.9.1");
	assert_non_null(newest_event(EVENT_LEAVING));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		engine_test(one_link),
		engine_test(merge_over_two_links),
		engine_test(one_member_left_of_two),
		engine_test(older_versions),
		empty_test(link_of_version_2_hears_version_3),
		empty_test(leave_is_asked_for_and_expires),
		engine_test(leave_that_somebody_answers),
		engine_test(blocked_source_is_asked_for_by_name),
		engine_test(members_that_fall_silent_expire),
		engine_test(fast_leave_asks_nobody),
		empty_test(refreshing_takes_no_memory),
		engine_test(many_refreshed_groups_end_in_time),
		engine_test(hosts_max),
		engine_test(fast_leave_of_a_shared_address),
		engine_test(groups_of_the_link_are_not_proxied),
		empty_test(source_specific_range),
		engine_test(groups_max),
		engine_test(sources_max),
		empty_test(memory_max),
		empty_test(joins_that_find_memory),
		empty_test(the_reserve_is_for_joins_without_sources),
		empty_test(memory_counts_for_its_link),
		empty_test(refusal_names_the_host),
		empty_test(merged_filter_too_long_is_a_superset),
		engine_test(events_name_the_host),
		engine_test(events_name_other_hosts),
		engine_test(only_leaves_are_leaves),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
