/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The hosts of a group: what each of them wants after each record, as a table and against a model that keeps
 * every host's own state; limits, memory, expiry.
 */
#include "core/router/members.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))
#define SOURCES       6
#define HOSTS         20
#define INTERVAL      1000

struct lab {
	struct pool *pool;
	struct members *members;
	struct members_limits limits;
	mtime now;
};

static struct lab lab_new(size_t room)
{
	struct lab lab = {.limits = {.hosts_max = HOSTS, .sources_max = SOURCES}, .now = 1000000};

	lab.pool = pool_new(room);
	assert_non_null(lab.pool);
	lab.members = members_new(lab.pool);
	assert_non_null(lab.members);
	return lab;
}

static void lab_free(struct lab *lab)
{
	members_free(lab->members, lab->pool);
	pool_free(lab->pool);
}

static struct addr host_addr(unsigned host)
{
	return addr_from_ipv4_number(0x0a000001u + host);
}

static struct addr source_addr(unsigned source)
{
	return addr_from_ipv4_number(0x0b000001u + source);
}

/* The sources of a set of bits. */
static enum members_result note(struct lab *lab, unsigned host, enum record_type type, unsigned set)
{
	struct addr list[SOURCES], from = host_addr(host);
	struct sources sources = sources_on(list, SOURCES);

	for (unsigned source = 0; source < SOURCES; source++) {
		struct addr addr = source_addr(source);

		if (set >> source & 1)
			sources_append(&sources, &addr);
	}
	return members_note(lab->members, lab->pool, &lab->limits, lab->now, lab->now + INTERVAL, &from, type,
	                    &sources);
}

/* Which sources are wanted, the last bit for one that nobody names. */
static unsigned wanted(const struct lab *lab)
{
	unsigned set = 0;

	for (unsigned source = 0; source <= SOURCES; source++) {
		struct addr addr = source_addr(source);

		if (members_want(lab->members, lab->now, &addr))
			set |= 1u << source;
	}
	return set;
}

#define ALL (1u << SOURCES | ((1u << SOURCES) - 1))
#define A   1u
#define B   2u
#define C   4u

static void each_record_has_its_meaning(void **state)
{
	static const struct {
		enum record_type first;
		unsigned first_set;
		enum record_type second;
		unsigned second_set;
		unsigned wanted;
		size_t count;
	} rows[] = {
		{IS_IN, A, IS_IN, B, A | B, 1},
		{IS_IN, A, IS_EX, B, ALL & ~B, 1},
		{IS_IN, A | B, TO_IN, B | C, B | C, 1},
		{IS_IN, A, TO_IN, 0, 0, 0},
		{IS_IN, A, TO_EX, A, ALL & ~A, 1},
		{ALLOW, A, ALLOW, C, A | C, 1},
		{ALLOW, A | B, BLOCK, B | C, A, 1},
		{ALLOW, A | B, BLOCK, A | B, 0, 0},
		{TO_IN, A, BLOCK, 0, A, 1},
		{TO_EX, 0, IS_EX, A, ALL & ~A, 1},
		{TO_EX, A | B, TO_EX, 0, ALL, 1},
		{TO_EX, A | B, IS_IN, B, ALL & ~A, 1},
		{TO_EX, 0, IS_IN, B, ALL, 1},
		{TO_EX, 0, TO_IN, A | C, A | C, 1},
		{TO_EX, 0, TO_IN, 0, 0, 0},
		{TO_EX, A | B, ALLOW, A, ALL & ~B, 1},
		{TO_EX, A, BLOCK, B, ALL & ~(A | B), 1},
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(rows); i++) {
		struct lab lab = lab_new(1 << 20);

		assert_int_equal(note(&lab, 1, rows[i].first, rows[i].first_set), MEMBERS_NOTED);
		assert_int_equal(note(&lab, 1, rows[i].second, rows[i].second_set), MEMBERS_NOTED);
		assert_int_equal(wanted(&lab), rows[i].wanted);
		assert_int_equal(members_count(lab.members, lab.now), rows[i].count);
		assert_true(members_are_known(lab.members, lab.now));
		lab_free(&lab);
	}
}

struct model {
	bool exclude;
	unsigned set;
	mtime until;
};

static void model_apply(struct model *model, mtime now, enum record_type type, unsigned set)
{
	if (model->until <= now)
		*model = (struct model){0};
	if (type == IS_EX || type == TO_EX)
		*model = (struct model){true, set, now + INTERVAL};
	else if (type == TO_IN)
		*model = (struct model){false, set, now + INTERVAL};
	else if (type == BLOCK)
		model->set = model->exclude ? model->set | set : model->set & ~set;
	else
		model->set = model->exclude ? model->set & ~set : model->set | set;
	if ((type == IS_IN || type == ALLOW) && set != 0)
		model->until = now + INTERVAL;
	if (!model->exclude && model->set == 0)
		model->until = now;
}

static unsigned model_wanted(const struct model *models, mtime now)
{
	unsigned set = 0;

	for (size_t host = 0; host < HOSTS; host++)
		if (models[host].until > now)
			set |= models[host].exclude ? ALL & ~models[host].set : models[host].set;
	return set;
}

static uint32_t next_random(uint32_t *random)
{
	*random = *random * 1664525u + 1013904223u;
	return *random >> 8;
}

/* Whatever comes, nothing is taken for unwanted that a host may want; with room for all, just what is
 * wanted. */
static void walk(uint32_t seed, size_t room, uint16_t hosts_max, uint16_t sources_max)
{
	struct lab lab = lab_new(room);
	struct model models[HOSTS] = {{0}};
	bool all_fit = room > 100000 && hosts_max >= HOSTS && sources_max >= SOURCES;
	size_t bytes = pool_bytes(lab.pool);

	lab.limits = (struct members_limits){hosts_max, sources_max};
	for (int step = 0; step < 3000; step++) {
		unsigned host = next_random(&seed) % HOSTS;
		enum record_type type = (enum record_type)(IS_IN + next_random(&seed) % 6);
		unsigned set = next_random(&seed) % (1u << SOURCES) & next_random(&seed);
		bool listed = models[host].until > lab.now;

		/* Those that block what they never joined would be members unseen. */
		if (type == BLOCK && !listed)
			continue;
		note(&lab, host, type, set);
		model_apply(&models[host], lab.now, type, set);
		if (all_fit)
			assert_int_equal(wanted(&lab), model_wanted(models, lab.now));
		if (members_are_known(lab.members, lab.now))
			assert_int_equal(model_wanted(models, lab.now) & ~wanted(&lab), 0);
		lab.now += next_random(&seed) % 100;
	}
	for (unsigned host = 0; host < HOSTS; host++)
		note(&lab, host, TO_IN, 0);
	assert_int_equal(members_count(lab.members, lab.now), 0);
	assert_true(all_fit || pool_bytes(lab.pool) >= bytes);
	lab_free(&lab);
}

static void agrees_with_a_model(void **state)
{
	(void)state;
	for (uint32_t seed = 1; seed <= 30; seed++)
		walk(seed, 1 << 20, HOSTS, SOURCES);
}

static void never_wants_too_little(void **state)
{
	(void)state;
	for (uint32_t seed = 1; seed <= 30; seed++) {
		walk(seed, 1 << 20, (uint16_t)(1 + seed % 8), SOURCES);
		walk(seed, 1 << 20, HOSTS, (uint16_t)(seed % SOURCES));
		walk(seed, 17000 + seed * 2000, HOSTS, SOURCES);
	}
}

static void a_host_too_many_makes_the_list_incomplete(void **state)
{
	struct lab lab = lab_new(1 << 20);

	(void)state;
	lab.limits.hosts_max = 2;
	note(&lab, 1, TO_EX, 0);
	note(&lab, 2, TO_EX, 0);
	lab.now += 500;
	note(&lab, 1, IS_EX, 0);
	assert_int_equal(note(&lab, 3, TO_EX, 0), MEMBERS_FULL);
	assert_false(members_are_known(lab.members, lab.now + INTERVAL - 1));
	assert_true(members_are_known(lab.members, lab.now + INTERVAL));
	/* One whose membership ended makes room. */
	lab.now += 500;
	assert_int_equal(note(&lab, 3, TO_EX, 0), MEMBERS_NOTED);
	assert_int_equal(members_count(lab.members, lab.now), 2);
	lab_free(&lab);
}

static void who_leaves_unheard_was_there_or_not(void **state)
{
	struct lab lab = lab_new(1 << 20);

	(void)state;
	note(&lab, 1, TO_IN, 0);
	note(&lab, 1, IS_IN, 0);
	assert_true(members_are_known(lab.members, lab.now));
	note(&lab, 1, BLOCK, A);
	assert_false(members_are_known(lab.members, lab.now));
	members_lose(lab.members, lab.now);
	assert_false(members_are_known(lab.members, lab.now));
	lab_free(&lab);
	members_free(NULL, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_record_has_its_meaning),
		cmocka_unit_test(agrees_with_a_model),
		cmocka_unit_test(never_wants_too_little),
		cmocka_unit_test(a_host_too_many_makes_the_list_incomplete),
		cmocka_unit_test(who_leaves_unheard_was_there_or_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
