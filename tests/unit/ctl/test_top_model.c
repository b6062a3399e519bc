/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The model of `top`: rates between two looks, orders, streams that come and go.
 */
#include "ctl/top_model.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void take(struct top_model *model, const char *key, const char *text)
{
	struct json_object *value = json_tokener_parse(text);

	assert_non_null(value);
	top_model_take(model, key, value);
	json_object_put(value);
}

static void take_stream(struct top_model *model, const char *group, unsigned bytes, unsigned packets,
                        unsigned age, const char *outputs)
{
	char text[512];

	snprintf(
		text, sizeof text,
		"{\"instance\":\"tv\",\"group\":\"%s\",\"source\":\"10.0.0.1\",\"input\":\"eth0\",\"outputs\":[%s],\"bytes\":%u,\"packets\":%u,\"age\":%u,\"bit_rate\":8000,\"hosts\":%d}",
		group, outputs, bytes, packets, age, group[0] == 'a' ? 5 : 0);
	take(model, "routes", text);
}

static void take_link(struct top_model *model, unsigned reports, unsigned drops)
{
	char text[512];

	snprintf(
		text, sizeof text,
		"{\"instance\":\"tv\",\"link\":\"eth1\",\"role\":\"downstream\",\"version\":\"IGMPv3\",\"usable\":true,\"groups\":3,\"counters\":{\"reports\":%u},\"drops\":{\"a\":%u,\"b\":1}}",
		reports, drops);
	take(model, "links", text);
}

#define assert_near(a, b) assert_true((a) > (b)-0.01 && (a) < (b) + 0.01)

static void rates_are_those_between_two_looks(void **state)
{
	struct top_model model = {0};

	(void)state;
	top_model_begin(&model);
	take(&model, "uptime", "100.0");
	take_link(&model, 10, 4);
	take_stream(&model, "239.1.1.1", 5000, 50, 7, "\"eth1\",\"eth2\"");
	top_model_end(&model);
	assert_int_equal(model.streams.count, 1);
	assert_near(top_model_stream(&model, 0)->bit_rate, 8000); /* the daemon's own */
	assert_near(top_model_stream(&model, 0)->packet_rate, 0);
	assert_string_equal(top_model_stream(&model, 0)->outputs, "eth1 eth2");
	assert_near(top_model_link(&model, 0)->report_rate, 0);

	top_model_begin(&model);
	take(&model, "uptime", "102.0");
	take_link(&model, 30, 9);
	take_stream(&model, "239.1.1.1", 7000, 70, 9, "\"eth1\"");
	take_stream(&model, "239.1.1.2", 10, 1, 1, "");
	top_model_end(&model);
	assert_int_equal(model.streams.count, 2);
	assert_near(model.bit_rate, 2 * 8000);
	assert_int_equal(model.unwanted, 1);
	assert_near(top_model_stream(&model, 0)->bit_rate, 8000);
	assert_near(top_model_stream(&model, 0)->packet_rate, 10);
	assert_near(top_model_link(&model, 0)->report_rate, 10);
	assert_near(top_model_link(&model, 0)->drop_rate, 2.5);
	assert_near(top_model_link(&model, 0)->drops, 10);

	/* The entry was installed again: its counters have restarted. */
	top_model_begin(&model);
	take(&model, "uptime", "103.0");
	take_stream(&model, "239.1.1.1", 100, 1, 9, "\"eth1\"");
	top_model_end(&model);
	assert_int_equal(model.streams.count, 1);
	assert_int_equal(model.links.count, 0);
	assert_near(top_model_stream(&model, 0)->bit_rate, 0);
	top_model_fini(&model);
}

static void check_order(struct top_model *model, enum top_order order, const char *expected)
{
	char text[256] = "";

	model->order = order;
	top_model_sort(model);
	for (size_t i = 0; i < model->streams.count; i++)
		sprintf(text + strlen(text), " %s", top_model_stream(model, i)->group);
	assert_string_equal(text, expected);
}

static void streams_are_sorted(void **state)
{
	struct top_model model = {0};

	(void)state;
	for (int look = 0; look < 2; look++) {
		top_model_begin(&model);
		take(&model, "uptime", look == 0 ? "1.0" : "2.0");
		take_stream(&model, "a", look == 0 ? 0 : 500, 30, 100, "");
		take_stream(&model, "c", look == 0 ? 0 : 900, 20, 300, "\"eth1\"");
		take_stream(&model, "b", look == 0 ? 0 : 500, 90, 200, "\"eth1\",\"eth2\"");
		top_model_end(&model);
	}
	check_order(&model, TOP_BY_RATE, " c a b");
	check_order(&model, TOP_BY_PACKETS, " b a c");
	check_order(&model, TOP_BY_GROUP, " a b c");
	check_order(&model, TOP_BY_AGE, " c b a");
	check_order(&model, TOP_BY_MEMBERS, " a b c");
	for (enum top_order order = 0; order < TOP_ORDERS; order++)
		assert_true(strlen(top_order_name(order)) > 0);
	top_model_fini(&model);
}

static void an_empty_look(void **state)
{
	struct top_model model = {0};

	(void)state;
	top_model_begin(&model);
	top_model_end(&model);
	take(&model, "unknown", "{}");
	assert_int_equal(model.streams.count, 0);
	top_model_fini(&model);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rates_are_those_between_two_looks),
		cmocka_unit_test(streams_are_sorted),
		cmocka_unit_test(an_empty_look),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
