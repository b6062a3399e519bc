/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Configurations of other proxies are named, with the instance in this program's form; a mistake in a configuration
 * of this program is not taken for one.
 */
#include "daemon/config/foreign.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define WRITE(program, instance)                                                                             \
	"this is the syntax of " program                                                                     \
	"; convert it with mcproxyctl convert, or write: instances = ( \"" instance "\" );"
#define DEVICES(program)                                                                                     \
	"this is the syntax of " program                                                                     \
	"; convert it with mcproxyctl convert, or write, with the names of interfaces: instances = ( \"eth0 ==> eth1\" );"

static void each_program_is_named(void **state)
{
	static const struct {
		const char *text;
		unsigned line;
		const char *hint;
	} rows[] = {
		{"quickleave\n\nphyint eth0 upstream ratelimit 0 threshold 1\n\taltnet 10.0.0.0/8\n"
	         "phyint br-lan downstream  ratelimit 0 threshold 1\nphyint lo disabled\n",
	         3, WRITE("igmpproxy", "eth0 ==> br-lan")},
		{"phyint eth0.35 upstream\nphyint eth1 downstream\nphyint eth2 downstream\n", 1,
	         WRITE("igmpproxy", "eth0.35 ==> eth1 eth2")},
		{"phyint eth0\n", 1, DEVICES("igmpproxy")},
		{"# improxy\nigmp enable version 3\nmld disable\nupstream ppp0\ndownstream eth1 # hosts\ndownstream eth2\n"
	         "quickleave enable\n",
	         2, WRITE("improxy", "ppp0 ==> eth1 eth2")},
		{"upstream ppp0\ndownstream eth1\nmld enable version 2\n", 3,
	         WRITE("improxy", "ppp0 ==> eth1")},
		{"protocol IGMPv3;\npinstance main: eth0 ==> eth1;\n", 2,
	         WRITE("mcproxy 1.1", "eth0 ==> eth1")},
		{"protocol MLDv2; PINSTANCE main(3): \"eth0.2\" tun0 ==> \"vlan-1\";\n", 1,
	         WRITE("mcproxy 1.1", "eth0.2 tun0 ==> vlan-1")},
		{"table allowed {\n (239.1.0.0/16 | *)\n};\npinstance a: ==> eth1;\n"
	         "pinstance a downstream eth1 in whitelist table allowed;\n",
	         4, WRITE("mcproxy 1.1", "==> eth1")},
		{"config proxy\n\toption scope 'global'\n\toption uplink 'wan'\n\tlist downlink 'lan'\n", 1,
	         DEVICES("omcproxy (UCI)")},
		{"#!/bin/sh\nomcproxy -v eth0,eth1,eth2,scope=admin\n", 2,
	         WRITE("omcproxy", "eth0 ==> eth1 eth2")},
		{"config igmpproxy\n\toption quickleave 1\n", 1, DEVICES("igmpproxy (UCI)")},
		{"config mcproxy 'mcproxy'\n\toption disabled '0'\n", 1,
	         "this is OpenWrt's UCI file /etc/config/mcproxy, which only /etc/init.d/mcproxy reads; start that"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char hint[256] = "";

		assert_int_equal(config_foreign_explain(rows[i].text, hint, sizeof hint), rows[i].line);
		assert_string_equal(hint, rows[i].hint);
	}
}

static void mistakes_in_own_files_are_no_other_syntax(void **state)
{
	static const char *const texts[] = {
		"",
		"instances = ( \"eth0 ==> eth1\" ;",
		"instances = ( { upstream \"eth0\"; downstream = \"eth1\"; } );",
		"instances = ( { upstream = \"eth0\"; downstream: \"eth1\"; } ) robustness",
		"# phyint eth0 upstream\nprotocol = IGMPv3;",
		"protocol IGMPv3\neth0 eth1\n",
		"table = own;",
		"user = \"phyint\"\ngroup = \"pinstance x\"",
		"phyint = \"eth0 upstream\"; config = 3;",
		"igmp\nenable\n",
		"\"pinstance a: b ==> c\"",
	};

	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		char hint[256] = "";

		assert_int_equal(config_foreign_explain(texts[i], hint, sizeof hint), 0);
		assert_string_equal(hint, "");
	}
}

static void names_that_do_not_fit_are_left_out(void **state)
{
	char text[2048] = "phyint eth0 upstream\n", hint[256] = "";

	(void)state;
	for (int i = 0; i < 60; i++)
		strcat(text, "phyint ethernet-12345 downstream\n");
	assert_int_equal(config_foreign_explain(text, hint, sizeof hint), 1);
	assert_string_equal(hint, DEVICES("igmpproxy"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_program_is_named),
		cmocka_unit_test(mistakes_in_own_files_are_no_other_syntax),
		cmocka_unit_test(names_that_do_not_fit_are_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
