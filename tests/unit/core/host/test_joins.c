/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Kernel memberships: the operations for single changes by table, then random wants against a kernel in
 * small, with every error at every place.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "support/fake_joins.h"

#include "support/random.h"

#define ALWAYS     UINT32_MAX
#define ALL_KINDS  0x1fu
#define TURNS      40
#define OPERATIONS (4 * FAKE_SOURCES + 8) /* more than these bring no group to its filter */

struct world {
	struct joins *joins;
	struct fake_joins fake;
	struct join_row rows[FAKE_GROUPS];
	unsigned changes_of_mode;
	char text[512]; /* the operations so far */
	uint64_t seed;
};

static void open_world(struct world *world, unsigned groups_max, unsigned sources_max)
{
	*world = (struct world){.fake = {.groups_max = groups_max, .sources_max = sources_max}};
	world->joins = joins_new(groups_max, sources_max);
	assert_non_null(world->joins);
}

static void close_world(struct world *world)
{
	for (size_t i = 0; i < FAKE_GROUPS; i++)
		joins_forget(world->joins, &world->rows[i]);
	for (uint32_t slot = 0; slot < joins_slot_count(world->joins); slot++)
		assert_int_equal(joins_slot_memberships(world->joins, slot), 0);
	joins_free(world->joins);
}

static void check(const struct world *world, bool condition, const char *what)
{
	if (!condition)
		fail_msg("seed %llu: %s; operations:%s", (unsigned long long)world->seed, what, world->text);
}

/* "a" to "j" for the sources. */
static void append_letters(char *text, unsigned mask)
{
	for (unsigned n = 0; n < FAKE_SOURCES; n++)
		if (mask >> n & 1)
			sprintf(text + strlen(text), "%c", 'a' + n);
}

static void note(struct world *world, const struct join_op *op)
{
	static const char *const names[] = {
		[JOIN_GROUP] = "join",     [JOIN_LEAVE] = "leave", [JOIN_SOURCE] = "+",
		[JOIN_LEAVE_SOURCE] = "-", [JOIN_SET_FILTER] = "",
	};
	char *text = world->text;

	if (strlen(text) > sizeof world->text - 64)
		text[0] = 0;
	sprintf(text + strlen(text), " %u:%s", op->slot, names[op->kind]);
	if (op->kind == JOIN_SOURCE || op->kind == JOIN_LEAVE_SOURCE)
		append_letters(text, 1u << fake_number(&op->source, false));
	if (op->kind != JOIN_SET_FILTER)
		return;
	strcat(text, op->filter.mode == FILTER_INCLUDE ? "IN{" : "EX{");
	append_letters(text, fake_mask(&op->filter.sources));
	strcat(text, "}");
}

/* The table's books agree with the kernel. */
static void check_books(const struct world *world, unsigned group)
{
	struct addr list[FAKE_SOURCES];
	struct filter filter = {.sources = sources_on(list, FAKE_SOURCES)};

	assert_true(joins_filter(&world->rows[group], &filter));
	check(world, fake_passing_filter(&filter) == fake_held(&world->fake, group),
	      "the filter reported is not held");
	for (uint32_t slot = 0; slot < joins_slot_count(world->joins); slot++)
		check(world,
		      joins_slot_memberships(world->joins, slot) == fake_memberships(&world->fake, slot),
		      "the memberships of a slot are miscounted");
}

/* One operation; false when there is none. */
static bool step(struct world *world, unsigned group, const struct filter *wanted, int *result, int *verdict)
{
	struct addr address = fake_group(FAMILY_IPV4, group);
	unsigned before = fake_held(&world->fake, group), passing = fake_passing_filter(wanted);
	struct join_row *row = &world->rows[group];
	struct join_op op;

	if (!joins_next(world->joins, row, &address, wanted, &op))
		return false;
	note(world, &op);
	assert_true(addr_equal(&op.group, &address));
	world->changes_of_mode += op.kind == JOIN_SET_FILTER;
	*result = fake_operate(&world->fake, &op);
	*verdict = joins_done(world->joins, row, &op, *result);
	/* Never leave, then join: what was held and is wanted stays held. */
	if (*result == 0)
		check(world, (before & passing & ~fake_held(&world->fake, group)) == 0,
		      "a wanted source was let go");
	/* A socket without memberships is closed. */
	if (op.slot < joins_slot_count(world->joins) && joins_slot_memberships(world->joins, op.slot) == 0)
		fake_close(&world->fake, op.slot);
	return true;
}

/* Until nothing is left to do, without any error. */
static void settle(struct world *world, unsigned group, const struct filter *wanted)
{
	int result, verdict;

	for (unsigned i = 0; step(world, group, wanted, &result, &verdict); i++) {
		check(world, result == 0 && verdict == 0, "an operation that the kernel refuses");
		check_books(world, group);
		check(world, i < OPERATIONS, "too many operations");
	}
}

static void check_settled(const struct world *world, unsigned group, const struct filter *wanted,
                          unsigned sources_max)
{
	bool superset = wanted->mode == FILTER_EXCLUDE && wanted->sources.count > sources_max;
	unsigned held = fake_held(&world->fake, group);

	check(world, held == (superset ? FAKE_ALL : fake_passing_filter(wanted)), "not what is wanted");
	check(world, world->rows[group].superset == superset,
	      "a superset that is not reported, or the reverse");
	check_books(world, group);
}

#define IN FILTER_INCLUDE
#define EX FILTER_EXCLUDE

/* Sources a = 1, b = 2, c = 4, d = 8, e = 16. Three of them fit a filter. */
static void operations_of_a_change(void **state)
{
	static const struct {
		enum filter_mode from_mode;
		unsigned from;
		enum filter_mode to_mode;
		unsigned to;
		const char *operations;
	} rows[] = {
		{IN, 0, IN, 0, ""},
		{IN, 0, EX, 0, " 0:join"},
		{EX, 0, EX, 0, ""},
		{EX, 0, IN, 0, " 0:leave"},
		{IN, 0, EX, 3, " 0:join 0:EX{ab}"},
		{EX, 3, EX, 6, " 0:EX{bc}"},
		{EX, 3, EX, 0, " 0:EX{}"},
		{EX, 3, IN, 0, " 0:leave"},
		/* INCLUDE by source joins: ALLOW and BLOCK on the wire. */
		{IN, 0, IN, 1, " 0:+a"},
		{IN, 0, IN, 3, " 0:+a 0:+b"},
		{IN, 1, IN, 3, " 0:+b"},
		{IN, 3, IN, 1, " 0:-b"},
		{IN, 1, IN, 2, " 0:+b 0:-a"},
		/* The kernel gives up the membership with its last source; one call leaves all. */
		{IN, 1, IN, 0, " 0:leave"},
		{IN, 3, IN, 0, " 0:leave"},
		/* A change of mode is one operation. */
		{IN, 1, EX, 0, " 0:EX{}"},
		{IN, 3, EX, 4, " 0:EX{c}"},
		{EX, 0, IN, 1, " 0:IN{a}"},
		{EX, 4, IN, 7, " 0:IN{abc}"},
		/* Longer than a filter: several sockets. */
		{IN, 0, IN, 15, " 0:+a 0:+b 0:+c 1:+d"},
		{IN, 15, IN, 7, " 1:-d"},
		{IN, 7, IN, 24, " 1:+d 1:+e 0:-a 0:-b 0:-c"},
		{IN, 15, IN, 0, " 1:leave 0:leave"},
		{IN, 15, EX, 0, " 1:EX{} 0:leave"},
		{EX, 0, IN, 31, " 1:+d 1:+e 0:IN{abc}"},
		/* An EXCLUDE list has to lie on one socket: too long, it becomes EXCLUDE{}. */
		{IN, 0, EX, 15, " 0:join"},
		{EX, 1, EX, 15, " 0:EX{}"},
		{EX, 15, EX, 7, " 0:EX{abc}"},
		{EX, 15, EX, 0, ""},
		{EX, 15, IN, 1, " 0:IN{a}"},
		{IN, 1, EX, 15, " 0:EX{}"},
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(rows); i++) {
		struct addr from_list[FAKE_SOURCES], to_list[FAKE_SOURCES];
		struct filter from = fake_filter(FAMILY_IPV4, rows[i].from_mode, rows[i].from, from_list);
		struct filter to = fake_filter(FAMILY_IPV4, rows[i].to_mode, rows[i].to, to_list);
		struct world world;

		open_world(&world, 20, 3);
		settle(&world, 0, &from);
		check_settled(&world, 0, &from, 3);
		world.text[0] = 0;
		settle(&world, 0, &to);
		check_settled(&world, 0, &to, 3);
		assert_string_equal(world.text, rows[i].operations);
		close_world(&world);
	}
}

static struct filter random_filter(struct random *random, struct addr *list)
{
	unsigned mask = 0, bits = random_below(random, FAKE_SOURCES + 1);

	while (bits-- > 0)
		mask |= 1u << random_below(random, FAKE_SOURCES);
	if (random_percent(random, 15))
		mask = 0;
	return fake_filter(FAMILY_IPV4, random_percent(random, 60) ? IN : EX, mask, list);
}

static void random_wishes(struct world *world, struct random *random, unsigned sources_max)
{
	for (int turn = 0; turn < 200; turn++) {
		unsigned group = random_below(random, FAKE_GROUPS);
		unsigned steps = random_below(random, 12);
		struct addr list[FAKE_SOURCES];
		struct filter wanted = random_filter(random, list);
		int result, verdict;

		/* Often the want changes on the way there. */
		while (random_percent(random, 40) && steps-- > 0 &&
		       step(world, group, &wanted, &result, &verdict))
			check(world, result == 0 && verdict == 0, "an operation that the kernel refuses");
		if (random_percent(random, 30))
			continue;
		world->changes_of_mode = 0;
		settle(world, group, &wanted);
		check_settled(world, group, &wanted, sources_max);
		check(world, world->changes_of_mode <= 1, "filters set more than once");
	}
}

static void random_wishes_come_true(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 300; seed++) {
		struct random random = {seed};
		unsigned groups_max = random_between(&random, 1, 6);
		unsigned sources_max = random_between(&random, 1, FAKE_SOURCES);
		struct world world;

		open_world(&world, groups_max, sources_max);
		world.seed = seed;
		random_wishes(&world, &random, sources_max);
		close_world(&world);
	}
}

/* Thousands of groups: no socket holds more than it may, and those of the groups that went are used again. */
static void sockets_are_used_again(void **state)
{
	static struct join_row rows[1000];
	static const struct filter all = {.mode = FILTER_EXCLUDE}, none = {.mode = FILTER_INCLUDE};
	struct joins *joins = joins_new(20, 10);

	(void)state;
	for (int round = 0; round < 3; round++) {
		for (uint32_t i = 0; i < LENGTH(rows); i++) {
			struct addr group = nth_addr("239.0.0.1", i);
			struct join_op op;

			while (joins_next(joins, &rows[i], &group, &all, &op))
				assert_int_equal(joins_done(joins, &rows[i], &op, 0), 0);
		}
		assert_int_equal(joins_slot_count(joins), LENGTH(rows) / 20);
		for (uint32_t i = 0; i < LENGTH(rows); i += 1 + (uint32_t)round) {
			struct addr group = nth_addr("239.0.0.1", i);
			struct join_op op;

			while (joins_next(joins, &rows[i], &group, &none, &op))
				assert_int_equal(joins_done(joins, &rows[i], &op, 0), 0);
		}
	}
	joins_free(joins);
}

static const int errors[] = {-ENOBUFS, -ENOMEM, -ENODEV, -EADDRNOTAVAIL, -EADDRINUSE, -EINVAL, -EMFILE};

/* As the owner does: goes on until there is nothing left to do or the row has to rest. False when it
 * rests. */
static bool one_turn(struct world *world, unsigned group, const struct filter *wanted)
{
	int result, verdict;

	for (unsigned i = 0; step(world, group, wanted, &result, &verdict); i++) {
		check(world, i < OPERATIONS + FAKE_SLOTS, "an endless loop");
		if (verdict != 0) {
			check(world, verdict == result, "another error than the kernel's");
			return false;
		}
	}
	return true;
}

/* The fault is over: it comes right, exactly if the want is reported once more. */
static void recover(struct world *world, const struct filter *wanted, unsigned sources_max)
{
	world->fake.fail = 0;
	for (int turn = 0; !one_turn(world, 0, wanted); turn++)
		check(world, turn < 3, "does not recover");
	check(world, (fake_passing_filter(wanted) & ~fake_held(&world->fake, 0)) == 0,
	      "less than wanted is held");
	world->rows[0].refused = false;
	check(world, one_turn(world, 0, wanted), "does not recover");
	check_settled(world, 0, wanted, sources_max);
}

struct change {
	enum filter_mode from_mode;
	unsigned from;
	enum filter_mode to_mode;
	unsigned to;
};

static const struct change changes[] = {
	{IN, 0, EX, 0},  {IN, 0, EX, 3},  {IN, 0, IN, 1},   {IN, 0, IN, 31},   {EX, 0, IN, 0},
	{EX, 3, IN, 0},  {IN, 31, IN, 0}, {IN, 3, IN, 12},  {IN, 31, IN, 480}, {IN, 31, EX, 0},
	{IN, 31, EX, 3}, {EX, 3, IN, 31}, {EX, 0, IN, 1},   {EX, 3, EX, 12},   {EX, 3, EX, 15},
	{EX, 15, EX, 3}, {IN, 7, EX, 15}, {EX, 15, IN, 31},
};

static void inject(const struct change *change, int error, unsigned kinds, unsigned from, unsigned length)
{
	struct addr from_list[FAKE_SOURCES], to_list[FAKE_SOURCES];
	struct filter before = fake_filter(FAMILY_IPV4, change->from_mode, change->from, from_list);
	struct filter after = fake_filter(FAMILY_IPV4, change->to_mode, change->to, to_list);
	struct world world;

	open_world(&world, 2, 3);
	/* So that the first socket is full of others, or nearly so. */
	for (unsigned group = 1; group <= 3; group++)
		settle(&world, group, &(struct filter){.mode = FILTER_EXCLUDE});
	settle(&world, 0, &before);
	world.fake.fail = error;
	world.fake.fail_kinds = kinds;
	world.fake.fail_from = world.fake.operations + from;
	world.fake.fail_to = length == ALWAYS ? ALWAYS : world.fake.fail_from + length - 1;
	for (int turn = 0; turn < TURNS && !one_turn(&world, 0, &after); turn++)
		;
	recover(&world, &after, 3);
	close_world(&world);
}

static void every_error_at_every_operation(void **state)
{
	(void)state;
	for (size_t change = 0; change < LENGTH(changes); change++)
		for (size_t error = 0; error < LENGTH(errors); error++)
			for (unsigned from = 0; from < 20; from++)
				for (unsigned length = 1; length <= 3; length++)
					inject(&changes[change], errors[error], ALL_KINDS, from, length);
}

static void every_error_all_the_time(void **state)
{
	(void)state;
	for (size_t change = 0; change < LENGTH(changes); change++)
		for (size_t error = 0; error < LENGTH(errors); error++)
			for (unsigned kinds = 1; kinds <= ALL_KINDS; kinds++)
				inject(&changes[change], errors[error], kinds, 0, ALWAYS);
}

/* The kernel takes less than its settings say (they were changed, or its memory for options is used up):
 * other sockets help, and of EXCLUDE lists EXCLUDE{} is held. Nothing has to rest for that. */
static void a_kernel_that_takes_less(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 200; seed++) {
		struct random random = {seed};
		struct world world;

		open_world(&world, 8, 6);
		world.seed = seed;
		world.fake.groups_max = random_between(&random, 1, 7);
		world.fake.sources_max = random_between(&random, 1, 5);
		for (int turn = 0; turn < 60; turn++) {
			unsigned group = random_below(&random, FAKE_GROUPS / 4);
			struct addr list[FAKE_SOURCES];
			struct filter wanted = random_filter(&random, list);

			world.rows[group].refused = false;
			check(&world, one_turn(&world, group, &wanted), "it rests");
			check_settled(&world, group, &wanted, world.fake.sources_max);
		}
		close_world(&world);
	}
}

/* The newest want decides; a list refused once is tried again when the want changes, and not before. */
static void refused_list_is_tried_again(void **state)
{
	struct addr list[FAKE_SOURCES];
	struct filter wanted = fake_filter(FAMILY_IPV4, EX, 7, list);
	struct world world;

	(void)state;
	open_world(&world, 20, 10);
	world.fake.fail = -ENOBUFS;
	world.fake.fail_kinds = 1u << JOIN_SET_FILTER;
	world.fake.fail_to = ALWAYS;
	assert_true(one_turn(&world, 0, &wanted));
	assert_string_equal(world.text, " 0:join 0:EX{abc}");
	assert_true(world.rows[0].superset);
	assert_true(one_turn(&world, 0, &wanted));
	assert_string_equal(world.text, " 0:join 0:EX{abc}");
	world.fake.fail = 0;
	world.rows[0].refused = false;
	settle(&world, 0, &wanted);
	check_settled(&world, 0, &wanted, 10);
	close_world(&world);
}

/* A socket whose list the kernel found too long takes sources again after some have left, or another list. */
static void a_full_list_has_room_again(void **state)
{
	static const struct {
		enum filter_mode mode;
		unsigned sources;
		const char *operations;
	} turns[] = {
		{IN, 7, " 0:+a 0:+b 0:+c 1:+c"}, /* the third one is refused */
		{IN, 3, " 1:-c"},
		{IN, 2, " 0:-a"},
		{IN, 10, " 0:+d"},
		{IN, 11, " 0:+a 1:+a"},
		{IN, 10, " 1:-a"},
		{EX, 0, " 0:EX{}"},
		{IN, 1, " 0:IN{a}"},
		{IN, 3, " 0:+b"},
	};
	struct world world;

	(void)state;
	open_world(&world, 20, 10);
	world.fake.sources_max = 2;
	for (size_t i = 0; i < sizeof turns / sizeof turns[0]; i++) {
		struct addr list[FAKE_SOURCES];
		struct filter wanted = fake_filter(FAMILY_IPV4, turns[i].mode, turns[i].sources, list);

		world.text[0] = '\0';
		assert_true(one_turn(&world, 0, &wanted));
		assert_string_equal(world.text, turns[i].operations);
	}
	close_world(&world);
}

/* The link is gone: nothing is held, and everything is joined anew. */
static void forgotten_is_joined_anew(void **state)
{
	struct addr list[FAKE_SOURCES];
	struct filter wanted = fake_filter(FAMILY_IPV4, IN, 31, list);
	struct world world;

	(void)state;
	open_world(&world, 1, 2);
	for (int round = 0; round < 3; round++) {
		world.text[0] = 0;
		settle(&world, 4, &wanted);
		assert_string_equal(world.text, " 0:+a 0:+b 1:+c 1:+d 2:+e");
		joins_forget(world.joins, &world.rows[4]);
		for (uint32_t slot = 0; slot < joins_slot_count(world.joins); slot++)
			fake_close(&world.fake, slot);
		check_books(&world, 4);
	}
	close_world(&world);
}

/* A very long INCLUDE list costs one operation, not thousands. */
static void very_long_list_is_a_superset(void **state)
{
	static struct addr list[JOINS_INCLUDE_MAX + 1];
	struct filter wanted = {.mode = FILTER_INCLUDE,
	                        .sources = {.list = list, .count = JOINS_INCLUDE_MAX + 1}};
	struct addr group = addr_from_ipv4_number(0xef010203);
	struct joins *joins = joins_new(20, 10);
	struct join_row row = {0};
	struct join_op op;

	(void)state;
	for (uint32_t i = 0; i <= JOINS_INCLUDE_MAX; i++)
		list[i] = addr_from_ipv4_number(0x0a000000 + i + 1);
	assert_true(joins_next(joins, &row, &group, &wanted, &op));
	assert_int_equal(op.kind, JOIN_GROUP);
	assert_int_equal(joins_done(joins, &row, &op, 0), 0);
	assert_false(joins_next(joins, &row, &group, &wanted, &op));
	assert_true(row.superset);
	/* One less is held exactly. */
	wanted.sources.count--;
	while (joins_next(joins, &row, &group, &wanted, &op))
		assert_int_equal(joins_done(joins, &row, &op, 0), 0);
	assert_false(row.superset);
	joins_forget(joins, &row);
	joins_free(joins);
}

/* A socket has a membership with EXCLUDE{s}, which the row does not know. Such a membership takes no source. */
static void unknown_membership_that_excludes_gets_a_list(void **state)
{
	static const struct filter all = {.mode = FILTER_EXCLUDE};
	struct addr group = nth_addr("239.0.0.1", 0), source = nth_addr("10.0.0.1", 0);
	struct filter one = {.mode = FILTER_INCLUDE, .sources = {.list = &source, .count = 1}};
	struct joins *joins = joins_new(20, 10);
	struct join_row row = {0};
	struct join_op op;

	(void)state;
	assert_true(joins_next(joins, &row, &group, &all, &op));
	assert_int_equal(joins_done(joins, &row, &op, -EADDRINUSE), 0);
	assert_true(joins_next(joins, &row, &group, &one, &op));
	assert_int_equal(op.kind, JOIN_SOURCE);
	assert_int_equal(joins_done(joins, &row, &op, -EINVAL), 0);
	assert_true(joins_next(joins, &row, &group, &one, &op));
	assert_int_equal(op.kind, JOIN_SET_FILTER);
	assert_int_equal(op.filter.mode, FILTER_INCLUDE);
	assert_int_equal(joins_done(joins, &row, &op, 0), 0);
	assert_false(joins_next(joins, &row, &group, &one, &op));
	joins_forget(joins, &row);
	joins_free(joins);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(operations_of_a_change),
		cmocka_unit_test(random_wishes_come_true),
		cmocka_unit_test(sockets_are_used_again),
		cmocka_unit_test(every_error_at_every_operation),
		cmocka_unit_test(every_error_all_the_time),
		cmocka_unit_test(a_kernel_that_takes_less),
		cmocka_unit_test(refused_list_is_tried_again),
		cmocka_unit_test(a_full_list_has_room_again),
		cmocka_unit_test(forgotten_is_joined_anew),
		cmocka_unit_test(very_long_list_is_a_superset),
		cmocka_unit_test(unknown_membership_that_excludes_gets_a_list),
	};

	joins_free(NULL);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
