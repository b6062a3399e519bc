/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Finds the other process that holds the multicast routing socket of this network namespace. For log lines
 * only.
 */
#ifndef MCPROXY_KERNEL_MRT_OWNER_H
#define MCPROXY_KERNEL_MRT_OWNER_H

#include "core/base/addr.h"

#include <sys/types.h>

#define MRT_OWNER_NAME_SIZE 64
#define MRT_OWNER_KEEPER    "mcproxy-keeper" /* the name that `mcproxy --keeper` gives itself */

/* Finds the most likely owner: a process with a raw IGMP (or ICMPv6) socket, preferably with the name of a
 * multicast router. by_name: where the sockets of another process are not accessible, its name is enough.
 * False when no process is found, for example one of another PID namespace. The name has printable characters
 * only. Reads much of /proc. */
bool mrt_owner_find(enum family family, bool by_name, pid_t *pid, char name[MRT_OWNER_NAME_SIZE]);

#endif
