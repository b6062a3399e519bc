/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The places of a reporter's entries: against an array that says where each stands.
 */
#include "core/host/reporter.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define ENTRIES 300

static struct reporter_entry entries[ENTRIES];
static struct report_queue queue;

static uint32_t next_random(uint32_t *state)
{
	*state = *state * 1664525u + 1013904223u;
	return *state >> 8;
}

static void reset(void)
{
	memset(entries, 0, sizeof entries);
	for (size_t i = 0; i < ENTRIES; i++)
		entries[i].change_at = entries[i].answer_at = MTIME_NEVER;
	report_queue_init(&queue);
}

static size_t length(const struct reporter_entry *list)
{
	size_t count = 0;

	for (; list != NULL; list = list->next)
		count++;
	return count;
}

static void wait_until(struct reporter_entry *entry, mtime at)
{
	entry->change_at = at;
	report_queue_wait(&queue, entry);
}

/* No entry comes late, none early, and the queue says when to come back. */
static void assert_queue(mtime now, const uint8_t *places)
{
	size_t counts[PLACE_IDLE + 1] = {0}, waiting = 0;
	mtime next_at = MTIME_NEVER;

	for (size_t i = 0; i < ENTRIES; i++) {
		assert_int_equal(entries[i].place, places[i]);
		counts[places[i]]++;
		if (places[i] != PLACE_WAITING)
			continue;
		assert_true(entries[i].change_at > now);
		next_at = mtime_min(next_at, entries[i].change_at);
	}
	for (int slot = 0; slot < REPORT_QUEUE_SLOTS; slot++)
		waiting += length(queue.waiting[slot]);
	assert_int_equal(length(queue.due), counts[PLACE_DUE]);
	assert_int_equal(length(queue.idle), counts[PLACE_IDLE]);
	assert_int_equal(waiting, counts[PLACE_WAITING]);
	/* It may come back in vain where one was taken away, but never too late. */
	assert_true(queue.next_at <= next_at);
	assert_true(counts[PLACE_WAITING] > 0 || queue.next_at == MTIME_NEVER);
}

static void take_due(mtime now, uint8_t *places)
{
	struct reporter_entry *next;

	for (struct reporter_entry *entry = report_queue_take(&queue, now); entry; entry = next) {
		next = entry->next;
		assert_true(entry->change_at <= now);
		assert_int_equal(places[entry - entries], PLACE_WAITING);
		places[entry - entries] = PLACE_DUE;
		report_queue_move(&queue, entry, PLACE_DUE);
	}
}

static void agrees_with_an_array(void **state)
{
	uint8_t places[ENTRIES] = {PLACE_NONE};
	uint32_t random = 1;
	mtime now = 0;

	(void)state;
	reset();
	for (int step = 0; step < 20000; step++) {
		size_t i = next_random(&random) % ENTRIES;
		uint32_t kind = next_random(&random) % 8;

		if (kind < 3) {
			places[i] = (uint8_t)(kind == 0 ? PLACE_DUE : kind == 1 ? PLACE_IDLE : PLACE_NONE);
			report_queue_move(&queue, &entries[i], places[i]);
		} else if (kind < 7) {
			/* Within a slot, within a round, or many rounds away. */
			uint32_t range = kind == 3 ? 30 : kind == 4 ? 4000 : 40000;

			places[i] = PLACE_WAITING;
			wait_until(&entries[i], now + 1 + next_random(&random) % range);
		} else {
			now += next_random(&random) % 200;
			take_due(now, places);
		}
		assert_queue(now, places);
	}
}

static void comes_at_the_very_time(void **state)
{
	static const mtime times[] = {1, 31, 32, 33, 1000, 4095, 4096, 4097, 10000, 3000000};

	(void)state;
	for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
		reset();
		wait_until(&entries[0], times[i]);
		assert_int_equal(queue.next_at, times[i]);
		assert_null(report_queue_take(&queue, times[i] - 1));
		assert_ptr_equal(report_queue_take(&queue, times[i]), &entries[0]);
		assert_int_equal(queue.next_at, MTIME_NEVER);
	}
}

static void waits_for_nothing_without_a_time(void **state)
{
	(void)state;
	reset();
	wait_until(&entries[0], 100);
	wait_until(&entries[1], 200);
	wait_until(&entries[0], MTIME_NEVER);
	assert_int_equal(entries[0].place, PLACE_NONE);
	assert_int_equal(queue.next_at, 200);
	report_queue_move(&queue, &entries[1], PLACE_IDLE);
	assert_int_equal(queue.next_at, MTIME_NEVER);
	assert_ptr_equal(queue.idle, &entries[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(agrees_with_an_array),
		cmocka_unit_test(comes_at_the_very_time),
		cmocka_unit_test(waits_for_nothing_without_a_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
