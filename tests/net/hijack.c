/* SPDX-License-Identifier: BSD-2-Clause
 *
 * For LD_PRELOAD: code of an attacker in the daemon. Threads share memory, so a worker that a packet has taken over can
 * overwrite a function pointer of the owner. Here the worker sets `next` when its first packet has arrived. The owner
 * calls it when it waits for events. Both write what they could do to standard error.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static char victim_file[256], victim_directory[256];
static pid_t victim;

static void report(const char *who, const char *what, long result)
{
	const char *outcome = result >= 0 ? "done" : strerror(errno);
	char line[200];
	int length = snprintf(line, sizeof line, "hijack: %s: %s: %s\n", who, what, outcome);

	if (write(STDERR_FILENO, line, (size_t)length) < 0)
		abort();
}

static void attack(const char *who)
{
	char *const arguments[] = {(char[]){"true"}, NULL};
	char created[300];

	snprintf(created, sizeof created, "%s/created", victim_directory);
	report(who, "create a file", open(created, O_WRONLY | O_CREAT, 0600));
	report(who, "overwrite a file", open(victim_file, O_WRONLY | O_TRUNC));
	report(who, "read a file", open(victim_file, O_RDONLY));
	report(who, "remove a file", unlink(victim_file));
	report(who, "change the mode of a file", chmod(victim_file, 04777));
	report(who, "change the owner of a file", chown(victim_file, 1, 1));
	report(who, "link a file", link(victim_file, "/run/mcproxy/link"));
	report(who, "make a setuid file", open("/run/mcproxy/setuid", O_WRONLY | O_CREAT, 04755));
	report(who, "make an open file setuid", fchmod(STDERR_FILENO, 04755));
	report(who, "open a device", open("/dev/null", O_WRONLY));
	report(who, "map executable memory",
	       mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED ? -1
	                                                                                                 : 0);
	report(who, "make memory executable",
	       mprotect(victim_file - (unsigned long)victim_file % 4096, 4096,
	                PROT_READ | PROT_WRITE | PROT_EXEC));
	report(who, "open a TCP socket", socket(AF_INET, SOCK_STREAM, 0));
	report(who, "signal a process", kill(victim, SIGTERM));
	report(who, "signal a thread", syscall(SYS_tgkill, victim, victim, SIGTERM));
	report(who, "trace a process", ptrace(PTRACE_ATTACH, victim, NULL, NULL));
	report(who, "enter a namespace", unshare(CLONE_NEWUSER));
	report(who, "load a BPF program", syscall(SYS_bpf, 0, NULL, 0));
	report(who, "become root", setuid(0) == 0 && geteuid() == 0 ? 0 : -1);
	report(who, "start a process", syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL));
	report(who, "run a program", execve("/bin/true", arguments, NULL));
	report(who, "end", 0);
}

static void nothing(const char *who)
{
	(void)who;
}

static void (*_Atomic next)(const char *who) = nothing;

__attribute__((constructor)) static void begin(void)
{
	const char *path = getenv("HIJACK_FILE"), *pid = getenv("HIJACK_PID");

	if (path == NULL || pid == NULL)
		return;
	snprintf(victim_file, sizeof victim_file, "%s", path);
	snprintf(victim_directory, sizeof victim_directory, "%.*s", (int)(strrchr(path, '/') - path), path);
	victim = (pid_t)strtol(pid, NULL, 10);
}

/* Only workers receive packets by it. */
int recvmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags, struct timespec *timeout)
{
	static int (*real)(int, struct mmsghdr *, unsigned, int, struct timespec *);
	static atomic_bool taken;
	int received;

	if (real == NULL)
		*(void **)&real = dlsym(RTLD_NEXT, "recvmmsg");
	received = real(fd, messages, count, flags, timeout);
	if (received > 0 && syscall(SYS_gettid) != getpid() && !atomic_exchange(&taken, true)) {
		attack("worker");
		next = attack;
	}
	return received;
}

/* Only the owner waits by it. */
int epoll_wait(int epoll, struct epoll_event *events, int count, int timeout)
{
	static int (*real)(int, struct epoll_event *, int, int);
	void (*call)(const char *) = atomic_exchange(&next, nothing);

	if (real == NULL)
		*(void **)&real = dlsym(RTLD_NEXT, "epoll_wait");
	call("owner");
	return real(epoll, events, count, timeout);
}
