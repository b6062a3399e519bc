/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/worker/sandbox.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/prctl.h>

#ifdef MCPROXY_CAPNG
#include <cap-ng.h>
#endif
#ifdef MCPROXY_SECCOMP
#include <seccomp.h>
#endif

#ifdef MCPROXY_CAPNG
/* Multicast routing, joins and packets; files of other users that the configuration names (status_file, the
 * control socket and its group); the owner's priority. */
static const unsigned kept_capabilities[] = {
	CAP_NET_ADMIN, CAP_NET_RAW,         CAP_DAC_OVERRIDE, CAP_CHOWN,
	CAP_FOWNER,    CAP_DAC_READ_SEARCH, CAP_SYS_NICE,
};

#define KEPT (sizeof kept_capabilities / sizeof kept_capabilities[0])

/* Keeps those of the listed capabilities that the calling thread has. */
static int keep_capabilities(const unsigned *kept, size_t count)
{
	bool has[KEPT];

	if (capng_get_caps_process() != 0)
		return -EPERM;
	for (size_t i = 0; i < count; i++)
		has[i] = capng_have_capability(CAPNG_PERMITTED, kept[i]);
	capng_clear(CAPNG_SELECT_CAPS);
	for (size_t i = 0; i < count; i++)
		if (has[i])
			capng_update(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED, kept[i]);
	return capng_apply(CAPNG_SELECT_CAPS) == 0 ? 0 : -EPERM;
}
#endif

int sandbox_process(void)
{
	int result = prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 ? 0 : -errno;

#ifdef MCPROXY_CAPNG
	if (result == 0)
		result = keep_capabilities(kept_capabilities, KEPT);
#endif
	return result;
}

#ifdef MCPROXY_SECCOMP
/* Its eventfds (and a recording), the sockets of its links, memory of the allocator, locks and end of a
 * thread, and what abort() needs to say why. A clock is read without a system call on most machines, not on
 * all. */
static const int worker_calls[] = {
	SCMP_SYS(ppoll),
	SCMP_SYS(ppoll_time64),
	SCMP_SYS(read),
	SCMP_SYS(write),
	SCMP_SYS(recvmmsg),
	SCMP_SYS(recvmmsg_time64),
	SCMP_SYS(close),
	SCMP_SYS(writev),
	SCMP_SYS(restart_syscall),
	SCMP_SYS(mmap),
	SCMP_SYS(mmap2),
	SCMP_SYS(munmap),
	SCMP_SYS(mremap),
	SCMP_SYS(mprotect),
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
	SCMP_SYS(tgkill),
	SCMP_SYS(exit),
	SCMP_SYS(exit_group),
	SCMP_SYS(sched_yield),
	SCMP_SYS(set_robust_list),
	SCMP_SYS(rseq),
};

static int filter_calls(void)
{
	/* A refused call fails with EPERM, so that a C library can try another one. */
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	int result = filter != NULL ? 0 : -ENOMEM;

	for (size_t i = 0; result == 0 && i < sizeof worker_calls / sizeof worker_calls[0]; i++)
		result = seccomp_rule_add(filter, SCMP_ACT_ALLOW, worker_calls[i], 0);
	if (result == 0)
		result = seccomp_load(filter);
	seccomp_release(filter);
	return result;
}
#endif

int sandbox_worker(void)
{
	int result = 0;

#ifdef MCPROXY_CAPNG
	result = keep_capabilities(NULL, 0);
#endif
#ifdef MCPROXY_SECCOMP
	if (result == 0)
		result = filter_calls();
#endif
	return result;
}
