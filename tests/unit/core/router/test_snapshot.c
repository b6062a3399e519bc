/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Snapshots: what the records say, and walks over many pages while groups come and go.
 */
#include "core/router/instance.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "support/engine.h"

#define GROUPS 10000

/* Pages are fetched with nothing else being told. */
struct page {
	struct snapshot_item records[SNAPSHOT_PAGE_ITEMS];
	size_t count;
	bool more;
};

static void fetch(uint8_t cursor, enum snapshot_kind what, uint8_t link, bool first, struct page *page)
{
	struct input input = {.kind = INPUT_SNAPSHOT,
	                      .link = link,
	                      .first = first,
	                      .cursor = cursor,
	                      .what = (uint8_t)what};
	const struct kept_request *kept;

	forget();
	instance_input(engine.instance, engine.now, &input, NULL, 0);
	turn();
	assert_int_equal(requests_of(REQUEST_SNAPSHOT), 1);
	kept = &engine.kept[engine.kept_count - 1];
	assert_int_equal(kept->request.kind, REQUEST_SNAPSHOT);
	assert_int_equal(kept->request.cursor, cursor);
	page->count = kept->request.count;
	page->more = kept->request.more;
	assert_true(page->count <= SNAPSHOT_PAGE_ITEMS);
	if (page->count > 0)
		memcpy(page->records, kept->payload, kept->payload_size);
}

static uint64_t rate_of_flows(void)
{
	struct page page;
	uint64_t rate = 0;

	fetch(0, SNAPSHOT_FLOWS, 0, true, &page);
	for (size_t i = 0; i < page.count; i++)
		rate += page.records[i].flow.rate;
	assert_true(rate > 0);
	return rate;
}

static void of_the_instance(void **state)
{
	struct page page;

	(void)state;
	join(DOWN1, "239.1.1.1");
	join(DOWN2, "239.1.1.1");
	upcall(UP, "10.9.9.9", "239.1.1.1");
	upcall(UP, "10.9.9.9", "239.1.1.2");
	fetch(0, SNAPSHOT_INSTANCE, 0, true, &page);
	assert_int_equal(page.count, 1);
	assert_false(page.more);
	assert_int_equal(page.records[0].kind, SNAPSHOT_INSTANCE);
	assert_int_equal(page.records[0].instance.groups, 2);
	assert_int_equal(page.records[0].instance.joined, 1);
	assert_int_equal(page.records[0].instance.flows, 2);
	assert_int_equal(page.records[0].instance.negative_flows, 1);
	assert_int_equal(page.records[0].instance.events_dropped, 0);
	assert_true(page.records[0].instance.memory > 0);
	/* A group counts as joined until its last link has no members. */
	leave(DOWN1, "239.1.1.1");
	pass(10000);
	fetch(0, SNAPSHOT_INSTANCE, 0, true, &page);
	assert_int_equal(page.records[0].instance.joined, 1);
	link_gone(DOWN2);
	fetch(0, SNAPSHOT_INSTANCE, 0, true, &page);
	assert_int_equal(page.records[0].instance.joined, 0);
}

/* The sum over the flows, as the counters were read last; flows that are gone do not count. */
static void of_the_rate(void **state)
{
	struct page page;

	(void)state;
	for (uint64_t i = 1; i <= 2; i++) {
		char source[16];

		snprintf(source, sizeof source, "10.9.9.%u", (unsigned)i);
		upcall(UP, source, "239.1.1.1");
		engine.now += 1000;
		counters(source, "239.1.1.1", i);
		engine.now += 1000;
		counters(source, "239.1.1.1", 3 * i);
	}
	fetch(0, SNAPSHOT_FLOWS, 0, true, &page);
	assert_int_equal(page.count, 2);
	assert_true(page.records[0].flow.rate > 0);
	assert_int_equal(page.records[1].flow.rate, 2 * page.records[0].flow.rate);
	fetch(0, SNAPSHOT_INSTANCE, 0, true, &page);
	assert_int_equal(page.records[0].instance.rate, rate_of_flows());
	engine.now += 600000;
	counters("10.9.9.1", "239.1.1.1", 3);
	turn();
	fetch(0, SNAPSHOT_INSTANCE, 0, true, &page);
	assert_int_equal(page.records[0].instance.flows, 1);
	assert_int_equal(page.records[0].instance.rate, rate_of_flows());
}

static void limits_reached_are_counted_over_all_links(void **state)
{
	struct instance_settings settings = usual_settings;
	struct page page;

	(void)state;
	settings.routes_max = 1;
	engine_open(&settings);
	usual_links();
	join(DOWN1, "239.1.1.1");
	upcall(UP, "10.9.9.1", "239.1.1.1");
	upcall(UP, "10.9.9.2", "239.1.1.1");
	upcall(DOWN2, "10.9.9.3", "239.1.1.1");
	fetch(0, SNAPSHOT_INSTANCE, 0, true, &page);
	assert_int_equal(page.records[0].instance.drops[0], 2);
	assert_int_equal(page.records[0].instance.drops[1], 0);
	link_gone(DOWN2);
	fetch(0, SNAPSHOT_INSTANCE, 0, true, &page);
	assert_int_equal(page.records[0].instance.drops[0], 2);
}

static void of_links(void **state)
{
	const struct query v3_query = {
		.version = VERSION_3, .max_response = 5000, .robustness = 3, .query_interval = 60000};
	const struct snapshot_link *link;
	struct addr other = addr_of("10.0.2.0"), no_querier = addr_unspecified(FAMILY_IPV4);
	struct page page;

	(void)state;
	engine.links[DOWN1].settings.version[FAMILY_IPV6] = VERSION_NONE;
	give_link(DOWN1);
	join(DOWN1, "239.1.1.1");
	receive(DOWN2, craft_query("10.0.2.0", v3_query, NULL, NULL));
	fetch(0, SNAPSHOT_LINKS, 0, true, &page);
	assert_int_equal(page.count, 5); /* each family that is served */
	assert_false(page.more);
	link = &page.records[0].link;
	assert_int_equal(page.records[0].kind, SNAPSHOT_LINKS);
	assert_int_equal(link->id, UP);
	assert_int_equal(link->role, ROLE_UPSTREAM);
	assert_string_equal(link->name, "eth0");
	assert_true(link->usable);
	link = &page.records[2].link;
	assert_int_equal(link->id, DOWN1);
	assert_int_equal(link->role, ROLE_DOWNSTREAM);
	assert_int_equal(link->family, FAMILY_IPV4);
	assert_int_equal(link->version, VERSION_3);
	assert_true(link->querier);
	assert_true(addr_equal(&link->foreign_querier, &no_querier));
	assert_int_equal(link->groups, 1);
	assert_int_equal(link->reports, 1);
	assert_int_equal(link->membership_interval, 270000);
	assert_int_equal(link->query_interval, 125000);
	assert_int_equal(link->robustness, 2);
	assert_int_equal(link->next_query_left, 31250 + 125000 - 40000);
	link = &page.records[3].link;
	assert_int_equal(link->id, DOWN2);
	assert_false(link->querier);
	assert_true(addr_equal(&link->other_querier, &other));
	assert_int_equal(link->other_querier_left, 185000);
	assert_int_equal(link->next_query_left, 0);
	assert_int_equal(link->robustness, 3);
	assert_int_equal(link->membership_interval, 200000);
	link_down(DOWN1);
	fetch(0, SNAPSHOT_LINKS, 0, true, &page);
	assert_false(page.records[2].link.usable);
	assert_false(page.records[2].link.querier);
}

/* The last query of another version, with its source, also of those without a part in the election. */
static void other_versions_of_a_link(void **state)
{
	static const struct {
		const char *querier, *kept;
	} rows[] = {
		{"10.0.1.9", "10.0.1.9"},
		{"0.0.0.0", "0.0.0.0"},
		{"10.0.1.1", "10.0.1.1"}, /* this machine's own bridge */
		{"224.0.0.1", "10.0.1.1"},
	};
	const struct query v2_query = {.version = VERSION_2, .max_response = 10000};
	const struct query v3_query = {.version = VERSION_3, .robustness = 2, .query_interval = 125000};
	struct page page;

	(void)state;
	receive(DOWN1, craft_query("10.0.1.9", v3_query, NULL, NULL));
	fetch(0, SNAPSHOT_LINKS, 0, true, &page);
	assert_int_equal(page.records[2].link.other_version, 0);
	for (size_t i = 0; i < LENGTH(rows); i++) {
		struct addr kept = addr_of(rows[i].kept);

		receive(DOWN1, craft_query(rows[i].querier, v2_query, NULL, NULL));
		fetch(0, SNAPSHOT_LINKS, 0, true, &page);
		assert_int_equal(page.records[2].link.other_version, VERSION_2);
		assert_true(addr_equal(&page.records[2].link.other_version_querier, &kept));
	}
	pass(3000);
	fetch(0, SNAPSHOT_LINKS, 0, true, &page);
	assert_int_equal(page.records[2].link.other_version_age, 3000);
	link_down(DOWN1);
	fetch(0, SNAPSHOT_LINKS, 0, true, &page);
	assert_int_equal(page.records[2].link.other_version, 0);
}

/* A robustness and an interval of the largest size make times that a record cannot hold. */
static void times_beyond_the_record(void **state)
{
	struct page page;

	(void)state;
	engine.links[DOWN1].settings.robustness = 255;
	engine.links[DOWN1].settings.query_interval = 31744000;
	give_link(DOWN1);
	report(DOWN1, TO_EX, "239.1.1.1", "");
	fetch(0, SNAPSHOT_LINKS, 0, true, &page);
	assert_int_equal(page.records[2].link.robustness, 255);
	assert_int_equal(page.records[2].link.membership_interval, UINT32_MAX);
	assert_int_equal(page.records[2].link.other_querier_present_interval, UINT32_MAX);
	assert_int_equal(page.records[2].link.older_host_present_interval, UINT32_MAX);
	fetch(0, SNAPSHOT_GROUPS, DOWN1, true, &page);
	assert_int_equal(page.records[0].group.left, UINT32_MAX);
	assert_int_equal(page.records[0].group.rounds, 255);
}

static void of_groups(void **state)
{
	struct addr group = addr_of("239.1.1.1"), source = addr_of("10.9.9.1");
	struct page page;

	(void)state;
	report(DOWN1, TO_EX, "239.1.1.1", "10.9.9.1");
	report(DOWN1, ALLOW, "239.1.1.2", "10.9.9.2 10.9.9.3");
	report(DOWN2, TO_EX, "239.1.1.3", "");
	receive(DOWN1, craft_old("10.0.1.5", VERSION_2, "239.1.1.4", false));
	leave(DOWN1, "239.1.1.4");
	pass(500);
	fetch(0, SNAPSHOT_GROUPS, DOWN1, true, &page);
	assert_int_equal(page.count, 6);
	assert_false(page.more);
	assert_int_equal(page.records[0].kind, SNAPSHOT_GROUPS);
	assert_true(addr_equal(&page.records[0].group.group, &group));
	assert_int_equal(page.records[0].group.link, DOWN1);
	assert_int_equal(page.records[0].group.mode, FILTER_EXCLUDE);
	assert_int_equal(page.records[0].group.version, VERSION_3);
	assert_false(page.records[0].group.queried);
	assert_int_equal(page.records[0].group.sources, 1);
	assert_int_equal(page.records[0].group.left, 269500);
	assert_int_equal(page.records[0].group.age, 500);
	assert_int_equal(page.records[0].group.rounds, 2);
	assert_int_equal(page.records[1].kind, SNAPSHOT_SOURCES);
	assert_true(addr_equal(&page.records[1].source.source, &source));
	assert_true(page.records[1].source.blocked);
	assert_int_equal(page.records[2].group.mode, FILTER_INCLUDE);
	assert_int_equal(page.records[2].group.sources, 2);
	assert_int_equal(page.records[2].group.left, 269500);
	assert_false(page.records[3].source.blocked);
	assert_int_equal(page.records[4].source.left, 269500);
	assert_int_equal(page.records[5].group.version, VERSION_2);
	assert_true(page.records[5].group.queried);
	assert_int_equal(page.records[5].group.left, 1500);
	assert_int_equal(page.records[5].group.rounds, 0);
}

static void of_hosts(void **state)
{
	struct addr first = addr_of("10.0.1.5"), second = addr_of("10.0.1.6");
	struct page page;

	(void)state;
	engine.links[DOWN1].settings.fast_leave = true;
	give_link(DOWN1);
	receive(DOWN1, craft_record("10.0.1.6", TO_EX, "239.1.1.1", "10.9.9.1"));
	receive(DOWN1, craft_record("10.0.1.5", ALLOW, "239.1.1.1", "10.9.9.1 10.9.9.2"));
	pass(500);
	fetch(0, SNAPSHOT_GROUPS, DOWN1, true, &page);
	assert_int_equal(page.count, 1 + page.records[0].group.sources + 2);
	assert_int_equal(page.records[0].group.hosts, 2);
	for (int i = 0; i < 2; i++) {
		const struct snapshot_item *record = &page.records[page.count - 2 + i];

		assert_int_equal(record->kind, SNAPSHOT_HOSTS);
		assert_true(addr_equal(&record->host.host, i == 0 ? &first : &second));
		assert_int_equal(record->host.mode, i == 0 ? FILTER_INCLUDE : FILTER_EXCLUDE);
		assert_int_equal(record->host.sources, i == 0 ? 2 : 1);
		assert_true(record->host.left > 200000 && record->host.left < 400000);
	}
}

static void of_flows(void **state)
{
	struct addr group = addr_of("239.1.1.1"), source = addr_of("10.9.9.9");
	const struct snapshot_flow *flow;
	struct page page;

	(void)state;
	join(DOWN1, "239.1.1.1");
	upcall(UP, "10.9.9.9", "239.1.1.1");
	upcall(UP, "10.9.9.8", "239.1.1.2");
	counters("10.9.9.9", "239.1.1.1", 77);
	pass(59999);
	fetch(0, SNAPSHOT_FLOWS, 0, true, &page);
	assert_int_equal(page.count, 2);
	flow = &page.records[0].flow;
	assert_int_equal(page.records[0].kind, SNAPSHOT_FLOWS);
	assert_true(addr_equal(&flow->group, &group));
	assert_true(addr_equal(&flow->source, &source));
	assert_int_equal(flow->input, UP);
	assert_int_equal(flow->outputs, 1u << DOWN1);
	assert_int_equal(flow->packets, 77);
	assert_int_equal(flow->bytes, 7700);
	assert_int_equal(flow->age, 59999);
	assert_int_equal(flow->read_age, 59999);
	assert_int_equal(page.records[1].flow.outputs, 0);
}

/* How many readings of the counters, in half a timeout each, an idle flow survives. */
static void rounds_of_flows(void **state)
{
	static const struct {
		mtime idle;
		uint8_t rounds;
	} rows[] = {{0, 2}, {29999, 2}, {30000, 1}, {59999, 1}, {60000, 0}};
	mtime idle = 0;
	struct page page;

	(void)state;
	upcall(UP, "10.9.9.9", "239.1.1.1");
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; idle = rows[i++].idle) {
		pass(rows[i].idle - idle);
		fetch(0, SNAPSHOT_FLOWS, 0, true, &page);
		assert_int_equal(page.count, 1);
		assert_int_equal(page.records[0].flow.rounds, rows[i].rounds);
	}
}

static void rates_of_flows(void **state)
{
	static const struct {
		uint64_t packets; /* of 100 bytes, read a second after the last ones */
		uint32_t rate;
	} rows[] = {
		{30, 3000}, {40, 1000},
		{40, 0},    {60, 2000},
		{5, 2000}, /* the entry was made anew */
		{15, 1000}, {100000000000, UINT32_MAX},
	};
	struct page page;

	(void)state;
	upcall(UP, "10.9.9.9", "239.1.1.1");
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		pass(1000);
		counters("10.9.9.9", "239.1.1.1", rows[i].packets);
		fetch(0, SNAPSHOT_FLOWS, 0, true, &page);
		assert_int_equal(page.records[0].flow.rate, rows[i].rate);
		assert_int_equal(page.records[0].flow.read_age, 0);
	}
	counters("10.9.9.9", "239.1.1.1", 1); /* no time has passed */
	fetch(0, SNAPSHOT_FLOWS, 0, true, &page);
	assert_int_equal(page.records[0].flow.rate, UINT32_MAX);
}

static void nothing_to_tell(void **state)
{
	struct page page;

	(void)state;
	for (enum snapshot_kind what = SNAPSHOT_INSTANCE; what < SNAPSHOT_SOURCES; what++) {
		fetch(0, what, DOWN1, true, &page);
		assert_int_equal(page.count, what == SNAPSHOT_INSTANCE);
		assert_false(page.more);
		fetch(0, what, DOWN1, false, &page); /* a page behind the last */
		assert_int_equal(page.count, 0);
		assert_false(page.more);
	}
	fetch(7, SNAPSHOT_GROUPS, DOWN1, false, &page); /* a walk that was never begun */
	assert_int_equal(page.count, 0);
	assert_false(page.more);
}

static void nonsense_is_not_answered(void **state)
{
	static const struct input inputs[] = {
		{.kind = INPUT_SNAPSHOT, .cursor = SNAPSHOT_CURSORS, .first = 1},
		{.kind = INPUT_SNAPSHOT, .cursor = 255, .first = 1},
		{.kind = INPUT_SNAPSHOT, .what = SNAPSHOT_SOURCES, .first = 1},
		{.kind = INPUT_SNAPSHOT, .what = 255, .first = 1},
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(inputs); i++) {
		instance_input(engine.instance, engine.now, &inputs[i], NULL, 0);
		turn();
		assert_int_equal(engine.kept_count, 0);
	}
}

static void asked_twice_is_answered_once(void **state)
{
	struct input input = {.kind = INPUT_SNAPSHOT, .what = SNAPSHOT_LINKS, .first = 1};

	(void)state;
	instance_input(engine.instance, engine.now, &input, NULL, 0);
	instance_input(engine.instance, engine.now, &input, NULL, 0);
	turn();
	assert_int_equal(engine.kept_count, 1);
}

static struct craft report_of(enum record_type type, uint32_t n)
{
	struct record record = {.type = type, .group = nth_addr("239.1.0.0", n)};
	struct addr from = addr_of("10.0.1.5");
	const struct addr *none = NULL;

	return craft_v3_report_of(&from, &record, &none, 1);
}

static void set_member(uint32_t n, bool member)
{
	struct craft craft = report_of(member ? TO_EX : TO_IN, n);

	give_packet(DOWN1, FAMILY_IPV4, &craft);
}

static void many_members(void)
{
	engine.links[DOWN1].settings.fast_leave = true;
	give_link(DOWN1);
	for (uint32_t n = 0; n < GROUPS; n++)
		set_member(n, true);
	turn();
}

/* What is on other links, however much it is, is passed over a part at a time. */
static void a_walk_that_finds_nothing_rests(void **state)
{
	unsigned pages = 1;
	struct page page;

	(void)state;
	many_members();
	join(DOWN2, "239.9.9.9");
	fetch(0, SNAPSHOT_GROUPS, DOWN2, true, &page);
	assert_int_equal(page.count, 0);
	for (; page.more; pages++)
		fetch(0, SNAPSHOT_GROUPS, DOWN2, false, &page);
	assert_int_equal(page.count, 1);
	assert_true(pages >= 5 && pages <= 20);
}

static uint32_t number_of(const struct addr *group)
{
	return ipv4_number(group) - 0xef010000;
}

/* The even groups stay. Of the odd ones those around the place where the walk stands go before each page, and
 * come back behind it; and ever more others come. */
static void walk_while_groups_come_and_go(void **state)
{
	static unsigned kept[2 * GROUPS];
	uint32_t stands_at = 0;
	unsigned pages = 0;
	struct page page;

	(void)state;
	memset(kept, 0, sizeof kept);
	many_members();
	do {
		fetch(0, SNAPSHOT_GROUPS, DOWN1, pages == 0, &page);
		for (size_t i = 0; i < page.count; i++) {
			uint32_t n = number_of(&page.records[i].group.group);

			if (page.records[i].kind != SNAPSHOT_GROUPS)
				continue;
			kept[n]++;
			stands_at = n < GROUPS ? n : stands_at;
		}
		for (uint32_t n = 0; n < 400; n += 2)
			set_member(((stands_at | 1) + n) % GROUPS, false);
		turn();
		for (uint32_t n = 0; n < 100; n += 2) {
			set_member(((stands_at | 1) + n) % GROUPS, true);
			set_member(GROUPS + (pages * 100 + n) % GROUPS, true);
		}
		turn();
		assert_true(++pages < 1000);
	} while (page.more);
	assert_true(pages >= GROUPS / 2 / SNAPSHOT_PAGE_ITEMS);
	for (uint32_t n = 0; n < GROUPS; n += 2)
		assert_int_equal(kept[n], 1);
}

/* Every membership goes away while a walk stands somewhere; also the very one it stands on. */
static void walk_loses_its_ground(void **state)
{
	struct page page;

	(void)state;
	many_members();
	fetch(0, SNAPSHOT_GROUPS, DOWN1, true, &page);
	assert_int_equal(page.count, SNAPSHOT_PAGE_ITEMS);
	assert_true(page.more);
	for (uint32_t n = 0; n < GROUPS; n++) {
		set_member((n + 200) % GROUPS, false);
		if (n % 1000 == 0)
			turn();
	}
	turn();
	fetch(0, SNAPSHOT_GROUPS, DOWN1, false, &page);
	assert_int_equal(page.count, 0);
	assert_false(page.more);
}

static void several_walks_at_once(void **state)
{
	size_t counts[SNAPSHOT_CURSORS] = {0};
	bool open = true;
	struct page page;

	(void)state;
	many_members();
	for (unsigned n = 0; n < 300; n++) {
		struct addr source = nth_addr("10.9.0.1", n), group = nth_addr("239.1.0.0", n % 3);
		char text[2][ADDR_TEXT_SIZE];

		upcall(UP, addr_format(&source, text[0]), addr_format(&group, text[1]));
	}
	for (unsigned pages = 0; open; pages++) {
		open = false;
		for (uint8_t cursor = 0; cursor < SNAPSHOT_CURSORS; cursor++) {
			fetch(cursor, cursor % 2 ? SNAPSHOT_FLOWS : SNAPSHOT_GROUPS, DOWN1, pages == 0,
			      &page);
			for (size_t i = 0; i < page.count; i++)
				counts[cursor] += page.records[i].kind != SNAPSHOT_HOSTS;
			open |= page.more;
		}
	}
	for (size_t cursor = 0; cursor < SNAPSHOT_CURSORS; cursor++)
		assert_int_equal(counts[cursor], cursor % 2 ? 300 : GROUPS);
}

/* A group with more sources than a page holds goes on in the next one; sources that come and go do not upset
 * it. */
static void long_source_list(void **state)
{
	struct addr from = addr_of("10.0.1.5"), sources[1000];
	struct record record = {
		.type = ALLOW, .group = addr_of("239.1.1.1"), .source_count = LENGTH(sources)};
	unsigned kept[LENGTH(sources)] = {0}, pages = 0, headers = 0;
	const struct addr *list = sources;
	struct page page;

	(void)state;
	for (uint32_t n = 0; n < LENGTH(sources); n++)
		sources[n] = nth_addr("10.9.0.0", n + 1);
	receive(DOWN1, craft_v3_report_of(&from, &record, &list, 1));
	join(DOWN1, "239.1.1.2");
	do {
		fetch(0, SNAPSHOT_GROUPS, DOWN1, pages == 0, &page);
		for (size_t i = 0; i < page.count; i++) {
			if (page.records[i].kind == SNAPSHOT_GROUPS)
				headers++;
			else
				kept[ipv4_number(&page.records[i].source.source) - 0x0a090001]++;
		}
		report(DOWN1, ALLOW, "239.1.1.1", pages % 2 ? "10.8.8.9" : "10.8.8.8");
	} while (page.more && ++pages < 100);
	assert_int_equal(pages, LENGTH(sources) / SNAPSHOT_PAGE_ITEMS);
	assert_int_equal(headers, 2);
	for (size_t n = 0; n < LENGTH(sources); n++)
		assert_int_equal(kept[n], 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		engine_test(of_the_instance),
		engine_test(of_the_rate),
		empty_test(limits_reached_are_counted_over_all_links),
		engine_test(of_links),
		engine_test(other_versions_of_a_link),
		engine_test(times_beyond_the_record),
		engine_test(of_groups),
		engine_test(of_hosts),
		engine_test(of_flows),
		engine_test(rounds_of_flows),
		engine_test(rates_of_flows),
		empty_test(nothing_to_tell),
		engine_test(nonsense_is_not_answered),
		engine_test(asked_twice_is_answered_once),
		engine_test(a_walk_that_finds_nothing_rests),
		engine_test(walk_while_groups_come_and_go),
		engine_test(walk_loses_its_ground),
		engine_test(several_walks_at_once),
		engine_test(long_source_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
