/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Streams whose packets arrive by a wrong vif: what the counters say, against streams of all rates.
 */
#include "core/tables/wrong_vif.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "support/craft.h"

static const struct route_key key = {{{0x20, 0x01, [15] = 1}}, {{0xff, 0x1e, [15] = 2}}};

enum { INPUT = 1, OTHER = 3 };

/* Packets that arrive at even distances; 0: none. Of a burst `size` come at once. */
struct flow {
	mtime from, until, interval;
	unsigned size;
};

struct world {
	struct wrong_vif *table;
	mtime now;
	struct wrong_vif_reading reading;
	mtime upcall_at; /* the kernel's last one */
	mtime interval;
	unsigned loops;
	mtime moved_at, copies_at, asked_at;
};

static void open_world(struct world *world, mtime interval)
{
	*world = (struct world){.table = wrong_vif_new(7),
	                        .now = 10000,
	                        .interval = interval,
	                        .reading = {.packets = 100, .wrong = 10, .input = INPUT},
	                        .moved_at = -1,
	                        .copies_at = -1,
	                        .asked_at = -1};
	assert_non_null(world->table);
}

static void upcall(struct world *world)
{
	if (world->upcall_at != 0 && world->now - world->upcall_at < 3000)
		return;
	world->upcall_at = world->now;
	if (wrong_vif_upcall(world->table, world->now, &key, OTHER, world->interval, &world->reading) ==
	    WRONG_VIF_MOVED)
		world->moved_at = world->now;
}

static unsigned arriving(const struct flow *flow, mtime time)
{
	if (flow->interval == 0 || time < flow->from || time >= flow->until ||
	    (time - flow->from) % flow->interval != 0)
		return 0;
	return flow->size > 0 ? flow->size : 1;
}

static void check_counters(struct world *world)
{
	struct route_key due;
	unsigned vif;

	while (wrong_vif_pull(world->table, world->now, &due)) {
		assert_memory_equal(&due, &key, sizeof key);
		switch (wrong_vif_check(world->table, world->now, &due, &world->reading, &vif)) {
		case WRONG_VIF_STAYS:
			break;
		case WRONG_VIF_MOVED:
			assert_int_equal(vif, OTHER);
			if (world->moved_at < 0)
				world->moved_at = world->now;
			break;
		case WRONG_VIF_ASK:
			world->asked_at = world->now;
			world->upcall_at = 0;
			world->reading.packets = world->reading.wrong = 0;
			break;
		case WRONG_VIF_COPIES:
			if (wrong_vif_confirm(world->table, world->now, &due, world->loops))
				world->copies_at = world->now;
			break;
		}
	}
}

/* Millisecond by millisecond. */
static void run(struct world *world, mtime time, const struct flow *rightly, const struct flow *wrongly)
{
	mtime begin = world->now;

	for (; world->now < begin + time && world->moved_at < 0; world->now++) {
		unsigned wrong = arriving(wrongly, world->now - begin);

		world->reading.packets += wrong + arriving(rightly, world->now - begin);
		world->reading.wrong += wrong;
		if (wrong > 0)
			upcall(world);
		check_counters(world);
	}
}

static void what_the_counters_say(void **state)
{
	static const struct {
		const char *name;
		struct flow rightly, wrongly;
		mtime interval;
		mtime moved_from, moved_until; /* milliseconds after the first packet by the other vif */
		unsigned loops;
		bool copies;
	} rows[] = {
		{"one packet, fast stream", {0, 9000, 20}, {55, 56, 100}, 20, -1, -1},
		{"one packet, slow stream", {0, 9000, 1000}, {500, 501, 100}, 1000, -1, -1},
		{"one packet, silent stream", {0}, {0, 1, 100}, 20, -1, -1},
		{"a few packets, silent stream", {0}, {0, 3, 1}, 20, -1, -1},
		{"one packet, bursts", {0, 9000, 2000, 10}, {1000, 1001, 100}, 200, -1, -1},
		{"source moves, 10 packets/s", {0, 1000, 100}, {1000, 9000, 100}, 100, 300, 700},
		{"source moves, 1000 packets/s", {0, 1000, 1}, {1000, 9000, 1}, 1, 250, 400},
		{"source moves, 1 packet/s", {0, 3000, 1000}, {3000, 20000, 1000}, 1000, 3500, 6000},
		{"source moves, 1 packet in 10 s",
	         {0, 9000, 10000},
	         {9000, 99000, 10000},
	         10000,
	         30000,
	         60000},
		{"copies", {0, 9000, 20}, {1, 9000, 20}, 20, -1, -1, 0, true},
		{"copies of a slow stream", {0, 9000, 1000}, {1, 9000, 1000}, 1000, -1, -1, 0, true},
		{"copies of bursts, later", {0, 9000, 2000, 10}, {150, 9000, 2000, 10}, 200, -1, -1, 0, true},
		{"faster than the stream", {0, 20000, 1000}, {1, 20000, 10}, 1000, -1, -1, 0, true},
		{"looped", {0, 9000, 20}, {0, 9000, 20}, 20, -1, -1, 1, false},
		{"looped twice", {0, 9000, 20}, {0, 9000, 20, 2}, 20, -1, -1, 2, false},
		{"looped and copies", {0, 9000, 20}, {0, 9000, 20, 2}, 20, -1, -1, 1, true},
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(rows); i++) {
		mtime first = 10000 + rows[i].wrongly.from;
		struct world world;

		open_world(&world, rows[i].interval);
		world.loops = rows[i].loops;
		run(&world, rows[i].wrongly.until < 9000 ? 9000 : rows[i].wrongly.until, &rows[i].rightly,
		    &rows[i].wrongly);
		if ((rows[i].moved_from < 0) != (world.moved_at < 0) ||
		    (world.moved_at >= 0 && (world.moved_at - first < rows[i].moved_from ||
		                             world.moved_at - first > rows[i].moved_until)))
			fail_msg("%s: moved after %lld", rows[i].name, (long long)(world.moved_at - first));
		if (rows[i].copies != (world.copies_at >= 0))
			fail_msg("%s: copies %d", rows[i].name, !rows[i].copies);
		assert_int_equal(wrong_vif_copies_found(world.table), rows[i].copies);
		wrong_vif_free(world.table);
	}
}

/* A copy is known while it arrives. */
static void copies_end(void **state)
{
	static const struct flow stream = {0, 20000, 20};
	struct wrong_vif_copy copy;
	struct world world;

	(void)state;
	open_world(&world, 20);
	assert_false(wrong_vif_find_copy(world.table, &key, &copy));
	run(&world, 3000, &stream, &stream);
	assert_true(wrong_vif_find_copy(world.table, &key, &copy));
	assert_memory_equal(&copy.key, &key, sizeof key);
	assert_int_equal(copy.input, INPUT);
	assert_int_equal(copy.vif, OTHER);
	assert_int_equal(wrong_vif_copies(world.table), 1);
	run(&world, 5000, &stream, &(struct flow){0});
	assert_false(wrong_vif_find_copy(world.table, &key, &copy));
	assert_int_equal(wrong_vif_copies(world.table), 0);
	assert_true(wrong_vif_deadline(world.table) == MTIME_NEVER);
	run(&world, 3000, &stream, &stream);
	assert_int_equal(wrong_vif_copies(world.table), 1);
	assert_int_equal(wrong_vif_copies_found(world.table), 2);
	wrong_vif_free(world.table);
}

/* The kernel may loop back a few packets more than it sent in the same time. How many more are still no copies. */
/* The entry moved to the vif of an upcall that waited: the copy is still the one that arrives by another vif. */
static void an_upcall_that_names_the_input_is_late(void **state)
{
	struct world world;
	struct flow both = {.from = 10000, .until = 20000, .interval = 10};
	struct wrong_vif_copy copy;

	(void)state;
	open_world(&world, 10);
	run(&world, 20000, &both, &both);
	assert_true(wrong_vif_find_copy(world.table, &key, &copy));
	assert_int_equal(wrong_vif_upcall(world.table, world.now, &key, INPUT, 10, &world.reading),
	                 WRONG_VIF_STAYS);
	assert_true(wrong_vif_find_copy(world.table, &key, &copy));
	assert_int_equal(copy.vif, OTHER);
	assert_int_equal(copy.input, INPUT);
	wrong_vif_free(world.table);
}

static void few_more_than_looped(void **state)
{
	static const struct {
		unsigned wrong, more;
		bool copies;
	} rows[] = {{16, 3, false}, {16, 4, true},    {64, 5, false},
	            {64, 6, true},  {1024, 9, false}, {1024, 10, true}};

	(void)state;
	for (size_t i = 0; i < LENGTH(rows); i++) {
		struct wrong_vif *table = wrong_vif_new(1);
		struct wrong_vif_reading reading = {.packets = 10, .wrong = 1, .input = INPUT};
		unsigned vif;

		/* The upcall counts as one. */
		wrong_vif_upcall(table, 1000, &key, OTHER, 20, &reading);
		reading.wrong += rows[i].wrong - 1;
		reading.packets += rows[i].wrong - 1 + rows[i].wrong - rows[i].more;
		assert_int_equal(wrong_vif_check(table, 2000, &key, &reading, &vif), WRONG_VIF_COPIES);
		assert_int_equal(wrong_vif_confirm(table, 2000, &key, 1), rows[i].copies);
		wrong_vif_free(table);
	}
}

/* A stream without wrong packets is watched for 4 s, longer than the kernel waits between two upcalls. */
static void watch_ends(void **state)
{
	struct wrong_vif *table = wrong_vif_new(1);
	struct wrong_vif_reading reading = {.packets = 10, .wrong = 1, .input = INPUT};
	unsigned vif;

	(void)state;
	wrong_vif_upcall(table, 1000, &key, OTHER, 20, &reading);
	assert_int_equal(wrong_vif_check(table, 4999, &key, &reading, &vif), WRONG_VIF_STAYS);
	assert_true(wrong_vif_deadline(table) != MTIME_NEVER);
	assert_int_equal(wrong_vif_check(table, 5000, &key, &reading, &vif), WRONG_VIF_STAYS);
	assert_true(wrong_vif_deadline(table) == MTIME_NEVER);
	wrong_vif_free(table);
}

/* Between two upcalls: the counters show the move, and an entry made again shows where to. */
static void move_between_two_upcalls(void **state)
{
	static const struct flow stream = {0, 20000, 100}, one = {50, 51, 100}, none = {0};
	struct world world;
	mtime since;

	(void)state;
	open_world(&world, 100);
	run(&world, 1000, &stream, &one);
	since = world.now;
	run(&world, 3000, &none, &stream);
	assert_true(world.asked_at > since);
	assert_in_range(world.moved_at - since, 300, 800);
	assert_true(world.moved_at > world.asked_at);
	/* And back, from where it is now. */
	world.moved_at = world.asked_at = -1;
	world.reading.input = OTHER;
	run(&world, 500, &stream, &none);
	world.reading.input = OTHER;
	assert_true(wrong_vif_deadline(world.table) != MTIME_NEVER);
	wrong_vif_free(world.table);
}

static struct route_key nth_key(unsigned number)
{
	return (struct route_key){nth_addr("10.0.0.1", number), key.group};
}

/* The entry keeps its input, and is made again each time. */
static void declined_moves_are_rare(void **state)
{
	struct flow none = {0}, wrongly = {0, 20000, 10};
	struct world world;
	int moves = 0;

	(void)state;
	open_world(&world, 20);
	for (mtime end = world.now + 10000; world.now < end; world.moved_at = -1) {
		run(&world, end - world.now, &none, &wrongly);
		if (world.moved_at < 0)
			break;
		moves++;
		world.upcall_at = 0;
		world.reading.packets = world.reading.wrong = 0;
	}
	assert_in_range(moves, 7, 11);
	wrong_vif_free(world.table);
}

/* One vif's streams take no place from another's, and one that is well makes room. */
static void places_are_shared(void **state)
{
	struct wrong_vif *table = wrong_vif_new(1);
	struct wrong_vif_reading reading = {.packets = 10, .wrong = 1, .input = INPUT};
	struct route_key due, late = nth_key(5000), well = nth_key(3);
	unsigned vif, count = 0;

	(void)state;
	for (unsigned i = 0; i < WRONG_VIF_PLACES + 10; i++) {
		struct route_key one = nth_key(i);

		wrong_vif_upcall(table, 1000, &one, OTHER, 20, &reading);
	}
	wrong_vif_upcall(table, 1000, &late, OTHER + 1, 20, &reading);
	while (wrong_vif_pull(table, 1200, &due)) {
		reading.packets = memcmp(&due, &well, sizeof due) == 0 ? 12 : 11;
		reading.wrong = memcmp(&due, &well, sizeof due) == 0 ? 1 : 2;
		wrong_vif_check(table, 1200, &due, &reading, &vif);
		count++;
	}
	assert_int_equal(count, WRONG_VIF_PLACES + 1);
	/* The one that is well is watched no longer. */
	late = nth_key(6000);
	wrong_vif_upcall(table, 1210, &late, OTHER, 20, &reading);
	for (count = 0; wrong_vif_pull(table, 1400, &due); count++) {
		assert_memory_not_equal(&due, &well, sizeof due);
		wrong_vif_remove(table, &due);
	}
	assert_int_equal(count, WRONG_VIF_PLACES + 1);
	assert_int_equal(wrong_vif_refused(table), 10);
	wrong_vif_remove(table, &well);
	wrong_vif_free(table);
	wrong_vif_free(NULL);
}

/* Streams with a wrong packet now and then do not keep a stream from its place. */
static void slow_streams_give_way(void **state)
{
	struct wrong_vif *table = wrong_vif_new(1);
	struct wrong_vif_reading reading = {.packets = 10, .wrong = 1, .input = INPUT};
	struct route_key due, fast = nth_key(5000);
	unsigned vif, count = 0;

	(void)state;
	for (unsigned i = 0; i < WRONG_VIF_PLACES; i++) {
		struct route_key one = nth_key(i);

		wrong_vif_upcall(table, 1000, &one, OTHER, 20, &reading);
	}
	wrong_vif_upcall(table, 1200, &fast, OTHER, 20, &reading);
	assert_int_equal(wrong_vif_refused(table), 1);
	wrong_vif_upcall(table, 1400, &fast, OTHER, 20, &reading);
	assert_int_equal(wrong_vif_refused(table), 1);
	while (wrong_vif_pull(table, 1500, &due)) {
		count += memcmp(&due, &fast, sizeof due) == 0;
		wrong_vif_check(table, 1500, &due, &reading, &vif);
	}
	assert_int_equal(count, 1);
	wrong_vif_free(table);
}

/* A stream that another sender took in a pause is noticed at its input again without an upcall, also beside
 * looped packets of the other, which is much faster. */
static void stream_returns_after_a_pause(void **state)
{
	static const struct flow stream = {0, 20000, 100}, fast = {0, 20000, 10}, none = {0};
	static const struct flow looped_and_stream = {0, 20000, 100, 11};

	(void)state;
	for (unsigned loops = 0; loops <= 1; loops++) {
		struct wrong_vif_copy copy;
		struct world world;
		mtime since;

		open_world(&world, 100);
		run(&world, 1000, &stream, &fast);
		run(&world, 1000, &none, &fast);
		assert_in_range(world.moved_at - 11000, 300, 800);
		/* The kernel makes no upcall; the other's packets arrive rightly now. */
		world.moved_at = world.copies_at = -1;
		world.loops = loops;
		world.reading.input = OTHER;
		world.upcall_at = since = world.now;
		run(&world, 1500, &fast, loops > 0 ? &looped_and_stream : &stream);
		assert_in_range(world.copies_at - since, 900, 1400);
		assert_true(wrong_vif_find_copy(world.table, &key, &copy));
		assert_int_equal(copy.vif, INPUT);
		wrong_vif_free(world.table);
	}
}

/* The present silence does not belong to the interval between the stream's packets. */
static void silence_is_no_interval(void **state)
{
	static const struct flow stream = {0, 601, 200}, other = {0, 20000, 100};
	struct world world;

	(void)state;
	open_world(&world, 200);
	run(&world, 6000, &stream, &other);
	assert_in_range(world.moved_at - 10600, 700, 1500);
	wrong_vif_free(world.table);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_the_counters_say),
		cmocka_unit_test(an_upcall_that_names_the_input_is_late),
		cmocka_unit_test(few_more_than_looped),
		cmocka_unit_test(watch_ends),
		cmocka_unit_test(copies_end),
		cmocka_unit_test(move_between_two_upcalls),
		cmocka_unit_test(declined_moves_are_rare),
		cmocka_unit_test(places_are_shared),
		cmocka_unit_test(slow_streams_give_way),
		cmocka_unit_test(stream_returns_after_a_pause),
		cmocka_unit_test(silence_is_no_interval),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
