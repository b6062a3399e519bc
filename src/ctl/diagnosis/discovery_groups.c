/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/diagnosis/discovery_groups.h"

#include <stddef.h>

/* From IANA's registries; those in 239.255.255.0/24 have the same place in each administrative scope. The scope
 * of an IPv6 group is written 2 here. */
static const struct {
	const char *group;
	unsigned length; /* of the prefix, counted as for an IPv6 address */
	const char *name;
} discoveries[] = {
	{"239.255.255.250", 128, "SSDP (UPnP) and WS-Discovery"},
	{"239.255.255.251", 128, "mDNS"},
	{"239.255.255.253", 128, "SLP"},
	{"239.255.255.255", 128, "SAP"},
	{"224.0.1.22", 128, "SLP"},
	{"224.0.1.35", 128, "SLP"},
	{"224.0.1.60", 128, "HP device discovery"},
	{"224.0.1.187", 128, "CoAP"},
	{"ff02::c", 128, "SSDP (UPnP) and WS-Discovery"},
	{"ff02::fb", 128, "mDNS"},
	{"ff02::fd", 128, "CoAP"},
	{"ff02::116", 128, "SLP"},
	{"ff02::123", 128, "SLP"},
	{"ff02::1:1000", 118, "SLP"},
};

const char *discovery_group_name(const struct addr *group)
{
	struct addr plain = *group, prefix;

	if (addr_family(group) == FAMILY_IPV6)
		plain.bytes[1] = (uint8_t)((plain.bytes[1] & 0xf0) | 2);
	for (size_t i = 0; i < sizeof discoveries / sizeof discoveries[0]; i++)
		if (addr_parse(discoveries[i].group, &prefix) &&
		    addr_in_prefix(&plain, &prefix, discoveries[i].length))
			return discoveries[i].name;
	return NULL;
}
