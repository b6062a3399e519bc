/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/router/prefetch.h"

#include "core/router/engine.h"
#include "core/router/membership.h"

#define IPV4_V3_REPORT 0x22
#define IPV6_V3_REPORT 143
#define RECORD_HEADER  4
#define REPORT_HEADER  8

/* Where a message has the group. Version 3: behind the headers of report and record. Older: in IGMP at 4, in
 * MLD at 8. */
static size_t guess_offset(enum family family, uint8_t type)
{
	if (type == (family == FAMILY_IPV4 ? IPV4_V3_REPORT : IPV6_V3_REPORT))
		return REPORT_HEADER + RECORD_HEADER;
	return family == FAMILY_IPV4 ? 4 : 8;
}

bool prefetch_guess_group(enum family family, const uint8_t *packet, size_t size, struct addr *group)
{
	size_t at;

	if (size < (family == FAMILY_IPV4 ? 20 : 48))
		return false;
	/* Behind the IPv4 options; behind the IPv6 hop-by-hop header. */
	at = family == FAMILY_IPV4 ? (packet[0] & 0x0f) * 4u : 40 + (packet[41] + 1u) * 8;
	if (at >= size)
		return false;
	at += guess_offset(family, packet[at]);
	if (at + addr_wire_size(family) > size)
		return false;
	*group = wire_get_addr(packet + at, family);
	return true;
}

void prefetch_input(struct instance *instance, const struct input *input, const void *payload,
                    size_t payload_size, enum prefetch step)
{
	struct addr group;

	if (input->kind != INPUT_PACKET ||
	    !prefetch_guess_group(input->family ? FAMILY_IPV6 : FAMILY_IPV4, payload, payload_size, &group))
		return;
	index_prefetch(&instance->memberships, membership_hash(instance, &group), step);
}

void prefetch_records(struct instance *instance, const struct record *records, size_t count)
{
	uint32_t hashes[PREFETCH_RECORDS_MAX];

	if (count < 2)
		return;
	for (size_t i = 0; i < count; i++) {
		hashes[i] = membership_hash(instance, &records[i].group);
		index_prefetch(&instance->memberships, hashes[i], PREFETCH_FAR);
	}
	for (size_t i = 0; i < count; i++)
		index_prefetch(&instance->memberships, hashes[i], PREFETCH_NEAR);
	for (size_t i = 0; i < count; i++)
		index_prefetch_chained(&instance->memberships, hashes[i]);
}
