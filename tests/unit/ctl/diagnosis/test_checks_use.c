/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What doctor finds while the daemon does not answer, and what it only notes.
 */
#include "ctl/diagnosis/checks.h"
#include "ctl/diagnosis/doctor.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct machine *machine;
static struct findings *findings;

static int begin(void **state)
{
	(void)state;
	machine = calloc(1, sizeof *machine);
	findings = calloc(1, sizeof *findings);
	return machine == NULL || findings == NULL;
}

static int end(void **state)
{
	(void)state;
	json_object_put(machine->daemon.memberships);
	free(machine);
	free(findings);
	return 0;
}

static void set_file(const char *text, bool valid)
{
	static char copy[256];

	snprintf(copy, sizeof copy, "%s", text);
	machine->file = (struct config_file){.path = "/etc/mcproxy.conf", .valid = valid, .text = copy};
}

static void an_invalid_file_is_what_the_daemon_says(void **state)
{
	static const struct {
		const char *text, *what;
	} rows[] = {
		{"/etc/mcproxy.conf: no instances; write some\n", "no instances; write some"},
		{"/etc/mcproxy.conf:7: robustnes: unknown option\n",
	         "/etc/mcproxy.conf:7: robustnes: unknown option"},
		{"", ""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		*findings = (struct findings){0};
		set_file(rows[i].text, false);
		check_file(machine, findings);
		assert_int_equal(findings->count, 1);
		assert_string_equal(findings->list[0].subject, "/etc/mcproxy.conf");
		assert_string_equal(findings->list[0].what, rows[i].what);
	}
}

static void notes_of_a_valid_file_are_findings(void **state)
{
	(void)state;
	set_file(
		"/etc/mcproxy.conf: 1 instance, configuration is valid\nnote: eth7: there is none\nnote: eth8: nor here\n",
		true);
	check_file(machine, findings);
	assert_int_equal(findings->count, 2);
	assert_string_equal(findings->list[0].subject, "eth7");
	assert_string_equal(findings->list[0].what, "there is none");
	assert_string_equal(findings->list[1].subject, "eth8");
	assert_string_equal(findings->list[1].what, "nor here");
}

static void a_file_that_cannot_be_judged_is_skipped(void **state)
{
	(void)state;
	machine->file = (struct config_file){.path = "/etc/mcproxy.conf", .why = "there is no mcproxy"};
	check_file(machine, findings);
	assert_int_equal(findings->count, 0);
	assert_string_equal(findings->skipped_why[0], "there is no mcproxy");
}

static void a_daemon_that_is_closed_or_silent_is_not_to_be_started(void **state)
{
	static const enum session_problem_kind kinds[] = {SESSION_DENIED, SESSION_SILENT};

	(void)state;
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
		*findings = (struct findings){0};
		machine->daemon.problem =
			(struct session_problem){.kind = kinds[i], .what = "what", .remedy = "help"};
		check_owner(machine, findings);
		assert_int_equal(findings->count, 1);
		assert_string_equal(findings->list[0].what, "what");
		assert_string_equal(findings->list[0].remedy, "help");
	}
}

static void with_an_invalid_file_the_daemon_is_not_started_yet(void **state)
{
	(void)state;
	machine->daemon.problem.kind = SESSION_ABSENT;
	check_owner(machine, findings);
	assert_non_null(strstr(findings->list[0].remedy, "start it: "));
	assert_null(strstr(findings->list[0].remedy, "correct"));
	*findings = (struct findings){0};
	set_file("/etc/mcproxy.conf: no\n", false);
	check_owner(machine, findings);
	assert_non_null(strstr(findings->list[0].remedy, "correct its configuration file first"));
}

static void discovery_groups_are_notes(void **state)
{
	(void)state;
	machine->daemon.memberships = json_tokener_parse("[{\"link\":\"eth0\",\"group\":\"239.255.255.250\"},"
	                                                 "{\"link\":\"eth0\",\"group\":\"239.1.1.1\"},"
	                                                 "{\"link\":\"eth0\",\"group\":\"?\"}]");
	check_discovery(machine, findings);
	assert_int_equal(findings->count, 1);
	assert_int_equal(findings_problems(findings), 0);
	assert_string_equal(findings->list[0].what,
	                    "239.255.255.250 is joined upstream: SSDP (UPnP) and WS-Discovery");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(an_invalid_file_is_what_the_daemon_says, begin, end),
		cmocka_unit_test_setup_teardown(notes_of_a_valid_file_are_findings, begin, end),
		cmocka_unit_test_setup_teardown(a_file_that_cannot_be_judged_is_skipped, begin, end),
		cmocka_unit_test_setup_teardown(a_daemon_that_is_closed_or_silent_is_not_to_be_started, begin,
	                                        end),
		cmocka_unit_test_setup_teardown(with_an_invalid_file_the_daemon_is_not_started_yet, begin,
	                                        end),
		cmocka_unit_test_setup_teardown(discovery_groups_are_notes, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
