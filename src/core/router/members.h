/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The hosts that are members of a group on one link, and what each of them wants: explicit tracking (RFC 9776
 * appendix A.2), possible because hosts of version 3 do not suppress their reports. A host is known by its IP
 * address. The list is incomplete after a report without a host's address, and after a host beyond the limit,
 * for as long as such a membership can last; members_are_known reports that.
 *
 * When reports or memory are missing, the list assumes that a host wants more, never less. The instance's
 * thread.
 */
#ifndef MCPROXY_CORE_ROUTER_MEMBERS_H
#define MCPROXY_CORE_ROUTER_MEMBERS_H

#include "core/base/mtime.h"
#include "core/base/stored_filter.h"
#include "core/contract/settings.h"
#include "core/wire/message.h"

struct member_host {
	struct addr host;
	mtime until; /* its membership ends then without another report */
	struct stored_filter filter;
};

struct members {
	struct member_host *list; /* ascending by host; on the pool */
	uint16_t count;
	uint16_t capacity;
	mtime unknown_until; /* until then there may be members that are not in the list */
};

enum members_result { MEMBERS_NOTED, MEMBERS_FULL, MEMBERS_NO_MEMORY };

/* NULL when memory is short. */
struct members *members_new(struct pool *pool);
void members_free(struct members *members, struct pool *pool); /* accepts NULL */

struct members_limits {
	uint16_t hosts_max;
	uint16_t sources_max; /* of a host; one with more counts as EXCLUDE{} */
};

/* Applies a record of a version 3 report from a host. The membership lasts until `until`. */
enum members_result members_note(struct members *members, struct pool *pool,
                                 const struct members_limits *limits, mtime now, mtime until,
                                 const struct addr *host, enum record_type type,
                                 const struct sources *sources);
/* Until then there may be a member that is not in the list. */
void members_lose(struct members *members, mtime until);

/* What a host wants after a record (RFC 9776 section 4.2.12). False, and no change, when memory is short. */
bool members_apply(struct stored_filter *wanted, struct pool *pool, enum record_type type,
                   const struct sources *sources);
/* Does the record show that the host is a member? */
bool members_renews(enum record_type type, const struct sources *sources);

/* All memberships last longer by `by`. */
void members_extend(struct members *members, mtime by);

/* Is the list complete? */
bool members_are_known(const struct members *members, mtime now);
/* Does a listed host want packets of the source? */
bool members_want(const struct members *members, mtime now, const struct addr *source);
/* Is the host listed? */
bool members_has(const struct members *members, mtime now, const struct addr *host);
size_t members_count(const struct members *members, mtime now);

#endif
