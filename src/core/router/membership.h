/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The groups of an instance: their state on each link, and the filter that all links together want (RFC 4605
 * section 4.1). A change marks the membership; requests.c pulls it. The instance's thread.
 */
#ifndef MCPROXY_CORE_ROUTER_MEMBERSHIP_H
#define MCPROXY_CORE_ROUTER_MEMBERSHIP_H

#include "core/router/engine.h"

/* The hash of a group in the index of memberships. Keeps the latest ones, because a report needs one three
 * times. */
uint32_t membership_hash(struct instance *instance, const struct addr *group);
struct membership *membership_find(struct instance *instance, const struct addr *group);
/* The oldest, and the one added after this; NULL: no more. */
struct membership *membership_oldest(const struct instance *instance);
struct membership *membership_newer(const struct membership *membership);
/* The first of the link_groups, and the one behind this; NULL: no more. */
struct link_group *link_group_first(struct membership *membership);
struct link_group *link_group_next(const struct link_group *link_group);
/* Finds or makes it; NULL when memory is short. A new one counts for the link; reserved: it may use the
 * pool's reserve. */
struct membership *membership_get(struct instance *instance, const struct link *link,
                                  const struct addr *group, bool reserved);
/* The link uses the membership. If the link that its memory counts for was removed, it counts for this one. */
void membership_pay(struct instance *instance, struct membership *membership, const struct link *link);
/* The link with this id is removed: memberships that other links use now count for those. Visits all
 * memberships. */
void membership_pay_for(struct instance *instance, uint8_t removed);
/* Frees it when nothing needs it any more. */
void membership_release(struct instance *instance, struct membership *membership);

/* Marks all memberships of the family: an upstream link became usable, or requests were lost. */
void membership_mark_all(struct instance *instance, enum family family);
/* Takes the mark off the membership that was marked first, and returns it; NULL: no more. */
struct membership *membership_pull_marked(struct instance *instance);
/* The links with members, if all of them want every source; otherwise 0. */
uint64_t membership_open_links(struct membership *membership);
/* The filter that all links together want. */
void membership_filter(struct instance *instance, struct membership *membership, struct filter *filter);

/* A record of a report that a host sent on a downstream link, and its sources as a set. */
void membership_record(struct instance *instance, struct link *link, mtime now, enum version version,
                       const struct addr *host, const struct record *record, const struct sources *sources);
/* A specific query of another querier. */
void membership_receive_query(struct instance *instance, struct link *link, mtime now,
                              const struct addr *group, const struct sources *sources, bool suppress);
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
