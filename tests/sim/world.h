/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A simulated world: a tree of proxies below an upstream router, hosts on their downstream links, streams,
 * and faults; all in virtual time, all from one seed.
 *
 *   router --- segment 0 --- proxy --- segment --- proxy --- segment --- hosts
 *                                 \--- segment --- hosts ...
 *   a second provider --- some of the proxies on segment 0
 *
 * A segment is a link with several stations on it; each station's end is a port.
 */
#ifndef MCPROXY_SIM_WORLD_H
#define MCPROXY_SIM_WORLD_H

#include "agenda.h"
#include "frame.h"
#include "support/random.h"

#include "core/router/instance.h"

#define SEGMENTS_MAX                   32
#define PROXIES_MAX                    8
#define HOSTS_MAX                      1000
#define ROBUSTNESS_MAX                 3
#define LAST_MEMBER_QUERY_INTERVAL_MAX (2 * MTIME_SECOND)
#define PROXY_LINKS_MAX                7
#define DEPTH_MAX                      3

struct world;
struct segment;

struct port {
	struct segment *segment;
	bool up[FAMILIES];
	bool receives_reports;
	void *owner;
	void (*receive)(void *owner, const struct frame *frame);
};

struct segment {
	struct world *world;
	unsigned number;
	unsigned depth;            /* 0: the router's */
	struct proxy_link *server; /* the proxy's downstream link here; segment 0 has none */
	struct port **ports;
	size_t port_count;
	mtime last_at;                          /* the latest arrival so far */
	struct other_querier *rivals[FAMILIES]; /* another querier that may come up here */
	unsigned stations;                      /* hosts and lower proxies */
	uint32_t slow_groups[FAMILIES];         /* see oracle_note_change */
};

/* What is counted, for the totals. */
enum tally {
	TALLY_STEPS,
	TALLY_JOINS,
	TALLY_LEAVES,
	TALLY_FILTER_CHANGES,
	TALLY_REPORTS,
	TALLY_GENERAL_QUERIES,
	TALLY_SPECIFIC_QUERIES,
	TALLY_OTHER_QUERIES,
	TALLY_DISCOVERY,
	TALLY_LOST,
	TALLY_DOUBLED,
	TALLY_LINK_FLAPS,
	TALLY_LINK_REMOVALS,
	TALLY_RIVALS,
	TALLY_SETTINGS,
	TALLY_POLICIES,
	TALLY_CHOICES,
	TALLY_RESTARTS,
	TALLY_FULL_RINGS,
	TALLY_STREAMS_STARTED,
	TALLY_STREAMS_MOVED,
	TALLY_DATA_PACKETS,
	TALLY_UPCALLS,
	TALLY_WRONG_LINK_UPCALLS,
	TALLY_UPCALLS_LOST,
	TALLY_ROUTES_SET,
	TALLY_ROUTES_REMOVED,
	TALLY_MEMBERSHIPS_REQUESTED,
	TALLY_WORLDS,
	TALLY_PACKET_CHECKS,
	TALLY_FILTER_CHECKS,
	TALLY_EXPECTED_CHECKS,
	TALLIES
};

struct faults {
	unsigned loss;        /* percent, of each receiver */
	unsigned doubling;    /* percent */
	unsigned upcall_loss; /* percent */
	unsigned full_ring;   /* percent of turns */
	mtime delay_max;
	bool overtaking; /* a later packet may arrive first */
};

/* One packet of a stream, and where copies of it were seen. */
struct data_packet {
	unsigned references;
	uint8_t family;
	unsigned source;
	unsigned group;
	unsigned copies[SEGMENTS_MAX + 1];
};

struct stream_source {
	struct world *world;
	uint8_t family;
	unsigned number;
	struct segment *segment; /* where it sends */
	bool on_both;            /* and also to the second provider's segment */
	uint32_t groups;         /* set of groups it sends to */
};

struct world {
	uint64_t seed;
	struct random random;
	struct agenda agenda;
	struct faults faults;
	uint64_t steps;
	uint64_t digest; /* of all requests so far */
	uint64_t *tallies;
	bool verbose;
	int recording_fd; /* -1: none */

	bool served[FAMILIES];
	unsigned group_count;
	unsigned source_count;
	unsigned depth;
	mtime query_interval_max; /* of all links and rivals */
	mtime query_response_interval_max;
	mtime stream_interval;
	bool limits_queries;      /* some links have query_rate_max, so that leaves may take longer */
	const struct member *hot; /* outside of trouble, most changes are on this host's link, */
	unsigned hot_group;       /* and of this group */
	bool in_trouble;          /* things come and go */
	bool streaming;           /* sources send often */

	bool has_policies; /* filters, and proxies with two upstream links */
	bool tells_hosts;  /* rules name hosts: none suppresses the reports of others */
	struct segment segments[SEGMENTS_MAX];
	struct segment second; /* the second provider's; its number is SEGMENTS_MAX */
	unsigned segment_count;
	struct proxy *proxies[PROXIES_MAX];
	unsigned proxy_count;
	struct member **hosts;
	unsigned host_count;
	struct other_querier *router[FAMILIES];
	struct stream_source sources[FAMILIES][SOURCES_MAX];
};

static inline void world_count(struct world *world, enum tally tally)
{
	world->tallies[tally]++;
}

static inline mtime world_now(const struct world *world)
{
	return world->agenda.now;
}

/* Handles events up to a point in time; each is a step. */
void world_run(struct world *world, mtime until);

/* Something is not as it should be: prints it with the seed and the step, and exits with status 1. */
_Noreturn void world_fail(const struct world *world, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* A line of the story, with -v. */
void world_note(const struct world *world, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* network.c */

void segment_attach(struct segment *segment, struct port *port);
/* Sends a frame to all others on the segment, and drops it. */
void port_send(struct port *port, struct frame *frame);
/* A data packet appears on a segment; from: the link of the proxy that put it there, NULL for its source. */
void segment_carry(struct segment *segment, const struct port *from, struct data_packet *packet);
/* A source sends one packet, which the caller drops. */
struct data_packet *source_send(struct world *world, enum family family, unsigned source, unsigned group);
/* A source sends to its groups, periodically. */
void source_run(void *object, mtime at);
void data_packet_drop(struct data_packet *packet);

/* topology.c */

void world_init(struct world *world, uint64_t seed, uint64_t *tallies);
void world_build(struct world *world);
void world_fini(struct world *world);
struct link_settings random_settings(struct world *world);
/* RFC 9776 section 8.4, the longest of all links. */
mtime world_membership_interval_max(const struct world *world);
/* Until all hosts have answered a general query. */
mtime world_response_interval_max(const struct world *world);
/* How long a leave takes at most, per proxy on the way. */
mtime world_leave_time_max(const struct world *world);
/* Does a leave work within the last member query time on every link, given its hosts and queriers? */
bool world_leaves_work(const struct world *world, enum family family);

/* trouble.c */

/* Another want of some host. */
void trouble_want(struct world *world);
/* Other filters of a link, or another choice of upstream links. */
void trouble_policy(struct world *world);
/* A proxy is killed and started again. */
void trouble_restart(struct world *world);
/* A stream starts or stops, or a source moves. */
void trouble_stream(struct world *world);
/* Anything that may go wrong or change. */
void trouble_any(struct world *world);
void trouble_begin(struct world *world);
/* Ends all trouble, except that some rivals stay and some links stay down. */
void trouble_end(struct world *world);

#endif
