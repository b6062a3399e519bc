/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The HTTP server: answers requests by the page, the daemon, tasks and events. It has one thread, which never
 * waits for a client or the daemon.
 */
#ifndef MCPROXY_WEB_SERVER_H
#define MCPROXY_WEB_SERVER_H

#include "web/names.h"
#include "web/request.h"
#include "web/tasks.h"

#define LISTENERS_MAX 8

struct server_settings {
	const char *socket; /* of the daemon */
	struct request_rules rules;
	int listeners[LISTENERS_MAX]; /* sockets that listen */
	size_t listener_count;
	const char *names[NAMES_FILES_MAX]; /* files with names of hosts */
	size_t names_count;
};

/* Serves until SIGTERM or SIGINT, which the caller has blocked. Returns the exit status. */
int server_run(const struct server_settings *settings, struct tasks *tasks);

#endif
