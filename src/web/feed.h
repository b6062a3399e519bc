/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The events for all clients, made once, as the text of server-sent events. The last ones are kept, for clients
 * that read slowly or come back. Each has the identifier EPOCH-NUMBER.
 */
#ifndef MCPROXY_WEB_FEED_H
#define MCPROXY_WEB_FEED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FEED_EVENTS    256                /* kept at most */
#define FEED_BYTES_MAX ((size_t)16 << 20) /* so are these, or the newest event alone */

struct feed_event {
	char *text;
	size_t size;
};

struct feed {
	uint32_t epoch;       /* of this run of the server */
	uint64_t first, next; /* the numbers of the oldest event that is kept, and of the next one */
	size_t size;          /* of the events that are kept */
	struct feed_event events[FEED_EVENTS]; /* by number */
};

/* 0 is no number of an event. */
void feed_init(struct feed *feed, uint32_t epoch);
/* Drops all events. No client can go on from one of them. */
void feed_clear(struct feed *feed);
/* Adds an event; takes ownership of data, which is one line. False when memory is short. */
bool feed_add(struct feed *feed, const char *kind, char *data, size_t size);
/* The text of an event; NULL if it is no longer, or not yet there. */
const struct feed_event *feed_find(const struct feed *feed, uint64_t number);
/* The number of the event that follows the one with this identifier; 0 if it is not known. */
uint64_t feed_resume(const struct feed *feed, const char *identifier);
/* An event of its own with the identifier of the last one of the feed; NULL when memory is short. */
char *feed_make(const struct feed *feed, const char *kind, const char *data, size_t size, size_t *whole);

#endif
