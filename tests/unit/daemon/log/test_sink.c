/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/log/sink.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <syslog.h>
#include <unistd.h>

#include <cmocka.h>

static int old_stderr;
static char directory[] = "/tmp/mcproxy-test-XXXXXX";
static char socket_path[64];

/* Makes fd stderr; restore_stderr restores the real one. */
static void replace_stderr(int fd)
{
	old_stderr = dup(STDERR_FILENO);
	if (fd < 0)
		close(STDERR_FILENO);
	else
		dup2(fd, STDERR_FILENO);
}

static void restore_stderr(void)
{
	dup2(old_stderr, STDERR_FILENO);
	close(old_stderr);
}

static void log_line(int priority, const char *text)
{
	char line[256];

	snprintf(line, sizeof line, "%s", text);
	log_sink_write(priority, line);
}

/* The text of one line on a pipe; journal: the value of JOURNAL_STREAM, "" for the pipe itself. */
static void stderr_text(const char *journal, const char *text, char *out, size_t size)
{
	char stream[64];
	struct stat status;
	ssize_t length;
	int ends[2];

	assert_int_equal(pipe(ends), 0);
	assert_int_equal(fstat(ends[1], &status), 0);
	snprintf(stream, sizeof stream, "%llu:%llu", (unsigned long long)status.st_dev,
	         (unsigned long long)status.st_ino);
	if (journal != NULL)
		setenv("JOURNAL_STREAM", *journal == '\0' ? stream : journal, 1);
	replace_stderr(ends[1]);
	log_sink_open_stderr();
	log_line(LOG_WARNING, text);
	log_sink_close();
	restore_stderr();
	unsetenv("JOURNAL_STREAM");
	length = read(ends[0], out, size - 1);
	assert_true(length >= 0);
	out[length] = '\0';
	close(ends[0]);
	close(ends[1]);
}

static void test_priority_for_the_journal_only(void **state)
{
	char text[256];

	(void)state;
	stderr_text(NULL, "eth1: down", text, sizeof text);
	assert_string_equal(text, "eth1: down\n");
	stderr_text("", "eth1: down", text, sizeof text);
	assert_string_equal(text, "<4>eth1: down\n");
	stderr_text("1:2", "eth1: down", text, sizeof text);
	assert_string_equal(text, "eth1: down\n");
	stderr_text("nonsense", "eth1: down", text, sizeof text);
	assert_string_equal(text, "eth1: down\n");
}

static void test_controls_are_replaced(void **state)
{
	char text[256];

	(void)state;
	stderr_text("", "eth\n<0>1\x1b[2J\tend\x7f", text, sizeof text);
	assert_string_equal(text, "<4>eth?<0>1?[2J\tend?\n");
	stderr_text("", "\xc2\x9b[2J \x9b[2J \xe2\x80\xae=\xe2\x81\xa9 \xc3\xa9", text, sizeof text);
	assert_string_equal(text, "<4>??[2J ?[2J "
	                          "???"
	                          "=???"
	                          " \xc3\xa9\n");
}

static void test_lost_lines_are_counted(void **state)
{
	char buffer[4096] = {0}, *line;
	ssize_t length;
	int ends[2];

	(void)state;
	assert_int_equal(pipe2(ends, O_NONBLOCK), 0);
	while (write(ends[1], buffer, sizeof buffer) > 0)
		;
	replace_stderr(ends[1]);
	log_sink_open_stderr();
	log_line(LOG_INFO, "one");
	log_line(LOG_INFO, "two");
	while (read(ends[0], buffer, sizeof buffer) > 0)
		;
	log_line(LOG_INFO, "three");
	log_sink_close();
	restore_stderr();
	length = read(ends[0], buffer, sizeof buffer - 1);
	assert_true(length > 0);
	buffer[length] = '\0';
	line = buffer;
	assert_string_equal(strsep(&line, "\n"), "log: 2 lines lost, because nothing read them");
	assert_string_equal(line, "three\n");
	close(ends[0]);
	close(ends[1]);
}

static void test_who_reads_stderr(void **state)
{
	int null = open("/dev/null", O_WRONLY);
	int zero = open("/dev/zero", O_WRONLY);
	bool closed, nowhere, somewhere;

	(void)state;
	replace_stderr(-1);
	closed = log_sink_stderr_is_read();
	restore_stderr();
	replace_stderr(null);
	nowhere = log_sink_stderr_is_read();
	restore_stderr();
	replace_stderr(zero);
	somewhere = log_sink_stderr_is_read();
	restore_stderr();
	assert_false(closed);
	assert_false(nowhere);
	assert_true(somewhere);
	close(null);
	close(zero);
}

static int system_log(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);

	snprintf(address.sun_path, sizeof address.sun_path, "%s", socket_path);
	unlink(socket_path);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
	return fd;
}

static void assert_received(int fd, int priority, const char *text)
{
	char wanted[256], got[256];
	ssize_t length = recv(fd, got, sizeof got - 1, 0);

	assert_true(length > 0);
	got[length] = '\0';
	snprintf(wanted, sizeof wanted, "<%d>mcproxy[%d]: %s", LOG_DAEMON | priority, (int)getpid(), text);
	assert_string_equal(got, wanted);
}

static void test_system_log(void **state)
{
	int fd = system_log();

	(void)state;
	log_sink_open_syslog(socket_path);
	log_line(LOG_WARNING, "eth1: down");
	assert_received(fd, LOG_WARNING, "eth1: down");
	close(fd);
	log_line(LOG_INFO, "no reader");
	fd = system_log();
	log_line(LOG_INFO, "eth1: up");
	assert_received(fd, LOG_WARNING, "log: 1 lines lost, because nothing read them");
	assert_received(fd, LOG_INFO, "eth1: up");
	log_sink_close();
	close(fd);
}

/* syslog(3) would block forever. */
static void test_system_log_that_does_not_read(void **state)
{
	int fd = system_log(), lines = 0;
	char got[256];

	(void)state;
	log_sink_open_syslog(socket_path);
	for (int i = 0; i < 10000; i++)
		log_line(LOG_INFO, "flood");
	while (recv(fd, got, sizeof got, 0) > 0)
		lines++;
	assert_in_range(lines, 1, 9999);
	log_line(LOG_INFO, "after");
	snprintf(got, sizeof got, "log: %d lines lost, because nothing read them", 10000 - lines);
	assert_received(fd, LOG_WARNING, got);
	assert_received(fd, LOG_INFO, "after");
	log_sink_close();
	close(fd);
}

static int make_directory(void **state)
{
	(void)state;
	if (mkdtemp(directory) == NULL)
		return -1;
	snprintf(socket_path, sizeof socket_path, "%s/log", directory);
	return 0;
}

static int remove_directory(void **state)
{
	(void)state;
	unlink(socket_path);
	return rmdir(directory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_priority_for_the_journal_only),
		cmocka_unit_test(test_controls_are_replaced),
		cmocka_unit_test(test_lost_lines_are_counted),
		cmocka_unit_test(test_who_reads_stderr),
		cmocka_unit_test(test_system_log),
		cmocka_unit_test(test_system_log_that_does_not_read),
	};

	return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
