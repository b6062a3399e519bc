/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The codec of Multicast Router Discovery (RFC 4286): advertisements and terminations for snooping switches,
 * and their solicitations. IPv4 carries them as IGMP, IPv6 as ICMPv6. Pure functions; lengths in bytes.
 */
#ifndef MCPROXY_CORE_WIRE_MRD_H
#define MCPROXY_CORE_WIRE_MRD_H

#include "core/base/mtime.h"
#include "core/wire/packet.h"

#define MRD_MESSAGE_MAX 8

enum mrd_type { MRD_ADVERTISEMENT, MRD_SOLICITATION, MRD_TERMINATION };

struct mrd_advertisement {
	uint8_t advertisement_interval; /* seconds, without jitter (section 3.2.2) */
	uint32_t query_interval;        /* milliseconds; sent in seconds (section 3.2.4) */
	uint8_t robustness;             /* section 3.2.5 */
};

/* The destination of advertisements and terminations: 224.0.0.106 or ff02::6a. */
extern const struct addr mrd_all_snoopers[FAMILIES];

/* Is the message of this packet one of the three? It may still be invalid. */
bool mrd_is_message(const struct packet *packet);
/* Checks such a message: DROP_NONE and its type, or the cause of the drop. */
enum drop mrd_decode(const struct packet *packet, enum mrd_type *type);

/* Write a message from `source` to all snoopers, and return its size, at most MRD_MESSAGE_MAX. */
size_t mrd_encode_advertisement(uint8_t *message, const struct addr *source,
                                const struct mrd_advertisement *advertisement);
size_t mrd_encode_termination(uint8_t *message, const struct addr *source);

#endif
