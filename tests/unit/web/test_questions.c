/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the daemon is asked, and when.
 */
#include "web/questions.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct questions questions;
static struct question next;

/* All lists were read by now, each in so many milliseconds. */
static void read_all(mtime now, mtime cost)
{
	questions_begin(&questions, now);
	for (enum ask ask = 0; ask < ASKS; ask++) {
		assert_false(questions_are_answered(&questions));
		assert_true(questions_next(&questions, now, &next));
		assert_int_equal(next.ask, ask);
		questions_answer(&questions, &next, now - cost, now);
	}
	assert_true(questions_are_answered(&questions));
}

static bool note(const char *event, const char *members)
{
	char line[256];
	struct json_object *object;
	bool doctor;

	snprintf(line, sizeof line, "{\"event\":\"%s\",\"instance\":\"tv\"%s}", event, members);
	object = json_tokener_parse(line);
	assert_non_null(object);
	doctor = questions_note(&questions, object, line);
	json_object_put(object);
	return doctor;
}

static void lists_are_read_regularly(void **state)
{
	unsigned counts[ASKS] = {0};

	(void)state;
	read_all(1000, 0);
	for (mtime now = 1000; now <= 11000; now = questions_deadline(&questions)) {
		while (questions_next(&questions, now, &next)) {
			counts[next.ask]++;
			questions_answer(&questions, &next, now, now);
		}
		assert_true(questions_deadline(&questions) > now);
	}
	assert_int_equal(counts[ASK_ROUTES], 10);
	assert_int_equal(counts[ASK_LINKS], 5);
	assert_int_equal(counts[ASK_STATUS], 2);
	assert_int_equal(counts[ASK_GROUPS], 0);
}

static void what_takes_long_is_read_rarely(void **state)
{
	(void)state;
	read_all(10000, 200);
	assert_false(questions_next(&questions, 10000 + 3999, &next));
	assert_int_equal(questions_deadline(&questions), 10000 + 4000);
	assert_true(questions_next(&questions, 10000 + 4000, &next));
}

static void an_event_asks_for_one_object(void **state)
{
	(void)state;
	read_all(1000, 0);
	assert_false(note("join", ",\"link\":\"eth1\",\"group\":\"239.1.1.1\",\"host\":\"10.0.1.9\""));
	assert_false(note("host join", ",\"link\":\"eth1\",\"group\":\"239.1.1.1\""));
	assert_int_equal(questions_deadline(&questions), 0);
	assert_true(questions_next(&questions, 1000, &next));
	assert_string_equal(question_what(&next), "groups");
	assert_int_equal(question_list(&next), LIST_GROUPS);
	assert_string_equal(next.key, "tv eth1 239.1.1.1");
	assert_string_equal(next.instance, "tv");
	assert_string_equal(next.link, "eth1");
	assert_string_equal(next.group, "239.1.1.1");
	assert_false(questions_next(&questions, 1000, &next));
	note("route", ",\"link\":\"eth0\",\"group\":\"239.1.1.1\",\"source\":\"10.0.0.1\",\"outputs\":[]");
	assert_true(questions_next(&questions, 1000, &next));
	assert_string_equal(next.key, "tv 239.1.1.1 10.0.0.1");
	assert_string_equal(next.link, "");
}

static void many_events_ask_for_the_list(void **state)
{
	(void)state;
	read_all(1000, 10);
	for (int i = 0; i < 100; i++) {
		char members[64];

		snprintf(members, sizeof members, ",\"link\":\"eth1\",\"group\":\"239.1.1.%d\"", i);
		note("join", members);
	}
	note("source", ",\"group\":\"239.1.1.1\",\"source\":\"10.0.0.1\"");
	assert_int_equal(questions.single_count, QUESTIONS_SINGLES_MAX);
	for (int i = 0; i < QUESTIONS_SINGLES_MAX; i++) {
		assert_true(questions_next(&questions, 1000, &next));
		assert_true(next.key[0] != '\0');
	}
	assert_false(questions_next(&questions, 1000 + 29, &next));
	assert_true(questions_next(&questions, 1000 + 30, &next));
	assert_int_equal(next.ask, ASK_GROUPS);
	assert_string_equal(next.key, "");
	/* An event that comes while the list is read may be too late for it. */
	note("leave", ",\"link\":\"eth1\",\"group\":\"239.1.1.1\"");
	questions_answer(&questions, &next, 1030, 1040);
	assert_true(questions_next(&questions, 1040, &next));
	assert_string_equal(next.key, "tv eth1 239.1.1.1");
}

static void other_events_ask_for_their_list(void **state)
{
	static const struct {
		const char *event;
		enum ask ask;
		bool doctor;
	} rows[] = {
		{"link", ASK_LINKS, true},        {"querier", ASK_LINKS, true},
		{"upstream", ASK_UPLINKS, false}, {"denied", ASK_FILTERS, false},
		{"drop", ASK_LINKS, true},        {"lost", ASK_GROUPS, false},
		{"query", ASKS, false},           {"new in 9.0", ASKS, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		read_all(1000, 0);
		assert_int_equal(note(rows[i].event, ",\"link\":\"eth1\""), rows[i].doctor);
		assert_int_equal(questions_next(&questions, 1000, &next), rows[i].ask != ASKS);
		if (rows[i].ask != ASKS)
			assert_int_equal(next.ask, rows[i].ask);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lists_are_read_regularly),
		cmocka_unit_test(what_takes_long_is_read_rarely),
		cmocka_unit_test(an_event_asks_for_one_object),
		cmocka_unit_test(many_events_ask_for_the_list),
		cmocka_unit_test(other_events_ask_for_their_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
