/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/log/log.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include <cmocka.h>

static char text[8192];

/* The lines that speak writes to stderr. */
static const char *ready(void (*speak)(void), bool debug_lines)
{
	int ends[2], old = dup(STDERR_FILENO);
	ssize_t length;

	assert_int_equal(pipe2(ends, O_NONBLOCK), 0);
	dup2(ends[1], STDERR_FILENO);
	log_open(false, debug_lines);
	speak();
	log_close();
	dup2(old, STDERR_FILENO);
	close(old);
	length = read(ends[0], text, sizeof text - 1);
	text[length > 0 ? length : 0] = '\0';
	close(ends[0]);
	close(ends[1]);
	return text;
}

static void speak_each_kind(void)
{
	errno = ENODEV;
	warn("%s: vif", "eth1");
	assert_int_equal(errno, ENODEV);
	warnx("eth2: %d", 2);
	info("eth3: three");
	debug("eth4: four");
}

static void test_each_kind(void **state)
{
	(void)state;
	assert_string_equal(ready(speak_each_kind, false),
	                    "eth1: vif: No such device\neth2: 2\neth3: three\n");
	assert_string_equal(ready(speak_each_kind, true),
	                    "eth1: vif: No such device\neth2: 2\neth3: three\neth4: four\n");
}

static void speak_often(void)
{
	for (int i = 0; i < 13; i++) {
		warnx("eth1: refused");
		info("eth%d: up", i % 2);
	}
	for (int i = 0; i < 3; i++) {
		debug("eth1: query sent");
		log_answer("alive time: 1");
	}
}

static void test_repeated_lines_are_counted(void **state)
{
	(void)state;
	assert_string_equal(ready(speak_often, true), "eth1: refused\neth0: up\neth1: up\n"
	                                              "eth1: query sent\nalive time: 1\n"
	                                              "eth1: query sent\nalive time: 1\n"
	                                              "eth1: query sent\nalive time: 1\n"
	                                              "eth1: refused (repeated 12 times)\n"
	                                              "eth0: up (repeated 6 times)\n"
	                                              "eth1: up (repeated 5 times)\n");
}

static void speak_with_levels(void)
{
	assert_int_equal(log_level(), LOG_INFO);
	assert_false(log_is_debug());
	log_set_level(LOG_DEBUG);
	assert_true(log_is_debug());
	debug("eth1: one");
	log_set_level(LOG_WARNING);
	assert_int_equal(log_level(), LOG_WARNING);
	assert_false(log_is_debug());
	debug("eth1: two");
	info("eth1: three");
	warnx("eth1: four");
	log_set_level(LOG_ERR);
	warnx("eth1: five");
	log_answer("eth1: an answer");
}

static void test_level_is_set(void **state)
{
	(void)state;
	assert_string_equal(ready(speak_with_levels, false), "eth1: one\neth1: four\neth1: an answer\n");
}

static void test_closed_descriptors_are_filled(void **state)
{
	int in = dup(STDIN_FILENO), error = dup(STDERR_FILENO), fd;

	(void)state;
	close(STDIN_FILENO);
	close(STDERR_FILENO);
	log_open(false, false);
	fd = open("/dev/null", O_RDONLY);
	log_close();
	dup2(in, STDIN_FILENO);
	dup2(error, STDERR_FILENO);
	close(in);
	close(error);
	close(fd);
	assert_true(fd > STDERR_FILENO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_kind),
		cmocka_unit_test(test_repeated_lines_are_counted),
		cmocka_unit_test(test_level_is_set),
		cmocka_unit_test(test_closed_descriptors_are_filled),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
