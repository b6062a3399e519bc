/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The configuration lines of the startup guide.
 */
#include "support/config_file.h"

static void shapes(void **state)
{
	static const struct {
		const char *text, *shape;
	} rows[] = {
		{"eth0 ==> eth1", "eth0: eth0 ==> eth1"},
		/* The scenarios of the guide, indented as they are there. */
		{" protocol IGMPv2\n eth0 ==> eth1\n", "eth0: eth0 ==> eth1"},
		{" protocol MLDv1\n eth0 ==> eth1\n", "eth0: eth0 ==> eth1"},
		{"protocol IGMPv1\neth0 ==> eth1 tun0\neth2 ==> eth3\n",
	         "eth0: eth0 ==> eth1 tun0; eth2: eth2 ==> eth3"},
		{"# all\n\n\teth0\t==>  eth1  # one\r\n   \n#\nprotocol IGMPv2# two\n",
	         "eth0: eth0 ==> eth1"},
		{"protocol IGMPv2;\neth0 ==> eth1;\neth2 ==> eth3 ; # x\n;\n",
	         "eth0: eth0 ==> eth1; eth2: eth2 ==> eth3"},
		/* A querier only. */
		{"==> eth8\neth0 ==> eth1\n ==> eth9 eth7;\n",
	         "eth8: ==> eth8; eth0: eth0 ==> eth1; eth9: ==> eth9 eth7"},
		{"ppp* ==> wlan[0-3] tap?", "ppp*: ppp* ==> wlan[0-3] tap?"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_shape(rows[i].text, rows[i].shape);
}

static void protocols(void **state)
{
	static const struct {
		const char *text;
		enum version ipv4, ipv6;
	} rows[] = {
		{"eth0 ==> eth1\neth2 ==> eth3", VERSION_2, VERSION_NONE},
		{"protocol IGMPv1\neth0 ==> eth1\neth2 ==> eth3", VERSION_1, VERSION_NONE},
		{"eth0 ==> eth1\nprotocol IGMPv3 # for both\neth2 ==> eth3", VERSION_3, VERSION_NONE},
		{"eth0 ==> eth1\neth2 ==> eth3\n  protocol   MLDv1  ;", VERSION_NONE, VERSION_2},
		{"protocol mldv2\neth0 ==> eth1\neth2 ==> eth3", VERSION_NONE, VERSION_3},
		{"protocol IGMPv2\neth0 ==> eth1\neth2 ==> eth3", VERSION_2, VERSION_NONE},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct config *config = load_good(rows[i].text);
		bool ipv4 = rows[i].ipv4 != VERSION_NONE;

		assert_int_equal(config->instance_count, 2);
		for (size_t j = 0; j < 2; j++)
			assert_protocols(&config->instances[j], rows[i].ipv4, ipv4, rows[i].ipv6, !ipv4);
		config_free(config);
	}
}

static void settings_are_the_defaults(void **state)
{
	struct config *config = load_good("eth0 ==> eth1");
	const struct config_instance *instance = config->instances;

	(void)state;
	assert_null(config->status_file);
	assert_int_equal(config->ring_size, 1024);
	assert_int_equal(instance->settings.routes_max, 65536);
	assert_int_equal(instance->settings.route_timeout, 180000);
	assert_int_equal(instance->settings.memory_max, 64 << 20);
	assert_int_equal(instance->downstream[0].settings.robustness, 2);
	assert_int_equal(instance->downstream[0].settings.query_interval, 125000);
	assert_int_equal(instance->downstream[0].settings.query_response_interval, 10000);
	assert_int_equal(instance->downstream[0].settings.last_member_query_interval, 1000);
	assert_int_equal(instance->upstream[0].settings.robustness, 2);
	config_free(config);
}

#define F     "test.conf:"
#define SIDES "; the two sides are written eth0 ==> eth1"
#define KNOWN "unknown; the protocols are IGMPv1, IGMPv2, IGMPv3, MLDv1, MLDv2"

static void errors(void **state)
{
	static const struct error_row rows[] = {
		{"protocol IGMPv2\n", F " no instances; the smallest configuration is: eth0 ==> eth1"},
		{"protocol", F "1: protocol: (nothing): " KNOWN},
		{"a ==> b\nprotocol ;", F "2: protocol: (nothing): " KNOWN},
		{"\nprotocol IGMPv4\na ==> b", F "2: protocol: IGMPv4: " KNOWN},
		{"\nprotocol none\na ==> b", F "2: protocol: none: " KNOWN},
		{"protocol IGMPv2 MLDv1\na ==> b", F "1: protocol: IGMPv2 MLDv1: a single protocol is "
	                                             "expected; both families: protocol = [ \"IGMPv3\", "
	                                             "\"MLDv2\" ];"},
		{"a ==> b, c", F "1: b,: a link's name cannot contain ','; blanks separate links"},
		{"protocol IGMPv3\neth0 => eth1",
	         F "2: eth0: neither a line \"protocol IGMPv2\" nor \"eth0 ==> eth1\""},
		{"protocol IGMPv2\nprotocol MLDv1\na ==> b",
	         F "2: protocol: given in line 1 already; both families need the form protocol = [ ... ]"},
		{"a ==> b\nquery_interval = 30;",
	         F "2: query_interval: settings need the full form, where links are written instances = ( "
	           "\"eth0 ==> eth1\" );"},
		{"a ==> b\nProtocol IGMPv2",
	         F "2: Protocol: neither a line \"protocol IGMPv2\" nor \"eth0 ==> eth1\""},
		{"protocol IGMPv2\neth0 eth1",
	         F "2: eth0: neither a line \"protocol IGMPv2\" nor \"eth0 ==> eth1\""},
		{"\n==>", F "2: an instance needs a downstream link, such as eth1 in \"eth0 ==> eth1\""},
		{"==> b\na ==> b", F "2: b: already a downstream link of instance b, and a link has one "
	                             "querier: remove it from one of them"},
		{"a ==>\n", F "1: an instance needs a downstream link, such as eth1 in \"eth0 ==> eth1\""},
		{"a ==> ;# b\n",
	         F "1: an instance needs a downstream link, such as eth1 in \"eth0 ==> eth1\""},
		{"a==>b", F "1: a==>b: a link's name cannot contain '='" SIDES},
		{"a ==> b ==> c", F "1: ==>: a link's name cannot contain '='" SIDES},
		{"a ==> b;;", F "1: b;: a link's name cannot contain ';'"},
		{"a b ==> c", F "1: b: only one upstream link is allowed before ==>"},
		{"a ==> @172.20.0.0/33",
	         F "1: @172.20.0.0/33: its prefix length is not a number from 0 to 32"},
		{"a ==> @lan", F "1: @lan: it is not an address, a prefix or a range"},
		{"a ==> b b", F "1: b: named twice"},
		{"a ==> b a", F "1: a: both upstream and downstream: name it on one side"},
		{"a ==> b\na ==> c", F "2: a: already the upstream of another line"},
		{"a ==> b\n# x\nc ==> d b", F "3: b: already a downstream link of instance a, and a link has "
	                                      "one querier: remove it from one of them"},
		{"a ==> b\nb ==> c",
	         F "2: b: already a downstream link of instance a, and upstream here: a link has one role"},
		{"a ==> b\nc ==> a",
	         F "2: a: already an upstream link of instance a, and downstream here: a link has one role"},
		{"instances = ( eth0 ==> eth1 );",
	         F "1: in this form the whole line is in plain quotes: instances = ( \"eth0 ==> eth1\" );"},
	};

	(void)state;
	check_errors(rows, COUNT(rows));
}

static void limits_are_reported(void **state)
{
	char text[4096] = "a ==>", error[CONFIG_ERROR_SIZE];
	size_t used = strlen(text);

	(void)state;
	for (int i = 0; i < 65; i++)
		used += (size_t)snprintf(text + used, sizeof text - used, " b%d", i);
	load_bad(text, F "1: more than 64 links");
	used = 0;
	for (int i = 0; i < 65; i++)
		used += (size_t)snprintf(text + used, sizeof text - used, "a%d ==> b%d\n", i, i);
	load_bad(text, F "65: more than 64 instances");
	/* A line far longer than any buffer. */
	memset(text, 'x', sizeof text - 1);
	memcpy(text, "a ==> ", 6);
	text[sizeof text - 1] = '\0';
	assert_null(load_text(text, error));
	assert_string_equal(error, F "1: xxxxxxxxxxxxxxxxxxxx...: longer than 63 characters");
}

static void maimed_texts_do_no_harm(void **state)
{
	static const char whole[] = "# guide\nprotocol IGMPv1 # x\r\neth0 ==> eth1 tun0 ;\neth2 ==> eth3\n";
	char text[sizeof whole], error[CONFIG_ERROR_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof whole - 1; i++) {
		memcpy(text, whole, sizeof whole);
		text[i] = '\0';
		config_free(load_text(text, error));
		memcpy(text + i, whole + i + 1, sizeof whole - i - 1);
		config_free(load_text(text, error));
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(shapes),
		cmocka_unit_test(protocols),
		cmocka_unit_test(settings_are_the_defaults),
		cmocka_unit_test(errors),
		cmocka_unit_test(limits_are_reported),
		cmocka_unit_test(maimed_texts_do_no_harm),
	};

	return cmocka_run_group_tests_name("config_legacy", tests, enter_directory, leave_directory);
}
