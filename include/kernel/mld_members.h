/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Which interfaces this machine is a member of an IPv6 group on, by whatever program. The kernel loops back
 * what it forwards to the group there.
 */
#ifndef MCPROXY_KERNEL_MLD_MEMBERS_H
#define MCPROXY_KERNEL_MLD_MEMBERS_H

#include "core/base/addr.h"

#include <stddef.h>

/* The indexes of these interfaces, at most `max`; returns how many. Reads the kernel's list of all groups. */
size_t mld_member_interfaces(const struct addr *group, int *interfaces, size_t max);

#endif
