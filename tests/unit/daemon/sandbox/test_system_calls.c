/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/sandbox/system_calls.h"

#include "daemon/sandbox/privileges.h"

#include "support/child.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

/* The errno with which a call ends, 0: success. Descriptors are closed. */
static int outcome_of_fd(int fd)
{
	int error = errno;

	if (fd < 0)
		return error;
	close(fd);
	return 0;
}

static int outcome_of_map(int protection)
{
	void *memory = mmap(NULL, 4096, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return memory == MAP_FAILED ? errno : munmap(memory, 4096) == 0 ? 0 : errno;
}

static int outcome_of_protect(int protection)
{
	void *memory = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int result = mprotect(memory, 4096, protection) == 0 ? 0 : errno;

	munmap(memory, 4096);
	return result;
}

#define OUTCOME(call) ((call) < 0 ? errno : 0)

static int map_writable(void)
{
	return outcome_of_map(PROT_READ | PROT_WRITE);
}

static int map_executable(void)
{
	return outcome_of_map(PROT_READ | PROT_EXEC);
}

static int protect_readable(void)
{
	return outcome_of_protect(PROT_READ);
}

static int protect_executable(void)
{
	return outcome_of_protect(PROT_READ | PROT_EXEC);
}

static int write_nothing(void)
{
	return OUTCOME(write(STDERR_FILENO, "", 0));
}

static int signal_own_thread(void)
{
	return OUTCOME(syscall(SYS_tgkill, getpid(), syscall(SYS_gettid), 0));
}

static int signal_parent(void)
{
	return OUTCOME(syscall(SYS_tgkill, getppid(), getppid(), 0));
}

static int kill_parent(void)
{
	return OUTCOME(kill(getppid(), 0));
}

static int execute(void)
{
	char *const arguments[] = {(char[]){"true"}, NULL};

	return OUTCOME(execve("/bin/true", arguments, NULL));
}

static int fork_process(void)
{
	pid_t child = fork();

	if (child == 0)
		_exit(0);
	return OUTCOME(child);
}

static int enter_namespace(void)
{
	return OUTCOME(unshare(CLONE_NEWUSER));
}

static int trace(void)
{
	return OUTCOME(ptrace(PTRACE_ATTACH, getppid(), NULL, NULL));
}

static int use_bpf(void)
{
	return OUTCOME(syscall(SYS_bpf, 0, NULL, 0));
}

static int use_keys(void)
{
	return OUTCOME(syscall(SYS_keyctl, 0, 0, 0, 0, 0));
}

static int mount_file_system(void)
{
	return OUTCOME(syscall(SYS_mount, "none", "/", "tmpfs", 0, NULL));
}

static int open_file(void)
{
	return outcome_of_fd(open("/dev/null", O_WRONLY | O_CLOEXEC));
}

static int socket_join(void)
{
	return outcome_of_fd(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
}

static int socket_join6(void)
{
	return outcome_of_fd(socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
}

static int socket_unix(void)
{
	return outcome_of_fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
}

static int socket_netlink(void)
{
	return outcome_of_fd(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, 0));
}

static int socket_tcp(void)
{
	return outcome_of_fd(socket(AF_INET, SOCK_STREAM, 0));
}

static int socket_tcp6(void)
{
	return outcome_of_fd(socket(AF_INET6, SOCK_STREAM, 0));
}

static int socket_netfilter(void)
{
	return outcome_of_fd(socket(AF_NETLINK, SOCK_RAW, 12));
}

static int socket_raw_udp(void)
{
	return outcome_of_fd(socket(AF_INET, SOCK_RAW, IPPROTO_UDP));
}

static int socket_packet_raw(void)
{
	return outcome_of_fd(socket(AF_PACKET, SOCK_RAW, 0));
}

static int socket_vsock(void)
{
	return outcome_of_fd(socket(AF_VSOCK, SOCK_STREAM, 0));
}

static int count_unread(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	int unread, error;

	if (fd < 0)
		return errno;
	error = OUTCOME(ioctl(fd, SIOCOUTQ, &unread));
	close(fd);
	return error;
}

static int type_into_terminal(void)
{
	return OUTCOME(ioctl(STDERR_FILENO, TIOCSTI, "x"));
}

static int receive_signals_elsewhere(void)
{
	return OUTCOME(fcntl(STDERR_FILENO, F_SETOWN, getppid()));
}

static int limit_parent(void)
{
	return OUTCOME(syscall(SYS_prlimit64, getppid(), 0, NULL, NULL));
}

static void *nothing(void *argument)
{
	return argument;
}

static int start_thread(void)
{
	pthread_t thread;
	int result = pthread_create(&thread, NULL, nothing, NULL);

	return result != 0 ? result : pthread_join(thread, NULL);
}

struct attempt {
	const char *name;
	int (*run)(void);
	bool worker, owner; /* which filter allows it */
};

#define ATTEMPT(name, worker, owner)                                                                         \
	{                                                                                                    \
#name, name, worker, owner                                                                   \
	}

static const struct attempt attempts[] = {
	ATTEMPT(map_writable, true, true),
	ATTEMPT(protect_readable, true, true),
	ATTEMPT(write_nothing, true, true),
	ATTEMPT(signal_own_thread, true, true),
	ATTEMPT(open_file, false, true),
	ATTEMPT(start_thread, false, true),
	ATTEMPT(socket_join, false, true),
	ATTEMPT(socket_join6, false, true),
	ATTEMPT(socket_unix, false, true),
	ATTEMPT(socket_netlink, false, true),
	ATTEMPT(count_unread, false, true),
	ATTEMPT(map_executable, false, false),
	ATTEMPT(protect_executable, false, false),
	ATTEMPT(signal_parent, false, false),
	ATTEMPT(kill_parent, false, false),
	ATTEMPT(execute, false, false),
	ATTEMPT(fork_process, false, false),
	ATTEMPT(enter_namespace, false, false),
	ATTEMPT(trace, false, false),
	ATTEMPT(use_bpf, false, false),
	ATTEMPT(use_keys, false, false),
	ATTEMPT(mount_file_system, false, false),
	ATTEMPT(socket_tcp, false, false),
	ATTEMPT(socket_tcp6, false, false),
	ATTEMPT(socket_netfilter, false, false),
	ATTEMPT(socket_raw_udp, false, false),
	ATTEMPT(socket_packet_raw, false, false),
	ATTEMPT(socket_vsock, false, false),
	ATTEMPT(type_into_terminal, false, false),
	ATTEMPT(receive_signals_elsewhere, false, false),
	ATTEMPT(limit_parent, false, false),
};

#define ATTEMPTS (sizeof attempts / sizeof attempts[0])

/* The number of attempts with another outcome than expected, each with a line. */
static int count_wrong(bool worker)
{
	int wrong = 0;

	for (size_t i = 0; i < ATTEMPTS; i++) {
		bool allowed = worker ? attempts[i].worker : attempts[i].owner;
		int error = attempts[i].run();

		/* A refused start of a thread fails as the C library says. */
		if ((error == 0) == allowed && (allowed || error == EPERM || attempts[i].run == start_thread))
			continue;
		fprintf(stderr, "%s: %s\n", attempts[i].name, strerror(error));
		wrong++;
	}
	return wrong;
}

static void *run_worker(void *argument)
{
	*(int *)argument = system_calls_limit_worker() != 0 ? 100 : count_wrong(true);
	return NULL;
}

static int run_process(void)
{
	return system_calls_limit_process() != 0 ? 100 : count_wrong(false);
}

/* The worker's filter stands behind that of the process, as in the daemon. */
static int run_process_with_worker(void)
{
	pthread_t thread;
	int wrong = 100;

	if (privileges_keep(PRIVILEGES_FILES) != 0 || system_calls_limit_process() != 0 ||
	    pthread_create(&thread, NULL, run_worker, &wrong) != 0 || pthread_join(thread, NULL) != 0)
		return 101;
	return wrong;
}

static void test_process(void **state)
{
	(void)state;
#if !defined(MCPROXY_SECCOMP)
	skip();
#endif
	expect_child(run_process);
}

static void test_worker(void **state)
{
	(void)state;
#if !defined(MCPROXY_SECCOMP)
	skip();
#endif
	expect_child(run_process_with_worker);
}

/* Other threads keep what a worker gives up. */
static void *confined(void *argument)
{
	*(int *)argument = system_calls_limit_worker();
	return NULL;
}

static void test_worker_alone(void **state)
{
	pthread_t thread;
	int result = 1;

	(void)state;
	assert_int_equal(pthread_create(&thread, NULL, confined, &result), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
#if defined(MCPROXY_SECCOMP)
	assert_int_equal(result, 0);
#else
	assert_int_equal(result, -ENOPKG);
#endif
	assert_int_equal(socket_tcp(), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_process),
		cmocka_unit_test(test_worker),
		cmocka_unit_test(test_worker_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
