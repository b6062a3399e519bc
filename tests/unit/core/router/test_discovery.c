/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The times of router discovery (RFC 4286 sections 3.1, 3.4 and 5), for many seeds.
 */
#include "core/router/discovery.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define START 1000000
#define SEEDS 1000

/* Waits for the next advertisement, sends it and returns its time. */
static mtime next(struct discovery *discovery)
{
	mtime at = discovery_deadline(discovery);

	assert_true(at != MTIME_NEVER);
	discovery_expire(discovery, at - 1);
	assert_false(discovery->advertise_now);
	discovery_expire(discovery, at);
	assert_true(discovery->advertise_now);
	assert_true(discovery_deadline(discovery) == MTIME_NEVER);
	discovery_advertised(discovery, at);
	assert_false(discovery->advertise_now);
	return at;
}

static struct discovery started(uint64_t seed)
{
	struct discovery discovery;

	discovery_init(&discovery, seed);
	assert_true(discovery_deadline(&discovery) == MTIME_NEVER);
	discovery_set(&discovery, true, START);
	return discovery;
}

/* Runs to the regular interval; returns the time of the last advertisement. */
static mtime past_start(struct discovery *discovery)
{
	mtime at = START;

	for (int i = 0; i < DISCOVERY_INITIAL_COUNT; i++)
		at = next(discovery);
	return at;
}

static void three_at_the_start_and_then_the_interval_with_jitter(void **state)
{
	mtime shortest = MTIME_NEVER, longest = 0;

	(void)state;
	for (uint64_t seed = 0; seed < SEEDS; seed++) {
		struct discovery discovery = started(seed);
		mtime before = START, at;

		for (int i = 0; i < 3; i++, before = at) {
			at = next(&discovery);
			assert_in_range(at - before, 0, 1999);
		}
		for (int i = 0; i < 5; i++, before = at) {
			at = next(&discovery);
			assert_in_range(at - before, 19500, 20500);
			shortest = mtime_min(shortest, at - before);
			longest = at - before > longest ? at - before : longest;
		}
	}
	assert_true(shortest < 19520 && longest > 20480);
}

static void routers_with_other_seeds_do_not_synchronize(void **state)
{
	struct discovery one = started(1), other = started(3);
	int same = 0;

	(void)state;
	for (int i = 0; i < 100; i++)
		same += next(&one) == next(&other);
	assert_true(same < 5);
}

static void a_solicitation_is_answered_within_two_seconds(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < SEEDS; seed++) {
		struct discovery discovery = started(seed);
		mtime last = past_start(&discovery), asked = last + 5000, at;

		assert_true(discovery_solicit(&discovery, asked));
		/* RFC 4286 section 3.4: further ones are ignored while the answer is pending. */
		at = discovery_deadline(&discovery);
		assert_false(discovery_solicit(&discovery, asked));
		assert_false(discovery_solicit(&discovery, asked + 50));
		assert_true(discovery_deadline(&discovery) == at);
		assert_in_range(at - asked, 1, 1999);
		assert_true(next(&discovery) == at);
		/* The answer starts the interval again. */
		assert_in_range(discovery_deadline(&discovery) - at, 19500, 20500);
	}
}

static void a_solicitation_just_before_an_advertisement_needs_no_answer(void **state)
{
	struct discovery discovery = started(7);
	mtime at;

	(void)state;
	assert_false(discovery_solicit(&discovery, START)); /* the first comes within 2 s */
	past_start(&discovery);
	at = discovery_deadline(&discovery);
	assert_false(discovery_solicit(&discovery, at - 1999));
	assert_false(discovery_solicit(&discovery, at));
	discovery_expire(&discovery, at);
	assert_false(discovery_solicit(&discovery, at + 10)); /* due, not yet sent */
	discovery_advertised(&discovery, at + 10);
	assert_true(discovery_solicit(&discovery, at + 11));
}

/* A solicitation each millisecond: about one answer a second, and never more than ten. */
static void a_flood_of_solicitations_is_bounded(void **state)
{
	struct discovery discovery = started(9);
	mtime start = past_start(&discovery), before = start;
	unsigned answers = 0;

	(void)state;
	for (mtime now = start; now < start + 100000; now++) {
		discovery_solicit(&discovery, now);
		discovery_expire(&discovery, now);
		if (!discovery.advertise_now)
			continue;
		discovery_advertised(&discovery, now);
		assert_true(now - before >= 100);
		before = now;
		answers++;
	}
	assert_in_range(answers, 70, 140);
}

static void it_stops_with_a_termination_once_announced(void **state)
{
	struct discovery discovery = started(5);

	(void)state;
	discovery_set(&discovery, false, START + 1);
	assert_false(discovery.terminate_now); /* no switch knows it */
	assert_true(discovery_deadline(&discovery) == MTIME_NEVER);
	discovery_set(&discovery, true, START + 1);
	next(&discovery);
	discovery_set(&discovery, true, START + 2000); /* nothing new */
	assert_int_equal(discovery.initial_left, 2);
	discovery_set(&discovery, false, START + 3000);
	assert_true(discovery.terminate_now);
	assert_true(discovery_deadline(&discovery) == MTIME_NEVER);
	assert_false(discovery_solicit(&discovery, START + 3000));
	discovery_terminated(&discovery);
	assert_false(discovery.terminate_now);
	discovery_set(&discovery, false, START + 4000);
	assert_false(discovery.terminate_now);
	/* Again as at first. */
	discovery_set(&discovery, true, START + 5000);
	assert_int_equal(discovery.initial_left, 3);
	assert_in_range(discovery_deadline(&discovery) - START, 5000, 6999);
}

static void an_advertisement_that_is_due_is_not_sent_after_the_stop(void **state)
{
	struct discovery discovery = started(5);
	mtime at;

	(void)state;
	past_start(&discovery);
	at = discovery_deadline(&discovery);
	discovery_expire(&discovery, at);
	discovery_set(&discovery, false, at);
	assert_false(discovery.advertise_now);
	assert_true(discovery.terminate_now);
	/* A start before the termination went out replaces it. */
	discovery_set(&discovery, true, at);
	assert_false(discovery.terminate_now);
}

static void a_link_that_is_gone_sends_nothing(void **state)
{
	struct discovery discovery = started(5);

	(void)state;
	past_start(&discovery);
	discovery_abandon(&discovery);
	assert_true(discovery_deadline(&discovery) == MTIME_NEVER);
	discovery_set(&discovery, false, START + 90000);
	assert_false(discovery.terminate_now);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(three_at_the_start_and_then_the_interval_with_jitter),
		cmocka_unit_test(routers_with_other_seeds_do_not_synchronize),
		cmocka_unit_test(a_solicitation_is_answered_within_two_seconds),
		cmocka_unit_test(a_solicitation_just_before_an_advertisement_needs_no_answer),
		cmocka_unit_test(a_flood_of_solicitations_is_bounded),
		cmocka_unit_test(it_stops_with_a_termination_once_announced),
		cmocka_unit_test(an_advertisement_that_is_due_is_not_sent_after_the_stop),
		cmocka_unit_test(a_link_that_is_gone_sends_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
