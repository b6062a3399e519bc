/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/tables/yield.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define INPUT  0
#define OUTPUT 1
#define OTHER  2

static struct yield *yield;
static mtime now;
static uint64_t packets;

static struct yield_place place_of(unsigned number, unsigned vif)
{
	struct yield_place place = {.vif = vif, .input = INPUT};

	place.key.source = addr_from_ipv4_number(0x0a000000 + number);
	place.key.group = addr_from_ipv4_number(0xef010101);
	return place;
}

static int open_yield(void **state)
{
	(void)state;
	yield = yield_new(7);
	now = 1000000;
	packets = 0;
	return yield == NULL;
}

static int close_yield(void **state)
{
	(void)state;
	yield_free(yield);
	return 0;
}

/* What the owner does, each millisecond. The stream has a packet every `interval` ms, and the other router
 * forwards each of them if `copies`. Returns the first verdict, or NOTHING after `time`. */
static enum yield_verdict run(mtime time, mtime interval, bool copies, unsigned vif)
{
	enum yield_verdict verdict = YIELD_NOTHING;

	for (mtime end = now + time; now < end && verdict == YIELD_NOTHING; now++) {
		static struct route_key sought[ROUTES_VIFS][YIELD_SOUGHT_MAX];
		static size_t count[ROUTES_VIFS];
		struct yield_place place;

		if (now % interval == 0) {
			packets++;
			for (size_t i = 0; copies && i < count[vif]; i++) {
				enum yield_verdict next = yield_copy(yield, now, &sought[vif][i], vif);

				verdict = next != YIELD_NOTHING ? next : verdict;
			}
		}
		while (verdict == YIELD_NOTHING && yield_pull(yield, now, &place))
			verdict = yield_check(yield, now, &place, packets);
		for (unsigned i; yield_pull_vif(yield, now, &i);)
			count[i] = yield_seek(yield, now, i, sought[i]);
	}
	return verdict;
}

/* Has it no rows, and do the sockets receive nothing? A verdict may have left a set to be emptied. */
static bool is_settled(void)
{
	struct route_key keys[YIELD_SOUGHT_MAX];
	unsigned vif;

	while (yield_pull_vif(yield, now, &vif))
		assert_int_equal(yield_seek(yield, now, vif, keys), 0);
	return yield_deadline(yield) == MTIME_NEVER;
}

static void doubt(unsigned vif)
{
	struct yield_place place = place_of(1, vif);

	yield_doubt(yield, now, &place, packets, true);
}

static void yields_within_the_longest_wait(void **state)
{
	static const mtime intervals[] = {1, 5, 20};

	for (size_t i = 0; i < sizeof intervals / sizeof intervals[0]; i++) {
		mtime begin = now;

		doubt(OUTPUT);
		assert_int_equal(run(5000, intervals[i], true, OUTPUT), YIELD_STOP);
		assert_in_range(now - begin, 0, 200 + 8 * intervals[i]);
		assert_int_equal(yield_count(yield), 1);
		/* Nothing changes while copies arrive. */
		assert_int_equal(run(30000, intervals[i], true, OUTPUT), YIELD_NOTHING);
		close_yield(state);
		open_yield(state);
	}
}

static void a_slow_stream_waits_for_some_packets(void **state)
{
	mtime begin = now;

	(void)state;
	doubt(OUTPUT);
	assert_int_equal(run(20000, 400, true, OUTPUT), YIELD_STOP);
	assert_in_range(now - begin, 1, 200 + 8 * 400 + 400);
	assert_int_equal(run(30000, 400, true, OUTPUT), YIELD_NOTHING);
}

static void one_packet_is_no_evidence(void **state)
{
	(void)state;
	doubt(OUTPUT);
	assert_int_equal(run(5000, 20, false, OUTPUT), YIELD_NOTHING);
	assert_int_equal(yield_total(yield), 0);
	assert_true(yield_deadline(yield) == MTIME_NEVER);
}

static void resumes_a_second_after_the_last_copy(void **state)
{
	mtime begin;

	(void)state;
	doubt(OUTPUT);
	assert_int_equal(run(5000, 10, true, OUTPUT), YIELD_STOP);
	assert_int_equal(run(3000, 10, true, OUTPUT), YIELD_NOTHING);
	begin = now;
	assert_int_equal(run(5000, 10, false, OUTPUT), YIELD_RESUME);
	assert_in_range(now - begin, 700, 1300); /* a copy was looked for up to 250 ms before */
	assert_int_equal(yield_count(yield), 0);
	assert_int_equal(run(5000, 10, false, OUTPUT), YIELD_NOTHING);
	assert_true(yield_deadline(yield) == MTIME_NEVER);
}

/* Both routers yield after the same packet. */
static void resumes_at_once_when_no_copy_follows(void **state)
{
	mtime begin;

	(void)state;
	doubt(OUTPUT);
	assert_int_equal(run(5000, 10, true, OUTPUT), YIELD_STOP);
	begin = now;
	assert_int_equal(run(5000, 10, false, OUTPUT), YIELD_RESUME);
	assert_in_range(now - begin, 10, 45);
	/* It looks again without another upcall. */
	assert_int_equal(run(5000, 10, true, OUTPUT), YIELD_STOP);
	assert_int_equal(yield_total(yield), 2);
}

static void a_pause_of_the_stream_changes_nothing(void **state)
{
	(void)state;
	doubt(OUTPUT);
	assert_int_equal(run(5000, 10, true, OUTPUT), YIELD_STOP);
	assert_int_equal(run(3000, 10, true, OUTPUT), YIELD_NOTHING);
	assert_int_equal(run(20000, 1000000007, false, OUTPUT), YIELD_NOTHING);
	assert_int_equal(run(3000, 10, true, OUTPUT), YIELD_NOTHING);
	/* Without packets for a minute it is forgotten. */
	assert_int_equal(run(70000, 1000000007, false, OUTPUT), YIELD_RESUME);
	assert_true(is_settled());
}

static void copies_on_another_link_are_no_evidence(void **state)
{
	struct route_key keys[YIELD_SOUGHT_MAX];

	(void)state;
	doubt(OUTPUT);
	doubt(OTHER);
	assert_int_equal(run(1000, 10, true, OTHER), YIELD_STOP);
	assert_int_equal(run(10000, 10, true, OTHER), YIELD_NOTHING);
	assert_int_equal(yield_count(yield), 1);
	assert_int_equal(yield_seek(yield, now, OUTPUT, keys), 0);
}

static void each_vif_has_its_places(void **state)
{
	struct yield_place place;

	(void)state;
	for (unsigned i = 0; i < 2 * YIELD_PLACES; i++) {
		place = place_of(10 + i, OTHER);
		yield_doubt(yield, now, &place, 0, i % 2 == 0);
	}
	doubt(OUTPUT);
	assert_int_equal(run(1000, 10, true, OUTPUT), YIELD_STOP);
}

static void more_streams_than_a_socket_takes(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 500; i++) {
		struct yield_place place = place_of(10 + i, OUTPUT);

		yield_doubt(yield, now, &place, 0, true);
	}
	for (mtime end = now + 10000; now < end;)
		assert_int_not_equal(run(end - now, 10, true, OUTPUT), YIELD_RESUME);
	assert_int_equal(yield_count(yield), 500);
	for (mtime end = now + 10000; now < end;)
		assert_int_not_equal(run(end - now, 10, true, OUTPUT), YIELD_RESUME);
}

static void a_stream_is_sought_at_its_home(void **state)
{
	struct yield_place place = place_of(1, OTHER), due;

	(void)state;
	place.home = true;
	yield_seek_home(yield, now, &place);
	assert_true(yield_pull(yield, now + 4000, &due));
	assert_true(due.home);
	assert_int_equal(run(3000, 10, false, OTHER), YIELD_NOTHING);
	assert_int_equal(run(100, 10, true, OTHER), YIELD_HOME);
	assert_true(is_settled());
	yield_seek_home(yield, now, &place);
	assert_int_equal(run(5000, 10, false, OTHER), YIELD_NOTHING);
	assert_true(is_settled());
}

static void removal_resumes_what_was_yielded(void **state)
{
	struct yield_place place = place_of(1, OUTPUT);

	(void)state;
	doubt(OUTPUT);
	assert_int_equal(yield_remove(yield, &place), YIELD_NOTHING);
	doubt(OUTPUT);
	assert_int_equal(run(1000, 10, true, OUTPUT), YIELD_STOP);
	yield_check_all(yield);
	assert_true(yield_deadline(yield) <= now);
	assert_int_equal(yield_remove(yield, &place), YIELD_RESUME);
	assert_int_equal(yield_count(yield), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(yields_within_the_longest_wait, open_yield, close_yield),
		cmocka_unit_test_setup_teardown(a_slow_stream_waits_for_some_packets, open_yield,
	                                        close_yield),
		cmocka_unit_test_setup_teardown(one_packet_is_no_evidence, open_yield, close_yield),
		cmocka_unit_test_setup_teardown(resumes_a_second_after_the_last_copy, open_yield,
	                                        close_yield),
		cmocka_unit_test_setup_teardown(resumes_at_once_when_no_copy_follows, open_yield,
	                                        close_yield),
		cmocka_unit_test_setup_teardown(a_pause_of_the_stream_changes_nothing, open_yield,
	                                        close_yield),
		cmocka_unit_test_setup_teardown(copies_on_another_link_are_no_evidence, open_yield,
	                                        close_yield),
		cmocka_unit_test_setup_teardown(each_vif_has_its_places, open_yield, close_yield),
		cmocka_unit_test_setup_teardown(more_streams_than_a_socket_takes, open_yield, close_yield),
		cmocka_unit_test_setup_teardown(a_stream_is_sought_at_its_home, open_yield, close_yield),
		cmocka_unit_test_setup_teardown(removal_resumes_what_was_yielded, open_yield, close_yield),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
