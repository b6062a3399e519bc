/* SPDX-License-Identifier: BSD-2-Clause */
#include "wish.h"

#include <stdio.h>

bool wish_is_none(struct wish wish)
{
	return !wish.exclude && wish.sources == 0;
}

bool wish_equal(struct wish a, struct wish b)
{
	return a.exclude == b.exclude && a.sources == b.sources;
}

bool wish_passes(struct wish wish, unsigned source)
{
	bool listed = wish.sources >> source & 1;

	return wish.exclude ? !listed : listed;
}

struct wish wish_merge(struct wish a, struct wish b)
{
	struct wish merged = {.exclude = a.exclude || b.exclude};

	for (unsigned source = 0; source < SOURCES_MAX; source++) {
		bool passes = wish_passes(a, source) || wish_passes(b, source);

		if (passes != merged.exclude)
			merged.sources |= (uint64_t)1 << source;
	}
	return merged;
}

bool wish_covers(struct wish wide, struct wish narrow)
{
	for (unsigned source = 0; source <= SOURCES_MAX; source++)
		if (wish_passes(narrow, source) && !wish_passes(wide, source))
			return false;
	return true;
}

const char *wish_format(struct wish wish, char text[WISH_TEXT_SIZE])
{
	int used = snprintf(text, WISH_TEXT_SIZE, "%s{", wish.exclude ? "EXCLUDE" : "INCLUDE");

	for (unsigned source = 0; source < SOURCES_MAX; source++)
		if (wish.sources >> source & 1)
			used += snprintf(text + used, WISH_TEXT_SIZE - (size_t)used, " %u", source);
	snprintf(text + used, WISH_TEXT_SIZE - (size_t)used, " }");
	return text;
}

struct addr universe_source(enum family family, unsigned source)
{
	struct addr addr = {{0x20, 0x01, 0x0d, 0xb8, [15] = (uint8_t)(source + 1)}};

	return family == FAMILY_IPV6 ? addr : addr_from_ipv4_number(0xac100000u + source + 1);
}

struct addr universe_group(enum family family, unsigned group)
{
	struct addr addr = {{0xff, 0x15, [15] = (uint8_t)(group + 1)}};

	return family == FAMILY_IPV6 ? addr : addr_from_ipv4_number(0xef010000u + group + 1);
}

int universe_source_number(const struct addr *addr)
{
	struct addr expected = universe_source(addr_family(addr), addr->bytes[15] - 1u);

	return addr->bytes[15] >= 1 && addr->bytes[15] <= SOURCES_MAX && addr_equal(addr, &expected)
	               ? addr->bytes[15] - 1
	               : -1;
}

int universe_group_number(const struct addr *addr)
{
	struct addr expected = universe_group(addr_family(addr), addr->bytes[15] - 1u);

	return addr->bytes[15] >= 1 && addr->bytes[15] <= GROUPS_MAX && addr_equal(addr, &expected)
	               ? addr->bytes[15] - 1
	               : -1;
}
