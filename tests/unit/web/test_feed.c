/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The events that are kept for clients that come back.
 */
#include "web/feed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct feed feed;

static int begin(void **state)
{
	(void)state;
	feed_init(&feed, 0xabc);
	return 0;
}

static int end(void **state)
{
	(void)state;
	feed_clear(&feed);
	return 0;
}

static void add(size_t size)
{
	char *data = malloc(size + 1);

	memset(data, 'x', size + 1);
	assert_true(feed_add(&feed, "change", data, size));
}

static void an_event_is_text_with_its_identifier(void **state)
{
	size_t size;
	char *text;

	(void)state;
	assert_null(feed_find(&feed, 1));
	add(3);
	assert_string_equal(strncpy((char[128]){0}, feed_find(&feed, 1)->text, feed_find(&feed, 1)->size),
	                    "id: 00000abc-1\nevent: change\ndata: xxx\n\n");
	assert_null(feed_find(&feed, 0));
	assert_null(feed_find(&feed, 2));
	text = feed_make(&feed, "snapshot", "{}", 2, &size);
	assert_memory_equal(text, "id: 00000abc-1\nevent: snapshot\ndata: {}\n\n", size);
	free(text);
}

static void a_client_goes_on_where_it_was(void **state)
{
	static const struct {
		const char *identifier;
		uint64_t next;
	} rows[] = {
		{"00000abc-1", 2},
		{"00000abc-3", 4},
		{"00000abc-0", 1},
		{"abc-2", 3},
		{"00000abc-4", 0},
		{"00000abd-1", 0},
		{"00000abc-", 0},
		{"", 0},
		{"00000abc-1x", 0},
		{"-1", 0},
		{"x", 0},
		{"00000abc--1", 0},
		{"00000abc-99999999999999999999999999999", 0},
	};

	(void)state;
	for (int i = 0; i < 3; i++)
		add(10);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		assert_int_equal(feed_resume(&feed, rows[i].identifier), rows[i].next);
	feed_clear(&feed);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (rows[i].next != 0)
			assert_int_equal(feed_resume(&feed, rows[i].identifier), 0);
	assert_int_equal(feed_resume(&feed, "00000abc-4"), 5); /* a snapshot that was made since */
	add(10);
	assert_null(feed_find(&feed, 3));
	assert_non_null(feed_find(&feed, 5));
}

static void old_events_make_room(void **state)
{
	(void)state;
	for (int i = 0; i < 2 * FEED_EVENTS; i++)
		add(10);
	assert_int_equal(feed.next - feed.first, FEED_EVENTS);
	assert_int_equal(feed_resume(&feed, "abc-5"), 0);
	assert_int_equal(feed_resume(&feed, "abc-256"), 257);
	add(FEED_BYTES_MAX - 1000);
	assert_in_range(feed.next - feed.first, 2, 20);
	assert_true(feed.size <= FEED_BYTES_MAX);
	add(FEED_BYTES_MAX + 1);
	assert_int_equal(feed.next - feed.first, 1);
	add(10);
	assert_int_equal(feed.next - feed.first, 1);
	assert_true(feed.size < 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(an_event_is_text_with_its_identifier, begin, end),
		cmocka_unit_test_setup_teardown(a_client_goes_on_where_it_was, begin, end),
		cmocka_unit_test_setup_teardown(old_events_make_room, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
