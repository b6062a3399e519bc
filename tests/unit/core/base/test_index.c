/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The index: against an array that says which objects are in it, while it grows and shrinks.
 */
#include "core/base/index.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#define OBJECTS 5000

struct object {
	struct index_node node;
	uint32_t key;
	bool is_in;
	uint32_t added_at; /* the step */
};

static struct object objects[OBJECTS];

static uint32_t next_random(uint32_t *state)
{
	*state = *state * 1664525u + 1013904223u;
	return *state >> 8;
}

/* Spread well, or with few different values, so that many keys share one. */
static uint32_t hash_of(uint32_t key, uint32_t values)
{
	return values == 0 ? key * 2654435761u : key % values;
}

static struct object *find(const struct index *index, uint32_t key, uint32_t values)
{
	struct index_node *node = index_find(index, hash_of(key, values));

	for (; node != NULL; node = index_find_next(index, node))
		if (((struct object *)node)->key == key)
			break;
	return (struct object *)node;
}

static void reset(void)
{
	for (uint32_t i = 0; i < OBJECTS; i++)
		objects[i] = (struct object){.key = i};
}

static void assert_whole(const struct index *index, uint32_t values)
{
	const struct index_node *last = NULL;
	uint32_t count = 0, added_at = 0;

	for (uint32_t i = 0; i < OBJECTS; i++)
		assert_ptr_equal(find(index, i, values), objects[i].is_in ? &objects[i] : NULL);
	for (const struct index_node *node = index->oldest; node; last = node, node = node->newer) {
		const struct object *object = (const struct object *)node;

		assert_true(object->is_in && object->added_at >= added_at);
		assert_ptr_equal(node->older, last);
		added_at = object->added_at;
		count++;
	}
	assert_ptr_equal(index->newest, last);
	assert_int_equal(index->count, count);
}

static void agrees_with_an_array(uint32_t values, int steps)
{
	struct index index = {0};
	uint32_t random = 1;

	reset();
	assert_whole(&index, values);
	for (int step = 0; step < steps; step++) {
		/* It grows for a while and then shrinks again. */
		bool growing = step / (steps / 4) % 2 == 0;
		struct object *object = &objects[next_random(&random) % OBJECTS];

		if (object->is_in !=
		    (growing ? next_random(&random) % 4 == 0 : next_random(&random) % 4 != 0))
			continue;
		if (object->is_in) {
			index_remove(&index, &object->node);
		} else {
			assert_true(index_add(&index, &object->node, hash_of(object->key, values)));
			object->added_at = (uint32_t)step;
		}
		object->is_in = !object->is_in;
		if (step % 997 == 0)
			assert_whole(&index, values);
	}
	assert_whole(&index, values);
	index_fini(&index);
	assert_null(index_find(&index, 0));
}

static void finds_what_is_in_it(void **state)
{
	(void)state;
	agrees_with_an_array(0, 40000);
}

static void bears_equal_hashes(void **state)
{
	(void)state;
	agrees_with_an_array(7, 10000);
}

/* Half of the slots in use when it grows, whatever their number; and no step that moves more than one. */
static void grows_and_shrinks_by_steps(void **state)
{
	struct index index = {0};
	uint32_t before, most;

	(void)state;
	reset();
	for (uint32_t i = 0; i < OBJECTS; i++) {
		before = index.bucket_count;
		assert_true(index_add(&index, &objects[i].node, hash_of(i, 0)));
		assert_true(i == 0 || index.bucket_count - before <= 1);
		assert_true(index.bucket_count * INDEX_SLOTS / 2 >= index.count);
	}
	most = index.capacity;
	for (uint32_t i = 0; i < OBJECTS; i++) {
		before = index.bucket_count;
		index_remove(&index, &objects[i].node);
		assert_true(before - index.bucket_count <= 1);
		assert_true(index.bucket_count * INDEX_SLOTS / 4 <= index.count + 4 * INDEX_SLOTS);
		/* The memory goes back, too. */
		assert_true(index.bucket_count >= index.capacity / 4);
	}
	assert_true(index.capacity <= most / 32);
	index_fini(&index);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_what_is_in_it),
		cmocka_unit_test(bears_equal_hashes),
		cmocka_unit_test(grows_and_shrinks_by_steps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
