/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Chooses which of several upstream links an instance receives a group from: upstream_choice. A pure function of the group, the
 * source, the links in use and their filters. The instance's thread.
 */
#ifndef MCPROXY_CORE_ROUTER_CHOICE_H
#define MCPROXY_CORE_ROUTER_CHOICE_H

#include "core/router/engine.h"

/* A link, its role, name or settings changed. */
void choice_refresh(struct instance *instance);
/* The next upstream link in use, from this place on: in the order of the configuration, links of one pattern by name. Moves
 * the place past it. NULL: no more. */
struct link *choice_next(const struct instance *instance, enum family family, unsigned *place);
/* The upstream links as a set: those in use, or all. */
uint64_t choice_links(const struct instance *instance, enum family family, bool usable);
/* Does nothing but settings decide by which upstream link a stream is taken? False: other streams do, too. */
bool choice_is_pure(const struct instance *instance);
/* May upstream links get different wants? Then they are asked for one by one. */
bool choice_differs(const struct instance *instance);

/* Narrows the source filter that a downstream link wants to what the upstream link must supply. */
void choice_narrow(struct instance *instance, const struct link *downstream, const struct link *upstream,
                   const struct addr *group, struct filter *filter, mtime now);
/* CHOICE_FIRST: the upstream link from which the downstream link receives the stream; NULL: none. */
struct link *choice_of_stream(const struct instance *instance, const struct link *downstream,
                              const struct flow_key *key);

#endif
