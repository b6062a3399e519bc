/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Keeps the model as the daemon is, and makes the events, while there are clients: it monitors the daemon on one
 * connection, and asks on another for what has changed. Never blocks. One thread.
 */
#ifndef MCPROXY_WEB_WATCH_H
#define MCPROXY_WEB_WATCH_H

#include "core/base/mtime.h"
#include "web/feed.h"
#include "web/model.h"

#include <poll.h>

struct watch;
/* socket: the path of the control socket. NULL when memory is short. */
struct watch *watch_new(const char *socket);
void watch_free(struct watch *watch);

/* The first client has come, or the last one has gone for long enough. */
void watch_start(struct watch *watch, mtime now);
void watch_stop(struct watch *watch);
bool watch_is_started(const struct watch *watch);

struct feed *watch_feed(struct watch *watch);
/* The first event of a new client, after which the events from feed->next follow: a snapshot, or that the daemon
 * is away; NULL if one will follow in the feed. The caller frees it. */
char *watch_greet(const struct watch *watch, size_t *size);

#define WATCH_FDS 2
/* What to wait for, and when to call watch_expire; fds not in use are -1. */
void watch_prepare(const struct watch *watch, struct pollfd fds[WATCH_FDS]);
mtime watch_deadline(const struct watch *watch);
/* Handles what has arrived, then does what is due. */
void watch_receive(struct watch *watch, const struct pollfd fds[WATCH_FDS], mtime now);
void watch_expire(struct watch *watch, mtime now);

/* Whether doctor should look now; it then counts as asked. The answer comes by watch_take_findings: the text of
 * `doctor --json`, or NULL if it cannot look now. */
bool watch_wants_findings(struct watch *watch, mtime now);
void watch_take_findings(struct watch *watch, const char *text, size_t size);

#endif
