/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The ring of events: order, loss that is counted, names.
 */
#include "core/contract/event.h"

#include "core/wire/drop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static struct events events;

static int reset(void **state)
{
	(void)state;
	memset(&events, 0, sizeof events);
	events.wanted = true;
	return 0;
}

static void push(uint64_t value)
{
	struct event event = {.kind = EVENT_DROP, .value = value};

	events_push(&events, &event);
}

static void nothing_is_kept_that_nobody_wants(void **state)
{
	struct event event;

	(void)state;
	events.wanted = false;
	push(1);
	assert_false(events_pull(&events, &event));
	assert_int_equal(events.dropped, 0);
}

/* What an administrator should know of, at its first occurrence only. */
static void notable_ones_are_kept_all_the_same(void **state)
{
	static const struct {
		uint8_t drop;
		bool notable;
	} rows[] = {
		{DROP_GROUPS_MAX, true},   {DROP_SOURCES_MAX, true}, {DROP_HOSTS_MAX, true},
		{DROP_ROUTES_MAX, true},   {DROP_MEMORY, true},      {DROP_SSM, true},
		{DROP_CHECKSUM, false},    {DROP_ROLE, false},       {DROP_SOURCE_ADDRESS, true},
		{DROP_UNSPECIFIED, false}, {DROP_TYPE, false},       {DROP_SENDER, false},
		{DROP_OWN_ADDRESS, false}, {DROP_SUBNET, false},     {DROP_VERSION, false},
	};
	struct event older = {.kind = EVENT_OLDER_QUERY}, foreign = {.kind = EVENT_FOREIGN_QUERIER},
		     querier = {.kind = EVENT_QUERIER, .before = 1}, event;

	(void)state;
	events.wanted = false;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct event drop = {.kind = EVENT_DROP, .before = rows[i].drop, .value = 1};

		events_push(&events, &drop);
		assert_int_equal(events_pull(&events, &event), rows[i].notable);
		drop.value = 2;
		events_push(&events, &drop);
		assert_false(events_pull(&events, &event));
	}
	events_push(&events, &older);
	assert_true(events_pull(&events, &event));
	events_push(&events, &foreign);
	assert_true(events_pull(&events, &event));
	events_push(&events, &querier);
	assert_true(events_pull(&events, &event));
	/* Another one among others. */
	querier.before = 0;
	events_push(&events, &querier);
	assert_false(events_pull(&events, &event));
}

static void come_in_order(void **state)
{
	struct event event;
	uint64_t in = 0, out = 0;

	(void)state;
	/* Around the ring several times, with different numbers in it. */
	for (unsigned level = 0; level < 3 * EVENTS_SIZE; level++) {
		for (unsigned n = 0; n < level % EVENTS_SIZE; n++)
			push(in++);
		while (events_pull(&events, &event))
			assert_int_equal(event.value, out++);
	}
	assert_int_equal(in, out);
	assert_int_equal(events.dropped, 0);
}

static void full_ring_drops_the_newest_and_counts(void **state)
{
	struct event event;

	(void)state;
	for (unsigned n = 0; n < EVENTS_SIZE + 10; n++)
		push(n);
	assert_int_equal(events.dropped, 10);
	for (unsigned n = 0; n < EVENTS_SIZE; n++) {
		assert_true(events_pull(&events, &event));
		assert_int_equal(event.value, n);
	}
	assert_false(events_pull(&events, &event));
}

static void counters_may_wrap(void **state)
{
	struct event event;

	(void)state;
	events.head = events.tail = UINT32_MAX - 3;
	for (unsigned n = 0; n < EVENTS_SIZE; n++)
		push(n);
	push(0);
	assert_int_equal(events.dropped, 1);
	for (unsigned n = 0; n < EVENTS_SIZE; n++) {
		assert_true(events_pull(&events, &event));
		assert_int_equal(event.value, n);
	}
	assert_false(events_pull(&events, &event));
}

static void every_kind_has_its_own_name(void **state)
{
	(void)state;
	for (int kind = 0; kind < EVENT_KINDS; kind++) {
		assert_non_null(event_name(kind));
		for (int other = 0; other < kind; other++)
			assert_string_not_equal(event_name(kind), event_name(other));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(nothing_is_kept_that_nobody_wants, reset),
		cmocka_unit_test_setup(notable_ones_are_kept_all_the_same, reset),
		cmocka_unit_test_setup(come_in_order, reset),
		cmocka_unit_test_setup(full_ring_drops_the_newest_and_counts, reset),
		cmocka_unit_test_setup(counters_may_wrap, reset),
		cmocka_unit_test_setup(every_kind_has_its_own_name, reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
