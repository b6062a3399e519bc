/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Rules of packet filters: the first byte of the input is their kind, the rest is what the
 * program prints. Whatever it is, packets are tried on it, and what is said of a rule fits.
 */
#include "ctl/firewall/firewall.h"

#include "fuzz.h"

#include <netinet/in.h>
#include <stdlib.h>

static void try_packet(const struct firewall *firewall, const struct firewall_packet *packet)
{
	for (int hook = 0; hook < HOOKS; hook++) {
		struct firewall_drop drop;
		char text[320];

		if (firewall_try(firewall, (enum hook)hook, packet, &drop) == FIREWALL_PASSES)
			continue;
		assert(memchr(drop.table, 0, sizeof drop.table) != NULL);
		firewall_drop_name(&drop, text, sizeof text);
		assert(text[0] != '\0');
		firewall_remedy(&drop, packet, text, sizeof text);
		assert(text[0] != '\0');
	}
}

static void try_packets(const struct firewall *firewall)
{
	struct firewall_packet stream = {
		.protocol = IPPROTO_UDP, .port = 5001, .input = "eth0", .output = "eth1"};
	struct firewall_packet query = {
		.family = FAMILY_IPV6, .protocol = IPPROTO_ICMPV6, .type = 130, .input = "eth0"};

	addr_parse("239.1.1.1", &stream.destination);
	addr_parse("ff02::1", &query.destination);
	try_packet(firewall, &stream);
	try_packet(firewall, &query);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct firewall *firewall = firewall_new();
	char *text = malloc(size + 1);

	memcpy(text, data, size);
	text[size] = '\0';
	if (size > 0 && data[0] == 'n')
		firewall_add_nft(firewall, text + 1);
	else if (size > 0 && data[0] == 'l')
		firewall_add_rule_texts(firewall, text + 1);
	else if (size > 0)
		firewall_add_iptables(firewall, data[0] == '6' ? FAMILY_IPV6 : FAMILY_IPV4, "iptables",
		                      text + 1);
	try_packets(firewall);
	firewall_free(firewall);
	free(text);
	return 0;
}
