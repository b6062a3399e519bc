/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Asks the kernel for the unicast route to an address.
 */
#ifndef MCPROXY_KERNEL_UNICAST_H
#define MCPROXY_KERNEL_UNICAST_H

#include "core/base/addr.h"

/* The index of the interface by which packets to an address leave; 0 when only the default route, or no
 * route, matches. */
int unicast_interface(const struct addr *address);

#endif
