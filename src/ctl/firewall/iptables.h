/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Converts the output of iptables-save to the objects that nft would print, so that one walk serves both.
 */
#ifndef MCPROXY_CTL_FIREWALL_IPTABLES_H
#define MCPROXY_CTL_FIREWALL_IPTABLES_H

#include "core/base/addr.h"

struct json_object;

/* Appends chains and rules to the array `ruleset`; false when the text has none. Unknown options become a
 * statement with an unknown result. Each object has the members "program" and, if the rules are not stored in
 * nftables, "legacy"; each rule also has its "number" in the chain and its "text". */
bool iptables_convert(enum family family, const char *program, const char *text, struct json_object *ruleset);

#endif
