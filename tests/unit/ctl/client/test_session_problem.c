/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Each way in which the daemon cannot be reached has its kind and its remedy.
 */
#include "ctl/client/session_problem.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static void each_error_has_its_kind(void **state)
{
	static const struct {
		int error;
		enum session_problem_kind kind;
		const char *remedy;
	} rows[] = {
		{ENOENT, SESSION_ABSENT, "is mcproxy running"},
		{ECONNREFUSED, SESSION_ABSENT, "is mcproxy running"},
		{EACCES, SESSION_DENIED, "run this command as root"},
		{EAGAIN, SESSION_SILENT, "the daemon is busy"},
		{ENAMETOOLONG, SESSION_ABSENT, "name another socket with --socket"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct session_problem problem;

		session_problem_connect(&problem, "/nowhere", rows[i].error);
		assert_int_equal(problem.kind, rows[i].kind);
		assert_memory_equal(problem.remedy, rows[i].remedy, strlen(rows[i].remedy));
		assert_true(problem.what[0] != '\0');
	}
}

static void a_stopped_process_is_continued(void **state)
{
	struct session_problem problem;
	char remedy[64];
	pid_t child = fork();

	(void)state;
	if (child == 0) {
		raise(SIGSTOP);
		_exit(0);
	}
	assert_int_equal(waitpid(child, NULL, WUNTRACED), child);
	session_problem_silent(&problem, child, 5);
	snprintf(remedy, sizeof remedy, "it is stopped; continue it: kill -CONT %d", (int)child);
	assert_string_equal(problem.remedy, remedy);
	assert_int_equal(problem.kind, SESSION_SILENT);
	kill(child, SIGCONT);
	waitpid(child, NULL, 0);
	session_problem_silent(&problem, 0, 5);
	assert_string_equal(problem.what, "the daemon does not answer within 5 s");
	assert_non_null(strstr(problem.remedy, "restart it"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_error_has_its_kind),
		cmocka_unit_test(a_stopped_process_is_continued),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
