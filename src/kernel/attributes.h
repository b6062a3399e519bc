/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The attributes of a netlink message, by type. They point into the message.
 */
#ifndef MCPROXY_KERNEL_ATTRIBUTES_H
#define MCPROXY_KERNEL_ATTRIBUTES_H

#include "core/base/addr.h"

#include <libmnl/libmnl.h>

#define ATTRIBUTES 64 /* types from here on are not kept */

/* size: of the structure that stands before the attributes. NULL: the message has no such attribute. */
void attributes_read(const struct nlmsghdr *header, size_t size, const struct nlattr *attributes[ATTRIBUTES]);
/* 0 when it is missing or too short. */
uint32_t attribute_number(const struct nlattr *attribute);
/* False when it is missing or too short. */
bool attribute_addr(const struct nlattr *attribute, enum family family, struct addr *addr);

#endif
