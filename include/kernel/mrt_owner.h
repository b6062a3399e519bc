/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Who holds the multicast routing socket of this network namespace, when it is not us. For a message only.
 */
#ifndef MCPROXY_KERNEL_MRT_OWNER_H
#define MCPROXY_KERNEL_MRT_OWNER_H

#include "core/base/addr.h"

#include <sys/types.h>

#define MRT_OWNER_NAME_SIZE 64

/* Looks for the likely owner: a process with a raw IGMP (or ICMPv6) socket, at best with the name of a
 * multicast router. by_name: where sockets of others may not be looked at, the name is enough. False when
 * none can be found, such as a process of another PID namespace. The name has printable characters only.
 * Reads much of /proc. */
bool mrt_owner_find(enum family family, bool by_name, pid_t *pid, char name[MRT_OWNER_NAME_SIZE]);

#endif
