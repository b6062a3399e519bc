/* SPDX-License-Identifier: BSD-2-Clause
 *
 * host_groups_max: which joins of a host count, and when it gets a place back.
 */
#include "core/router/host_groups.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "support/engine.h"

#define A                   "10.0.1.7"
#define B                   "10.0.1.8"
#define MEMBERSHIP_INTERVAL 270000

static void limit(uint8_t link, uint32_t groups)
{
	engine.links[link].settings.host_groups_max = groups;
	give_link(link);
}

static void v3(const char *host, enum record_type type, const char *group, const char *sources)
{
	receive(DOWN1, craft_record(host, type, group, sources));
}

static void expect(const char *group, const char *filter)
{
	assert_string_equal(membership_of(group), filter);
}

/* The newest drop names the host. */
static void expect_refused(const char *host, uint64_t so_far)
{
	const struct event *event = newest_event(EVENT_DROP);
	struct addr address = addr_of(host);

	assert_non_null(event);
	assert_int_equal(event->before, DROP_HOST_GROUPS_MAX);
	assert_int_equal(event->value, so_far);
	assert_true(addr_equal(&event->source, &address));
}

struct version_case {
	enum version version;
	const char *hosts[2];
	const char *groups[3];
};

static void join_as(const struct version_case *is, unsigned host, unsigned group, bool leave)
{
	receive(DOWN1, is->version < VERSION_3
	                       ? craft_old(is->hosts[host], is->version, is->groups[group], leave)
	                       : craft_record(is->hosts[host], leave ? TO_IN : TO_EX, is->groups[group], ""));
}

static const struct version_case versions[] = {
	{VERSION_1, {A, B}, {"239.1.1.1", "239.1.1.2", "239.1.1.3"}},
	{VERSION_2, {A, B}, {"239.1.1.1", "239.1.1.2", "239.1.1.3"}},
	{VERSION_3, {A, B}, {"239.1.1.1", "239.1.1.2", "239.1.1.3"}},
	{VERSION_2, {"fe80::7", "fe80::8"}, {"ff1e::1", "ff1e::2", "ff1e::3"}},
	{VERSION_3, {"fe80::7", "fe80::8"}, {"ff1e::1", "ff1e::2", "ff1e::3"}},
};

static void one_host_is_refused_in_every_version(void **state)
{
	(void)state;
	for (size_t i = 0; i < LENGTH(versions); i++) {
		const struct version_case *is = &versions[i];

		open_usual(NULL);
		want_events(true);
		limit(DOWN1, 2);
		for (unsigned group = 0; group < 3; group++)
			join_as(is, 0, group, false);
		expect(is->groups[1], "EXCLUDE{}");
		expect(is->groups[2], "never");
		expect_refused(is->hosts[0], 1);
		/* A refresh takes no place, and another host has its own. */
		join_as(is, 0, 0, false);
		expect_refused(is->hosts[0], 1);
		join_as(is, 1, 2, false);
		expect(is->groups[2], "EXCLUDE{}");
		close_any(NULL);
	}
}

static void a_leave_gives_the_place_back(void **state)
{
	(void)state;
	for (size_t i = 1; i < LENGTH(versions); i++) {
		const struct version_case *is = &versions[i];

		open_usual(NULL);
		limit(DOWN1, 1);
		join_as(is, 0, 0, false);
		join_as(is, 0, 1, false);
		expect(is->groups[1], "never");
		join_as(is, 0, 0, true);
		join_as(is, 0, 1, false);
		expect(is->groups[1], "EXCLUDE{}");
		close_any(NULL);
	}
}

static void silence_gives_the_place_back(void **state)
{
	(void)state;
	for (size_t i = 0; i < LENGTH(versions); i++) {
		const struct version_case *is = &versions[i];

		open_usual(NULL);
		limit(DOWN1, 1);
		join_as(is, 0, 0, false);
		/* Another host keeps the group. */
		pass(MEMBERSHIP_INTERVAL - 20000);
		join_as(is, 1, 0, false);
		join_as(is, 0, 1, false);
		expect(is->groups[1], "never");
		pass(21000);
		join_as(is, 0, 1, false);
		expect(is->groups[1], "EXCLUDE{}");
		close_any(NULL);
	}
}

static void each_source_takes_a_place(void **state)
{
	(void)state;
	want_events(true);
	limit(DOWN1, 3);
	v3(A, ALLOW, "232.1.1.1", "10.9.9.1 10.9.9.2");
	expect("232.1.1.1", "INCLUDE{10.9.9.1 10.9.9.2}");
	/* What fits counts. */
	v3(A, ALLOW, "232.1.1.2", "10.9.9.1 10.9.9.2");
	expect("232.1.1.2", "INCLUDE{10.9.9.1}");
	expect_refused(A, 1);
	v3(A, IS_IN, "232.1.1.1", "10.9.9.1 10.9.9.2");
	expect_refused(A, 1);
	v3(A, BLOCK, "232.1.1.1", "10.9.9.1");
	v3(A, ALLOW, "232.1.1.3", "10.9.9.1");
	expect("232.1.1.3", "INCLUDE{10.9.9.1}");
	/* A new list takes the places of the old one. */
	v3(A, TO_IN, "232.1.1.1", "10.9.9.8 10.9.9.9");
	expect("232.1.1.1", "INCLUDE{10.9.9.1 10.9.9.2 10.9.9.8}");
	/* One place for all sources gives back the others. */
	v3(A, TO_IN, "232.1.1.1", "");
	v3(A, TO_IN, "232.1.1.2", "");
	v3(A, ALLOW, "239.1.1.4", "10.9.9.1 10.9.9.2");
	v3(A, TO_EX, "239.1.1.4", "");
	v3(A, ALLOW, "239.1.1.5", "10.9.9.1");
	expect("239.1.1.4", "EXCLUDE{}");
	expect("239.1.1.5", "INCLUDE{10.9.9.1}");
	v3(A, TO_EX, "239.1.1.6", "");
	expect("239.1.1.6", "never");
}

static void hosts_without_addresses_differ_in_their_macs(void **state)
{
	struct input input = {.kind = INPUT_PACKET, .link = DOWN1, .family = FAMILY_IPV4};
	uint8_t mac[6] = {2, 0, 0, 0, 0, 1};

	(void)state;
	limit(DOWN1, 1);
	for (unsigned host = 0; host < 2; host++)
		for (unsigned group = 0; group < 2; group++) {
			char text[32];
			struct craft craft;

			snprintf(text, sizeof text, "239.1.%u.%u", host, group);
			craft = craft_record("0.0.0.0", TO_EX, text, "");
			mac[5] = (uint8_t)host;
			input.source = addr_from_mac(mac);
			give(&input, craft.bytes, craft.size);
			turn();
			expect(text, group == 0 ? "EXCLUDE{}" : "never");
		}
}

static void a_lower_limit_removes_nothing(void **state)
{
	(void)state;
	limit(DOWN1, 4);
	for (unsigned n = 1; n <= 3; n++) {
		char group[32];

		snprintf(group, sizeof group, "239.1.1.%u", n);
		v3(A, TO_EX, group, "");
	}
	limit(DOWN1, 1);
	v3(A, IS_EX, "239.1.1.3", "");
	pass(MEMBERSHIP_INTERVAL - 1000);
	expect("239.1.1.3", "EXCLUDE{}");
	v3(A, TO_EX, "239.1.1.4", "");
	expect("239.1.1.4", "never");
}

static void a_new_limit_finds_what_there_is(void **state)
{
	(void)state;
	v3(A, TO_EX, "239.1.1.1", "");
	v3(A, TO_EX, "239.1.1.2", "");
	pass(1000);
	limit(DOWN1, 1);
	v3(A, IS_EX, "239.1.1.1", "");
	v3(A, IS_EX, "239.1.1.2", "");
	pass(MEMBERSHIP_INTERVAL - 10000);
	expect("239.1.1.2", "EXCLUDE{}");
	v3(A, TO_EX, "239.1.1.3", "");
	expect("239.1.1.3", "never");
	limit(DOWN1, 0);
	v3(A, TO_EX, "239.1.1.3", "");
	expect("239.1.1.3", "EXCLUDE{}");
}

static void a_group_that_groups_max_refuses_takes_no_place(void **state)
{
	(void)state;
	engine.links[DOWN1].settings.groups_max = 1;
	limit(DOWN1, 2);
	v3(B, TO_EX, "239.1.1.1", "");
	v3(A, TO_EX, "239.1.1.2", "");
	v3(A, TO_EX, "239.1.1.3", "");
	engine.links[DOWN1].settings.groups_max = 10;
	give_link(DOWN1);
	v3(A, TO_EX, "239.1.1.4", "");
	v3(A, TO_EX, "239.1.1.5", "");
	expect("239.1.1.5", "EXCLUDE{}");
}

static void the_table_is_bounded(void **state)
{
	struct host_groups table = {0};
	struct pool *pool = pool_new((size_t)64 << 20);
	struct addr first = addr_of("239.1.1.1"), second = addr_of("239.1.1.2"), third = addr_of("239.1.1.3");
	struct addr host = addr_of("10.1.0.0");
	struct host_groups_question question = {
		.pool = pool, .groups_max = 2, .now = 1, .interval = 1000, .joined_at = MTIME_NEVER};
	struct sources none = {0};

	(void)state;
	question.host = &host;
	question.group = &first;
	for (unsigned i = 0; i < HOST_GROUPS_ENTRIES_MAX + 10; i++) {
		host = nth_addr("10.1.0.0", i);
		assert_int_equal(host_groups_count(&table, &question, TO_EX, &none), HOST_GROUPS_FIT);
	}
	assert_int_equal(table.entries.count, HOST_GROUPS_ENTRIES_MAX);
	assert_int_equal(table.hosts.count, HOST_GROUPS_ENTRIES_MAX);
	/* The host that reported last is still counted. */
	question.group = &second;
	assert_int_equal(host_groups_count(&table, &question, TO_EX, &none), HOST_GROUPS_FIT);
	question.group = &third;
	assert_int_equal(host_groups_count(&table, &question, TO_EX, &none), HOST_GROUPS_REFUSED);
	question.now = 1001;
	assert_int_equal(host_groups_count(&table, &question, TO_EX, &none), HOST_GROUPS_FIT);
	assert_int_equal(table.entries.count, 1);
	host_groups_clear(&table, pool);
	assert_int_equal(pool_used(pool), 0);
	pool_free(pool);
}

static void without_memory_joins_count(void **state)
{
	struct host_groups table = {0};
	struct pool *pool = pool_new(64);
	struct addr host = addr_of(A), group = addr_of("239.1.1.1");
	struct host_groups_question question = {.pool = pool,
	                                        .groups_max = 1,
	                                        .now = 1,
	                                        .interval = 1000,
	                                        .joined_at = MTIME_NEVER,
	                                        .host = &host,
	                                        .group = &group};
	struct sources none = {0};

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		group = nth_addr("239.1.1.1", i);
		assert_int_equal(host_groups_count(&table, &question, TO_EX, &none), HOST_GROUPS_FIT);
	}
	host_groups_clear(&table, pool);
	pool_free(pool);
}

static void a_link_that_goes_down_counts_nothing(void **state)
{
	(void)state;
	limit(DOWN1, 1);
	v3(A, TO_EX, "239.1.1.1", "");
	link_down(DOWN1);
	link_up(DOWN1, ROLE_DOWNSTREAM);
	limit(DOWN1, 1);
	v3(A, TO_EX, "239.1.1.2", "");
	expect("239.1.1.2", "EXCLUDE{}");
	link_gone(DOWN1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_host_is_refused_in_every_version),
		cmocka_unit_test(a_leave_gives_the_place_back),
		cmocka_unit_test(silence_gives_the_place_back),
		engine_test(each_source_takes_a_place),
		engine_test(hosts_without_addresses_differ_in_their_macs),
		engine_test(a_lower_limit_removes_nothing),
		engine_test(a_new_limit_finds_what_there_is),
		engine_test(a_group_that_groups_max_refuses_takes_no_place),
		cmocka_unit_test(the_table_is_bounded),
		cmocka_unit_test(without_memory_joins_count),
		engine_test(a_link_that_goes_down_counts_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
