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
	{"{\"event\":\"join\",\"link\":\"eth1\",\"group\":\"239.1.1.1\",\"host\":\"10.0.1.10\","
         "\"mode\":\"EXCLUDE\",\"sources\":0}",
         "eth1: 239.1.1.1: 10.0.1.10 joined (any source)"},
	{"{\"event\":\"join\",\"group\":\"239.1.1.1\",\"host\":null,\"mode\":\"EXCLUDE\",\"sources\":1}",
         "239.1.1.1: a host joined (all but 1 source)"},
	{"{\"event\":\"join\",\"group\":\"239.1.1.1\",\"mode\":\"INCLUDE\",\"sources\":1,\"source\":\"10.0.0.1\"}",
         "239.1.1.1: a host joined (10.0.0.1)"},
	{"{\"event\":\"join\",\"group\":\"239.1.1.1\",\"mode\":\"INCLUDE\",\"sources\":3}",
         "239.1.1.1: a host joined (3 sources)"},
	{"{\"event\":\"host join\",\"group\":\"239.1.1.1\",\"host\":\"10.0.1.11\"}",
         "239.1.1.1: 10.0.1.11 joined too"},
	{"{\"event\":\"host leave\",\"group\":\"239.1.1.1\",\"host\":\"10.0.1.11\"}",
         "239.1.1.1: 10.0.1.11 left, others remain"},
	{"{\"event\":\"leaving\",\"group\":\"239.1.1.1\",\"host\":\"10.0.1.10\"}",
         "239.1.1.1: 10.0.1.10 left, asking others"},
	{"{\"event\":\"leave\",\"group\":\"239.1.1.1\",\"mode\":\"EXCLUDE\",\"host\":\"10.0.1.10\"}",
         "239.1.1.1: 10.0.1.10 left"},
	{"{\"event\":\"leave\",\"group\":\"239.1.1.1\",\"mode\":\"EXCLUDE\",\"host\":null}",
         "239.1.1.1: no members remain"},
	{"{\"event\":\"filter\",\"group\":\"239.1.1.1\",\"before\":\"EXCLUDE\",\"mode\":\"INCLUDE\","
         "\"sources\":2}",
         "239.1.1.1: wanted from 2 sources now"},
	{"{\"event\":\"query\",\"link\":\"eth1\",\"family\":\"IPv4\",\"sources\":0}",
         "eth1: general IGMP query sent"},
	{"{\"event\":\"query\",\"link\":\"eth1\",\"family\":\"IPv6\",\"sources\":0}",
         "eth1: general MLD query sent"},
	{"{\"event\":\"query\",\"link\":\"eth1\",\"group\":\"239.1.1.1\",\"sources\":0}",
         "eth1: 239.1.1.1: query sent"},
	{"{\"event\":\"query\",\"link\":\"eth1\",\"group\":\"239.1.1.1\",\"sources\":2}",
         "eth1: 239.1.1.1: query sent about 2 sources"},
	{"{\"event\":\"upstream\",\"group\":\"239.1.1.1\",\"mode\":\"EXCLUDE\",\"sources\":0}",
         "239.1.1.1: upstream: joined (any source)"},
	{"{\"event\":\"upstream\",\"group\":\"239.1.1.1\",\"mode\":\"INCLUDE\",\"sources\":0}",
         "239.1.1.1: upstream: left"},
	{"{\"event\":\"source\",\"source\":\"10.0.0.1\"}", "source 10.0.0.1 appeared"},
	{"{\"event\":\"source moved\",\"source\":\"10.0.0.1\"}", "source 10.0.0.1 arrives here now"},
	{"{\"event\":\"source gone\",\"source\":\"10.0.0.1\"}", "source 10.0.0.1 is gone"},
	{"{\"event\":\"route\",\"source\":\"10.0.0.1\",\"outputs\":[\"eth1\",\"eth2\"]}",
         "source 10.0.0.1 goes to eth1 eth2"},
	{"{\"event\":\"route\",\"source\":\"10.0.0.1\",\"outputs\":[]}",
         "source 10.0.0.1 goes nowhere (unwanted)"},
	{"{\"event\":\"older "
         "query\",\"querier\":\"10.0.0.1\",\"heard\":\"IGMPv2\",\"configured\":\"IGMPv3\"}",
         "IGMPv2 querier 10.0.0.1 on a link configured for IGMPv3"},
	{"{\"event\":\"drop\",\"cause\":\"bad checksum\",\"count\":8}", "dropped: bad checksum (8 so far)"},
	{"{\"event\":\"denied\",\"link\":\"eth1\",\"group\":\"239.1.1.1\",\"host\":\"10.0.1.7\",\"line\":12}",
         "eth1: 239.1.1.1: join of 10.0.1.7 denied by the filter rule in line 12"},
	{"{\"event\":\"denied\",\"link\":\"eth1\",\"group\":\"ff3e::1\",\"host\":\"fe80::7\",\"line\":0}",
         "eth1: ff3e::1: join of fe80::7 denied by a filter"},
	{"{\"event\":\"lost\",\"count\":1}", "1 event was lost because they came too fast"},
	{"{\"event\":\"lost\",\"count\":5}", "5 events were lost because they came too fast"},
	{"{\"event\":\"of a later version\"}", "of a later version"},
	{"{}", ""},
	{"{\"event\":\"route\"}", "source  goes nowhere (unwanted)"},
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
