/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/worker/sandbox.h"

#include <errno.h>
#include <linux/capability.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

struct outcome {
	int result;
	int socket_errno; /* 0: a socket could be made */
	uint32_t capabilities;
	bool wrote;
	int pipe[2];
};

static int try_socket(void)
{
	int fd = socket(AF_INET, SOCK_DGRAM, 0), error = errno;

	if (fd < 0)
		return error;
	close(fd);
	return 0;
}

static uint32_t effective_capabilities(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2] = {0};

	assert_int_equal(syscall(SYS_capget, &header, data), 0);
	return data[0].effective;
}

static void *confined(void *argument)
{
	struct outcome *outcome = argument;
	void *memory;

	outcome->result = sandbox_worker();
	outcome->socket_errno = try_socket();
	outcome->wrote = write(outcome->pipe[1], "x", 1) == 1;
	memory = malloc((size_t)1 << 22);
	outcome->wrote = outcome->wrote && memory != NULL;
	free(memory);
	return NULL;
}

/* What a worker does goes on, what it never does is refused, and other threads notice nothing. */
static void test_worker(void **state)
{
	struct outcome outcome = {0};
	pthread_t thread;
	uint32_t before = effective_capabilities();

	(void)state;
	assert_int_equal(pipe(outcome.pipe), 0);
	assert_int_equal(pthread_create(&thread, NULL, confined, &outcome), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(outcome.result, 0);
	assert_true(outcome.wrote);
#ifdef MCPROXY_SECCOMP
	assert_int_equal(outcome.socket_errno, EPERM);
#endif
	assert_int_equal(try_socket(), 0);
	assert_int_equal(effective_capabilities(), before);
	close(outcome.pipe[0]);
	close(outcome.pipe[1]);
}

static void test_process(void **state)
{
	uint32_t before = effective_capabilities(), after;

	(void)state;
	assert_int_equal(sandbox_process(), 0);
	after = effective_capabilities();
	assert_int_equal(after & ~before, 0);
	assert_int_equal(after & 1U << CAP_NET_ADMIN, before & 1U << CAP_NET_ADMIN);
#ifdef MCPROXY_CAPNG
	assert_int_equal(after & 1U << CAP_SYS_MODULE, 0);
#endif
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_worker),
		cmocka_unit_test(test_process),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
