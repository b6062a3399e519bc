/* SPDX-License-Identifier: BSD-2-Clause */
#include "support/golden.h"

const struct golden golden_packets[GOLDEN_PACKETS] = {
	{"IGMPv3 query", FAMILY_IPV4, GOLDEN_V3_QUERY},  {"IGMPv2 report", FAMILY_IPV4, GOLDEN_V2_REPORT},
	{"IGMPv2 leave", FAMILY_IPV4, GOLDEN_V2_LEAVE},  {"IGMPv3 report", FAMILY_IPV4, GOLDEN_V3_REPORT},
	{"MLDv2 query", FAMILY_IPV6, GOLDEN_MLD2_QUERY}, {"MLDv1 report", FAMILY_IPV6, GOLDEN_MLD1_REPORT},
	{"MLDv1 done", FAMILY_IPV6, GOLDEN_MLD1_DONE},   {"MLDv2 report", FAMILY_IPV6, GOLDEN_MLD2_REPORT},
};

size_t golden_read(const char *hex, uint8_t *bytes)
{
	size_t size = 0;

	for (; hex[0] != 0 && hex[1] != 0; hex += 2) {
		char digits[3] = {hex[0], hex[1], 0};

		bytes[size++] = (uint8_t)strtoul(digits, NULL, 16);
	}
	return size;
}
