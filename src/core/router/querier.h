/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The querier of one link and family: general and startup queries, and the election of the querier (RFC 9776
 * sections 6.6.2 and 6.1, RFC 9777 sections 7.6.2 and 7.1). Pure; the instance's thread.
 */
#ifndef MCPROXY_CORE_ROUTER_QUERIER_H
#define MCPROXY_CORE_ROUTER_QUERIER_H

#include "core/contract/settings.h"
#include "core/wire/message.h"

struct querier {
	mtime query_at;           /* next general query; MTIME_NEVER: none */
	uint8_t startup_left;     /* of the startup burst */
	uint8_t substitutes_left; /* general queries in place of specific ones */
	mtime sent_at;            /* the latest general query; 0: none */
	bool query_now;           /* due, not yet sent */
	struct addr other;        /* the elected querier while other_until lies ahead */
	mtime other_until;        /* other querier present timer */
	mtime general_query_at;   /* when its last general query came, or the query by which it won */
	uint8_t robustness;       /* adopted from the querier, RFC 9776 section 8.1; 0: the configured one */
	uint32_t query_interval;  /* adopted, section 8.2; 0: the configured one */
	uint32_t last_member_query_interval; /* adopted from version 2 queriers; 0: the configured one */
};

void querier_init(struct querier *querier);
/* Starts as querier, perhaps again: the link became usable or changed its address. */
void querier_start(struct querier *querier, const struct link_settings *settings, mtime now);
/* The link's settings changed. With another version the querier starts again. The next query is at most one
 * new interval away. */
void querier_reconfigure(struct querier *querier, const struct link_settings *settings, bool other_version,
                         mtime now);
void querier_stop(struct querier *querier);

/* Is this router the link's querier? */
bool querier_is_elected(const struct querier *querier, mtime now);
/* A query arrived from `from`; own is this router's address on the link. True when the elected querier, or a
 * variable adopted from it, changed. The lowest address wins. A query from 0.0.0.0 (a snooping switch) does
 * not count, and no query does where the link's querier_election is false. */
bool querier_receive(struct querier *querier, const struct link_settings *settings, const struct addr *own,
                     const struct addr *from, const struct query *query, mtime now);
/* Does what is due. True when the election changed. */
bool querier_expire(struct querier *querier, const struct link_settings *settings, mtime now);
mtime querier_deadline(const struct querier *querier);
/* The due general query was sent. */
void querier_sent(struct querier *querier, const struct link_settings *settings, mtime now);

/* General queries take the place of specific ones: `count` of them, one in each query response interval.
 * Returns the time by which the last answer must have arrived. */
mtime querier_substitute(struct querier *querier, const struct link_settings *settings, uint8_t count,
                         mtime now);

/* Variables in force. Those that another querier announced are bounded: the other querier present interval to
 * twice this link's own value or 10 minutes, whichever is more, and the intervals below by the same product of
 * robustness and query interval. */
uint8_t querier_robustness(const struct querier *querier, const struct link_settings *settings);
mtime querier_query_interval(const struct querier *querier, const struct link_settings *settings);
/* Robustness * query interval + query response interval (RFC 2236 section 8.4, RFC 2710 section 7.4); twice
 * the latter for version 3 (RFC 9776 section 8.4, RFC 9777 section 9.4, unlike RFC 3376 and RFC 3810). */
mtime querier_membership_interval(const struct querier *querier, const struct link_settings *settings,
                                  enum version version);
/* RFC 9776 section 8.5: robustness * query interval + half a query response interval. */
mtime querier_other_present_interval(const struct querier *querier, const struct link_settings *settings);
mtime querier_last_member_query_interval(const struct querier *querier, const struct link_settings *settings);
uint8_t querier_last_member_query_count(const struct querier *querier, const struct link_settings *settings);
/* RFC 9776 section 8.13: robustness * query interval + query response interval, if not configured. */
mtime querier_older_host_present_interval(const struct querier *querier,
                                          const struct link_settings *settings);

#endif
