/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The host side upstream (RFC 9776 section 5, RFC 9777 section 6): one object per upstream link and family.
 * It merges the filters that the instances want (RFC 4605 section 4.1) and makes the kernel join them
 * (joins). It also sends one crafted state-change report, because the kernel sends its own only with its
 * timer tick, about 10 ms later. Linux drops MLD queries that arrive in a burst: the host answers those.
 *
 * Order. For each group the kernel operations come first, then the crafted report. Otherwise the kernel could
 * answer the querier's question about a group that has been left. The report describes the change of what the
 * kernel holds, in the version that the kernel speaks. The kernel retransmits, and answers queries.
 *
 * Providers. With MEMBERSHIP_AUTO the kernel keeps the first kernel_groups_max groups. The host keeps the
 * groups beyond that limit, and those that the kernel has no room for. With MEMBERSHIP_USER it keeps all
 * groups. For the groups that it keeps there is no kernel operation: the reporter repeats reports and answers
 * queries. A group stays with its provider until it is left.
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
	unsigned groups_per_socket;  /* the kernel's; 0: none */
	unsigned sources_per_filter; /* the kernel's */
	size_t memory_max;
};

/* settings: of the upstream link. NULL when memory is short. */
struct host *host_new(enum family family, const struct host_limits *limits,
                      const struct link_settings *settings, uint64_t seed);
void host_free(struct host *host);
/* Another limit in bytes for what instances want; a smaller one frees nothing. */
void host_set_memory_max(struct host *host, size_t memory_max);

/* Changes all settings but upstream_membership, which stays as the host was made: make a new host for that.
 * */
void host_configure(struct host *host, mtime now, const struct link_settings *settings);
/* As the host was made. */
enum membership_provider host_membership(const struct host *host);
/* Makes `to`, a new host, want all that this host wants; false when memory is short. */
bool host_copy_wants(const struct host *host, mtime now, struct host *to);

/* The link's state. While the link is not usable, the host joins nothing and sends nothing. */
struct host_link {
	bool usable;
	struct addr address;
	uint32_t mtu;
	enum version kernel_version; /* that the kernel's host side speaks there now */
	enum version forced_version; /* on the kernel's host side by the administrator; VERSION_NONE: none */
};
void host_set_link(struct host *host, mtime now, const struct host_link *link);
/* Routers on the link may not know what is joined: the host reports all of it at once, and again as often as
 * the robustness variable says. host_set_link does so when the link becomes usable or changes its address.
 * The kernel also reports when a link comes up, but not when an IPv4 link regains its carrier, and without
 * lists of sources. */
void host_announce(struct host *host, mtime now);
/* The interface is gone, and every membership with it: the host joins again what is wanted when the link is
 * usable again. The caller may close the sockets. */
void host_forget(struct host *host, mtime now);

/* What an instance wants of a group from now on; INCLUDE{}: nothing. False when memory is short: the older
 * want stays, and the caller must make the instance repeat its request. links: the links with the instance's
 * members if all members want every source, otherwise 0; host_streams returns it. */
bool host_want(struct host *host, mtime now, unsigned instance, const struct addr *group,
               const struct filter *filter, uint64_t links);
/* The links of an instance that every stream of the group goes to, whatever its source. 0: there are none, or
 * only the instance can tell. */
uint64_t host_streams(struct host *host, unsigned instance, const struct addr *group);
/* Loads the memory that host_want for that group needs soon. Changes nothing. */
void host_prefetch(const struct host *host, const struct addr *group, enum prefetch step);
/* An earlier run, or the kernel for it, has reported that filter for the group: it stays wanted until host_adoption_end,
 * until an instance wants all of it, or until those that wanted the group since want it no more. Nothing is reported for it.
 * A second call for a group that the host keeps itself merges the filters; otherwise the first one stays. False when memory
 * is short. */
bool host_adopt(struct host *host, mtime now, const struct addr *group, const struct filter *filter);
/* Narrows all such wants: what the function takes off a filter is left at once. Visits each group. */
typedef void host_narrow(void *context, const struct addr *group, struct filter *filter);
void host_adopted_narrow(struct host *host, mtime now, host_narrow *narrow, void *context);
/* Is the group wanted because of host_adopt alone? */
bool host_is_only_adopted(struct host *host, const struct addr *group);
/* What no instance wants by now is left. Visits each group. */
void host_adoption_end(struct host *host, mtime now);
/* The instance wants nothing any more. The newest group is left first: the kernel finds a membership by
 * walking from the newest one, so this order is much faster. */
void host_unwant_all(struct host *host, mtime now, unsigned instance);

/* A query from the querier upstream has arrived. */
void host_receive_query(struct host *host, mtime now, const struct upstream_query *query,
                        const struct addr *sources);

/* The next kernel operation. Answer it by host_join_done before the next pull; op stays valid until then. */
bool host_pull_join(struct host *host, mtime now, struct join_op *op);
void host_join_done(struct host *host, mtime now, const struct join_op *op, int result);
/* Memberships on a socket slot; 0: close it. */
unsigned host_slot_memberships(const struct host *host, uint32_t slot);

/* The next packet to send, with its IP header, in buffer (of at least 9216 bytes). Pull it when
 * host_pull_join has returned false. */
bool host_pull_packet(struct host *host, mtime now, uint8_t *buffer, size_t *size, struct addr *destination);

/* When a packet or a retry is due; MTIME_NEVER. */
mtime host_deadline(struct host *host);

/* Does the host keep some memberships itself, instead of the kernel? */
bool host_keeps_some(const struct host *host);
/* No query came for the group membership interval, and none since. */
bool host_query_is_missing(const struct host *host);

/* Did a version 1 query arrive lately that the host does not follow? */
bool host_ignores_version_1(const struct host *host, mtime now);
/* The version spoken upstream now. */
enum version host_version(const struct host *host, mtime now);

/* Some EXCLUDE list is too long for the kernel, which holds EXCLUDE{} instead. */
bool host_has_supersets(const struct host *host);

struct host_status {
	enum membership_provider membership;
	size_t groups;           /* wanted */
	size_t kept_here;        /* of these: not by the kernel */
	size_t failing;          /* that the kernel refuses for now */
	int last_error;          /* the newest refusal, errno */
	size_t supersets;        /* held as EXCLUDE{}, because the kernel takes no longer list */
	enum version version;    /* spoken upstream now */
	mtime older_until;       /* an older querier decides the version until then; 0: none does */
	struct addr querier;     /* of the last query; unspecified: none yet */
	mtime query_received_at; /* MTIME_NEVER: none yet */
	uint64_t reports_sent;
	uint64_t queries_received;
	bool query_missing; /* none came for the group membership interval */
	uint64_t repeats;   /* whole states reported because queries are missing */
};
void host_get_status(const struct host *host, mtime now, struct host_status *status);

/* One group of the host. */
struct host_group {
	struct addr group;
	struct filter wanted; /* merged of all instances; INCLUDE{}: the host is leaving the group */
	bool kept_here;       /* not by the kernel */
	bool joining;         /* kernel operations remain */
	bool refused;         /* the kernel refused; the host retries later */
	bool superset;        /* EXCLUDE{} is held, because the kernel takes no longer list */
};
/* A walk over all groups, those that the kernel keeps first. It may pause while groups come and go. After
 * host_walk_begin call host_walk_end, unless host_walk_next has returned false. */
struct host_walk {
	struct host *host;    /* NULL: the walk is over, also when the host is freed */
	struct host_row *row; /* the next one */
	struct host_walk *next;
};
void host_walk_begin(struct host *host, struct host_walk *walk);
void host_walk_end(struct host_walk *walk);
/* False at the end. The filter is valid until the next call on the host. */
bool host_walk_next(struct host_walk *walk, struct host_group *group);

#endif
