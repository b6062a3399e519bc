/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A proxy: the real engine, on a model of the kernel's forwarding table, with a host side upstream (uplink)
 * that reports what the engine wants there.
 */
#ifndef MCPROXY_SIM_PROXY_H
#define MCPROXY_SIM_PROXY_H

#include "member.h"
#include "other_querier.h"
#include "rules.h"
#include "uplink.h"

#include "daemon/worker/recording.h"

#define UPSTREAMS_MAX 2
#define UNRESOLVED_PACKETS                                                                                   \
	12 /* the kernel keeps 4; here copies by a second upstream link must not use them up */

struct proxy;

struct proxy_link {
	struct proxy *proxy;
	struct port port;
	uint8_t id;
	uint8_t role;          /* enum link_role */
	bool present;          /* the interface exists */
	bool was_gone;         /* since the engine was told of it last */
	bool announced_gone;   /* the engine knows it, and has not given the id back */
	bool usable[FAMILIES]; /* as the interface is */
	struct link_settings settings;
	char name[LINK_NAME_SIZE];
	struct rules *in, *out; /* filters; NULL: none */
	struct addr addr[FAMILIES];
	struct member *host; /* upstream: the kernel's, one per family */
	struct uplink *uplink[FAMILIES];
};

enum entry_state { ENTRY_NONE, ENTRY_UNRESOLVED, ENTRY_SET };

struct entry {
	enum entry_state state;
	uint8_t input;
	uint64_t outputs;
	uint64_t packets;
	uint32_t wrong_packets;
	mtime upcall_at;
	mtime wrong_upcall_at;
	struct data_packet *queue[UNRESOLVED_PACKETS];
	uint8_t queue_from[UNRESOLVED_PACKETS]; /* ids of the links where they arrived */
	unsigned queued;
};

struct proxy {
	struct world *world;
	unsigned number;
	unsigned depth; /* of its upstream segment */
	struct instance *instance;
	struct recorder *recorder;
	bool in_turn;
	mtime wake_at;
	unsigned pages_wanted;                    /* set of cursors */
	struct proxy_link links[PROXY_LINKS_MAX]; /* the first one is upstream, and perhaps the last one */
	unsigned link_count;
	bool has_second; /* the last link leads to the second provider */
	struct instance_settings settings;
	/* By request of the engine: the filters wanted upstream, links all of whose members want every source,
	 * and downstream links by which multicast leaves. */
	struct want wanted[UPSTREAMS_MAX][FAMILIES][GROUPS_MAX];
	uint64_t open[UPSTREAMS_MAX][FAMILIES][GROUPS_MAX];
	uint64_t forwarding[FAMILIES];
	bool unchecked; /* the engine requested one of these or a route since the last check */
	struct entry entry[FAMILIES][SOURCES_MAX][GROUPS_MAX];
	/* Queries from upstream that the engine must pass on: the general one of a family, as merged, and
	 * those about groups, oldest first. */
	bool general_due[FAMILIES];
	struct frame_query general[FAMILIES];
	struct frame_query specific[INSTANCE_QUERIES_MAX];
	unsigned specific_count;
};

struct proxy *proxy_new(struct world *world, unsigned number, struct segment *upstream);
/* Adds a downstream link. */
void proxy_serve(struct proxy *proxy, struct segment *segment, const struct link_settings *settings);
/* The second provider, after all other links. */
void proxy_add_second(struct proxy *proxy);
unsigned proxy_upstreams(const struct proxy *proxy);
struct proxy_link *proxy_upstream(struct proxy *proxy, unsigned number);
/* Gives the engine the instance's present settings. */
void proxy_configure(struct proxy *proxy);
/* All links are there: makes the engine. */
void proxy_start(struct proxy *proxy);
/* The program is killed and started again: engine and table are empty. */
void proxy_restart(struct proxy *proxy);
void proxy_free(struct proxy *proxy);

/* A frame that arrives at one of its links; owner: struct proxy_link. */
void proxy_receive(void *owner, const struct frame *frame);
/* Gives the engine the link's present state. */
void proxy_link_changed(struct proxy_link *link);
struct proxy_link *proxy_link_by_id(struct proxy *proxy, unsigned id);
/* Gives the engine an input and carries out its requests. */
void proxy_input(struct proxy *proxy, const struct input *input, const void *payload, size_t size);

/* kernel.c */

/* A data packet arrives at a link. */
void kernel_receive(struct proxy_link *link, struct data_packet *packet);
void kernel_set_route(struct proxy *proxy, const struct request *request);
void kernel_remove_route(struct proxy *proxy, const struct request *request);
/* Gives the engine all counters. */
void kernel_read_counters(struct proxy *proxy);
/* Do the entries of streams from upstream go where an owner that knows only of members expects? */
void kernel_check_expected(struct proxy *proxy);
/* Does an entry name the link? */
bool kernel_names_link(const struct proxy *proxy, unsigned id);
void kernel_flush(struct proxy *proxy);

#endif
