/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The grammars, a file for each family.
 */
#ifndef MCPROXY_CTL_CONVERT_GRAMMARS_H
#define MCPROXY_CTL_CONVERT_GRAMMARS_H

#include "ctl/convert/output.h"

read_grammar read_igmpproxy, read_uci_igmpproxy, read_vyos, read_udm_iptv;
read_grammar read_omcproxy, read_uci_omcproxy, read_improxy;
read_grammar read_mcproxy_0_1, read_mcproxy_1_1, read_uci_mcproxy;
read_grammar read_igmpv3proxy, read_smcroute;
read_grammar read_frr, read_mikrotik;

#endif
