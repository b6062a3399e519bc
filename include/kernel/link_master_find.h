/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Asks the kernel for the device that takes the packets of an interface. The answer comes at once.
 */
#ifndef MCPROXY_KERNEL_LINK_MASTER_FIND_H
#define MCPROXY_KERNEL_LINK_MASTER_FIND_H

#include "kernel/link_master.h"

/* False when there is none, or when the kernel does not answer. */
bool link_master_find(const char *interface, struct link_master *master);

#endif
