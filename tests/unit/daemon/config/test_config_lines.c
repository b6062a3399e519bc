/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Instances from the command line: as in a file without any setting.
 */
#include "daemon/config/config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void instances_have_the_defaults(void **state)
{
	char *lines[] = {(char[]){"eth0 ==> eth1 eth2"}, (char[]){"==> lan0"}};
	char error[CONFIG_ERROR_SIZE] = "";
	struct config *config = config_from_lines(lines, 2, error);

	(void)state;
	assert_non_null(config);
	assert_int_equal(config->instance_count, 2);
	assert_string_equal(config->instances[0].name, "eth0");
	assert_int_equal(config->instances[0].downstream_count, 2);
	assert_int_equal(config->instances[0].downstream[1].settings.version[FAMILY_IPV4], VERSION_3);
	assert_int_equal(config->instances[0].downstream[1].settings.version[FAMILY_IPV6], VERSION_3);
	assert_int_equal(config->instances[1].upstream_count, 0);
	assert_string_equal(config->control.socket, CONFIG_SOCKET);
	assert_true(config->ring_size > 0);
	config_free(config);
}

static void what_is_wrong_is_named(void **state)
{
	static const struct {
		const char *line, *expected;
	} rows[] = {
		{"eth0 ==>", "command line: an instance needs a downstream link"},
		{"eth0 ==> eth0", "command line: eth0: both upstream and downstream"},
		{"a/b ==> eth1", "command line: a/b: a link's name cannot contain '/'"},
		{"@10.0.0.1/8 ==> eth1",
	         "command line: @10.0.0.1/8: it has bits set beyond its prefix length; write the first address of the "
	         "network"},
	};
	char error[CONFIG_ERROR_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char line[64];

		strcpy(line, rows[i].line);
		assert_null(config_from_lines(&(char *){line}, 1, error));
		assert_memory_equal(error, rows[i].expected, strlen(rows[i].expected));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(instances_have_the_defaults),
		cmocka_unit_test(what_is_wrong_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
