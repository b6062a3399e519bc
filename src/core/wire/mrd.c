/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/wire/mrd.h"

#define ADVERTISEMENT_SIZE 8
#define OTHER_SIZE         4 /* solicitation, termination */

/* The first of three consecutive types (RFC 4286 section 7). */
static const uint8_t first_type[FAMILIES] = {0x30, 151};

const struct addr mrd_all_snoopers[FAMILIES] = {
	{{[10] = 0xff, 0xff, 224, 0, 0, 106}},
	{{0xff, 2, [15] = 0x6a}},
};

bool mrd_is_message(const struct packet *packet)
{
	return packet->payload_size > 0 &&
	       (uint8_t)(packet->payload[0] - first_type[packet->family]) <= MRD_TERMINATION;
}

static uint32_t pseudo_sum(enum family family, const struct addr *source, const struct addr *destination,
                           size_t size)
{
	return family == FAMILY_IPV4 ? 0 : wire_icmp6_pseudo_sum(source, destination, size);
}

/* A switch without an address solicits from 0.0.0.0 or ::. */
static bool is_sender(const struct packet *packet)
{
	return packet->family == FAMILY_IPV4 || addr_is_link_local(&packet->source) ||
	       addr_is_unspecified(&packet->source);
}

enum drop mrd_decode(const struct packet *packet, enum mrd_type *type)
{
	uint32_t partial =
		pseudo_sum(packet->family, &packet->source, &packet->destination, packet->payload_size);

	*type = (enum mrd_type)(packet->payload[0] - first_type[packet->family]);
	if (packet->payload_size < (*type == MRD_ADVERTISEMENT ? ADVERTISEMENT_SIZE : OTHER_SIZE))
		return DROP_LENGTH;
	if (wire_checksum(partial, packet->payload, packet->payload_size) != 0)
		return DROP_CHECKSUM;
	if (!packet->router_alert)
		return DROP_ROUTER_ALERT;
	return is_sender(packet) ? DROP_NONE : DROP_SOURCE_ADDRESS;
}

static size_t finish(uint8_t *message, enum mrd_type type, size_t size, const struct addr *source)
{
	enum family family = addr_family(source);

	message[0] = (uint8_t)(first_type[family] + type);
	wire_put16(message + 2,
	           wire_checksum(pseudo_sum(family, source, &mrd_all_snoopers[family], size), message, size));
	return size;
}

size_t mrd_encode_advertisement(uint8_t *message, const struct addr *source,
                                const struct mrd_advertisement *advertisement)
{
	uint32_t seconds = advertisement->query_interval / MTIME_SECOND;

	memset(message, 0, ADVERTISEMENT_SIZE);
	message[1] = advertisement->advertisement_interval;
	wire_put16(message + 4, (uint16_t)(seconds < UINT16_MAX ? seconds : UINT16_MAX));
	wire_put16(message + 6, advertisement->robustness);
	return finish(message, MRD_ADVERTISEMENT, ADVERTISEMENT_SIZE, source);
}

size_t mrd_encode_termination(uint8_t *message, const struct addr *source)
{
	memset(message, 0, OTHER_SIZE);
	return finish(message, MRD_TERMINATION, OTHER_SIZE, source);
}
