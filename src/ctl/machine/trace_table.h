/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The table that marks the packets of a group for tracing, as messages to nf_tables.
 */
#ifndef MCPROXY_CTL_MACHINE_TRACE_TABLE_H
#define MCPROXY_CTL_MACHINE_TRACE_TABLE_H

#include "ctl/machine/interfaces.h"

struct mnl_socket;

/* Adds the table, whose owner is the socket; 0 or -errno. source: NULL for any. */
int trace_table_add(struct mnl_socket *socket, const struct addr *group, const struct addr *source,
                    const struct interfaces *interfaces);

#endif
