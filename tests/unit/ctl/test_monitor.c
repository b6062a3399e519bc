/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The lines of events.
 */
#include "ctl/monitor.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static const struct {
	const char *event, *line;
} rows[] = {
	{"{\"event\":\"link\",\"instance\":\"tv\",\"link\":\"eth1\",\"usable\":true,\"address\":\"10.0.1.1\"}",
         "tv: eth1: link usable, address 10.0.1.1"},
	{"{\"event\":\"link\",\"instance\":\"tv\",\"link\":\"eth1\",\"usable\":false}",
         "tv: eth1: link not usable, address none"},
	{"{\"event\":\"querier\",\"link\":\"eth1\",\"querier\":\"10.0.1.1\",\"this_router\":true}",
         "eth1: querier is 10.0.1.1, this router"},
	{"{\"event\":\"querier\",\"link\":\"eth1\",\"querier\":\"10.0.1.0\",\"this_router\":false}",
         "eth1: querier is 10.0.1.0, another router"},
	{"{\"event\":\"join\",\"link\":\"eth1\",\"group\":\"239.1.1.1\",\"mode\":\"EXCLUDE\",\"sources\":0}",
         "eth1: 239.1.1.1: joined, EXCLUDE{}"},
	{"{\"event\":\"join\",\"group\":\"239.1.1.1\",\"mode\":\"INCLUDE\",\"sources\":1}",
         "239.1.1.1: joined, INCLUDE of 1 source"},
	{"{\"event\":\"leave\",\"group\":\"239.1.1.1\",\"mode\":\"EXCLUDE\"}",
         "239.1.1.1: left, was EXCLUDE"},
	{"{\"event\":\"filter\",\"group\":\"239.1.1.1\",\"before\":\"EXCLUDE\",\"mode\":\"INCLUDE\","
         "\"sources\":2}",
         "239.1.1.1: EXCLUDE -> INCLUDE of 2 sources"},
	{"{\"event\":\"query\",\"link\":\"eth1\",\"sources\":0}", "eth1: general query sent"},
	{"{\"event\":\"query\",\"link\":\"eth1\",\"group\":\"239.1.1.1\",\"sources\":0}",
         "eth1: 239.1.1.1: query sent"},
	{"{\"event\":\"query\",\"link\":\"eth1\",\"group\":\"239.1.1.1\",\"sources\":2}",
         "eth1: 239.1.1.1: query sent about 2 sources"},
	{"{\"event\":\"upstream\",\"group\":\"239.1.1.1\",\"mode\":\"EXCLUDE\",\"sources\":0}",
         "239.1.1.1: wanted upstream: EXCLUDE{}"},
	{"{\"event\":\"source\",\"source\":\"10.0.0.1\"}", "source 10.0.0.1 appeared"},
	{"{\"event\":\"source moved\",\"source\":\"10.0.0.1\"}", "source 10.0.0.1 arrives here now"},
	{"{\"event\":\"source gone\",\"source\":\"10.0.0.1\"}", "source 10.0.0.1 is gone"},
	{"{\"event\":\"route\",\"source\":\"10.0.0.1\",\"outputs\":[\"eth1\",\"eth2\"]}",
         "source 10.0.0.1 goes to eth1 eth2"},
	{"{\"event\":\"route\",\"source\":\"10.0.0.1\",\"outputs\":[]}", "source 10.0.0.1 goes nowhere"},
	{"{\"event\":\"older "
         "query\",\"querier\":\"10.0.0.1\",\"heard\":\"IGMPv2\",\"configured\":\"IGMPv3\"}",
         "IGMPv2 querier 10.0.0.1 on a link configured for IGMPv3"},
	{"{\"event\":\"drop\",\"cause\":\"bad checksum\",\"count\":8}", "dropped: bad checksum (8 so far)"},
	{"{\"event\":\"lost\",\"count\":5}", "5 events were lost because they came too fast"},
	{"{\"event\":\"of a later version\"}", "of a later version"},
	{"{}", ""},
	{"{\"event\":\"route\"}", "source  goes nowhere"},
};

static void events_are_described(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct json_object *event = json_tokener_parse(rows[i].event);
		char text[2048], cut[8];

		assert_string_equal(monitor_format(event, text, sizeof text), rows[i].line);
		assert_true(strlen(monitor_format(event, cut, sizeof cut)) < sizeof cut);
		json_object_put(event);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(events_are_described)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
