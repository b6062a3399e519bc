/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The owner's event loop: epoll and the descriptors that it watches. Each turn waits once, then serves the
 * sources that are ready: the urgent ones (upcalls) first. Handlers get the context that their source names,
 * so that the loop knows nothing of what it serves. Owner thread.
 */
#ifndef MCPROXY_DAEMON_OWNER_LOOP_H
#define MCPROXY_DAEMON_OWNER_LOOP_H

#include "core/base/mtime.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/epoll.h>

struct config;

#define LOOP_EVENTS_PER_TURN 64

struct loop_source;
typedef void loop_handler(void *context, struct loop_source *source, mtime now);

/* A descriptor in the loop: the first member of the object that it belongs to. */
struct loop_source {
	int fd;
	bool urgent;
	loop_handler *ready; /* NULL: no longer watched */
	void *context;
	struct loop_source *next_removed; /* freed at the end of the turn */
};

struct loop {
	int epoll;
	bool again; /* work remains: the next wait polls without blocking */
	int ready_count;
	struct loop_source *removed;
	struct epoll_event ready[LOOP_EVENTS_PER_TURN];
};

/* False, with errno, when it cannot be opened. */
bool loop_open(struct loop *loop);
void loop_close(struct loop *loop);

/* Watches a source for EPOLLIN. False, with errno, when the kernel refuses. */
bool loop_watch(struct loop *loop, struct loop_source *source);
/* Watches for other events; 0: for none, until the next call. */
void loop_set_events(struct loop *loop, struct loop_source *source, uint32_t events);
void loop_unwatch(struct loop *loop, struct loop_source *source);
/* Stops watching a source on the heap. Frees it at the end of the turn: an event may still point there. */
void loop_remove(struct loop *loop, struct loop_source *source);

/* Waits until a source is ready or the deadline has come; not at all when work remains. */
void loop_wait(struct loop *loop, mtime deadline);
/* Calls the handlers of the sources that loop_wait found ready. */
void loop_serve(struct loop *loop, mtime now);
/* Frees the sources that this turn has removed. */
void loop_end_turn(struct loop *loop);

/* The priority of the loop's thread, as configured; logs a refusal where the configuration names one. */
void loop_set_priority(const struct config *config);
/* A seed for a hash table, so that strangers cannot choose colliding addresses. */
uint64_t random_seed(void);

#endif
