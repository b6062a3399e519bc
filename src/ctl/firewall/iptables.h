/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What iptables-save prints, as the objects that nft would print: one walk serves both.
 */
#ifndef MCPROXY_CTL_FIREWALL_IPTABLES_H
#define MCPROXY_CTL_FIREWALL_IPTABLES_H

#include "core/base/addr.h"

struct json_object;

/* Appends chains and rules to the array `ruleset`; false when the text has none. Options that are not known
 * become a statement that nothing is known about. program: kept with each chain. */
bool iptables_convert(enum family family, const char *program, const char *text, struct json_object *ruleset);

#endif
