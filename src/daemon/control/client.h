/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A client of the control socket: its requests, its answer and its buffers. control.c listens and serves all
 * clients; commands.c has the table of commands. A client has one request under way: its next one is read
 * when the answer is complete.
 */
#ifndef MCPROXY_DAEMON_CONTROL_CLIENT_H
#define MCPROXY_DAEMON_CONTROL_CLIENT_H

#include "core/host/host.h"
#include "daemon/control/json.h"
#include "daemon/control/request.h"
#include "daemon/owner/instances.h"
#include "daemon/owner/owner.h"

#include <sys/types.h>

#define CONTROL_CLIENTS_MAX 32
#define CONTROL_BACKLOG     65536              /* bytes: no more is made while so many wait to be sent */
#define CONTROL_RECORDS     32                 /* written in a turn, for all clients */
#define CONTROL_PATIENCE    (5 * MTIME_SECOND) /* for the end of a request, and for CONTROL_PROGRESS */
#define CONTROL_PROGRESS    4096               /* bytes that a client with a backlog takes in that time */

struct client;

/* begin starts the answer, and may end it (client_end_answer). go_on makes more of it, at most about a page,
 * each time that the client has room, until the answer ends. end releases what the command holds, also when
 * the client goes away in the middle. go_on and end may be NULL. */
struct control_command {
	const char *name;
	bool changes; /* only for those that may change the daemon */
	void (*begin)(struct client *client);
	void (*go_on)(struct client *client);
	void (*end)(struct client *client);
};
extern const struct control_command control_commands[]; /* up to one without a name */

/* Of a show under way. */
struct control_show {
	const struct show *show;
	struct snapshot_reader *walk;
	size_t instance;
	size_t port_cursor;
	bool begun;   /* the instance's first walk was started */
	bool walking; /* pages of the walk are left */
	bool in_members;
	/* The page at hand, copied since it takes a few turns to be written. */
	struct snapshot_item *records;
	size_t record_count, record_next;
	bool in_group; /* its object is open, for its sources and members */
	/* Of the memberships upstream. */
	size_t uplink_number;
	struct uplink *uplink; /* lives while the walk has a host */
	struct host_walk memberships;
	/* Of the sets: where the answer is. */
	size_t set_number, range_number;
	bool in_set; /* its object is open */
};

struct client {
	struct loop_source source;
	struct client *next;
	struct owner *owner;
	bool may_change;
	bool input_over; /* it sends no more */
	bool doomed;     /* to be removed at the end of the turn */
	bool monitoring;
	uint64_t events_lost; /* not yet reported to it */
	char input[CONTROL_REQUEST_MAX + 1];
	size_t input_size;
	struct json out;
	size_t sent;                           /* of out */
	mtime input_at;                        /* when the unfinished request in input began */
	mtime active_at;                       /* when it made a request or took something last */
	mtime patience_until;                  /* while it has a backlog: when it is dropped */
	mtime emptied_at;                      /* without a backlog: since when */
	mtime unread_at;                       /* when to look whether it has read its answer; MTIME_NEVER */
	int unread;                            /* bytes that waited in its socket at the last look */
	uint32_t watched;                      /* events of epoll */
	const struct control_command *command; /* being answered */
	struct control_request request;
	struct control_show show;
	unsigned reload; /* the number of the one that is waited for */
	size_t cleared;  /* ports that `clear` is done with */
	unsigned cleared_links;
};

struct control {
	struct loop_source source;
	struct client *clients;
	size_t client_count;
	size_t monitors;
	/* So that a turn has little to do: */
	bool walk_waiting; /* a page is on its way: one at a time */
	int records_left;  /* that may be written in this turn */
	mtime accept_at;   /* accepting failed: when it is tried again; MTIME_NEVER */
	char path[CONFIG_SOCKET_SIZE];
};

/* A new client, whose fd it owns; NULL when memory is short. */
struct client *client_new(struct owner *owner, int fd, mtime now);
/* Input has come, or output can be sent. */
void client_ready(void *context, struct loop_source *source, mtime now);
/* Reads requests, makes answers, sends them. Marks a client that is gone or does not read as doomed. */
void client_turn(struct client *client, mtime now);
/* When client_turn must be called though nothing has come; MTIME_NEVER. */
mtime client_deadline(const struct client *client);
/* Can it lose its place? It waits for nothing, or it has taken nothing of its answer for a second. */
bool client_is_idle(const struct client *client, mtime now);
/* Frees it at the end of the turn. */
void client_remove(struct client *client);

/* Opens the object of an answer. */
void client_open_answer(struct client *client);
/* Closes it and ends the line and the answer. */
void client_end_answer(struct client *client);
/* The whole answer. */
__attribute__((format(printf, 2, 3))) void client_fail(struct client *client, const char *format, ...);
size_t client_backlog(const struct client *client);

#endif
