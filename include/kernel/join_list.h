/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The memberships that the kernel's host side has on an interface, by all programs: /proc/net/igmp and mcfilter, igmp6 and
 * mcfilter6. Owner thread only.
 */
#ifndef MCPROXY_KERNEL_JOIN_LIST_H
#define MCPROXY_KERNEL_JOIN_LIST_H

#include "core/base/filter.h"

typedef void join_list_handler(void *context, const struct addr *group, const struct filter *filter);

/* Reports each group that is joined there, with what the kernel reports of it; false when memory is short or a file cannot be
 * read. Where one program wants all sources of a group and another one lists some, the kernel shows the list alone. */
bool join_list(enum family family, int ifindex, join_list_handler *take, void *context);

#endif
