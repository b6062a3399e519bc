/* SPDX-License-Identifier: BSD-2-Clause
 *
 * FRR's route-maps, and the prefix-lists that they name. pimd compares whole addresses with a prefix-list, so `ge` and
 * `le` have no effect there.
 */
#ifndef MCPROXY_CTL_CONVERT_ROUTE_MAP_H
#define MCPROXY_CTL_CONVERT_ROUTE_MAP_H

#include "ctl/convert/output.h"

/* Adds the rules of a route-map; notes go to the link. False: output_fail has told why. */
bool route_map_add(struct output *output, const struct scan *text, const struct word *name, struct link *link,
                   struct lines *rules);

#endif
