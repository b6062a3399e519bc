/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Shares of routes_max: which flow makes way for a new one at the limit.
 */
#include "core/router/instance.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "support/engine.h"

/* The groups of streams: no member, a member on DOWN1, a member on DOWN2. */
enum { NOBODY, MEMBER1, MEMBER2, GROUPS };

static const char *const groups[FAMILIES][GROUPS] = {
	{"239.1.0.1", "239.1.0.2", "239.1.0.3"},
	{"ff3e::1", "ff3e::2", "ff3e::3"},
};

static const char *nth_source(enum family family, unsigned n)
{
	static char text[ADDR_TEXT_SIZE];
	struct addr addr = nth_addr(family == FAMILY_IPV4 ? "10.9.0.1" : "2001:db8::1", n);

	return addr_format(&addr, text);
}

static void open_with(uint32_t routes_max)
{
	struct instance_settings settings = usual_settings;

	settings.routes_max = routes_max;
	engine_open(&settings);
	usual_links();
	want_events(true);
	for (int family = 0; family < FAMILIES; family++) {
		join(DOWN1, groups[family][MEMBER1]);
		join(DOWN2, groups[family][MEMBER2]);
	}
}

static void close_engine(void)
{
	instance_free(engine.instance);
	engine.instance = NULL;
}

/* Streams that arrive: how many, where, for whom. Sources are numbered on over all rows. */
struct arrivals {
	unsigned count;
	uint8_t link;
	unsigned group;
};

/* At a limit of 12 routes these streams fill the table in order, then one more arrives. */
static void newcomers_at_the_limit(void **state)
{
	static const struct {
		const char *name;
		struct arrivals there[4];
		struct arrivals newcomer;
		int evicted; /* the number of the source that makes way; -1: the new one gets no route */
	} rows[] = {
		{"negative before unasked",
	         {{4, UP, MEMBER1}, {5, DOWN1, NOBODY}, {3, UP, NOBODY}},
	         {1, DOWN2, NOBODY},
	         9},
		{"negative before unasked, wanted",
	         {{4, UP, MEMBER1}, {5, DOWN1, NOBODY}, {3, UP, NOBODY}},
	         {1, UP, MEMBER2},
	         9},
		{"unasked of the link with most",
	         {{6, UP, MEMBER1}, {2, DOWN1, NOBODY}, {4, DOWN2, NOBODY}},
	         {1, DOWN1, NOBODY},
	         8},
		{"beyond half: its own",
	         {{3, UP, NOBODY}, {3, DOWN2, NOBODY}, {6, DOWN1, NOBODY}},
	         {1, DOWN1, NOBODY},
	         6},
		{"a flood: another link's stream", {{12, DOWN1, NOBODY}}, {1, DOWN2, NOBODY}, 0},
		{"a flood: a wanted stream", {{12, DOWN1, NOBODY}}, {1, UP, MEMBER1}, 0},
		{"a flood: a negative stream", {{12, DOWN1, NOBODY}}, {1, UP, NOBODY}, 0},
		{"a flood of wanted streams: a negative one", {{12, DOWN1, MEMBER2}}, {1, UP, NOBODY}, 0},
		{"a negative stream takes no share",
	         {{6, UP, MEMBER1}, {4, DOWN1, MEMBER2}, {2, DOWN2, NOBODY}},
	         {1, UP, NOBODY},
	         -1},
		{"a flood of wanted streams: another link", {{12, DOWN1, MEMBER2}}, {1, UP, MEMBER2}, 0},
		{"a flood of wanted streams: unasked ones", {{12, DOWN1, MEMBER2}}, {1, DOWN2, NOBODY}, 0},
		{"a flood of wanted streams: its own link", {{12, DOWN1, MEMBER2}}, {1, DOWN1, MEMBER2}, -1},
		{"a flood of wanted streams leaves a share",
	         {{10, DOWN1, MEMBER2}, {2, DOWN2, NOBODY}},
	         {1, DOWN1, MEMBER2},
	         -1},
		{"unasked ones beyond a share make way",
	         {{9, UP, MEMBER1}, {3, DOWN2, NOBODY}},
	         {1, UP, MEMBER1},
	         9},
		{"wanted ones keep theirs from unasked ones",
	         {{6, UP, MEMBER1}, {6, DOWN1, MEMBER2}},
	         {1, DOWN2, NOBODY},
	         -1},
		{"wanted ones keep theirs from each other",
	         {{6, UP, MEMBER1}, {6, DOWN1, MEMBER2}},
	         {1, DOWN2, MEMBER1},
	         -1},
	};

	(void)state;
	for (size_t i = 0; i < 2 * LENGTH(rows); i++) {
		const struct arrivals *arrivals = rows[i / 2].there, *new = &rows[i / 2].newcomer;
		enum family family = i % 2;
		unsigned n = 0;

		open_with(12);
		for (; arrivals->count > 0; arrivals++)
			for (unsigned k = 0; k < arrivals->count; k++)
				upcall(arrivals->link, nth_source(family, n++),
				       groups[family][arrivals->group]);
		assert_int_equal(n, 12);
		forget();
		upcall(new->link, nth_source(family, n), groups[family][new->group]);
		if (requests_of(REQUEST_ROUTE) != (rows[i / 2].evicted >= 0) ||
		    requests_of(REQUEST_ROUTE_NONE) != 1)
			fail_msg("%s: %zu routes, %zu none", rows[i / 2].name, requests_of(REQUEST_ROUTE),
			         requests_of(REQUEST_ROUTE_NONE));
		if (rows[i / 2].evicted < 0) {
			assert_int_equal(newest_event(EVENT_DROP)->before, DROP_ROUTES_MAX);
			assert_int_equal(newest_event(EVENT_DROP)->link, new->link);
		}
		for (size_t k = 0; k < engine.kept_count && rows[i / 2].evicted >= 0; k++)
			if (engine.kept[k].request.kind == REQUEST_ROUTE_NONE) {
				struct addr gone = addr_of(nth_source(family, (unsigned)rows[i / 2].evicted));

				if (!addr_equal(&engine.kept[k].request.source, &gone))
					fail_msg("%s: another one made way", rows[i / 2].name);
			}
		close_engine();
	}
}

/* A stream whose packets arrive stays; the silent one makes way, and among wanted ones only a silent one. */
static void activity_decides(void **state)
{
	(void)state;
	for (int wanted = 0; wanted < 2; wanted++) {
		const char *group = groups[FAMILY_IPV4][wanted ? MEMBER1 : NOBODY];
		uint8_t link = wanted ? UP : DOWN1;

		open_with(4);
		for (unsigned n = 0; n < 4; n++)
			upcall(link, nth_source(FAMILY_IPV4, n), group);
		pass(1000);
		for (unsigned n = 0; n < 4; n++)
			counters(nth_source(FAMILY_IPV4, n), group, n == 2 ? 0 : 10);
		forget();
		upcall(link, nth_source(FAMILY_IPV4, 4), group);
		assert_string_equal(route_of(nth_source(FAMILY_IPV4, 2), group), "none");
		assert_int_equal(requests_of(REQUEST_ROUTE), 1);
		close_engine();
	}
}

/* A storm from one LAN: other LANs and wanted streams all get routes, and keep them. */
static void storm_from_one_link(void **state)
{
	(void)state;
	for (int family = 0; family < FAMILIES; family++) {
		open_with(1000);
		for (unsigned n = 0; n < 5000; n++) {
			upcall(DOWN1, nth_source(family, n), groups[!family ? 0 : 1][NOBODY]);
			if (n % 10 != 0)
				continue;
			upcall(DOWN2, nth_source(family, 100000 + n), groups[family][NOBODY]);
			upcall(UP, nth_source(family, 200000 + n), groups[family][MEMBER1]);
		}
		assert_int_equal(events_of(EVENT_DROP), 0);
		for (unsigned n = 0; n < 5000; n += 10)
			assert_string_equal(route_of(nth_source(family, 200000 + n), groups[family][MEMBER1]),
			                    "0 -> 1");
		/* Unasked streams share what is left. */
		assert_string_not_equal(route_of(nth_source(family, 104990), groups[family][NOBODY]), "none");
		close_engine();
	}
}

static void lower_limit(void **state)
{
	struct instance_settings settings = usual_settings;
	struct input input = {.kind = INPUT_SETTINGS};

	(void)state;
	open_with(100);
	for (unsigned n = 0; n < 60; n++)
		upcall(DOWN1, nth_source(FAMILY_IPV4, n), groups[FAMILY_IPV4][NOBODY]);
	for (unsigned n = 60; n < 70; n++)
		upcall(UP, nth_source(FAMILY_IPV4, n), groups[FAMILY_IPV4][n < 65 ? MEMBER1 : NOBODY]);
	settings.routes_max = 3;
	forget();
	give(&input, &settings, sizeof settings);
	turn();
	assert_int_equal(requests_of(REQUEST_ROUTE_NONE), 65);
	/* Wanted streams keep their routes, and a new one waits. */
	upcall(UP, nth_source(FAMILY_IPV4, 70), groups[FAMILY_IPV4][MEMBER1]);
	assert_int_equal(newest_event(EVENT_DROP)->before, DROP_ROUTES_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		empty_test(newcomers_at_the_limit),
		empty_test(activity_decides),
		empty_test(storm_from_one_link),
		empty_test(lower_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
