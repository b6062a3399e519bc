/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/policy/ranges.h"

#include <stdio.h>
#include <stdlib.h>

bool range_is_mac(const struct range *range)
{
	return addr_is_mac(&range->first);
}

static int hex_digit(char c)
{
	static const char digits[] = "0123456789abcdefABCDEF";
	const char *at = c == '\0' ? NULL : strchr(digits, c);

	if (at == NULL)
		return -1;
	return at - digits < 16 ? (int)(at - digits) : (int)(at - digits) - 6;
}

/* Six pairs of digits with colons between them. */
static bool parse_mac(const char *text, struct addr *addr)
{
	uint8_t mac[MAC_SIZE];

	if (strlen(text) != 3 * MAC_SIZE - 1)
		return false;
	for (size_t i = 0; i < MAC_SIZE; i++, text += 3) {
		int high = hex_digit(text[0]), low = hex_digit(text[1]);

		if (high < 0 || low < 0 || (i + 1 < MAC_SIZE && text[2] != ':'))
			return false;
		mac[i] = (uint8_t)(high << 4 | low);
	}
	*addr = addr_from_mac(mac);
	return true;
}

/* A number without a sign, at most `max`; -1: none. */
static int parse_number(const char *text, int max)
{
	int number = 0;

	if (*text == '\0')
		return -1;
	for (; *text != '\0'; text++) {
		if (*text < '0' || *text > '9')
			return -1;
		number = number * 10 + (*text - '0');
		if (number > max)
			return -1;
	}
	return number;
}

static const char *parse_prefix(const struct addr *addr, const char *length_text, struct range *range)
{
	bool ipv4 = addr_family(addr) == FAMILY_IPV4;
	int length = parse_number(length_text, ipv4 ? 32 : 128);

	if (length < 0)
		return ipv4 ? "its prefix length is not a number from 0 to 32"
		            : "its prefix length is not a number from 0 to 128";
	*range = (struct range){*addr, *addr};
	for (int bit = length + (ipv4 ? 96 : 0); bit < 128; bit++) {
		uint8_t mask = (uint8_t)(0x80 >> bit % 8);

		if (addr->bytes[bit / 8] & mask)
			return "it has bits set beyond its prefix length; write the first address of the network";
		range->last.bytes[bit / 8] |= mask;
	}
	return NULL;
}

const char *range_parse(const char *text, struct range *range)
{
	char first[RANGE_TEXT_SIZE];
	size_t length = strcspn(text, "/-");

	if (parse_mac(text, &range->first)) {
		range->last = range->first;
		return NULL;
	}
	if (length >= sizeof first)
		return "it is too long";
	memcpy(first, text, length);
	first[length] = '\0';
	if (!addr_parse(first, &range->first))
		return "it is not an address, a prefix or a range";
	if (text[length] == '/')
		return parse_prefix(&range->first, text + length + 1, range);
	range->last = range->first;
	if (text[length] == '\0')
		return NULL;
	if (!addr_parse(text + length + 1, &range->last))
		return "its end is not an address";
	if (addr_family(&range->first) != addr_family(&range->last))
		return "it begins in one address family and ends in the other";
	return addr_compare(&range->first, &range->last) > 0 ? "its end is below its beginning" : NULL;
}

/* The prefix length in bits of the 128, if the range is a prefix; -1: it is none. */
static int prefix_length(const struct range *range)
{
	int length = 0;

	while (length < 128 &&
	       ((range->first.bytes[length / 8] ^ range->last.bytes[length / 8]) & 0x80 >> length % 8) == 0)
		length++;
	for (int bit = length; bit < 128; bit++)
		if ((range->first.bytes[bit / 8] & 0x80 >> bit % 8) != 0 ||
		    (range->last.bytes[bit / 8] & 0x80 >> bit % 8) == 0)
			return -1;
	return length;
}

char *range_format(const struct range *range, char text[RANGE_TEXT_SIZE])
{
	char first[ADDR_TEXT_SIZE], last[ADDR_TEXT_SIZE];
	const uint8_t *mac = range->first.bytes + sizeof range->first.bytes - MAC_SIZE;
	bool ipv4 = addr_family(&range->first) == FAMILY_IPV4;
	int length = prefix_length(range) - (ipv4 ? 96 : 0);

	addr_format(&range->first, first);
	addr_format(&range->last, last);
	if (range_is_mac(range))
		snprintf(text, RANGE_TEXT_SIZE, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2],
		         mac[3], mac[4], mac[5]);
	else if (addr_equal(&range->first, &range->last))
		snprintf(text, RANGE_TEXT_SIZE, "%s", first);
	else if (length >= 0)
		snprintf(text, RANGE_TEXT_SIZE, "%s/%d", first, length);
	else
		snprintf(text, RANGE_TEXT_SIZE, "%s-%s", first, last);
	return text;
}

void ranges_fini(struct ranges *ranges)
{
	free(ranges->list);
	*ranges = (struct ranges){0};
}

bool ranges_add(struct ranges *ranges, const struct range *range)
{
	if (ranges->count == ranges->capacity) {
		size_t capacity = ranges->capacity == 0 ? 4 : 2 * ranges->capacity;
		struct range *list = realloc(ranges->list, capacity * sizeof *list);

		if (list == NULL)
			return false;
		ranges->list = list;
		ranges->capacity = capacity;
	}
	ranges->list[ranges->count++] = *range;
	return true;
}

bool ranges_add_all(struct ranges *ranges, const struct ranges *others)
{
	for (size_t i = 0; i < others->count; i++)
		if (!ranges_add(ranges, &others->list[i]))
			return false;
	return true;
}

static int compare_firsts(const void *a, const void *b)
{
	return addr_compare(&((const struct range *)a)->first, &((const struct range *)b)->first);
}

bool addr_next(struct addr *addr)
{
	for (size_t i = sizeof addr->bytes; i-- > 0;)
		if (++addr->bytes[i] != 0)
			return true;
	return false;
}

/* Is the address in the range, or the next one after it? MAC addresses stay single, and
 * families apart, as they are written. */
static bool touches(const struct range *range, const struct addr *addr)
{
	struct addr behind = range->last;

	if (range_is_mac(range) || addr_family(addr) != addr_family(&range->last))
		return addr_compare(addr, &range->last) <= 0;
	return !addr_next(&behind) || addr_compare(addr, &behind) <= 0;
}

void ranges_normalize(struct ranges *ranges)
{
	size_t kept = 0;

	if (ranges->count == 0)
		return;
	qsort(ranges->list, ranges->count, sizeof *ranges->list, compare_firsts);
	for (size_t i = 1; i < ranges->count; i++) {
		struct range *last = &ranges->list[kept], *next = &ranges->list[i];

		if (!touches(last, &next->first))
			ranges->list[++kept] = *next;
		else if (addr_compare(&next->last, &last->last) > 0)
			last->last = next->last;
	}
	ranges->count = kept + 1;
}

bool ranges_has_mac(const struct ranges *ranges)
{
	return ranges->count > 0 && range_is_mac(&ranges->list[ranges->count - 1]);
}

bool ranges_has(const struct ranges *ranges, const struct addr *addr)
{
	size_t from = 0, to = ranges->count;

	while (from < to) {
		size_t middle = (from + to) / 2;

		if (addr_compare(addr, &ranges->list[middle].first) < 0)
			to = middle;
		else if (addr_compare(addr, &ranges->list[middle].last) > 0)
			from = middle + 1;
		else
			return true;
	}
	return false;
}
