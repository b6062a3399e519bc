/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The ring alone, and between two threads. MCPROXY_LONG=1 sends many times more messages.
 */
#include "daemon/worker/ring.h"

#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support/long.h"

#ifdef __has_feature
#if __has_feature(thread_sanitizer)
#define SLOWED_DOWN 1
#endif
#elif defined(__SANITIZE_THREAD__)
#define SLOWED_DOWN 1
#endif

static const size_t sizes[] = {2, 4, 8, 1024};
#define SIZES (sizeof sizes / sizeof sizes[0])

static struct ring *make(size_t slots)
{
	struct ring *ring = ring_new(slots, sizeof(uint64_t));

	assert_non_null(ring);
	return ring;
}

static bool put(struct ring *ring, uint64_t value)
{
	uint64_t *slot = ring_reserve(ring);

	if (slot == NULL)
		return false;
	*slot = value;
	ring_commit(ring);
	return true;
}

static bool take(struct ring *ring, uint64_t *value)
{
	const uint64_t *slot = ring_peek(ring);

	if (slot == NULL)
		return false;
	*value = *slot;
	ring_release(ring);
	return true;
}

static void new_ring_is_empty(void **state)
{
	(void)state;
	for (size_t i = 0; i < SIZES; i++) {
		struct ring *ring = make(sizes[i]);
		size_t slot;

		assert_null(ring_peek(ring));
		assert_true(ring_has_room(ring));
		assert_int_equal(ring_slot_index(ring), 0);
		assert_false(ring_oldest_slot(ring, &slot));
		ring_free(ring);
	}
	ring_free(NULL);
}

static void slots_are_aligned_and_apart(void **state)
{
	struct ring *ring = ring_new(4, 64);
	unsigned char *first = ring_reserve(ring);

	(void)state;
	assert_int_equal((uintptr_t)first % RING_CACHE_LINE, 0);
	ring_commit(ring);
	assert_ptr_equal(ring_reserve(ring), first + 64);
	ring_free(ring);
}

static void reserve_without_commit_changes_nothing(void **state)
{
	struct ring *ring = make(2);
	void *slot = ring_reserve(ring);

	(void)state;
	assert_ptr_equal(ring_reserve(ring), slot);
	assert_null(ring_peek(ring));
	ring_free(ring);
}

/* All slots fill, none more; they come out in order; again and again, past the place where the numbers
 * wrap. */
static void fills_and_empties(void **state)
{
	(void)state;
	for (size_t i = 0; i < SIZES; i++) {
		struct ring *ring = make(sizes[i]);
		uint64_t sent = 0, received = 0, value;

		for (int round = 0; round < 5; round++) {
			for (size_t n = 0; n < sizes[i]; n++)
				assert_true(put(ring, sent++));
			assert_false(ring_has_room(ring));
			assert_false(put(ring, sent));
			while (take(ring, &value))
				assert_int_equal(value, received++);
			assert_int_equal(received, sent);
			assert_true(ring_has_room(ring));
		}
		ring_free(ring);
	}
}

/* The distance between the two sides stays at each value from 1 to full for several rounds. */
static void wraps_at_every_level(void **state)
{
	(void)state;
	for (size_t i = 0; i < SIZES; i++) {
		for (size_t level = 1; level <= sizes[i]; level += 1 + sizes[i] / 16) {
			struct ring *ring = make(sizes[i]);
			uint64_t sent = 0, received = 0, value;

			while (sent < level)
				assert_true(put(ring, sent++));
			while (sent < 4 * sizes[i]) {
				size_t slot;

				assert_true(ring_oldest_slot(ring, &slot));
				assert_int_equal(slot, received % sizes[i]);
				assert_int_equal(ring_slot_index(ring), sent % sizes[i]);
				assert_true(take(ring, &value));
				assert_int_equal(value, received++);
				assert_true(put(ring, sent++));
			}
			ring_free(ring);
		}
	}
}

static void peeked_message_keeps_its_slot(void **state)
{
	struct ring *ring = make(2);
	const uint64_t *first;

	(void)state;
	assert_true(put(ring, 1) && put(ring, 2));
	first = ring_peek(ring);
	assert_false(put(ring, 3));
	assert_ptr_equal(ring_peek(ring), first);
	assert_int_equal(*first, 1);
	ring_release(ring);
	assert_true(put(ring, 3));
	ring_free(ring);
}

/* Between threads: each message is four words made from its number, so that a torn or stale one shows. */
struct torrent {
	struct ring *ring;
	uint64_t messages;
	uint64_t wrong; /* by the consumer */
};

struct words {
	uint64_t word[4];
};

static struct words words_for(uint64_t number)
{
	return (struct words){{number, ~number, number * UINT64_C(0x9e3779b97f4a7c15), number << 7}};
}

/* What is seen ahead is what is taken later; and no more is seen than was when the producer was asked
 * last. */
static void looks_ahead(void **state)
{
	struct ring *ring = make(8);
	uint64_t value;

	(void)state;
	for (uint64_t first = 0; first < 100; first += 5) {
		assert_null(ring_look_ahead(ring, 0));
		for (uint64_t i = 0; i < 5; i++)
			assert_true(put(ring, first + i));
		assert_null(ring_look_ahead(ring, 0));
		for (uint64_t i = 0; i < 5; i++) {
			assert_non_null(ring_peek(ring));
			for (uint32_t places = 0; places < 5 - i; places++)
				assert_int_equal(*(const uint64_t *)ring_look_ahead(ring, places),
				                 first + i + places);
			assert_null(ring_look_ahead(ring, (uint32_t)(5 - i)));
			assert_true(take(ring, &value));
		}
	}
	ring_free(ring);
}

static void *produce(void *arg)
{
	struct torrent *torrent = arg;

	for (uint64_t n = 0; n < torrent->messages; n++) {
		struct words *slot;

		while ((slot = ring_reserve(torrent->ring)) == NULL)
			sched_yield();
		*slot = words_for(n);
		ring_commit(torrent->ring);
	}
	return NULL;
}

/* Word by word, which ThreadSanitizer sees; a memcmp that the compiler expands it does not. */
static bool is_whole(const struct words *slot, uint64_t number)
{
	struct words expected = words_for(number);
	bool whole = true;

	for (int i = 0; i < 4; i++)
		whole = whole && slot->word[i] == expected.word[i];
	return whole;
}

static void *consume(void *arg)
{
	struct torrent *torrent = arg;

	for (uint64_t n = 0; n < torrent->messages; n++) {
		const struct words *slot;

		while ((slot = ring_peek(torrent->ring)) == NULL)
			sched_yield();
		torrent->wrong += !is_whole(slot, n);
		ring_release(torrent->ring);
	}
	return NULL;
}

static uint64_t scaled(uint64_t messages)
{
	if (tests_are_long())
		messages *= 160;
#ifdef SLOWED_DOWN
	messages /= 4;
#endif
	return messages;
}

static void two_threads(void **state)
{
	static const struct {
		size_t slots;
		uint64_t messages;
	} rows[] = {{2, 500000}, {4, 750000}, {1024, 2500000}};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct torrent torrent = {.messages = scaled(rows[i].messages)};
		pthread_t producer, consumer;

		torrent.ring = ring_new(rows[i].slots, sizeof(struct words));
		assert_non_null(torrent.ring);
		assert_int_equal(pthread_create(&producer, NULL, produce, &torrent), 0);
		assert_int_equal(pthread_create(&consumer, NULL, consume, &torrent), 0);
		pthread_join(producer, NULL);
		pthread_join(consumer, NULL);
		assert_int_equal(torrent.wrong, 0);
		assert_null(ring_peek(torrent.ring));
		ring_free(torrent.ring);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(new_ring_is_empty),
		cmocka_unit_test(slots_are_aligned_and_apart),
		cmocka_unit_test(reserve_without_commit_changes_nothing),
		cmocka_unit_test(fills_and_empties),
		cmocka_unit_test(wraps_at_every_level),
		cmocka_unit_test(peeked_message_keeps_its_slot),
		cmocka_unit_test(looks_ahead),
		cmocka_unit_test(two_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
