/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Unicast routing, as the kernel answers about one address.
 */
#ifndef MCPROXY_KERNEL_UNICAST_H
#define MCPROXY_KERNEL_UNICAST_H

#include "core/base/addr.h"

/* The index of the interface by which packets to an address leave; 0 when there is no route but the default
 * one. */
int unicast_interface(const struct addr *address);

#endif
