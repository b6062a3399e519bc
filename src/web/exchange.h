/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A request and its answer, while the server has them, and what its files share. One thread.
 */
#ifndef MCPROXY_WEB_EXCHANGE_H
#define MCPROXY_WEB_EXCHANGE_H

#include "web/attempts.h"
#include "web/clients.h"
#include "web/server.h"
#include "web/watch.h"

#include <microhttpd.h>

/* For a client to take the next part of the events, and for the daemon to go on with an answer. */
#define READ_TIME (10 * MTIME_SECOND)
#define HEAD_TIME (10 * MTIME_SECOND) /* for the whole head of a request */
#define END_TIME  MTIME_SECOND        /* for what has arrived of a client that has ended */
#define PART_SIZE (size_t)32768       /* of an answer of unknown size */

/* What a request needs until it is answered. */
struct exchange {
	struct exchange *prev, *next;
	struct server *server;
	struct MHD_Connection *connection;
	struct client *client;
	const struct request_path *path; /* NULL: the request is refused */
	bool suspended;                  /* MHD leaves the connection alone */
	/* REQUEST_SHOW */
	int daemon; /* descriptor; -1: none */
	bool whole; /* the end of the answer has come */
	bool waits; /* for the daemon, since waits_since */
	mtime waits_since;
	/* those that are tasks */
	struct task *task; /* in progress */
	struct task *done;
	/* REQUEST_EVENTS */
	char *own; /* the first event; NULL: none, or it was sent */
	size_t own_size;
	size_t at;       /* in the current text */
	uint64_t number; /* of the event of the feed */
	mtime comment_at;
	bool comment;
};

struct server {
	const struct server_settings *settings;
	struct tasks *tasks;
	struct watch *watch;
	bool wants_findings;
	struct task *findings; /* in progress */
	struct MHD_Daemon *https[LISTENERS_MAX];
	char *names; /* the answer, until names_until; NULL: none yet */
	mtime names_until;
	struct clients clients;
	struct attempts attempts;
	mtime warned_at; /* of attempts, at most once in a minute */
	struct exchange *exchanges;
	mtime now;
	mtime left_at; /* when the last client of the events went */
	bool closed;   /* a connection has ended: MHD may have room for another one */
	int signals;
};

/* Answers with a response, which it takes (NULL: no memory), or with {"error": problem}. The result is for MHD. */
enum MHD_Result exchange_queue(struct exchange *exchange, unsigned status, struct MHD_Response *response,
                               const char *type);
enum MHD_Result exchange_fail(struct exchange *exchange, unsigned status, const char *problem);
enum MHD_Result exchange_answer_file(struct exchange *exchange);  /* of the page */
enum MHD_Result exchange_answer_names(struct exchange *exchange); /* of hosts */
/* A parameter of the query; NULL: it is missing. */
const char *exchange_parameter(struct exchange *exchange, const char *name);
/* MHD leaves the connection alone, until exchange_resume; it then asks again for what it lacked. */
void exchange_suspend(struct exchange *exchange);
void exchange_resume(struct exchange *exchange);
/* Ends a connection; MHD notices at its next turn. What the client has not read is thrown away. */
void exchange_drop_client(struct client *client);

#endif
