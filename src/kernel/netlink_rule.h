/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A policy rule as netlink tells it. For the modules that read such messages alone.
 */
#ifndef MCPROXY_KERNEL_NETLINK_RULE_H
#define MCPROXY_KERNEL_NETLINK_RULE_H

#include "kernel/rules.h"

struct nlmsghdr;

/* False when it is not one of those that are made in kernel/rules.h. */
bool netlink_rule_read(const struct nlmsghdr *header, struct rule *rule);

#endif
