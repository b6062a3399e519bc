/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/owner/notify.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

static char name[64];
static int manager;

/* A service manager in the abstract namespace, which leaves no file behind. */
static int open_manager(void **state)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	socklen_t length;

	(void)state;
	snprintf(name, sizeof name, "@mcproxy-test-%d", (int)getpid());
	memcpy(address.sun_path, name, strlen(name));
	address.sun_path[0] = '\0';
	length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name));
	manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	if (bind(manager, (struct sockaddr *)&address, length) != 0)
		return -1;
	setenv("NOTIFY_SOCKET", name, 1);
	return 0;
}

static int close_manager(void **state)
{
	(void)state;
	notify_close();
	close(manager);
	unsetenv("NOTIFY_SOCKET");
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
	return 0;
}

static const char *ready(void)
{
	static char message[1024];
	ssize_t length = recv(manager, message, sizeof message - 1, 0);

	message[length > 0 ? length : 0] = '\0';
	return message;
}

static void test_messages(void **state)
{
	char text[1024];
	long long microseconds;

	(void)state;
	notify_open();
	assert_true(notify_is_open());
	assert_null(getenv("NOTIFY_SOCKET"));
	assert_true(notify_ready());
	assert_string_equal(ready(), "READY=1");
	assert_true(notify_watchdog());
	assert_string_equal(ready(), "WATCHDOG=1");
	assert_true(notify_stopping());
	assert_string_equal(ready(), "STOPPING=1");
	assert_true(notify_status("2 links in use: eth0 eth1"));
	assert_string_equal(ready(), "STATUS=2 links in use: eth0 eth1");
	assert_true(notify_reloading());
	assert_int_equal(sscanf(ready(), "RELOADING=1\nMONOTONIC_USEC=%lld", &microseconds), 1);
	assert_true(microseconds > 0);
	memset(text, 'x', sizeof text - 1);
	text[sizeof text - 1] = '\0';
	assert_true(notify_status(text));
	assert_int_equal(strlen(ready()), 511);
}

static void test_manager_that_does_not_read(void **state)
{
	int sent = 0;

	(void)state;
	notify_open();
	while (sent < 100000 && notify_watchdog())
		sent++;
	assert_in_range(sent, 1, 99999);
	while (*ready() != '\0')
		sent--;
	assert_int_equal(sent, 0);
	assert_true(notify_ready());
}

/* The socket never finds its way back, so nothing is to be tried again. */
static void test_manager_that_has_gone(void **state)
{
	(void)state;
	notify_open();
	assert_true(notify_is_open());
	close(manager);
	assert_true(notify_store(STDIN_FILENO, "mrt.ipv4.default.1"));
	assert_false(notify_is_open());
	assert_true(notify_unstore("mrt.ipv4.default.1"));
	assert_true(notify_ready());
}

static void test_no_manager(void **state)
{
	static const char *const paths[] = {NULL, "", "/", "@", "relative", "/nonexistent/mcproxy-test"};

	(void)state;
	for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
		if (paths[i] != NULL)
			setenv("NOTIFY_SOCKET", paths[i], 1);
		else
			unsetenv("NOTIFY_SOCKET");
		setenv("WATCHDOG_USEC", "1000000", 1);
		notify_open();
		assert_false(notify_is_open());
		assert_int_equal(notify_watchdog_interval(), MTIME_NEVER);
		assert_true(notify_ready());
	}
}

static void test_watchdog(void **state)
{
	char self[16];
	const struct {
		const char *interval, *pid;
		mtime expected;
	} rows[] = {
		{"30000000", NULL, 30000},    {"30000000", self, 30000}, {"30000000", "1", MTIME_NEVER},
		{NULL, self, MTIME_NEVER},    {"0", self, MTIME_NEVER},  {"soon", self, MTIME_NEVER},
		{"-5000", self, MTIME_NEVER}, {"1500", self, 1},
	};

	(void)state;
	snprintf(self, sizeof self, "%d", (int)getpid());
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		setenv("NOTIFY_SOCKET", name, 1);
		if (rows[i].interval != NULL)
			setenv("WATCHDOG_USEC", rows[i].interval, 1);
		if (rows[i].pid != NULL)
			setenv("WATCHDOG_PID", rows[i].pid, 1);
		notify_open();
		assert_int_equal(notify_watchdog_interval(), rows[i].expected);
		assert_null(getenv("WATCHDOG_USEC"));
		assert_null(getenv("WATCHDOG_PID"));
		notify_close();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_messages, open_manager, close_manager),
		cmocka_unit_test_setup_teardown(test_manager_that_does_not_read, open_manager, close_manager),
		cmocka_unit_test_setup_teardown(test_manager_that_has_gone, open_manager, close_manager),
		cmocka_unit_test_setup_teardown(test_no_manager, open_manager, close_manager),
		cmocka_unit_test_setup_teardown(test_watchdog, open_manager, close_manager),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
