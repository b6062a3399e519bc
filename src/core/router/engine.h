/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The state of an engine, and the functions that all its modules use. Only the modules of the engine include
 * this header; other rooms use instance.h. From the bottom up, each calls only those before it:
 *
 *   engine        drops and events
 *   filtering     what the links' filters leave of reports and streams, and the choice of an upstream link
 *   membership_table  the groups of the instance
 *   membership    their state on each link
 *   static_groups those that the configuration keeps
 *   wants         what all links together want
 *   route_shares  which flow makes way for a new one at the limit of routes
 *   forward       flows and their routes
 *   router_discovery  advertisements for snooping switches
 *   election      the querier of a link, and what follows when it changes
 *   receive       packets
 *   review        memberships that are asked about again
 *   snapshot      pages of state for the status
 *   requests      what is pulled from dirty state
 *   instance      inputs, time and requests: the public contract
 *
 *   instance --< link            by id
 *   instance --< membership      index by group address
 *   membership --< link_group    the group's state on one link; the first is part of the membership
 *   membership --< flow          sources that send to the group; also in an index by (source, group)
 *
 * There may be 100,000 memberships. Their fields are in order of use, and an assertion limits their size.
 *
 * Dirty objects are in lists until requests.c pulls their newest state. A membership exists while it has
 * link_groups, flows or a request to be pulled.
 */
#ifndef MCPROXY_CORE_ROUTER_ENGINE_H
#define MCPROXY_CORE_ROUTER_ENGINE_H

#include "core/base/index.h"
#include "core/router/instance.h"
#include "core/router/link.h"

#include <utlist.h>

enum deadline_kind { DEADLINE_LINK_GROUP, DEADLINE_LINK };

struct link_group {
	struct link_group *next; /* in the membership */
	struct link *link;       /* NULL: the one in the membership, while it is unused */
	struct group group;
	struct membership *membership;
	mtime joined_at; /* the first member came */
	struct deadline deadline;
	struct link_group *query_prev, *query_next; /* in instance.asking; NULL: not in it */
};

struct membership {
	struct index_node node;
	struct addr group;
	struct link_group first; /* the head of the list of link_groups */
	struct flow *flows;
	struct membership *dirty_next; /* in instance.dirty_memberships */
	uint8_t payer;                 /* id of the link that its memory counts for */
	bool dirty;
	bool wanted_upstream; /* a filter other than INCLUDE{} was announced */
};

_Static_assert(sizeof(void *) > 8 || sizeof(struct membership) <= 184, "a group with members on one link");

struct flow_key {
	struct addr source;
	struct addr group;
};

/* What a flow is worth to the hosts downstream, the least first. */
enum flow_worth {
	FLOW_NEGATIVE, /* it goes nowhere */
	FLOW_UNASKED,  /* from downstream, and only to upstream links: no member downstream wants it */
	FLOW_WANTED,
	FLOW_WORTHS
};

struct flow {
	struct index_node node;
	struct flow_key key;
	struct membership *membership;
	struct flow *prev, *next;               /* in the membership, oldest first */
	struct flow *dirty_prev, *dirty_next;   /* in instance.dirty_flows */
	struct flow *active_prev, *active_next; /* in instance.routes of its input, unless it is gone */
	uint64_t serial;                        /* grows with each flow made: the order of snapshots */
	uint64_t outputs;                       /* set of link ids */
	uint64_t packets;
	uint64_t bytes;
	uint32_t wrong_link;
	uint8_t input; /* link id; its memory counts for that link */
	uint8_t seen;  /* id of the link of the last upcall: another one, if the input was chosen */
	uint8_t worth; /* enum flow_worth */
	bool dirty;
	bool arrived;    /* packets of it have come by this input */
	bool gone;       /* kept only until REQUEST_ROUTE_NONE is pulled */
	bool lost;       /* gone with its link */
	mtime active_at; /* when its packet counter last grew */
	mtime made_at;
	mtime read_at; /* when its counters came; at first: made_at */
	uint32_t rate; /* bytes per second before that */
};

struct walk {
	bool open;
	uint8_t what; /* enum snapshot_kind */
	uint8_t link;
	bool page_wanted;
	struct membership *membership; /* the next one to visit */
	bool in_group;                 /* its item was rendered; sources or hosts behind `last` were not */
	bool in_hosts;                 /* its sources were rendered, too */
	struct addr last;
	/* Flows of the membership up to here were rendered; of rules: the place of the next one. */
	uint64_t serial;
};

/* The flows that arrive on a link: a list for each worth, the least recently active first. */
struct link_routes {
	struct flow *flows[FLOW_WORTHS];
	uint32_t counts[FLOW_WORTHS];
	uint32_t of_family[FAMILIES];
};

#define REFUSED_MAX 32 /* streams without room that wait for REQUEST_ROUTE_NONE; the rest get none */

/* A query about a group that arrived on an upstream link. */
struct specific_query {
	uint8_t link;
	uint8_t family;
	struct upstream_query query;
	struct addr *sources; /* on the pool */
};

/* Upstream queries that wait to be pulled. A general query is a state: each link and family has one at most.
 * Specific queries are in a ring, in order of arrival. */
struct upstream_queries {
	uint64_t general_due[FAMILIES]; /* sets of link ids */
	struct upstream_query general[LINKS_MAX][FAMILIES];
	struct specific_query specific[INSTANCE_QUERIES_MAX];
	unsigned first, count; /* of the specific ones */
};

/* The hash of a group, kept from the prefetch until the look-up. */
struct group_hash {
	struct addr group;
	uint32_t hash;
};

#define GROUP_HASHES 64 /* more than are prefetched at a time */

/* A membership whose change is requested for one upstream link after the other, where they may differ. */
struct upstream_walk {
	struct addr group;
	uint64_t links;  /* those that are left */
	bool was_wanted; /* by some of them */
};

struct instance {
	struct instance_settings settings;
	uint64_t seed;
	struct pool *pool;
	uint64_t links_to_free; /* ids that wait for REQUEST_LINK_FREE */
	struct index memberships;
	struct index flows;
	uint64_t flow_serial;
	uint32_t route_count; /* flows that are not gone */
	struct membership *dirty_memberships, *dirty_last;
	struct upstream_walk upstream_walk;
	uint8_t upstreams
		[LINKS_MAX]; /* ids of the upstream links in the order of the configuration; choice_refresh */
	unsigned upstream_count;
	bool filtered; /* filters, or static groups upstream, say what is wanted of each upstream link */
	struct flow *dirty_flows;
	unsigned refused_count;
	struct link_group *asking;              /* link_groups with a round of queries due */
	uint64_t general_queries_due[FAMILIES]; /* sets of link ids */
	uint64_t discovery_due[FAMILIES];       /* sets of link ids */
	uint64_t forwarding[FAMILIES];          /* as REQUEST_FORWARDING has announced */
	uint64_t yielding[FAMILIES];            /* the same */
	bool forwarding_due[FAMILIES];          /* they may have changed since */
	uint32_t link_group_count;
	uint32_t joined_count; /* memberships with a link group */
	uint64_t rate; /* of all flows, as the last counter readings have measured; bytes per second */
	struct deadlines deadlines;
	struct events events;
	bool pong_due;
	bool all_adopted_due;
	bool stopping;
	bool stopped;
	struct link_routes routes[LINKS_MAX];
	struct walk walks[SNAPSHOT_CURSORS];
	uint64_t drops[DROP_CAUSES];          /* of links that are gone, and without a link */
	struct flow_key refused[REFUSED_MAX]; /* the owner may have installed early routes for them */
	struct upstream_queries upstream_queries;
	struct link *links[LINKS_MAX];
	struct pool *parts[LINKS_MAX]; /* of the pool, for the state of each link; NULL: not used yet */
	struct group_hash hashes[GROUP_HASHES]; /* by the last bits of the group */
	struct addr scratch[REQUEST_SOURCES_MAX];
	struct addr scratch_merge[REQUEST_SOURCES_MAX];
	struct addr scratch_filter[2][REQUEST_SOURCES_MAX]; /* for filtering.c */
};

/* Counts a drop for the link, or for the instance where link is NULL. At each power of two it pushes an
 * event. */
void engine_drop(struct instance *instance, struct link *link, enum family family, enum drop drop);
/* The same for the report of a host, which the event names. NULL: the host is not known. */
void engine_drop_host(struct instance *instance, struct link *link, enum family family, enum drop drop,
                      const struct addr *host);
/* The events that a link became usable or unusable, and that it has another querier. */
void engine_push_link(struct instance *instance, const struct link *link, enum family family);
void engine_push_querier(struct instance *instance, const struct link *link, enum family family, mtime now);
/* Moves the deadline of the link forward where its querier or router discovery must act earlier. */
void engine_arm_link(struct instance *instance, struct link *link, enum family family);

#endif
