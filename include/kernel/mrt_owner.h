/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Who holds the multicast routing socket of this network namespace, when it is not us. For a message only.
 */
#ifndef MCPROXY_KERNEL_MRT_OWNER_H
#define MCPROXY_KERNEL_MRT_OWNER_H

#include "core/base/addr.h"

#include <sys/types.h>

#define MRT_OWNER_NAME_SIZE 64

/* Looks for a process with a raw IGMP (or ICMPv6) socket: the likely owner. False when none can be found. */
bool mrt_owner_find(enum family family, pid_t *pid, char name[MRT_OWNER_NAME_SIZE]);

#endif
