/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/attributes.h"

static int keep(const struct nlattr *attribute, void *context)
{
	const struct nlattr **attributes = context;

	if (mnl_attr_get_type(attribute) < ATTRIBUTES)
		attributes[mnl_attr_get_type(attribute)] = attribute;
	return MNL_CB_OK;
}

void attributes_read(const struct nlmsghdr *header, size_t size, const struct nlattr *attributes[ATTRIBUTES])
{
	for (size_t i = 0; i < ATTRIBUTES; i++)
		attributes[i] = NULL;
	mnl_attr_parse(header, (unsigned)size, keep, attributes);
}

uint32_t attribute_number(const struct nlattr *attribute)
{
	return attribute != NULL && mnl_attr_get_payload_len(attribute) >= sizeof(uint32_t)
	               ? mnl_attr_get_u32(attribute)
	               : 0;
}

bool attribute_addr(const struct nlattr *attribute, enum family family, struct addr *addr)
{
	const uint8_t *bytes;

	if (attribute == NULL || mnl_attr_get_payload_len(attribute) < addr_wire_size(family))
		return false;
	bytes = mnl_attr_get_payload(attribute);
	*addr = family == FAMILY_IPV4 ? addr_from_ipv4(bytes) : addr_from_ipv6(bytes);
	return true;
}
