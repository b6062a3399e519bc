/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Programs of the system: what they write, and how they fail.
 */
#include "ctl/client/program.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static char *run(const char *script, unsigned milliseconds, int *error)
{
	const char *const arguments[] = {"sh", "-c", script, NULL};

	return program_output(arguments, milliseconds, error);
}

static void output_is_kept_whole(void **state)
{
	int error;
	char *text = run("printf hello; echo lost >&2", 20000, &error);

	(void)state;
	assert_string_equal(text, "hello");
	assert_int_equal(error, 0);
	free(text);
	text = run("head -c 300000 /dev/zero | tr '\\0' x", 20000, &error);
	assert_int_equal(strlen(text), 300000);
	free(text);
	text = run(":", 20000, &error);
	assert_string_equal(text, "");
	free(text);
}

static void failures_are_reported(void **state)
{
	const char *const missing[] = {"mcproxy-no-such-program", NULL};
	int error;

	(void)state;
	assert_null(program_output(missing, 1000, &error));
	assert_int_equal(error, ENOENT);
	assert_null(run("echo half; exit 1", 20000, &error));
	assert_int_equal(error, EIO);
	assert_null(run("exec sleep 60", 50, &error));
	assert_int_equal(error, ETIMEDOUT);
	assert_null(run("exec cat /dev/zero", 60000, &error));
	assert_int_equal(error, ENOMEM);
}

static void a_report_has_messages_and_the_status(void **state)
{
	const char *const failing[] = {"/bin/sh", "-c", "printf out; printf error >&2; exit 78", NULL};
	const char *const killed[] = {"sh", "-c", "kill -9 $$", NULL};
	const char *const missing[] = {"/nowhere/mcproxy", NULL};
	int status = 0, error;
	char *text = program_report(failing, 20000, &status, &error);

	(void)state;
	assert_string_equal(text, "outerror");
	assert_int_equal(status, 78);
	free(text);
	assert_null(program_report(killed, 20000, &status, &error));
	assert_int_equal(error, EIO);
	assert_null(program_report(missing, 20000, &status, &error));
	assert_int_equal(error, ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(output_is_kept_whole),
		cmocka_unit_test(failures_are_reported),
		cmocka_unit_test(a_report_has_messages_and_the_status),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
