/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/keeper/keeper.h"

#include "daemon/keeper/descriptors.h"
#include "daemon/log/clock.h"
#include "daemon/log/log.h"
#include "daemon/sandbox/privileges.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define UPGRADE_TIME (5 * MTIME_SECOND)
#define LONG_RUN     (60 * MTIME_SECOND) /* a crash after that is the first one */
#define DELAY_MAX    (30 * MTIME_SECOND)
#define CRASHES_MAX  3

static struct keeper {
	char program[4096]; /* where it is installed, also after it has been replaced */
	char **arguments;
	int messages, above, signals; /* above: the service manager's socket; -1: none */
	char address[64];             /* of messages, as the daemon gets it */
	mtime watchdog;               /* a daemon that is silent for this time is killed; 0: never */
	pid_t daemon, next;           /* next: the one that will take over; 0: none */
	bool was_ready, stopping;
	mtime started_at, alive_at, next_until, restart_at;
	mtime crashes[CRASHES_MAX]; /* the newest first */
	mtime delay;
} keeper = {.above = -1, .restart_at = MTIME_NEVER};

/* An abstract address or a path; -1: there is none. */
static int notify_socket(const char *path, bool is_server)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = -1, on = 1;

	if (path == NULL || strlen(path) >= sizeof address.sun_path)
		return -1;
	memcpy(address.sun_path, path, strlen(path));
	if (*path == '@')
		address.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if ((is_server ? bind
	               : connect)(fd, (struct sockaddr *)&address,
	                          (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path))) != 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof on) != 0) {
		close(fd);
		return -1;
	}
	return fd;
}

static _Noreturn void execute(void)
{
	char text[32];
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	setenv("NOTIFY_SOCKET", keeper.address, 1);
	unsetenv("WATCHDOG_PID");
	unsetenv("WATCHDOG_USEC");
	snprintf(text, sizeof text, "%lld", (long long)keeper.watchdog * 1000);
	if (keeper.watchdog > 0)
		setenv("WATCHDOG_USEC", text, 1);
	descriptors_pass();
	execv(keeper.program, keeper.arguments);
	warn("%s", keeper.program);
	_exit(127);
}

static pid_t start(bool with_links)
{
	pid_t pid;

	descriptors_choose(with_links);
	pid = fork();
	if (pid == 0)
		execute();
	if (pid < 0)
		warn("fork");
	return pid > 0 ? pid : 0;
}

static void start_daemon(mtime now)
{
	keeper.daemon = start(true);
	keeper.started_at = keeper.alive_at = now;
	keeper.restart_at = keeper.daemon > 0 ? MTIME_NEVER : now + MTIME_SECOND;
}

int keeper_signal(char **arguments)
{
	return arguments[1] != NULL && arguments[2] != NULL &&
	                       kill(atoi(arguments[2]), atoi(arguments[1])) == 0
	               ? EXIT_SUCCESS
	               : EXIT_FAILURE;
}

/* Without capabilities a process signals only those of its own user. The program itself, executed by root, may. */
static void send_signal(pid_t pid, int number)
{
	char texts[2][16];
	pid_t sender;

	if (kill(pid, number) == 0 || errno != EPERM)
		return;
	snprintf(texts[0], sizeof texts[0], "%d", number);
	snprintf(texts[1], sizeof texts[1], "%d", (int)pid);
	sender = fork();
	if (sender == 0) {
		execv("/proc/self/exe", (char *[]){(char[]){KEEPER_SIGNAL}, texts[0], texts[1], NULL});
		_exit(EXIT_FAILURE);
	}
	/* Now: the number is the daemon's until the keeper waits for the daemon. */
	if (sender > 0)
		waitpid(sender, NULL, 0);
}

static void give_up_next(const char *why)
{
	warnx("upgrade: the new daemon (pid %d) %s: the old one (pid %d) goes on", (int)keeper.next, why,
	      (int)keeper.daemon);
	send_signal(keeper.next, SIGKILL);
	descriptors_revert(keeper.next);
	keeper.next = 0;
}

static void take_over(mtime now)
{
	info("upgrade: the new daemon (pid %d) is ready, and takes over from pid %d", (int)keeper.next,
	     (int)keeper.daemon);
	descriptors_settle();
	send_signal(keeper.daemon, SIGUSR2);
	keeper.daemon = keeper.next;
	keeper.next = 0;
	keeper.started_at = keeper.alive_at = now;
}

static void upgrade(mtime now)
{
	if (keeper.next != 0 || keeper.daemon == 0 || !keeper.was_ready) {
		info("upgrade: %s", keeper.next != 0 ? "another one is going on" : "no daemon runs yet");
		return;
	}
	keeper.next = start(false);
	keeper.next_until = now + UPGRADE_TIME;
}

/* What a service manager above wants to know, too. */
static bool is_for_above(const char *line)
{
	static const char *const names[] = {
		"READY=", "STATUS=", "RELOADING=", "MONOTONIC_USEC=", "STOPPING=", "WATCHDOG="};

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (strncmp(line, names[i], strlen(names[i])) == 0)
			return true;
	return false;
}

static void take_message(mtime now, pid_t from, char *text, int fd)
{
	bool stores = false, removes = false, ready = false;
	const char *name = "stored";
	char above[1024] = "", *rest = text;

	for (char *line; (line = strsep(&rest, "\n")) != NULL;) {
		stores |= strcmp(line, "FDSTORE=1") == 0;
		removes |= strcmp(line, "FDSTOREREMOVE=1") == 0;
		ready |= strcmp(line, "READY=1") == 0;
		name = strncmp(line, "FDNAME=", 7) == 0 ? line + 7 : name;
		if (is_for_above(line))
			snprintf(above + strlen(above), sizeof above - strlen(above), "%s\n", line);
	}
	if (from != keeper.daemon && from != keeper.next)
		stores = removes = ready = false;
	if (stores && fd >= 0)
		descriptors_add(from, name, fd);
	else if (fd >= 0)
		close(fd);
	if (removes)
		descriptors_remove(name, from == keeper.daemon);
	if (ready && from == keeper.next)
		take_over(now);
	if (from != keeper.daemon)
		return;
	keeper.was_ready |= ready;
	keeper.alive_at = now;
	if (keeper.above >= 0 && above[0] != '\0')
		(void)!send(keeper.above, above, strlen(above), MSG_NOSIGNAL);
}

static bool receive(mtime now)
{
	char text[4096];
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(struct ucred)) + CMSG_SPACE(4 * sizeof(int))];
	} control;
	struct iovec part = {.iov_base = text, .iov_len = sizeof text - 1};
	struct msghdr message = {.msg_iov = &part,
	                         .msg_iovlen = 1,
	                         .msg_control = control.bytes,
	                         .msg_controllen = sizeof control.bytes};
	ssize_t size = recvmsg(keeper.messages, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
	struct ucred peer = {0};
	int fd = -1;

	if (size < 0)
		return false;
	for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header != NULL;
	     header = CMSG_NXTHDR(&message, header)) {
		if (header->cmsg_type == SCM_CREDENTIALS)
			memcpy(&peer, CMSG_DATA(header), sizeof peer);
		for (size_t at = CMSG_LEN(0); header->cmsg_type == SCM_RIGHTS && at < header->cmsg_len;
		     at += sizeof fd) {
			if (fd >= 0)
				close(fd);
			memcpy(&fd, (char *)header + at, sizeof fd);
		}
	}
	text[size] = '\0';
	take_message(now, peer.pid, text, fd);
	return true;
}

static void plan_restart(mtime now, pid_t pid, int status)
{
	if (now - keeper.started_at >= LONG_RUN)
		keeper.delay = 0;
	keeper.restart_at = now + keeper.delay;
	if (WIFSIGNALED(status))
		warnx("the daemon (pid %d) was ended by signal %d (%s): starting it again in %d s", (int)pid,
		      WTERMSIG(status), strsignal(WTERMSIG(status)), (int)(keeper.delay / MTIME_SECOND));
	else
		warnx("the daemon (pid %d) ended with status %d: starting it again in %d s", (int)pid,
		      WEXITSTATUS(status), (int)(keeper.delay / MTIME_SECOND));
	keeper.delay = keeper.delay == 0 ? MTIME_SECOND : mtime_min(2 * keeper.delay, DELAY_MAX);
	memmove(&keeper.crashes[1], &keeper.crashes[0], (CRASHES_MAX - 1) * sizeof keeper.crashes[0]);
	keeper.crashes[0] = now;
	if (keeper.crashes[CRASHES_MAX - 1] == 0 || now - keeper.crashes[CRASHES_MAX - 1] >= LONG_RUN)
		return;
	warnx("%d crashes within a minute: the daemon starts without what it left, and streams stop for a moment",
	      CRASHES_MAX);
	memset(keeper.crashes, 0, sizeof keeper.crashes);
	descriptors_drop_all();
}

/* The exit status of the keeper, or -1: it goes on. */
static int child_ended(mtime now, pid_t pid, int status)
{
	bool is_exit = WIFEXITED(status);

	if (pid == keeper.next)
		give_up_next(is_exit ? "ended before it was ready" : "crashed");
	else if (pid != keeper.daemon)
		descriptors_drop_rest(keeper.daemon); /* it has handed over */
	if (pid != keeper.daemon)
		return -1;
	if (is_exit && (keeper.stopping || !keeper.was_ready || WEXITSTATUS(status) == 0))
		return WEXITSTATUS(status);
	/* One that has only begun ends by the signal itself. */
	if (keeper.stopping)
		return WTERMSIG(status) == SIGTERM || WTERMSIG(status) == SIGINT ? EXIT_SUCCESS
		                                                                 : EXIT_FAILURE;
	keeper.daemon = keeper.next;
	if (keeper.next == 0)
		plan_restart(now, pid, status);
	keeper.next = 0;
	return -1;
}

static int reap(mtime now)
{
	int status, result = -1;
	pid_t pid;

	while (receive(now))
		continue; /* what it said before it ended */
	while (result < 0 && (pid = waitpid(-1, &status, WNOHANG)) > 0)
		result = child_ended(now, pid, status);
	return result;
}

static int take_signal(mtime now)
{
	struct signalfd_siginfo siginfo;

	if (read(keeper.signals, &siginfo, sizeof siginfo) != sizeof siginfo)
		return -1;
	switch (siginfo.ssi_signo) {
	case SIGCHLD:
		return reap(now);
	case SIGUSR2:
		upgrade(now);
		return -1;
	case SIGTERM:
	case SIGINT:
		keeper.stopping = true;
		if (keeper.next != 0)
			give_up_next("is not needed any more");
		if (keeper.daemon == 0)
			return EXIT_SUCCESS;
		/* fall through */
	case SIGHUP:
	case SIGUSR1:
		if (keeper.daemon != 0)
			send_signal(keeper.daemon, (int)siginfo.ssi_signo);
		break;
	}
	return -1;
}

static void expire(mtime now)
{
	if (keeper.next != 0 && now >= keeper.next_until)
		give_up_next("is not ready after 5 s");
	if (now >= keeper.restart_at)
		start_daemon(now);
	if (keeper.watchdog > 0 && keeper.daemon != 0 && now >= keeper.alive_at + keeper.watchdog) {
		warnx("the daemon (pid %d) is silent: killing it", (int)keeper.daemon);
		keeper.alive_at = now;
		send_signal(keeper.daemon, SIGABRT);
		send_signal(keeper.daemon, SIGCONT); /* a stopped one does not end before */
		if (keeper.above >= 0)
			(void)!send(keeper.above, "WATCHDOG=1", 10, MSG_NOSIGNAL);
	}
}

static int timeout(mtime now)
{
	mtime at = keeper.restart_at;

	if (keeper.next != 0)
		at = mtime_min(at, keeper.next_until);
	if (keeper.watchdog > 0 && keeper.daemon != 0)
		at = mtime_min(at, keeper.alive_at + keeper.watchdog);
	return at == MTIME_NEVER ? -1 : at > now ? (int)(at - now) : 0;
}

static bool open_all(char **arguments)
{
	const char *watchdog = getenv("WATCHDOG_USEC");
	struct rlimit limit;
	sigset_t set;

	sigfillset(&set);
	sigprocmask(SIG_BLOCK, &set, NULL);
	keeper.arguments = arguments;
	keeper.signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	keeper.above = notify_socket(getenv("NOTIFY_SOCKET"), false);
	/* So the daemon is killed before the service manager would kill the keeper. */
	keeper.watchdog = keeper.above >= 0 && watchdog != NULL ? strtoll(watchdog, NULL, 10) / 2000 : 0;
	snprintf(keeper.address, sizeof keeper.address, "@mcproxy-keeper-%d", (int)getpid());
	keeper.messages = notify_socket(keeper.address, true);
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
	return keeper.signals >= 0 && keeper.messages >= 0 &&
	       readlink("/proc/self/exe", keeper.program, sizeof keeper.program - 1) > 0;
}

int keeper_run(char **arguments)
{
	int result = -1;

	if (!open_all(arguments)) {
		warn("keeper");
		return EXIT_FAILURE;
	}
	/* With no_new_privs the daemon would not get its capabilities back. */
	if (geteuid() == 0 && prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 0)
		privileges_drop_all();
	prctl(PR_SET_NAME, "mcproxy-keeper"); /* what others see that holds the sockets: kernel/mrt_owner.h */
	start_daemon(clock_now());
	while (result < 0) {
		struct pollfd wait[] = {{.fd = keeper.signals, .events = POLLIN},
		                        {.fd = keeper.messages, .events = POLLIN}};
		mtime now;

		poll(wait, 2, timeout(clock_now()));
		now = clock_now();
		while (receive(now))
			continue;
		if (wait[0].revents != 0)
			result = take_signal(now);
		expire(now);
	}
	return result;
}
