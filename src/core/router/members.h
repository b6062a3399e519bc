/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The hosts that are members of a group on one link, and what each of them wants (explicit tracking, as RFC
 * 9776 appendix A.2 allows for: hosts of version 3 do not suppress their reports). A host is known by its IP
 * address. Reports that tell no host, and hosts beyond the limit, make the list incomplete for as long as
 * such a membership may last; whoever asks learns it.
 *
 * What a host wants is never taken for less than it may be: where reports or memory went missing it is taken
 * to want more. Owned by the instance's thread.
 */
#ifndef MCPROXY_CORE_ROUTER_MEMBERS_H
#define MCPROXY_CORE_ROUTER_MEMBERS_H

#include "core/base/mtime.h"
#include "core/base/stored_filter.h"
#include "core/contract/settings.h"
#include "core/wire/message.h"

struct member_host {
	struct addr host;
	mtime until; /* as long as its membership lasts without another report */
	struct stored_filter filter;
};

struct members {
	struct member_host *list; /* ascending by host; on the pool */
	uint16_t count;
	uint16_t capacity;
	mtime unknown_until; /* there may be members that are not in the list */
};

enum members_result { MEMBERS_NOTED, MEMBERS_FULL, MEMBERS_NO_MEMORY };

/* NULL when memory is short. */
struct members *members_new(struct pool *pool);
void members_free(struct members *members, struct pool *pool); /* accepts NULL */

struct members_limits {
	uint16_t hosts_max;
	uint16_t sources_max; /* of a host; one with more is taken to want all */
};

/* Notes a record of a version 3 report from a host, whose membership lasts until then. */
enum members_result members_note(struct members *members, struct pool *pool,
                                 const struct members_limits *limits, mtime now, mtime until,
                                 const struct addr *host, enum record_type type,
                                 const struct sources *sources);
/* Somebody may be a member until then who is not in the list. */
void members_lose(struct members *members, mtime until);

/* Memberships last longer than was thought. */
void members_extend(struct members *members, mtime by);

/* Is the list complete? */
bool members_are_known(const struct members *members, mtime now);
/* Does one of those listed want packets of the source? */
bool members_want(const struct members *members, mtime now, const struct addr *source);
size_t members_count(const struct members *members, mtime now);

#endif
