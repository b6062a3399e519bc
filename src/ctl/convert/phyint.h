/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What igmpproxy and those that are made like it have in common: lists of groups in which the last match decides,
 * and subnets of sources. Until phyint_finish, a link keeps its lists in `in` in the order of the input, and its
 * subnets in `sources`.
 */
#ifndef MCPROXY_CTL_CONVERT_PHYINT_H
#define MCPROXY_CTL_CONVERT_PHYINT_H

#include "ctl/convert/output.h"

/* Starts the one instance of such a configuration, with what they all do. */
struct instance *phyint_begin(struct output *output);
/* One option of an interface: threshold, ratelimit, altnet, whitelist, blacklist. *known: false if it is none of
 * them. The value may be NULL. */
bool phyint_option(struct output *output, struct link *link, const char *key, const struct word *value,
                   bool *known);
/* Subnets of sources, separated by blanks or commas. Changes the text. */
bool phyint_altnets(struct output *output, struct link *link, const struct word *list);
void phyint_quickleave(struct output *output, struct instance *instance, unsigned line);
/* Makes the rules. one_way: the old proxy forwards no streams that hosts send. */
bool phyint_finish(struct output *output, struct instance *instance, bool one_way);

#endif
