/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Small readers of /proc: groups joined by the kernel's host side, counters by name, settings. Each takes
 * the stream or path to read, so that tests can supply samples.
 */
#ifndef MCPROXY_CTL_MACHINE_PROC_NET_H
#define MCPROXY_CTL_MACHINE_PROC_NET_H

#include "core/base/addr.h"

#include <stdio.h>

/* Has the host side joined the group on the interface? From /proc/net/igmp, /proc/net/igmp6. */
bool joined_group(FILE *file, enum family family, const char *interface, const struct addr *group);
/* A counter from /proc/net/snmp or /proc/net/netstat: section "TcpExt", name "IPReversePathFilter". -1:
 * there is none. */
long long read_counter(FILE *file, const char *section, const char *name);
/* The number in a file of /proc/sys below `root`; `missing` when there is no such file. */
long read_setting(const char *root, const char *name, long missing);
/* The reverse path filter in force on an interface: max(all, interface). */
long read_rp_filter(const char *root, const char *interface);

#define PROC_SYS "/proc/sys"

#endif
