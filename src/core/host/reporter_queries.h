/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The part of a reporter that follows the querier: answers to its queries, its version, its absence, and the
 * announcement of the whole state. Pure; owner thread.
 */
#ifndef MCPROXY_CORE_HOST_REPORTER_QUERIES_H
#define MCPROXY_CORE_HOST_REPORTER_QUERIES_H

#include "core/contract/request.h"
#include "core/host/reporter_entries.h"

/* The link became usable: queries are expected from now on. */
void reporter_start(struct reporter *reporter, mtime now);
void reporter_receive_query(struct reporter *reporter, mtime now, const struct upstream_query *query,
                            const struct addr *sources);
/* Answers a query that reporter_receive_query has taken before, whatever the role says: the kernel has
 * dropped it. */
void reporter_answer(struct reporter *reporter, mtime now, const struct upstream_query *query,
                     const struct addr *sources);
/* A querier of that version is present. Version 1 is not followed, but the kernel follows it. max_response: of its query, in milliseconds, or 0 when only the
 * kernel has seen the query. */
void reporter_older_querier(struct reporter *reporter, mtime now, enum version version,
                            uint32_t max_response);
/* Routers on the link may know nothing of this host: the whole state is reported at once, and again as often
 * as the robustness variable says. Calls in quick succession do not add reports. */
void reporter_announce(struct reporter *reporter, mtime now);

/* Follows the general query that waits, when its time has come. */
void reporter_follow_general(struct reporter *reporter, mtime now);
/* The next announcement of the whole state, when its time has come. */
void reporter_follow_announcement(struct reporter *reporter, mtime now);
/* Reports the whole state, without a query. */
void reporter_report_all(struct reporter *reporter, mtime now);

#endif
