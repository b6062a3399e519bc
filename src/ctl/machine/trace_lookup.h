/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Asks the kernel about a rule that its trace has reported: where it stands in its chain, because iptables numbers its
 * rules, and at which hook the chain is.
 */
#ifndef MCPROXY_CTL_MACHINE_TRACE_LOOKUP_H
#define MCPROXY_CTL_MACHINE_TRACE_LOOKUP_H

#include "ctl/machine/trace.h"

/* Sets position and is_local. Blocks until the kernel has answered. */
void trace_complete(struct trace_stop *stop);

#endif
