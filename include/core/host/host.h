/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The host side upstream (RFC 9776 section 5, RFC 9777 section 6): one object per upstream link and family.
 * It merges the filters that the instances want (RFC 4605 section 4.1), brings the kernel to join them
 * (joins), and accelerates that by one crafted state-change report where the kernel's own leaves only with its
 * timer tick, about 10 ms later. Linux drops MLD queries that come in a burst: those are answered here.
 *
 * Order. Of a group first the kernel operations, then the crafted report, so that the kernel cannot answer
 * the querier's question about a group that was left. The report describes the change of what the kernel
 * holds, in the version the kernel speaks. The kernel retransmits, and answers queries.
 *
 * Who keeps a group. With MEMBERSHIP_AUTO the kernel keeps the first kernel_groups_max groups; those beyond,
 * and those that the kernel has no room for, are kept here, like all groups with MEMBERSHIP_USER: no kernel
 * operation, and reports are repeated and queries answered by the reporter, for these groups alone. A group
 * stays with its keeper until it is left.
 *
 * Pure; owner thread. Operations and packets are pulled.
 */
#ifndef MCPROXY_CORE_HOST_HOST_H
#define MCPROXY_CORE_HOST_HOST_H

#include "core/base/index.h"
#include "core/base/mtime.h"
#include "core/contract/request.h"
#include "core/contract/settings.h"
#include "core/host/joins.h"

struct host;

struct host_limits {
	unsigned groups_per_socket;  /* the kernel's, 0: none */
	unsigned sources_per_filter; /* the kernel's */
	size_t memory_max;
};

struct host_settings {
	uint8_t membership;         /* enum membership_provider */
	uint32_t kernel_groups_max; /* MEMBERSHIP_AUTO */
	uint8_t fixed_version;      /* enum version; VERSION_NONE: follow the querier */
	uint8_t version;            /* user: spoken while no older querier is heard */
	uint8_t robustness;
	bool repeat_without_querier; /* tell the whole state again while no query comes upstream */
	uint32_t query_interval;     /* milliseconds, like all lengths; until the querier tells its own */
	uint32_t query_response_interval;
	uint32_t unsolicited_report_interval; /* 0: the standard's */
	uint32_t leave_hold;                  /* a want that ends counts for so long */
};

/* NULL when memory is short. */
struct host *host_new(enum family family, const struct host_limits *limits,
                      const struct host_settings *settings, uint64_t seed);
void host_free(struct host *host);

/* Other settings while all goes on; all but `membership`, for which a new host has to be made. */
void host_configure(struct host *host, mtime now, const struct host_settings *settings);
/* As it was made. */
enum membership_provider host_membership(const struct host *host);
/* Has another host, which has none yet, want all that this one wants; false when memory is short. */
bool host_copy_wants(const struct host *host, mtime now, struct host *to);

/* The link's state. While it is not usable nothing is joined or sent. kernel_version: what the kernel's host
 * side speaks there now. */
struct host_link {
	bool usable;
	struct addr address;
	uint32_t mtu;
	enum version kernel_version;
	enum version
		forced_version; /* by the administrator, for the kernel's host side; VERSION_NONE: none */
};
void host_set_link(struct host *host, mtime now, const struct host_link *link);
/* Those on the link may know nothing of what is joined: all of it is reported at once, and again as often as
 * the robustness variable says. host_set_link does so by itself when the link becomes usable or has another
 * address. The kernel, too, reports when a link comes up, but in IPv4 not when its carrier returns, and no
 * lists of sources. */
void host_announce(struct host *host, mtime now);
/* The interface is gone and with it every membership: what is wanted is joined anew when the link is usable
 * again. The sockets may be closed. */
void host_forget(struct host *host, mtime now);

/* What an instance wants of a group from now on; INCLUDE{}: nothing. False when memory is short: it wants
 * what it wanted before, and the caller asks it again later. links: where the instance's members are if all
 * of them want every source, otherwise 0; kept for host_streams. */
bool host_want(struct host *host, mtime now, unsigned instance, const struct addr *group,
               const struct filter *filter, uint64_t links);
/* The links of an instance that every stream of the group is to go to, whatever its source; 0: there are
 * none, or the instance alone knows. */
uint64_t host_streams(struct host *host, unsigned instance, const struct addr *group);
/* host_want for that group comes soon: has its memory ready. Changes nothing. */
void host_prefetch(const struct host *host, const struct addr *group, enum prefetch step);
/* Nothing any more. The newest group is left first, which the kernel does much faster than the other way
 * round: it finds a membership by walking from the newest one. */
void host_unwant_all(struct host *host, mtime now, unsigned instance);

/* The querier upstream was heard. */
void host_receive_query(struct host *host, mtime now, const struct upstream_query *query,
                        const struct addr *sources);

/* The next kernel operation; each must be answered by host_join_done before the next pull. op stays valid
 * until then. */
bool host_pull_join(struct host *host, mtime now, struct join_op *op);
void host_join_done(struct host *host, mtime now, const struct join_op *op, int result);
/* Memberships on a socket slot; 0: close it. */
unsigned host_slot_memberships(const struct host *host, uint32_t slot);

/* The next packet to send, built whole in buffer (of at least 9216 bytes); pull it when host_pull_join has
 * nothing left. */
bool host_pull_packet(struct host *host, mtime now, uint8_t *buffer, size_t *size, struct addr *destination);

/* When a packet or a new try is due; MTIME_NEVER. */
mtime host_deadline(struct host *host);

/* Are some memberships kept here, and not by the kernel? */
bool host_keeps_some(const struct host *host);
/* No query for the group membership interval, and none since. */
bool host_query_is_missing(const struct host *host);

/* The version spoken upstream now. */
enum version host_version(const struct host *host, mtime now);

/* Some EXCLUDE list is too long for the kernel, which holds EXCLUDE{} for it. */
bool host_has_supersets(const struct host *host);

struct host_status {
	enum membership_provider membership;
	size_t groups;           /* wanted */
	size_t kept_here;        /* of these: not by the kernel */
	size_t failing;          /* that the kernel refuses for now */
	int last_error;          /* the newest refusal, errno */
	size_t supersets;        /* held as EXCLUDE{}, since the kernel takes no longer list */
	enum version version;    /* spoken upstream now */
	struct addr querier;     /* the last one heard; unspecified: none yet */
	mtime query_received_at; /* MTIME_NEVER: none yet */
	uint64_t reports_sent;
	uint64_t queries_heard;
	bool query_missing; /* none came for the group membership interval */
	uint64_t repeats;   /* whole states reported for lack of queries */
};
void host_get_status(const struct host *host, mtime now, struct host_status *status);

/* One group of the host. */
struct host_group {
	struct addr group;
	struct filter wanted; /* merged of all instances; INCLUDE{}: it is being left */
	bool kept_here;       /* not by the kernel */
	bool joining;         /* kernel operations are left to do */
	bool refused;         /* the kernel refused; it is tried again later */
	bool superset;        /* EXCLUDE{} is held, since the kernel takes no longer list */
};
/* A walk over all groups, those that the kernel keeps first, that may rest while they come and go.
 * Begin it, and end it unless host_walk_next has said false. */
struct host_walk {
	struct host *host; /* NULL: it is over; also when the host is freed */
	struct row *row;   /* the next one to tell */
	struct host_walk *next;
};
void host_walk_begin(struct host *host, struct host_walk *walk);
void host_walk_end(struct host_walk *walk);
/* False at the end. The filter lasts until the next call on the host. */
bool host_walk_next(struct host_walk *walk, struct host_group *group);

#endif
