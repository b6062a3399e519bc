/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/owner/owner.h"

#include "daemon/log/clock.h"
#include "daemon/log/log.h"
#include "daemon/owner/holder.h"
#include "daemon/owner/instances.h"
#include "daemon/owner/kernel_table.h"
#include "daemon/owner/link_readers.h"
#include "daemon/owner/reload.h"
#include "daemon/owner/repair.h"
#include "daemon/owner/settings.h"
#include "daemon/owner/status.h"
#include "daemon/owner/uplink.h"
#include "daemon/worker/priority.h"
#include "daemon/worker/sandbox.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#define EVENTS_PER_TURN  64
#define STATUS_INTERVAL  (4 * MTIME_SECOND)
#define READERS_INTERVAL (1 * MTIME_SECOND) /* between tries of giving a link to its reader, at most */

bool owner_watch(struct owner *owner, struct loop_source *source)
{
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = source};

	return epoll_ctl(owner->epoll, EPOLL_CTL_ADD, source->fd, &event) == 0;
}

void owner_unwatch(struct owner *owner, struct loop_source *source)
{
	epoll_ctl(owner->epoll, EPOLL_CTL_DEL, source->fd, NULL);
	source->ready = NULL; /* an event of this turn may still point here */
}

static void free_removed(struct owner *owner)
{
	while (owner->removed != NULL) {
		struct loop_source *source = owner->removed;

		owner->removed = source->next_removed;
		free(source);
	}
}

/* A status for a person: to the file that is configured for it, else to stdout where somebody can see it,
 * else to the log. */
static enum status_destination status_destination(const struct owner *owner)
{
	struct stat info;

	if (owner->config->status_file != NULL)
		return STATUS_FILE;
	if (owner->options->status || isatty(STDOUT_FILENO))
		return STATUS_STDOUT;
	return fstat(STDOUT_FILENO, &info) == 0 && S_ISREG(info.st_mode) ? STATUS_STDOUT : STATUS_LOG;
}

static void take_signals(struct owner *owner, struct loop_source *source, mtime now)
{
	struct signalfd_siginfo siginfo;

	(void)now;
	while (read(source->fd, &siginfo, sizeof siginfo) == sizeof siginfo) {
		switch (siginfo.ssi_signo) {
		case SIGUSR1:
			status_begin(owner->status, owner, 2, status_destination(owner));
			break;
		case SIGHUP:
			owner->reload_wanted = true;
			break;
		default:
			owner->stopping = true;
			break;
		}
	}
}

static bool open_signals(struct owner *owner)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN); /* a file at its limit is an error to tell, not an end */
	owner->signals = (struct loop_source){.fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK),
	                                      .ready = take_signals};
	return owner->signals.fd >= 0 && owner_watch(owner, &owner->signals);
}

/* Joins need a socket for every few groups: use what the administrator allows. */
static void raise_descriptor_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

uint64_t owner_random(void)
{
	uint64_t number;

	if (getrandom(&number, sizeof number, 0) != sizeof number)
		fatal("random numbers");
	return number;
}

static bool open_netlink(struct owner *owner)
{
	int result = netlink_open(&owner->netlink);

	if (result != 0) {
		errno = -result;
		return false;
	}
	owner->netlink_source =
		(struct loop_source){.fd = netlink_fd(owner->netlink), .ready = intake_netlink};
	return owner_watch(owner, &owner->netlink_source);
}

void owner_set_priority(const struct owner *owner)
{
	int result = priority_raise(owner->config->owner_priority);

	if (result == 0 || !owner->config->owner_priority_named)
		return;
	errno = -result;
	warn("owner_priority: the main thread cannot be given the nice value -%u",
	     owner->config->owner_priority);
}

/* Once everything is open that needs more. */
static void give_up_privileges(void)
{
	int result = sandbox_process();

	if (result == 0)
		return;
	errno = -result;
	warn("privileges that are not needed cannot be given up");
}

static int open_recording(struct owner *owner)
{
	owner->recording_fd = -1;
	if (owner->options->recording_path == NULL)
		return 0;
	owner->recording_fd = recording_create(owner->options->recording_path);
	if (owner->recording_fd >= 0)
		return 0;
	errno = -owner->recording_fd;
	warn("%s: recording cannot be made", owner->options->recording_path);
	return 1;
}

/* 0, or the exit status after a message. */
static int owner_open(struct owner *owner)
{
	int result;

	owner->epoll = epoll_create1(EPOLL_CLOEXEC);
	owner->links = links_new();
	owner->status = status_new(owner);
	if (owner->epoll < 0 || owner->links == NULL || owner->status == NULL || !open_signals(owner) ||
	    !instances_make(owner)) {
		warn("start");
		return 1;
	}
	owner_set_priority(owner);
	raise_descriptor_limit();
	result = instances_open(owner);
	if (result == 0)
		result = open_recording(owner);
	if (result != 0)
		return result;
	give_up_privileges();
	if (!instances_start(owner)) {
		warnx("instances cannot start: out of memory or threads");
		return 1;
	}
	settings_open(owner);
	if (!open_netlink(owner)) {
		warn("netlink: interfaces cannot be watched");
		return 1;
	}
	repair_open(owner);
	/* One may have ended since the first try, and no news of that came. */
	holders_try_now(owner);
	owner->control_handlers->open(owner);
	return 0;
}

static void owner_close(struct owner *owner)
{
	if (owner->control != NULL)
		owner->control_handlers->close(owner);
	instances_stop(owner);
	/* First leave upstream, so that the streams stop at their source. */
	uplinks_free(owner);
	repair_close(owner);
	tables_close(owner);
	settings_close(owner);
	if (owner->netlink != NULL)
		netlink_close(owner->netlink);
	if (owner->signals.fd > 0)
		close(owner->signals.fd);
	if (owner->recording_fd >= 0)
		close(owner->recording_fd);
	status_free(owner->status);
	links_free(owner->links);
	free_removed(owner);
	free(owner->instances);
	config_free(owner->config);
	close(owner->epoll);
}

static int timeout_until(mtime deadline)
{
	mtime left = deadline - clock_now();

	if (deadline == MTIME_NEVER)
		return -1;
	return left <= 0 ? 0 : left > INT32_MAX ? INT32_MAX : (int)left;
}

/* Sources that became ready; the urgent ones, upcalls, before all others. */
static void serve(struct owner *owner, const struct epoll_event *events, int count, mtime now)
{
	for (int urgent = 1; urgent >= 0; urgent--) {
		for (int i = 0; i < count; i++) {
			struct loop_source *source = events[i].data.ptr;

			if (source->ready != NULL && source->urgent == urgent)
				source->ready(owner, source, now);
		}
	}
}

static void serve_again(struct owner *owner, mtime now)
{
	for (size_t i = 0; i < owner->instance_count; i++)
		if (owner->instances[i].again && owner->instances[i].channel != NULL)
			requests_take(owner, &owner->instances[i].source, now);
}

static mtime loop_deadline(const struct owner *owner)
{
	mtime deadline = edge_deadline(owner);

	deadline = mtime_min(deadline, status_deadline(owner->status));
	if (owner->control != NULL)
		deadline = mtime_min(deadline, owner->control_handlers->deadline(owner));
	deadline = mtime_min(deadline, owner->netlink_refresh_at);
	deadline = mtime_min(deadline, owner->holders_at);
	deadline = mtime_min(deadline, settings_deadline(owner));
	deadline = mtime_min(deadline, service_deadline(owner));
	deadline = mtime_min(deadline, grant_deadline(owner));
	if (owner->readers_due)
		deadline = mtime_min(deadline, clock_now() + READERS_INTERVAL);
	return mtime_min(deadline, log_deadline());
}

static void owner_loop(struct owner *owner)
{
	mtime status_at = owner->options->status ? clock_now() + STATUS_INTERVAL : MTIME_NEVER;

	while (!owner->stopping) {
		struct epoll_event events[EVENTS_PER_TURN];
		mtime deadline = mtime_min(loop_deadline(owner), status_at);
		int count = epoll_wait(owner->epoll, events, EVENTS_PER_TURN,
		                       timeout_until(owner->again ? 0 : deadline));
		mtime now = clock_now();

		owner->again = false;
		service_ping(owner, now);
		serve(owner, events, count, now);
		serve_again(owner, now);
		if (now >= status_at) {
			status_at = now + STATUS_INTERVAL;
			status_begin(owner->status, owner, owner->options->verbose, STATUS_STDOUT);
		}
		if (owner->reload_wanted)
			reload(owner);
		status_continue(owner->status, owner);
		if (owner->control != NULL)
			owner->control_handlers->turn(owner, now);
		intake_events(owner);
		instances_announce_settings(owner);
		grant_repeat(owner, now);
		log_expire(now);
		intake_refresh_netlink(owner, now);
		holders_apply(owner, now);
		edge_apply(owner, now);
		settings_apply(owner, now);
		link_readers_hand_out(owner);
		service_report(owner, now);
		intake_wake(owner);
		free_removed(owner);
	}
	service_stopping(owner);
}

int owner_run(const struct options *options, struct config *config,
              const struct control_handlers *control_handlers)
{
	struct owner owner = {.options = options,
	                      .started_at = clock_now(),
	                      .config = config,
	                      .control_handlers = control_handlers,
	                      .recording_fd = -1,
	                      .epoll = -1,
	                      .netlink_refresh_at = MTIME_NEVER,
	                      .holders_at = MTIME_NEVER,
	                      .settings_at = MTIME_NEVER};
	int result;

	service_open(&owner, clock_now());
	result = owner_open(&owner);
	if (result == 0)
		owner_loop(&owner);
	owner_close(&owner);
	service_close(&owner);
	return result;
}
