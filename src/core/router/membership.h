/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The state of a membership on each link: what reports, queries, time and the configuration do to it. A change marks the
 * membership. The instance's thread.
 */
#ifndef MCPROXY_CORE_ROUTER_MEMBERSHIP_H
#define MCPROXY_CORE_ROUTER_MEMBERSHIP_H

#include "core/router/filtering.h"
#include "core/router/membership_table.h"

/* A record of a report that a host sent on a downstream link, and its sources as a set, which may lose some. */
void membership_record(struct instance *instance, struct link *link, mtime now, enum version version,
                       const struct reporting_host *reporter, const struct record *record,
                       struct sources *sources);
/* An earlier run forwarded the stream to a downstream link: counts as the report of a host there that is not known, until
 * hosts have had time to answer (link_settings_adoption_time). What reports have made since stays as it is. */
void membership_adopt(struct instance *instance, struct link *link, mtime now, const struct flow_key *stream);
/* A record that a host did not send, but would send if it knew the link's filter. What the other hosts, which are all known,
 * do not want ends at once. The link_group may be freed; the membership is not, because it is marked then. */
void link_group_correct(struct instance *instance, struct link_group *link_group, mtime now,
                        const struct addr *host, enum record_type type, struct sources *sources);
/* A specific query of another querier. */
void membership_receive_query(struct instance *instance, struct link *link, mtime now,
                              const struct addr *group, const struct sources *sources, bool suppress);
/* The link's static groups have this one: it exists until membership_abandon, whatever hosts want. Is it new on the link? */
bool membership_keep(struct instance *instance, struct link *link, mtime now, const struct addr *group);
/* They no longer have it: it ends, unless hosts want it. */
void membership_abandon(struct instance *instance, struct link *link, const struct addr *group);
/* Deletes the group's state on a link that is no longer usable. False when there is none. */
bool membership_leave_link(struct instance *instance, struct membership *membership, const struct link *link);
/* This router is no longer the link's querier: the link's groups owe no more queries. */
void membership_cancel_queries(struct instance *instance, const struct link *link, enum family family);
/* The link's settings changed: its timers follow. */
void membership_reconfigure_link(struct instance *instance, struct link *link, enum family family, mtime now);

/* Adds it to the list of those with queries due, or removes it. */
void link_group_set_asking(struct instance *instance, struct link_group *link_group, bool asking);
/* Does what is due. The link_group, and with the last one its membership, may be freed. */
void link_group_expire(struct instance *instance, struct link_group *link_group, mtime now);
/* Moves its deadline forward where it must act earlier. */
void link_group_arm(struct instance *instance, struct link_group *link_group);

#endif
