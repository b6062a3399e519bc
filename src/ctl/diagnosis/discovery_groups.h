/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The groups by which devices of one network find each other. Pure.
 */
#ifndef MCPROXY_CTL_DIAGNOSIS_DISCOVERY_GROUPS_H
#define MCPROXY_CTL_DIAGNOSIS_DISCOVERY_GROUPS_H

#include "core/base/addr.h"

/* What a group discovers, such as "SSDP (UPnP) and WS-Discovery"; NULL: it is no such group. IPv6 groups have the
 * same name in every scope, ff02::c as ff05::c. */
const char *discovery_group_name(const struct addr *group);

#endif
