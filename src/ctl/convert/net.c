/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/convert/net.h"

#include <stdio.h>
#include <stdlib.h>

static unsigned length_max(const struct net *net)
{
	return addr_family(&net->addr) == FAMILY_IPV4 ? 32 : 128;
}

/* Clears the bits beyond the length. */
static void mask(struct net *net)
{
	unsigned from = net->length + (128 - length_max(net));

	for (unsigned bit = from; bit < 128; bit++)
		net->addr.bytes[bit / 8] &= (uint8_t) ~(0x80 >> bit % 8);
}

bool net_parse(const char *text, struct net *net)
{
	char addr[ADDR_TEXT_SIZE], *end = NULL;
	size_t size = strcspn(text, "/");

	if (size >= sizeof addr)
		return false;
	memcpy(addr, text, size);
	addr[size] = '\0';
	if (!addr_parse(addr, &net->addr))
		return false;
	net->length = length_max(net);
	if (text[size] == '/') {
		unsigned long length = strtoul(text + size + 1, &end, 10);

		if (text[size + 1] < '0' || text[size + 1] > '9' || *end != '\0' || length > net->length)
			return false;
		net->length = (unsigned)length;
	}
	mask(net);
	return true;
}

const char *net_format(const struct net *net, char text[NET_TEXT_SIZE])
{
	char addr[ADDR_TEXT_SIZE];

	addr_format(&net->addr, addr);
	if (net->length == length_max(net))
		snprintf(text, NET_TEXT_SIZE, "%s", addr);
	else
		snprintf(text, NET_TEXT_SIZE, "%s/%u", addr, net->length);
	return text;
}

enum net_groups net_groups(const struct net *net)
{
	bool ipv4 = addr_family(&net->addr) == FAMILY_IPV4;
	struct addr groups = ipv4 ? addr_from_ipv4_number(0xe0000000) : (struct addr){{0xff}};
	unsigned length = ipv4 ? 4 : 8;

	if (net->length >= length)
		return addr_is_multicast(&net->addr)
		               ? (net->length == length ? NET_ALL_GROUPS : NET_SOME_GROUPS)
		               : NET_NO_GROUP;
	return addr_in_prefix(&groups, &net->addr, net->length + (ipv4 ? 96 : 0)) ? NET_ALL_GROUPS
	                                                                          : NET_NO_GROUP;
}

const char *net_from(const struct net *net, char text[NET_TEXT_SIZE + 8])
{
	char prefix[NET_TEXT_SIZE];

	text[0] = '\0';
	if (net->length > 0)
		snprintf(text, NET_TEXT_SIZE + 8, " from %s", net_format(net, prefix));
	return text;
}

bool read_net(struct output *output, const struct word *word, struct net *net)
{
	if (word != NULL && net_parse(word->text, net) && addr_family(&net->addr) == FAMILY_IPV4)
		return true;
	return output_fail(output, word != NULL ? word->line : 0, "\"%.40s\" is no IPv4 address or prefix",
	                   word != NULL ? word->text : "");
}
