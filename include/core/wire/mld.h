/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The MLD codec, versions 1 and 2 (RFC 2710, RFC 9777 section 5), which are versions 2 and 3 of enum version.
 * The ICMPv6 checksum covers the addresses, so the encoders take them as parameters.
 */
#ifndef MCPROXY_CORE_WIRE_MLD_H
#define MCPROXY_CORE_WIRE_MLD_H

#include "core/wire/message.h"
#include "core/wire/packet.h"

extern const struct addr mld_all_nodes;   /* ff02::1: general queries */
extern const struct addr mld_all_routers; /* ff02::2: dones */
extern const struct addr mld_v2_routers;  /* ff02::16: version 2 reports */

/* Decodes the message of a packet: DROP_NONE and *message, or the cause of the drop. */
enum drop mld_decode(const struct packet *packet, struct message *message);

/* As in igmp.h. A query needs room for 28 + 16 * source_count bytes. */
size_t mld_encode_query(uint8_t *message, const struct query *query, const struct addr *sources,
                        const struct addr *source, const struct addr *destination);
size_t mld_encode_report(uint8_t *message, const struct addr *group, const struct addr *source);
size_t mld_encode_done(uint8_t *message, const struct addr *group, const struct addr *source);
size_t mld_finish_report(struct report_writer *writer, const struct addr *source);

#endif
