/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The host side upstream: random wants and failures, compared with what a router upstream believes.
 */
#include "core/host/host.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "support/fake_joins.h"

#include "support/random.h"

#include "unit/core/host/host_world.h"

static void something_happens(struct world *world)
{
	unsigned instance = random_below(&world->random, INSTANCES);
	unsigned mask = (unsigned)random_next(&world->random) & (unsigned)random_next(&world->random) &
	                (FAKE_OTHERS - 1);

	switch (random_below(&world->random, 40)) {
	case 0:
		forget(world);
		break;
	case 1:
	case 2:
		set_usable(world, !world->link.usable);
		break;
	case 3:
		if (random_percent(&world->random, 20)) {
			host_unwant_all(world->host, world->now, instance);
			memset(world->wants[instance], 0, sizeof world->wants[instance]);
		}
		break;
	case 4:
		hear_query(world, VERSION_3, random_percent(&world->random, 50));
		break;
	default:
		if (random_percent(&world->random, 25))
			mask = 0;
		want(world, instance, random_below(&world->random, FAKE_GROUPS),
		     random_percent(&world->random, 60) ? IN : EX, mask);
	}
}

static void something_fails(struct world *world)
{
	static const int which[] = {-ENOBUFS, -ENOMEM, -ENODEV, -EMFILE};

	world->fake.fail = which[random_below(&world->random, LENGTH(which))];
	world->fake.fail_kinds = random_below(&world->random, 32);
	world->fake.fail_from = world->fake.operations + random_below(&world->random, 5);
	world->fake.fail_to = world->fake.fail_from + random_below(&world->random, 20);
}

/* Wishes are reported once more, so that lists which were refused are tried again. */
static void come_to_rest(struct world *world)
{
	world->fake.fail = 0;
	set_usable(world, true);
	world->now += RETRY;
	for (unsigned instance = 0; instance < INSTANCES; instance++)
		for (unsigned group = 0; group < FAKE_GROUPS; group++) {
			unsigned passing = world->wants[instance][group];
			bool exclude = passing & FAKE_OTHERS;

			want(world, instance, group, exclude ? EX : IN,
			     exclude ? FAKE_ALL & ~passing : passing);
		}
	turn(world);
	check_settled(world);
}

static void random_wishes(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 400; seed++) {
		struct random random = {seed};
		struct host_limits limits = {random_between(&random, 1, 8),
		                             random_between(&random, 1, FAKE_SOURCES), MEMORY};
		static struct world world;

		if (seed <= 200)
			open_with(&world, seed % 2 ? FAMILY_IPV4 : FAMILY_IPV6, &limits, &settings);
		else
			open_auto(&world, seed % 2 ? FAMILY_IPV4 : FAMILY_IPV6, &limits,
			          random_below(&random, FAKE_GROUPS));
		world.seed = seed;
		world.random = random;
		for (int step = 0; step < 200; step++) {
			something_happens(&world);
			world.now += random_below(&world.random, 500);
			if (seed % 3 == 0 && random_percent(&world.random, 10))
				something_fails(&world);
			if (random_percent(&world.random, 40))
				turn(&world);
			if (random_percent(&world.random, 5))
				come_to_rest(&world);
		}
		come_to_rest(&world);
		close_world(&world);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_wishes),
	};

	host_free(NULL);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
