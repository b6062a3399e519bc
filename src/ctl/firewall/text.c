/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Texts about a rule that drops, and the command that helps.
 */
#include "ctl/firewall/firewall.h"

#include <netinet/in.h>
#include <stdio.h>

#define PLACE_SIZE (TRACE_NAME_SIZE + 32)

static bool is_iptables(const struct firewall_drop *drop)
{
	return drop->program[0] != '\0';
}

void firewall_drop_name(const struct firewall_drop *drop, char *text, size_t size)
{
	size_t used;

	if (is_iptables(drop) && drop->handle < 0)
		used = (size_t)snprintf(text, size, "%s: the policy of %s in table %s", drop->program,
		                        drop->base, drop->table);
	else if (is_iptables(drop) && drop->handle == 0)
		used = (size_t)snprintf(text, size, "%s: a rule of %s in table %s", drop->program,
		                        drop->chain, drop->table);
	else if (is_iptables(drop))
		used = (size_t)snprintf(text, size, "%s: rule %ld of %s in table %s", drop->program,
		                        drop->handle, drop->chain, drop->table);
	else if (drop->handle < 0)
		used = (size_t)snprintf(text, size, "the policy of chain %s in table %s %s", drop->base,
		                        drop->family, drop->table);
	else
		used = (size_t)snprintf(text, size, "rule with handle %ld of chain %s in table %s %s",
		                        drop->handle, drop->chain, drop->family, drop->table);
	if (drop->text[0] != '\0' && used < size)
		snprintf(text + used, size - used, " (%s%s)", drop->text,
		         drop->text[sizeof drop->text - 2] != '\0' ? "..." : "");
}

static const char *kind_match(const struct firewall_drop *drop, const struct firewall_packet *packet)
{
	if (packet->protocol == IPPROTO_IGMP)
		return is_iptables(drop) ? "-p igmp" : "meta l4proto igmp";
	if (is_iptables(drop))
		return "-p icmpv6";
	return "icmpv6 type { mld-listener-query, mld-listener-report, mld-listener-done, "
	       "mld2-listener-report }";
}

/* The chain to insert into, and the place there: before the rule that drops. A chain without a name, which belongs to
 * a jump, and a policy are avoided at the beginning of the base chain. */
static void place(const struct firewall_drop *drop, char text[PLACE_SIZE])
{
	if (drop->handle <= 0 || strncmp(drop->chain, "__", 2) == 0)
		snprintf(text, PLACE_SIZE, "%s", drop->base);
	else
		snprintf(text, PLACE_SIZE, is_iptables(drop) ? "%s %ld" : "%s handle %ld", drop->chain,
		         drop->handle);
}

void firewall_remedy(const struct firewall_drop *drop, const struct firewall_packet *packet, char *text,
                     size_t size)
{
	bool ipv4 = packet->family == FAMILY_IPV4, stream = packet->protocol == IPPROTO_UDP;
	char group[ADDR_TEXT_SIZE], match[160], where[PLACE_SIZE];

	if (packet->any_group)
		snprintf(group, sizeof group, "%s", ipv4 ? "224.0.0.0/4" : "ff00::/8");
	else
		addr_format(&packet->destination, group);
	if (stream)
		snprintf(match, sizeof match,
		         is_iptables(drop) ? "-d %s"
		         : ipv4            ? "ip daddr %s"
		                           : "ip6 daddr %s",
		         group);
	else
		snprintf(match, sizeof match, "%s", kind_match(drop, packet));
	place(drop, where);
	if (is_iptables(drop))
		snprintf(text, size, "%s -t %s -I %s %s -j ACCEPT", drop->program, drop->table, where, match);
	else
		snprintf(text, size, "nft insert rule %s %s %s %s accept", drop->family, drop->table, where,
		         match);
}
