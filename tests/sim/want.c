/* SPDX-License-Identifier: BSD-2-Clause */
#include "want.h"

#include <stdio.h>

bool want_is_none(struct want want)
{
	return !want.exclude && want.sources == 0;
}

bool want_equal(struct want a, struct want b)
{
	return a.exclude == b.exclude && a.sources == b.sources;
}

bool want_passes(struct want want, unsigned source)
{
	bool listed = want.sources >> source & 1;

	return want.exclude ? !listed : listed;
}

struct want want_merge(struct want a, struct want b)
{
	struct want merged = {.exclude = a.exclude || b.exclude};

	for (unsigned source = 0; source < SOURCES_MAX; source++) {
		bool passes = want_passes(a, source) || want_passes(b, source);

		if (passes != merged.exclude)
			merged.sources |= (uint64_t)1 << source;
	}
	return merged;
}

bool want_covers(struct want wide, struct want narrow)
{
	for (unsigned source = 0; source <= SOURCES_MAX; source++)
		if (want_passes(narrow, source) && !want_passes(wide, source))
			return false;
	return true;
}

const char *want_format(struct want want, char text[WANT_TEXT_SIZE])
{
	int used = snprintf(text, WANT_TEXT_SIZE, "%s{", want.exclude ? "EXCLUDE" : "INCLUDE");

	for (unsigned source = 0; source < SOURCES_MAX; source++)
		if (want.sources >> source & 1)
			used += snprintf(text + used, WANT_TEXT_SIZE - (size_t)used, " %u", source);
	snprintf(text + used, WANT_TEXT_SIZE - (size_t)used, " }");
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
