/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the packet filter does to a stream on its way to a link: what the kernel has traced, or else what the rules say.
 * Pure.
 */
#ifndef MCPROXY_CTL_DIAGNOSIS_VERDICT_H
#define MCPROXY_CTL_DIAGNOSIS_VERDICT_H

#include "ctl/diagnosis/path_steps.h"

/* The packet arrives on its input and has a member on its output. *drop: the rule, if it drops or may drop. */
enum firewall_answer verdict_find(const struct stream_facts *stream, const struct firewall_packet *packet,
                                  struct firewall_drop *drop);
/* Did the kernel trace packets like this one? Then no rule of nftables remains in doubt. */
bool verdict_is_traced(const struct stream_facts *stream, const struct firewall_packet *packet);
/* Did packets that left by a bridge leave by none of its ports? */
bool verdict_is_stuck(const struct stream_facts *stream, const char *bridge);
/* A rule that keeps the stream from a bridge whose port it reaches: such packets arrive on no link. NULL: there is
 * none. */
const struct trace_stop *verdict_before_arrival(const struct stream_facts *stream);

#endif
