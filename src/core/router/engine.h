/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The inside of an engine, shared by the modules that make it up: instance (inputs), heard (packets),
 * membership (groups and their merge), forward (flows and routes), pull (requests), snapshot. Everybody else
 * uses instance.h.
 *
 *   instance --< link            by id
 *   instance --< membership      index by group address
 *   membership --< link_group      the group's state on one link; one lies in the membership itself
 *   membership --< flow          sources seen sending to the group; also in an index by (source, group)
 *
 * There may be a hundred thousand memberships: their fields are ordered by use, those that a report touches
 * first, and their size is asserted.
 *
 * Dirty objects stand in lists until pull.c has announced their newest state. A membership is kept while it has
 * link_groups, flows or something to tell.
 */
#ifndef MCPROXY_CORE_ROUTER_ENGINE_H
#define MCPROXY_CORE_ROUTER_ENGINE_H

#include "core/base/index.h"
#include "core/router/instance.h"
#include "core/router/link.h"

#include <utlist.h>

enum deadline_kind { DEADLINE_LISTENER, DEADLINE_QUERIER };

struct link_group {
	struct link_group *next; /* in the membership */
	struct link *link;       /* NULL: the one in the membership, while it is unused */
	struct group group;
	struct membership *membership;
	mtime joined_at; /* the first member came */
	struct deadline deadline;
	struct link_group *query_prev, *query_next; /* in instance.asking; NULL: it is not */
};

struct membership {
	struct index_node node;
	struct addr group;
	struct link_group first; /* the list of link_groups begins with it */
	struct flow *flows;
	struct membership *dirty_next; /* in instance.dirty_memberships */
	bool dirty;
	bool wanted_upstream; /* a filter other than INCLUDE{} was announced */
};

_Static_assert(sizeof(void *) > 8 || sizeof(struct membership) <= 184, "a group with members on one link");

struct flow_key {
	struct addr source;
	struct addr group;
};

struct flow {
	struct index_node node;
	struct flow_key key;
	struct membership *membership;
	struct flow *prev, *next;             /* in the membership, oldest first */
	struct flow *dirty_prev, *dirty_next; /* in instance.dirty_flows */
	struct flow *idle_prev,
		*idle_next; /* in instance.negative_flows, oldest first, while it goes nowhere */
	uint64_t serial;    /* grows with each flow made: the order of snapshots */
	uint64_t outputs;   /* set of link ids */
	uint64_t packets;
	uint64_t bytes;
	uint32_t wrong_link;
	uint8_t input; /* link id */
	bool dirty;
	bool gone;       /* kept only to tell so */
	bool negative;   /* in instance.negative_flows */
	mtime active_at; /* when packets were last seen to grow */
	mtime made_at;
	mtime read_at; /* its counters; at first: made */
	uint32_t rate; /* bytes per second before that */
};

struct walk {
	bool open;
	uint8_t what; /* enum snapshot_kind */
	uint8_t link;
	bool page_wanted;
	struct membership *membership; /* the next one to tell */
	bool in_group; /* its record was announced, its sources or hosts from `last` on are not */
	bool in_hosts; /* its sources were announced, too */
	struct addr last;
	uint64_t serial; /* flows of the membership up to here were announced */
};

#define REFUSED_MAX       32 /* streams that there was no room for and not yet announced; more are not announced */
#define QUERY_SOURCES_MAX 1024 /* of an upstream query */

/* A query about a group that came in by an upstream link. */
struct specific_query {
	uint8_t link;
	uint8_t family;
	struct upstream_query query;
	struct addr *sources; /* on the pool */
};

/* Upstream queries that the owner has not got yet. A general one is a state: each link and family has one at
 * most. Specific ones stand in a ring, in the order in which they came. */
struct upstream_queries {
	uint64_t general_due[FAMILIES]; /* sets of link ids */
	struct upstream_query general[LINKS_MAX][FAMILIES];
	struct specific_query specific[INSTANCE_QUERIES_MAX];
	unsigned first, count; /* of the specific ones */
};

struct instance {
	struct instance_settings settings;
	uint64_t seed;
	struct pool *pool;
	struct link *links[LINKS_MAX];
	uint64_t links_to_free; /* ids to tell by REQUEST_LINK_FREE */
	struct index memberships;
	struct index flows;
	uint64_t flow_serial;
	uint32_t negative_count;
	struct flow *negative_flows;
	struct membership *dirty_memberships, *dirty_last;
	struct flow *dirty_flows;
	struct flow_key refused[REFUSED_MAX]; /* the owner may have assumed that they are wanted */
	unsigned refused_count;
	struct link_group *asking;              /* link_groups with a round of queries due */
	uint64_t general_queries_due[FAMILIES]; /* sets of link ids */
	uint64_t forwarding[FAMILIES];          /* as REQUEST_FORWARDING has announced */
	bool forwarding_due[FAMILIES];          /* it may be another set by now */
	uint32_t link_group_count;
	struct deadlines deadlines;
	struct upstream_queries upstream_queries;
	uint64_t drops[DROP_CAUSES]; /* those of links that are gone, or that belong to none */
	struct events events;
	struct walk walks[SNAPSHOT_CURSORS];
	bool pong_due;
	bool stopping;
	bool stopped;
	struct addr scratch[REQUEST_SOURCES_MAX];
	struct addr scratch_merge[REQUEST_SOURCES_MAX];
};

/* membership.c */

struct membership *membership_find(struct instance *instance, const struct addr *group);
/* The oldest, and the one added after this; NULL: no more. */
struct membership *membership_oldest(const struct instance *instance);
struct membership *membership_newer(const struct membership *membership);
/* The first of the link_groups, and the one behind this; NULL: no more. */
struct link_group *link_group_first(struct membership *membership);
struct link_group *link_group_next(const struct link_group *link_group);
/* Finds or makes it; NULL when memory is short. */
struct membership *membership_get(struct instance *instance, const struct addr *group);
/* Frees it when nothing holds it any more. */
void membership_release(struct instance *instance, struct membership *membership);
void membership_mark(struct instance *instance, struct membership *membership);
/* The next one that was marked, no longer marked; NULL: no more. */
struct membership *membership_pull_marked(struct instance *instance);
/* These records come next: has the memory of their groups ready, so that a report about many groups does not
 * wait for each. Changes nothing. */
#define MEMBERSHIP_EXPECTED_MAX 16
void membership_prefetch(const struct instance *instance, const struct record *records, size_t count);
/* A record of a report that a host sent on a downstream link, and its sources as a set. */
void membership_record(struct instance *instance, struct link *link, mtime now, enum version version,
                       const struct addr *host, const struct record *record, const struct sources *sources);
/* A group-specific query of another querier. */
void membership_receive_query(struct instance *instance, struct link *link, mtime now,
                              const struct addr *group, const struct sources *sources);
/* Puts it into, or out of, the list of those with queries due. */
void link_group_set_asking(struct instance *instance, struct link_group *link_group, bool asking);
void link_group_expire(struct instance *instance, struct link_group *link_group, mtime now);
/* Puts its deadline right after its state changed. */
void link_group_arm(struct instance *instance, struct link_group *link_group);
/* The link does not serve the family any more: its link_groups are gone, routes follow. */
void membership_drop_link(struct instance *instance, struct link *link, enum family family, mtime now);
/* The link's querier changed. */
void membership_querier_changed(struct instance *instance, struct link *link, enum family family, mtime now);
/* The link's settings changed: its timers follow. */
void membership_reconfigure_link(struct instance *instance, struct link *link, enum family family, mtime now);
/* Tells all memberships again: an upstream link became usable, or requests were lost. */
void membership_mark_all(struct instance *instance, enum family family);
/* The links with members if all of these want every source, whoever it is; otherwise 0. */
uint64_t membership_open_links(struct membership *membership);
/* The filter that all links together want (RFC 4605 section 4.1). */
void membership_filter(struct instance *instance, struct membership *membership, struct filter *filter);

/* forward.c */

/* The links of a role by which multicast leaves now (link_forwards). */
uint64_t forward_links(const struct instance *instance, enum link_role role, enum family family, mtime now);
void forward_upcall(struct instance *instance, struct link *link, mtime now, const struct flow_key *key,
                    bool wrong_link);
void forward_counters(struct instance *instance, mtime now, const struct input *input);
/* The link_groups of a group or the state of links changed: recomputes where its flows go. */
void forward_update(struct instance *instance, struct membership *membership, mtime now);
void forward_update_all(struct instance *instance, enum family family, mtime now);
/* Requests the routes of all flows again. */
void forward_mark_all(struct instance *instance, enum family family);
/* The limit on routes may have become smaller: what goes nowhere makes way, the oldest first. */
void forward_limit(struct instance *instance);
void forward_drop_link(struct instance *instance, struct link *link, enum family family);
/* A flow announced as gone. */
void flow_free(struct instance *instance, struct flow *flow);

/* snapshot.c */

void snapshot_input(struct instance *instance, const struct input *input);
bool snapshot_pull(struct instance *instance, mtime now, struct request *request, void *payload,
                   size_t *payload_size);
/* A walk must not stand on a membership that goes. */
void snapshot_skip(struct instance *instance, struct membership *membership);

/* heard.c */

/* A packet that came in by a link. */
void receive_packet(struct instance *instance, struct link *link, mtime now, enum family family,
                    const uint8_t *data, size_t size);

/* instance.c */

/* The link's querier is another one: announced as an event, before the link's timers follow. */
void instance_tell_querier(struct instance *instance, const struct link *link, enum family family, mtime now);
/* Has the querier's deadline looked at in time. */
void instance_arm_querier(struct instance *instance, struct link *link, enum family family);
void instance_drop(struct instance *instance, struct link *link, enum family family, enum drop drop);

#endif
