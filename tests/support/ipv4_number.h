/* SPDX-License-Identifier: BSD-2-Clause
 *
 * An IPv4 address as a number: the inverse of addr_from_ipv4_number.
 */
#ifndef MCPROXY_SUPPORT_IPV4_NUMBER_H
#define MCPROXY_SUPPORT_IPV4_NUMBER_H

#include "core/base/addr.h"

static inline uint32_t ipv4_number(const struct addr *addr)
{
	const uint8_t *bytes = addr_ipv4_bytes(addr);

	return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

#endif
