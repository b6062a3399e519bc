/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The rule that stops a stream or a join, as `explain` names it.
 */
#include "ctl/diagnosis/path_packets.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "support/craft.h"
#include "support/quoted_json.h"

#define LINK(name, role, family)                                                                             \
	"{'instance': 'tv', 'link': '" name "', 'role': '" role "', 'family': '" family "', 'usable': true}"
#define LINKS(family)                                                                                        \
	"[" LINK("eth0", "upstream", family) "," LINK("eth1", "downstream",                                  \
	                                              family) "," LINK("eth2", "downstream", family) "]"
#define RULE(link, direction, line, text)                                                                    \
	"{'instance': 'tv', 'link': '" link "', 'direction': '" direction "', 'file': '/c', 'line': " line   \
	", 'rule': '" text "'}"
#define SETS                                                                                                 \
	"[{'name': 'tv', 'built_in': false, 'members': ['239.1.0.0/16', 'ff3e::/32']},"                      \
	"{'name': 'guests', 'built_in': false, 'members': ['10.0.1.0/24', 'fe80::7', '52:54:00:aa:bb:cc']}]"
#define OUT_OF_ETH1(text) "[" RULE("eth1", "out", "4", text) "]"

static const struct {
	const char *filters, *group, *source, *host, *link;
	bool good;
	const char *text; /* of the step; NULL: there is none */
} rows[] = {
	{"[]", "239.1.1.1", NULL, NULL, NULL, true, NULL},
	{OUT_OF_ETH1("allow tv"), "239.1.1.1", NULL, NULL, NULL, true, NULL},
	{"[" RULE("eth0", "in", "3", "deny tv") "]", "239.1.1.1", NULL, NULL, NULL, false,
         "filter_in of eth0 denies the group: /c:3: deny tv"},
	{"[" RULE("eth0", "in", "3", "deny tv") "]", "ff3e::1", NULL, NULL, NULL, false,
         "filter_in of eth0 denies the group: /c:3: deny tv"},
	{"[" RULE("eth0", "in", "null", "deny discovery") "]", "239.255.255.250", NULL, NULL, NULL, false,
         "filter_in of eth0 denies the group: built in: deny discovery"},
	{OUT_OF_ETH1("deny tv"), "239.1.1.1", NULL, NULL, NULL, true,
         "filter_out of eth1 denies the group: /c:4: deny tv; the filters of other links allow it"},
	{OUT_OF_ETH1("deny tv"), "239.1.1.1", NULL, NULL, "eth1", false,
         "filter_out of eth1 denies the group: /c:4: deny tv"},
	{OUT_OF_ETH1("deny tv"), "239.1.1.1", NULL, NULL, "eth2", true, NULL},
	{OUT_OF_ETH1("deny tv from 10.9.0.0/16"), "239.1.1.1", NULL, NULL, "eth1", true,
         "filter_out of eth1 denies some sources of the group: /c:4: deny tv from 10.9.0.0/16; others are "
         "allowed"},
	{OUT_OF_ETH1("deny tv from 10.9.0.0/16"), "239.1.1.1", "10.9.1.1", NULL, "eth1", false,
         "filter_out of eth1 denies the group: /c:4: deny tv from 10.9.0.0/16"},
	{OUT_OF_ETH1("deny tv from 10.9.0.0/16"), "239.1.1.1", "10.8.1.1", NULL, "eth1", true, NULL},
	{OUT_OF_ETH1("deny tv by guests"), "239.1.1.1", NULL, "10.0.1.9", "eth1", false,
         "filter_out of eth1 denies the host's join: /c:4: deny tv by guests"},
	{OUT_OF_ETH1("deny tv by guests"), "ff3e::1", NULL, "fe80::7", "eth1", false,
         "filter_out of eth1 denies the host's join: /c:4: deny tv by guests"},
	{OUT_OF_ETH1("deny tv by guests"), "239.1.1.1", NULL, "52:54:00:AA:BB:CC", "eth1", false,
         "filter_out of eth1 denies the host's join: /c:4: deny tv by guests"},
	{OUT_OF_ETH1("deny tv by guests"), "239.1.1.1", NULL, "10.0.2.9", "eth1", true, NULL},
	{OUT_OF_ETH1("deny tv by guests"), "239.1.1.1", NULL, NULL, "eth1", true,
         "the filters allow it, but rules with `by` depend on the host: add --host ADDRESS"},
	{OUT_OF_ETH1("deny tv by guests"), "239.2.1.1", NULL, NULL, "eth1", true, NULL},
	{OUT_OF_ETH1("deny tv in eth9"), "239.1.1.1", NULL, NULL, "eth1", true, NULL},
	{OUT_OF_ETH1("deny tv in eth*"), "239.1.1.1", NULL, NULL, "eth1", false,
         "filter_out of eth1 denies the group: /c:4: deny tv in eth*"},
};

static void the_rule_is_named(void **state)
{
	(void)state;
	for (size_t i = 0; i < LENGTH(rows); i++) {
		struct stream_facts stream = {
			.group = addr_of(rows[i].group),
			.has_source = rows[i].source != NULL,
			.wanted_link = rows[i].link,
			.host = rows[i].host,
			.instance = "tv",
			.links = json(strchr(rows[i].group, ':') != NULL ? LINKS("IPv6") : LINKS("IPv4")),
			.groups = json("[]"),
			.filters = json(rows[i].filters),
			.sets = json(SETS),
		};
		struct steps steps = {.count = 0};

		if (stream.has_source)
			stream.source = addr_of(rows[i].source);
		assert_int_equal(path_follow_rules(&stream, &steps), rows[i].good);
		assert_int_equal(steps.count, rows[i].text != NULL);
		if (rows[i].text != NULL)
			assert_string_equal(steps.list[0].text, rows[i].text);
		json_object_put(stream.links);
		json_object_put(stream.groups);
		json_object_put(stream.filters);
		json_object_put(stream.sets);
	}
}

static void nothing_is_known(void **state)
{
	struct stream_facts stream = {.instance = "tv"};
	struct steps steps = {.count = 0};

	(void)state;
	assert_true(path_follow_rules(&stream, &steps));
	assert_int_equal(steps.count, 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_rule_is_named),
		cmocka_unit_test(nothing_is_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
