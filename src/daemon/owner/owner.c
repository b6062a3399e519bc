/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/owner/owner.h"

#include "core/tables/links.h"
#include "daemon/log/clock.h"
#include "daemon/log/log.h"
#include "daemon/owner/adoption.h"
#include "daemon/owner/confinement.h"
#include "daemon/owner/entries.h"
#include "daemon/owner/families.h"
#include "daemon/owner/holder.h"
#include "daemon/owner/inherited.h"
#include "daemon/owner/instances.h"
#include "daemon/owner/kernel_table.h"
#include "daemon/owner/link_readers.h"
#include "daemon/owner/reload.h"
#include "daemon/owner/repair.h"
#include "daemon/owner/requests.h"
#include "daemon/owner/send_queue.h"
#include "daemon/owner/status.h"
#include "daemon/owner/store.h"
#include "daemon/owner/upcalls.h"
#include "daemon/owner/uplink.h"
#include "daemon/owner/yields.h"
#include "daemon/worker/worker.h"
#include "kernel/file.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utlist.h>

#define STATUS_INTERVAL  (4 * MTIME_SECOND)
#define READERS_INTERVAL (1 * MTIME_SECOND) /* between tries of handing a link to its reader, at most */

/* Where SIGUSR1 writes the status: to the configured file, else to stdout if that is a terminal or a file,
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

static void take_signals(void *context, struct loop_source *source, mtime now)
{
	struct owner *owner = context;
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
		case SIGUSR2:
			service_stopping(owner); /* shows whether the manager is still there */
			if (store_is_open())
				owner->handing_over = owner->stopping = true;
			else
				warnx("SIGUSR2: no other process holds the sockets, so streams would stop: ignored; start mcproxy "
				      "with --keeper, or use systemctl restart");
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
	sigaddset(&set, SIGUSR2);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN); /* a file at its limit is an error to log, not the end */
	owner->signals = (struct loop_source){.fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK),
	                                      .ready = take_signals,
	                                      .context = owner};
	return owner->signals.fd >= 0 && loop_watch(&owner->loop, &owner->signals);
}

/* Joins need a socket for every few groups: raises the limit to what the administrator allows. */
static void raise_descriptor_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

static int open_recording(struct owner *owner)
{
	owner->recording_fd = -1;
	if (owner->options->recording_path == NULL)
		return 0;
	owner->recording_fd = recording_create(owner->options->recording_path);
	if (owner->recording_fd >= 0)
		return 0;
	warnx("%s: recording cannot be made: %s", owner->options->recording_path,
	      file_problem(owner->recording_fd));
	return 1;
}

/* 0, or the exit status after a message. */
static int owner_open(struct owner *owner)
{
	bool is_open = loop_open(&owner->loop);
	int result;

	owner->send_queue = send_queue_new();
	owner->links = links_new();
	owner->status = status_new(owner);
	if (!is_open || owner->send_queue == NULL || owner->links == NULL || owner->status == NULL ||
	    !open_signals(owner) || !instances_make(owner)) {
		warn("start");
		return 1;
	}
	loop_set_priority(owner->config);
	raise_descriptor_limit();
	inherited_open(owner);
	result = instances_open(owner, upcalls_receive);
	if (result == 0)
		result = open_recording(owner);
	if (result != 0)
		return result;
	settings_open(owner);
	/* Everything is open that needs more privileges, no packet has been read, and there is one thread. */
	result = confinement_begin(owner);
	if (result != 0)
		return result;
	if (!instances_start(owner, requests_take)) {
		warnx("instances cannot start: out of memory or threads");
		return 1;
	}
	if (!interfaces_open(owner)) {
		warn("netlink: interfaces cannot be watched");
		return 1;
	}
	repair_open(owner);
	/* A router may have ended since the first try, unnoticed. */
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
	interfaces_close(owner);
	if (owner->signals.fd > 0)
		close(owner->signals.fd);
	if (owner->recording_fd >= 0)
		close(owner->recording_fd);
	inherited_close(owner);
	status_free(owner->status);
	links_free(owner->links);
	send_queue_free(owner->send_queue);
	loop_close(&owner->loop);
	free(owner->instances);
	config_free(owner->config);
}

static bool wants_events(const struct owner *owner)
{
	return log_is_debug() || (owner->control != NULL && owner->control_handlers->wants_events(owner));
}

static void begin_regular_status(struct owner *owner, mtime now)
{
	if (now < owner->status_at)
		return;
	owner->status_at = now + STATUS_INTERVAL;
	status_begin(owner->status, owner, owner->options->verbose, STATUS_STDOUT);
}

static void close_unused_tables(struct owner *owner)
{
	struct table *table;

	while ((table = tables_take_unused(owner)) != NULL) {
		uplinks_forget_table(owner, table);
		inherited_forget_table(owner, table);
		table_free(owner, table);
	}
}

/* All that a turn does, in order. */
static void turn(struct owner *owner, mtime now)
{
	struct table *table;
	struct uplink *uplink;

	/* What has come. Pings go first, so that no packet takes their room. */
	service_ping(owner, now);
	loop_serve(&owner->loop, now);
	requests_take_rest(owner, now);

	/* What users ask for. */
	begin_regular_status(owner, now);
	if (owner->reload_wanted && now >= owner->reload_at)
		reload(owner);
	status_continue(owner->status, owner);
	if (owner->control != NULL)
		owner->control_handlers->turn(owner, now);
	instances_announce_events(owner, wants_events(owner));
	instances_announce_settings(owner);

	/* What failed before. */
	requests_repeat(owner, now);
	log_expire(now);
	interfaces_refresh(owner, now);
	families_retry(owner, now, upcalls_receive);

	/* The kernel, to where the tables want it: vifs, entries, then memberships and reports upstream. */
	interfaces_apply(owner, now);
	adoption_apply(owner, now);
	LL_FOREACH (owner->tables, table)
		entries_apply(owner, table, now);
	close_unused_tables(owner);
	LL_FOREACH (owner->uplinks, uplink)
		uplink_apply(owner, uplink, now);
	upcalls_resume(owner, now);
	adoption_end_turn(owner, now);

	/* What other programs did to it. The kernel's messages on this turn's own operations come first. */
	if (owner->written)
		repair_receive(owner, now);
	owner->written = false;
	repair_apply(owner, now);

	/* What instances need to know of streams. */
	LL_FOREACH (owner->tables, table) {
		upcalls_retry(owner, table);
		upcalls_check_wrong_vif(owner, table, now);
		yields_apply(owner, table, now, upcalls_receive_copies);
		entries_read_counters(owner, table, now);
	}
	settings_apply(owner, now);
	if (!adoption_is_announcing(owner))
		link_readers_hand_out(owner);
	store_turn(now);
	service_report(owner, now);
	instances_wake(owner);
	loop_end_turn(&owner->loop);
}

static mtime next_deadline(const struct owner *owner)
{
	const struct uplink *uplink;
	const struct table *table;
	mtime at = mtime_min(links_deadline(owner->links), repair_deadline(owner));

	LL_FOREACH (owner->tables, table) {
		at = mtime_min(at, routes_deadline(table->routes));
		at = mtime_min(at, wrong_vif_deadline(table->wrong_vif));
		at = mtime_min(at, yield_deadline(table->yield));
	}
	LL_FOREACH (owner->uplinks, uplink)
		at = mtime_min(at, uplink_deadline(uplink));
	at = mtime_min(at, adoption_deadline(owner));
	at = mtime_min(at, store_deadline());
	at = mtime_min(at, owner->status_at);
	if (owner->reload_wanted)
		at = mtime_min(at, owner->reload_at);
	at = mtime_min(at, status_deadline(owner->status));
	if (owner->control != NULL)
		at = mtime_min(at, owner->control_handlers->deadline(owner));
	at = mtime_min(at, owner->interfaces.refresh_at);
	at = mtime_min(at, owner->holders_at);
	at = mtime_min(at, settings_deadline(owner));
	at = mtime_min(at, service_deadline(owner));
	at = mtime_min(at, requests_deadline(owner));
	if (owner->readers_due)
		at = mtime_min(at, clock_now() + READERS_INTERVAL);
	return mtime_min(at, log_deadline());
}

/* Stands above the lines about links. */
static void log_start(const struct owner *owner)
{
	size_t count = owner->config->instance_count;

	info("mcproxy %s: started, configuration %s, %zu instance%s", MCPROXY_VERSION,
	     options_source(owner->options), count, count == 1 ? "" : "s");
}

/* Ends at once, and leaves all as it is in the kernel. */
static _Noreturn void hand_over(struct owner *owner, int status)
{
	if (owner->control != NULL)
		owner->control_handlers->close(owner);
	/* What the manager does not hold would end with this process. */
	store_flush();
	info("handing over to the next run");
	log_close();
	fflush(NULL);
	_exit(status);
}

int owner_run(const struct options *options, struct config *config,
              const struct control_handlers *control_handlers)
{
	mtime start = clock_now();
	struct owner owner = {.options = options,
	                      .config = config,
	                      .control_handlers = control_handlers,
	                      .started_at = start,
	                      .started_wall = clock_wall(),
	                      .status_at = MTIME_NEVER,
	                      .interfaces.refresh_at = MTIME_NEVER,
	                      .holders_at = MTIME_NEVER,
	                      .settings.check_at = MTIME_NEVER,
	                      .control_group = OWNER_NO_GROUP,
	                      .recording_fd = -1};
	int result;

	service_open(&owner, start);
	store_open(!options->no_adopt);
	log_start(&owner);
	result = owner_open(&owner);
	if (result == 0) {
		if (options->status)
			owner.status_at = clock_now() + STATUS_INTERVAL;
		while (!owner.stopping) {
			loop_wait(&owner.loop, next_deadline(&owner));
			turn(&owner, clock_now());
		}
		/* SIGUSR2 has told the manager already. */
		if (!owner.handing_over)
			service_stopping(&owner);
	} else {
		/* The earlier run may go on, and another start may succeed. */
		owner.handing_over = owner.adoption != NULL;
	}
	if (owner.handing_over)
		hand_over(&owner, result);
	owner_close(&owner);
	store_close();
	service_close(&owner);
	return result;
}
