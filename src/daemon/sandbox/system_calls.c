/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/sandbox/system_calls.h"

#include <errno.h>

#ifdef MCPROXY_SECCOMP
#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <sched.h>
#include <seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* A test build ends at a refused call, so that the tests prove the lists complete. */
#ifdef MCPROXY_SANDBOX_STRICT
#define REFUSE SCMP_ACT_KILL_PROCESS
#else
#define REFUSE SCMP_ACT_ERRNO(EPERM)
#endif

#define CHECKS_MAX 3

/* A call that is allowed if all its checks are true. */
struct checked_call {
	int call;
	unsigned count;
	struct scmp_arg_cmp checks[CHECKS_MAX];
};

/* The kernel reads an int from the low half of a register; the upper half is arbitrary. */
#define MASKED(number, mask, value)                                                                          \
	{                                                                                                    \
		number, SCMP_CMP_MASKED_EQ, mask, value                                                      \
	}
#define IS(number, value)  MASKED(number, 0xffffffff, value)
#define SOCKET_TYPE(value) MASKED(1, 0xffffffff & ~(SOCK_CLOEXEC | SOCK_NONBLOCK), value)
#define COUNT(list)        (sizeof(list) / sizeof(list)[0])

#define NAMESPACES                                                                                           \
	(CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID |        \
	 CLONE_NEWNET)
#define THREAD (CLONE_VM | CLONE_SIGHAND | CLONE_THREAD)

/* Memory of the allocator, locks, signals, the end of a thread, and what abort() needs to report why. A clock
 * is read without a system call on most machines, not on all. */
static const int thread_calls[] = {
	SCMP_SYS(read),
	SCMP_SYS(write),
	SCMP_SYS(writev),
	SCMP_SYS(close),
	SCMP_SYS(ppoll),
	SCMP_SYS(ppoll_time64),
	SCMP_SYS(recvmmsg),
	SCMP_SYS(recvmmsg_time64),
	SCMP_SYS(restart_syscall),
	SCMP_SYS(munmap),
	SCMP_SYS(mremap),
	SCMP_SYS(madvise),
	SCMP_SYS(brk),
	SCMP_SYS(futex),
	SCMP_SYS(futex_time64),
	SCMP_SYS(clock_gettime),
	SCMP_SYS(clock_gettime64),
	SCMP_SYS(gettimeofday),
	SCMP_SYS(rt_sigreturn),
	SCMP_SYS(sigreturn),
	SCMP_SYS(rt_sigprocmask),
	SCMP_SYS(rt_sigaction),
	SCMP_SYS(gettid),
	SCMP_SYS(getpid),
	SCMP_SYS(exit),
	SCMP_SYS(exit_group),
	SCMP_SYS(sched_yield),
	SCMP_SYS(set_robust_list),
	SCMP_SYS(rseq),
};

/* Memory is never executable. */
static const struct checked_call thread_checked_calls[] = {
	{SCMP_SYS(mmap), 1, {MASKED(2, PROT_EXEC, 0)}},
	{SCMP_SYS(mmap2), 1, {MASKED(2, PROT_EXEC, 0)}},
	{SCMP_SYS(mprotect), 1, {MASKED(2, PROT_EXEC, 0)}},
};

/* What the owner, and a client of the daemon that serves others, may do beside that. Landlock, not this list, decides which
 * files they reach. */
static const int process_calls[] = {
	/* a loop */
	SCMP_SYS(epoll_create1),
	SCMP_SYS(epoll_ctl),
	SCMP_SYS(epoll_wait),
	SCMP_SYS(epoll_pwait),
	SCMP_SYS(poll),
	SCMP_SYS(eventfd2),
	/* sockets that exist */
	SCMP_SYS(bind),
	SCMP_SYS(connect),
	SCMP_SYS(accept4),
	SCMP_SYS(getsockname),
	SCMP_SYS(getsockopt),
	SCMP_SYS(setsockopt),
	SCMP_SYS(send),
	SCMP_SYS(sendto),
	SCMP_SYS(sendmsg),
	SCMP_SYS(recv),
	SCMP_SYS(recvfrom),
	SCMP_SYS(recvmsg),
	/* files */
	SCMP_SYS(pread64),
	SCMP_SYS(lseek),
	SCMP_SYS(_llseek),
	SCMP_SYS(fstat),
	SCMP_SYS(fstat64),
	SCMP_SYS(stat),
	SCMP_SYS(stat64),
	SCMP_SYS(lstat),
	SCMP_SYS(lstat64),
	SCMP_SYS(newfstatat),
	SCMP_SYS(fstatat64),
	SCMP_SYS(statx),
	SCMP_SYS(access),
	SCMP_SYS(faccessat),
	SCMP_SYS(faccessat2),
	SCMP_SYS(readlink),
	SCMP_SYS(readlinkat),
	SCMP_SYS(getdents64),
	/* itself */
	SCMP_SYS(geteuid),
	SCMP_SYS(geteuid32),
	SCMP_SYS(getuid),
	SCMP_SYS(getuid32),
	SCMP_SYS(getrandom),
	SCMP_SYS(sched_getaffinity),
	SCMP_SYS(sysinfo),
	SCMP_SYS(uname),
};

/* What the owner adds. */
static const int owner_calls[] = {
	SCMP_SYS(listen),
	SCMP_SYS(sendmmsg),
	/* files: the configuration, /proc, state, status, the control socket's name */
	SCMP_SYS(readv),
	SCMP_SYS(ftruncate),
	SCMP_SYS(ftruncate64),
	SCMP_SYS(flock),
	SCMP_SYS(fsync),
	SCMP_SYS(fdatasync),
	SCMP_SYS(unlink),
	SCMP_SYS(unlinkat),
	SCMP_SYS(rename),
	SCMP_SYS(renameat),
	SCMP_SYS(renameat2),
	SCMP_SYS(mkdir),
	SCMP_SYS(mkdirat),
	SCMP_SYS(umask),
	/* itself */
	SCMP_SYS(getegid),
	SCMP_SYS(getegid32),
	SCMP_SYS(getgid),
	SCMP_SYS(getgid32),
	SCMP_SYS(getrlimit),
	SCMP_SYS(ugetrlimit),
	/* a worker gives up what the owner keeps */
	SCMP_SYS(capget),
	SCMP_SYS(capset),
	SCMP_SYS(seccomp),
};

static const struct checked_call owner_checked_calls[] = {
	/* The control socket listens again after a reload; the system logger's is a datagram socket. */
	{SCMP_SYS(socket), 2, {IS(0, AF_UNIX), SOCKET_TYPE(SOCK_STREAM)}},
	{SCMP_SYS(socket), 2, {IS(0, AF_UNIX), SOCKET_TYPE(SOCK_DGRAM)}},
	{SCMP_SYS(socket), 3, {IS(0, AF_NETLINK), SOCKET_TYPE(SOCK_RAW), IS(2, NETLINK_ROUTE)}},
	/* A link's packets; its protocol is bound after its filter is attached. */
	{SCMP_SYS(socket), 3, {IS(0, AF_PACKET), SOCKET_TYPE(SOCK_DGRAM), IS(2, 0)}},
	/* Kernel tables, and joins. */
	{SCMP_SYS(socket), 3, {IS(0, AF_INET), SOCKET_TYPE(SOCK_RAW), IS(2, IPPROTO_IGMP)}},
	{SCMP_SYS(socket), 3, {IS(0, AF_INET6), SOCKET_TYPE(SOCK_RAW), IS(2, IPPROTO_ICMPV6)}},
	{SCMP_SYS(socket), 3, {IS(0, AF_INET), SOCKET_TYPE(SOCK_DGRAM), IS(2, 0)}},
	{SCMP_SYS(socket), 3, {IS(0, AF_INET6), SOCKET_TYPE(SOCK_DGRAM), IS(2, 0)}},
	/* Of kernel tables: which vifs exist, and counters of entries (SIOCGETVIFCNT, SIOCGETSGCNT). */
	{SCMP_SYS(ioctl), 1, {IS(1, SIOCPROTOPRIVATE)}},
	{SCMP_SYS(ioctl), 1, {IS(1, SIOCPROTOPRIVATE + 1)}},
	/* No file becomes setuid or setgid, or gets another owner. Its group is that of the control socket. */
	{SCMP_SYS(open), 1, {MASKED(2, S_ISUID | S_ISGID, 0)}},
	{SCMP_SYS(openat), 1, {MASKED(3, S_ISUID | S_ISGID, 0)}},
	{SCMP_SYS(fchmod), 1, {MASKED(1, S_ISUID | S_ISGID, 0)}},
	{SCMP_SYS(fchown), 1, {IS(1, UINT32_MAX)}},
	{SCMP_SYS(fchown32), 1, {IS(1, UINT32_MAX)}},
	{SCMP_SYS(fchownat), 2, {IS(2, UINT32_MAX), IS(4, AT_EMPTY_PATH)}},
	/* How much of an answer a client of the control socket has not read. */
	{SCMP_SYS(ioctl), 1, {IS(1, SIOCOUTQ)}},
	/* What isatty() and the C library's output ask a terminal for. */
	{SCMP_SYS(ioctl), 1, {IS(1, TCGETS)}},
	{SCMP_SYS(ioctl), 1, {IS(1, TIOCGWINSZ)}},
	/* Not F_SETOWN, which sends signals. The first five are F_DUPFD, F_GETFD, F_SETFD, F_GETFL and F_SETFL. */
	{SCMP_SYS(fcntl), 1, {{1, SCMP_CMP_LE, F_SETFL, 0}}},
	{SCMP_SYS(fcntl64), 1, {{1, SCMP_CMP_LE, F_SETFL, 0}}},
	{SCMP_SYS(fcntl), 1, {IS(1, F_DUPFD_CLOEXEC)}},
	{SCMP_SYS(fcntl64), 1, {IS(1, F_DUPFD_CLOEXEC)}},
	/* Threads only. */
	{SCMP_SYS(clone), 1, {MASKED(0, THREAD | NAMESPACES, THREAD)}},
	/* Limits and priority of the process itself. */
	{SCMP_SYS(prlimit64), 1, {IS(0, 0)}},
	{SCMP_SYS(getpriority), 2, {IS(0, PRIO_PROCESS), IS(1, 0)}},
	{SCMP_SYS(setpriority), 2, {IS(0, PRIO_PROCESS), IS(1, 0)}},
	/* A worker's own filter. */
	{SCMP_SYS(prctl), 1, {IS(0, PR_SET_NO_NEW_PRIVS)}},
	{SCMP_SYS(prctl), 2, {IS(0, PR_SET_SECCOMP), IS(1, 2)}},
	{SCMP_SYS(prctl), 1, {IS(0, PR_GET_SECCOMP)}},
};

/* What a client of the daemon that serves others adds. It only reads files. */
static const int client_calls[] = {
	/* its signals, and pipes between its threads */
	SCMP_SYS(signalfd4),
	SCMP_SYS(pipe2),
	SCMP_SYS(clock_nanosleep),
	SCMP_SYS(clock_nanosleep_time64),
	SCMP_SYS(nanosleep),
	/* sockets */
	SCMP_SYS(accept),
	SCMP_SYS(shutdown),
	/* itself */
	SCMP_SYS(getgroups),
	SCMP_SYS(getgroups32),
};

static const struct checked_call client_checked_calls[] = {
	{SCMP_SYS(socket), 2, {IS(0, AF_UNIX), SOCKET_TYPE(SOCK_STREAM)}},
	{SCMP_SYS(socket), 2, {IS(0, AF_UNIX), SOCKET_TYPE(SOCK_DGRAM)}},
	{SCMP_SYS(socket), 3, {IS(0, AF_NETLINK), SOCKET_TYPE(SOCK_RAW), IS(2, NETLINK_ROUTE)}},
	{SCMP_SYS(open), 1, {MASKED(1, O_ACCMODE | O_CREAT | O_TRUNC, O_RDONLY)}},
	{SCMP_SYS(openat), 1, {MASKED(2, O_ACCMODE | O_CREAT | O_TRUNC, O_RDONLY)}},
	{SCMP_SYS(ioctl), 1, {IS(1, TCGETS)}},
	{SCMP_SYS(fcntl), 1, {{1, SCMP_CMP_LE, F_SETFL, 0}}},
	{SCMP_SYS(fcntl64), 1, {{1, SCMP_CMP_LE, F_SETFL, 0}}},
	{SCMP_SYS(clone), 1, {MASKED(0, THREAD | NAMESPACES, THREAD)}},
	{SCMP_SYS(prlimit64), 1, {IS(0, 0)}},
	{SCMP_SYS(prctl), 1, {IS(0, PR_SET_NAME)}},
};

#ifdef MCPROXY_SANDBOX_STRICT
/* Captures and traces of packets, which it tries: the answer is that it has no right to. */
static const struct checked_call client_refused_calls[] = {
	{SCMP_SYS(socket), 1, {IS(0, AF_PACKET)}},
	{SCMP_SYS(socket), 3, {IS(0, AF_NETLINK), SOCKET_TYPE(SOCK_RAW), IS(2, NETLINK_NETFILTER)}},
};
#endif

static int allow(scmp_filter_ctx filter, const int *calls, size_t count)
{
	int result = 0;

	for (size_t i = 0; result == 0 && i < count; i++)
		result = seccomp_rule_add(filter, SCMP_ACT_ALLOW, calls[i], 0);
	return result;
}

static int allow_checked(scmp_filter_ctx filter, const struct checked_call *calls, size_t count)
{
	int result = 0;

	for (size_t i = 0; result == 0 && i < count; i++)
		result = seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, calls[i].call, calls[i].count,
		                                calls[i].checks);
	return result;
}

/* What each thread may do. A signal reaches this process only. */
static int allow_thread(scmp_filter_ctx filter)
{
	const struct checked_call own_signal = {SCMP_SYS(tgkill), 1, {IS(0, (scmp_datum_t)getpid())}};
	int result = allow(filter, thread_calls, COUNT(thread_calls));

	if (result == 0)
		result = allow_checked(filter, thread_checked_calls, COUNT(thread_checked_calls));
	return result == 0 ? allow_checked(filter, &own_signal, 1) : result;
}

/* What the owner and a client have in common. To start threads, the C library falls back to clone(), whose flags a filter
 * can read. */
static int allow_process(scmp_filter_ctx filter)
{
	int result = allow(filter, process_calls, COUNT(process_calls));

	return result == 0 ? seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0) : result;
}

static int allow_owner(scmp_filter_ctx filter)
{
	int result = allow(filter, owner_calls, COUNT(owner_calls));

	if (result == 0)
		result = allow_checked(filter, owner_checked_calls, COUNT(owner_checked_calls));
	return result == 0 ? allow_process(filter) : result;
}

static int allow_client(scmp_filter_ctx filter)
{
	int result = allow(filter, client_calls, COUNT(client_calls));

	if (result == 0)
		result = allow_checked(filter, client_checked_calls, COUNT(client_checked_calls));
#ifdef MCPROXY_SANDBOX_STRICT
	for (size_t i = 0; result == 0 && i < COUNT(client_refused_calls); i++)
		result =
			seccomp_rule_add_array(filter, SCMP_ACT_ERRNO(EPERM), client_refused_calls[i].call,
		                               client_refused_calls[i].count, client_refused_calls[i].checks);
#endif
	return result == 0 ? allow_process(filter) : result;
}

static int allow_worker(scmp_filter_ctx filter)
{
	(void)filter;
	return 0;
}

/* more: what is allowed beside the calls of each thread. */
static int limit(int (*more)(scmp_filter_ctx filter))
{
	scmp_filter_ctx filter = seccomp_init(REFUSE);
	int result = -ENOMEM;

	if (filter == NULL)
		return result;
	/* Calls of another architecture, such as x32, are refused like all others. */
	result = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, REFUSE);
	if (result == 0)
		result = allow_thread(filter);
	if (result == 0)
		result = more(filter);
	if (result == 0) {
		/* A tree instead of a list, where the library can make one. */
		seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
		result = seccomp_load(filter);
	}
	seccomp_release(filter);
	return result;
}

int system_calls_limit_process(void)
{
	return limit(allow_owner);
}

int system_calls_limit_worker(void)
{
	return limit(allow_worker);
}

int system_calls_limit_client(void)
{
	return limit(allow_client);
}
#else
int system_calls_limit_process(void)
{
	return -ENOPKG;
}

int system_calls_limit_worker(void)
{
	return -ENOPKG;
}

int system_calls_limit_client(void)
{
	return -ENOPKG;
}
#endif
