/* SPDX-License-Identifier: BSD-2-Clause
 *
 * An engine under test, through its public contract alone. A test gives inputs and lets time pass from deadline to
 * deadline; all requests are kept for it. Each pull asserts what an owner must be able to rely on.
 *
 * Filters and routes are compared as text:
 *
 *     "EXCLUDE{}"  "INCLUDE{10.0.0.1 10.0.0.2}"  "never"   the newest REQUEST_MEMBERSHIP of a group
 *     "0 -> 1 2"   "1 ->" (negative)  "none"     "never"   the newest route request of (source, group)
 */
#ifndef MCPROXY_TESTS_ENGINE_H
#define MCPROXY_TESTS_ENGINE_H

#include "core/router/instance.h"
#include "support/craft.h"

#include <stdio.h>

enum { UP, DOWN1, DOWN2, DOWN3 }; /* link ids */

struct kept_request {
	struct request request;
	uint8_t *payload;
	size_t payload_size;
	mtime at;
};

struct engine {
	struct instance *instance;
	mtime now;
	struct kept_request *kept;
	size_t kept_count;
	size_t kept_capacity;
	struct link_settings link_settings; /* what links get by link_up */
	struct link_change links[LINKS_MAX];
};

extern struct engine engine;

extern const struct link_settings usual_link_settings;
extern const struct instance_settings usual_settings;

/* Drops the requests that were kept so far. */
void forget(void);
void engine_open(const struct instance_settings *settings);

/* One pull; false when there was no request. */
bool pull_one(void);

/* A turn of a worker's loop: what is due, then all requests. */
void turn(void);

/* Lets time pass, stopping at each deadline on the way. */
void pass(mtime interval);
void give(const struct input *input, const void *payload, size_t size);
void give_packet(uint8_t link, enum family family, const struct craft *craft);

/* A packet arrives, and a turn of the loop follows. */
void receive(uint8_t link, struct craft craft);

/* The address of a host on a link; it contains the number of the link. */
const char *host_of(uint8_t link, const char *group);
void join(uint8_t link, const char *group);
void leave(uint8_t link, const char *group);
void report(uint8_t link, enum record_type type, const char *group, const char *sources);
void give_upcall(uint8_t link, const char *source, const char *group, bool wrong_link);
void upcall(uint8_t link, const char *source, const char *group);
void wrong_link(uint8_t link, const char *source, const char *group);
/* A reading of an entry: its packets, and how many of these arrived on a wrong link. */
void give_counters(const char *source, const char *group, uint64_t packets, uint32_t wrong);
void counters(const char *source, const char *group, uint64_t packets);

/* Gives the engine the link as engine.links[id] has it now. */
void give_link(uint8_t id);
/* The link gets these filters, one rule a line; NULL: none. */
void give_filters(uint8_t link, const char *in, const char *out);
void link_up(uint8_t id, enum link_role role);
void link_down(uint8_t id);
void link_gone(uint8_t id);

/* One upstream and two downstream links, past their startup queries. */
void usual_links(void);

/* Set-up and tear-down of tests: with the usual links, or without links. */
int open_usual(void **state);
int open_empty(void **state);
int close_any(void **state);

#define engine_test(function) cmocka_unit_test_setup_teardown(function, open_usual, close_any)
#define empty_test(function)  cmocka_unit_test_setup_teardown(function, open_empty, close_any)

size_t requests_of(enum request_kind kind);

/* Events: the newest of a kind since the last forget, and how many. */
const struct event *newest_event(enum event_kind kind);
size_t events_of(enum event_kind kind);
void want_events(bool wanted);
const char *membership_of(const char *group);
/* The same for an upstream link. */
const char *membership_on(uint8_t link, const char *group);

/* Of the newest REQUEST_MEMBERSHIP of a group; 0 when there was none. */
uint64_t open_links_of(const char *group);

/* The newest REQUEST_FORWARDING of a family; 0 when there was none. */
uint64_t forwarding_of(enum family family);
/* "0 -> 1 2" of a route request; returns text. */
const char *route_text(const struct request *request, char *text, size_t size);

/* The newest route request of (source, group) as text, "never" when there was none. */
const char *route_of(const char *source, const char *group);

/* A query that was sent, decoded; valid while the request is kept. */
struct sent_query {
	uint8_t link;
	mtime at;
	struct packet packet;
	struct query query;
};

/* The n-th query of those kept, counted from 0; false when there are fewer. */
bool nth_query(size_t n, struct sent_query *sent);

struct link_change *use_family(uint8_t id, enum family family, bool usable);

/* The times of all queries on a link since the last forget, relative to a point in time. */
size_t query_times(uint8_t link, enum family family, mtime since, mtime *times, size_t capacity);

#endif
