/* SPDX-License-Identifier: BSD-2-Clause
 *
 * `mcproxyctl upgrade`: the keeper starts the installed daemon beside the running one, which then hands over to it.
 */
#include "ctl/client/print.h"
#include "ctl/client/session.h"
#include "ctl/command.h"
#include "kernel/file.h"
#include "kernel/mrt_owner.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define TRIES    80 /* the keeper gives the new daemon 5 s */
#define INTERVAL 100000000L

struct running {
	pid_t pid;
	char version[32];
};

static void take(void *context, const char *key, struct json_object *value)
{
	struct running *running = context;

	if (strcmp(key, "pid") == 0)
		running->pid = json_object_get_int(value);
	else if (strcmp(key, "program_version") == 0)
		snprintf(running->version, sizeof running->version, "%s", json_object_get_string(value));
}

static bool ask(const struct ctl *ctl, struct running *running, struct session_problem *problem)
{
	struct session *session = session_open_with(ctl, problem);
	struct json_object *request = session_request("show");
	bool asked = false;

	json_object_object_add(request, "what", json_object_new_string("status"));
	*running = (struct running){.pid = 0};
	if (session != NULL)
		asked = session_ask(session, request) && session_read(session, take, running);
	else
		json_object_put(request);
	if (session != NULL)
		session_close(session);
	return asked && running->pid > 0;
}

static void read_proc(pid_t pid, const char *name, char *text, size_t size)
{
	char path[64];
	int fd;
	ssize_t length;

	snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, name);
	fd = file_open(path, FILE_NAMED, 0);
	length = fd >= 0 ? file_read(fd, text, size - 1, 0) : -1;
	if (fd >= 0)
		close(fd);
	text[length > 0 ? length : 0] = '\0';
}

/* The daemon's parent, if that is a keeper; 0: it is not. */
static pid_t find_keeper(pid_t daemon)
{
	char text[4096];
	const char *end;
	int parent = 0;

	/* "pid (name) state parent": the name may contain anything. */
	read_proc(daemon, "stat", text, sizeof text);
	end = strrchr(text, ')');
	if (end == NULL || sscanf(end, ") %*c %d", &parent) != 1 || parent <= 1)
		return 0;
	read_proc(parent, "comm", text, sizeof text);
	return strcmp(text, MRT_OWNER_KEEPER "\n") == 0 ? parent : 0;
}

static int wait_for_another(const struct ctl *ctl, const struct running *before)
{
	const struct timespec interval = {.tv_nsec = INTERVAL};
	struct session_problem problem;
	struct running now;

	for (int i = 0; i < TRIES; i++) {
		nanosleep(&interval, NULL);
		if (!ask(ctl, &now, &problem) || now.pid == before->pid)
			continue;
		print("mcproxy %s (pid %d) has handed over to mcproxy %s (pid %d)\n", before->version,
		      (int)before->pid, now.version, (int)now.pid);
		return CTL_DONE;
	}
	print_to(
		stderr,
		"mcproxyctl: upgrade: no other daemon has taken over, and pid %d goes on; the log says why\n",
		(int)before->pid);
	return CTL_FAILED;
}

int upgrade_run(const struct ctl *ctl, int argc, char **argv)
{
	struct session_problem problem;
	struct running before;
	pid_t keeper;

	if (argc > 1)
		return command_usage(argv[0], "no argument is expected");
	if (!ask(ctl, &before, &problem)) {
		session_print_problem(ctl, &problem);
		return CTL_FAILED;
	}
	keeper = find_keeper(before.pid);
	if (keeper == 0) {
		print_to(
			stderr,
			"mcproxyctl: upgrade: no keeper has started the daemon (pid %d): under systemd, run: "
			"systemctl restart mcproxy; elsewhere start it with: mcproxy --keeper\n",
			(int)before.pid);
		return CTL_FAILED;
	}
	if (kill(keeper, SIGUSR2) != 0) {
		print_to(stderr, "mcproxyctl: upgrade: the keeper (pid %d) cannot be signalled: %s\n",
		         (int)keeper, strerror(errno));
		return CTL_FAILED;
	}
	return wait_for_another(ctl, &before);
}
