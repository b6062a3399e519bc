/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The IGMP codec, versions 1 to 3 (RFC 1112, RFC 2236, RFC 9776 section 4). Pure functions; lengths in bytes.
 */
#ifndef MCPROXY_CORE_WIRE_IGMP_H
#define MCPROXY_CORE_WIRE_IGMP_H

#include "core/wire/message.h"
#include "core/wire/packet.h"

#define IGMP_ALL_SYSTEMS 0xe0000001u /* 224.0.0.1: general queries */
#define IGMP_ALL_ROUTERS 0xe0000002u /* 224.0.0.2: leaves */
#define IGMP_V3_ROUTERS  0xe0000016u /* 224.0.0.22: version 3 reports */

/* Decodes the message of a packet: DROP_NONE and *message, or the cause of the drop. */
enum drop igmp_decode(const struct packet *packet, struct message *message);

/* Writes a query of query->version at `message` and returns its size. Version 3 has the first source_count of
 * `sources`, and needs 12 + 4 * source_count bytes. */
size_t igmp_encode_query(uint8_t *message, const struct query *query, const struct addr *sources);
/* A version 1 or 2 report, or a version 2 leave; returns its size. */
size_t igmp_encode_report(uint8_t *message, enum version version, const struct addr *group);
size_t igmp_encode_leave(uint8_t *message, const struct addr *group);
/* Completes a version 3 report; returns its size. */
size_t igmp_finish_report(struct report_writer *writer);

#endif
