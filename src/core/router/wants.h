/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What a membership wants: of one link, by its hosts and by the configuration, and of the upstream links, merged from all
 * links (RFC 4605 section 4.1). Pure questions. The instance's thread.
 */
#ifndef MCPROXY_CORE_ROUTER_WANTS_H
#define MCPROXY_CORE_ROUTER_WANTS_H

#include "core/router/engine.h"

/* Do members on the link want the source? False for an upstream link: its static groups are only joined. */
bool wants_source(const struct link_group *link_group, const struct addr *source);
/* The links with members, if all of them want every source; otherwise 0. */
uint64_t wants_open_links(struct membership *membership);
/* The filter that all links together want of an upstream link; NULL: of any, whatever filters say. */
void wants_filter(struct instance *instance, struct membership *membership, const struct link *upstream,
                  struct filter *filter, mtime now);
/* Could a filter deny some stream of the group that enters by the link, on its way to a member? */
bool wants_may_be_denied(struct membership *membership, const struct link *upstream);

#endif
