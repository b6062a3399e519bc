/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Snapshots: an engine's state in pages of items of a fixed size, so that 100,000 groups hold up neither
 * side. The reader requests a page with a cursor number. Items of one page are consistent. A walk neither
 * repeats nor skips anything that exists from its start to its end. Status text, JSON and metrics are
 * rendered from these items.
 */
#ifndef MCPROXY_CORE_CONTRACT_SNAPSHOT_ITEMS_H
#define MCPROXY_CORE_CONTRACT_SNAPSHOT_ITEMS_H

#include "core/base/filter.h"
#include "core/base/mtime.h"
#include "core/contract/link_change.h"
#include "core/wire/drop.h"

#define SNAPSHOT_PAGE_ITEMS 192
#define SNAPSHOT_CURSORS    8 /* walks at the same time */

/* What a walk covers; INPUT_SNAPSHOT carries one of them. */
enum snapshot_kind {
	SNAPSHOT_INSTANCE, /* one item */
	SNAPSHOT_LINKS,    /* an item for each link and family */
	SNAPSHOT_GROUPS,   /* memberships of a link, each followed by its listed sources and its hosts */
	SNAPSHOT_FLOWS,    /* sources seen, group by group */
	SNAPSHOT_RULES,    /* the rules of the links' filters, in order */
	SNAPSHOT_SOURCES,  /* not a walk of its own: items within SNAPSHOT_GROUPS */
	SNAPSHOT_HOSTS,    /* also within SNAPSHOT_GROUPS, behind the sources: tracked hosts */
	SNAPSHOT_KINDS
};

struct snapshot_instance {
	uint64_t memory; /* bytes held by the pool */
	uint32_t groups; /* distinct groups with members or flows */
	uint32_t joined; /* of these, with members */
	uint32_t flows;
	uint32_t negative_flows;
	uint64_t rate; /* bytes per second of all flows before their last counter readings */
	uint64_t events_dropped;
	uint64_t drops[2]; /* routes_max, memory_max */
};

struct snapshot_link {
	uint8_t id;
	uint8_t role;
	uint8_t family;
	uint8_t version;
	bool usable;
	bool querier; /* this router is it */
	struct addr address;
	struct addr other_querier;
	struct addr foreign_querier; /* the first one from outside the link's subnets; unspecified: none */
	struct addr other_version_querier; /* that sent the last query of another version than the link's */
	uint32_t other_version_age;        /* of that query, milliseconds */
	uint8_t other_version;             /* 0: there was none */
	uint64_t memory;                   /* bytes of the link's state, of both families */
	uint64_t memory_share;             /* bytes of memory_max that are kept for the link */
	uint32_t groups;
	uint32_t routes;              /* streams that arrive on the link */
	uint32_t other_querier_left;  /* milliseconds */
	uint32_t other_query_age;     /* since the last general query of the other querier; milliseconds */
	uint32_t next_query_left;     /* milliseconds */
	uint32_t membership_interval; /* in force, milliseconds */
	uint32_t other_querier_present_interval;
	uint32_t older_host_present_interval;
	uint32_t query_interval;
	uint32_t query_response_interval;
	uint32_t startup_query_interval;
	uint32_t last_member_query_interval;
	uint8_t last_member_query_count;
	uint8_t startup_query_count;
	uint8_t robustness;
	uint32_t queries_sent;
	uint32_t queries_received;
	uint32_t reports;            /* messages of all versions */
	uint32_t older_queries;      /* of another version than the link's */
	uint32_t drops[DROP_CAUSES]; /* by cause */
	char name[LINK_NAME_SIZE];
};

struct snapshot_group {
	struct addr group;
	uint8_t link;
	uint8_t mode;    /* enum filter_mode */
	uint8_t version; /* compatibility mode */
	bool queried;
	bool is_static; /* the configuration keeps it; the mode and the sources are also those that it lists */
	uint16_t sources; /* that many SNAPSHOT_SOURCES items follow */
	uint16_t hosts;   /* tracked hosts; 0 where hosts are not tracked */
	uint8_t rounds;   /* unanswered query rounds that it survives */
	mtime age;        /* since the first member came; milliseconds, like all times */
	uint32_t left;    /* group timer, or the longest source timer in INCLUDE mode */
};

struct snapshot_source {
	struct addr source;
	bool blocked;
	bool is_static; /* the configuration keeps it */
	uint32_t left;  /* 0: no host wants it */
};

struct snapshot_host {
	struct addr host;
	uint8_t mode;     /* enum filter_mode */
	uint16_t sources; /* of its filter */
	uint32_t left;    /* until its membership ends without another report */
};

struct snapshot_flow {
	struct addr group;
	struct addr source;
	uint8_t input;
	uint8_t rounds; /* counter readings that it survives without packets */
	uint32_t hosts; /* tracked hosts of the group on all links */
	uint64_t outputs;
	uint64_t packets;
	uint64_t bytes;
	uint32_t wrong_link;
	uint32_t rate;  /* bytes per second before the last counter reading */
	mtime read_age; /* since that reading */
	mtime age;
};

#define SNAPSHOT_RULE_SIZE 256

struct snapshot_rule {
	uint8_t link;
	uint8_t direction; /* enum filter_direction */
	bool can_match;
	uint32_t number; /* in the filter, from 1 */
	uint32_t line;   /* in the configuration file; 0: a default of mcproxy */
	uint32_t reports, streams;
	mtime age; /* since the last hit */
	char text[SNAPSHOT_RULE_SIZE];
};

struct snapshot_item {
	uint8_t kind; /* enum snapshot_kind */
	union {
		struct snapshot_instance instance;
		struct snapshot_link link;
		struct snapshot_group group;
		struct snapshot_source source;
		struct snapshot_host host;
		struct snapshot_flow flow;
		struct snapshot_rule rule;
	};
};

#endif
