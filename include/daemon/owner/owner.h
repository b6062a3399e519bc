/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The owner: the main thread, which alone makes multicast system calls. It holds the pure tables (links,
 * routes, hosts), the sockets, and a channel to each worker. Each module of this room works on a part of
 * struct owner; owner.c shows the order in which a turn runs them.
 */
#ifndef MCPROXY_DAEMON_OWNER_OWNER_H
#define MCPROXY_DAEMON_OWNER_OWNER_H

#include "daemon/config/config.h"
#include "daemon/owner/confinement.h"
#include "daemon/owner/interfaces.h"
#include "daemon/owner/loop.h"
#include "daemon/owner/options.h"
#include "daemon/owner/service.h"
#include "daemon/owner/settings.h"
#include "daemon/owner/snapshot_reader.h"

#include <sys/types.h>

struct control; /* daemon/control */
struct event;

#define OWNER_NO_GROUP ((gid_t)-1)

/* What the control socket does for the owner. Its room is above this one, so main passes the handlers in. The
 * owner calls open and reopen always, the others while owner->control is set. */
struct control_handlers {
	void (*open)(struct owner *owner);   /* the configured socket, into owner->control; logs what fails */
	void (*reopen)(struct owner *owner); /* its configuration has changed; clients stay */
	bool (*retry)(
		struct owner *owner); /* another daemon that had the socket may have ended; is it open now? */
	void (*close)(struct owner *owner);
	void (*turn)(struct owner *owner, mtime now); /* answers, and drops clients that do not read */
	mtime (*deadline)(const struct owner *owner);
	bool (*wants_events)(const struct owner *owner); /* does some client monitor events? */
	/* link: its name or NULL; outputs: of a route, the names of links, each after a space */
	void (*event)(struct owner *owner, const struct instance_slot *instance, const char *link,
	              const struct event *event, const char *outputs);
};

struct owner {
	const struct options *options;
	struct config *config;
	bool stopping, reload_wanted; /* by a signal, or by a client of the control socket */
	bool handing_over; /* the next run goes on with the descriptors that the service manager holds */
	struct adoption
		*adoption; /* this run goes on with those of an earlier one; NULL: not, or no longer */
	mtime reload_at;   /* not before: requests until then share one */
	unsigned reloads;  /* so far */
	struct links *links;
	struct table *tables; /* those that are open */
	struct rules *rules;  /* that lead to them; NULL: all is in the default table */
	mtime holders_at; /* when families that others hold are tried again; MTIME_NEVER: there are none */
	struct repair *repair; /* NULL: none */
	bool written;          /* the turn has changed entries, vifs or rules in the kernel */
	struct uplink *uplinks;
	struct instance_slot *instances; /* CONFIG_INSTANCES_MAX; each keeps its slot while it runs */
	size_t instance_count;           /* slots in use, and free ones among them */
	bool readers_due;                /* some link may have no reader yet */
	struct send_queue *send_queue;
	struct status *status;
	const struct control_handlers *control_handlers;
	struct control *control; /* NULL: none */
	int recording_fd;
	bool logged_memory;    /* that the tables are out of memory */
	bool logged_recording; /* that the recording ended before its time */
	mtime started_at;
	int64_t started_wall;   /* the same since 1970, as the clock was then */
	mtime holders_tried_at; /* when they were tried last */
	mtime status_at;        /* the next status of -s; MTIME_NEVER: none */
	gid_t control_group;    /* may change the daemon and read status_file; OWNER_NO_GROUP: none */
	struct kernel_settings settings;
	struct loop_source signals;
	struct interface_watch interfaces;
	struct service service;
	struct loop loop;
	struct snapshot_reader walks[SNAPSHOT_CURSORS];
	char reload_problem[CONFIG_ERROR_SIZE]; /* of the last one; empty: it is in force */
	struct confinement confinement;
};

/* Runs the daemon until SIGTERM or SIGINT; the exit status. Takes the configuration over. */
int owner_run(const struct options *options, struct config *config,
              const struct control_handlers *control_handlers);

#endif
