/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/join_list.h"

#include "kernel/join.h"

#include "core/base/grow.h"
#include "core/contract/request.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LO 1 /* the kernel's number of lo, in every network namespace */

/* A source of a group, and how many sockets include and exclude it. */
struct listed_source {
	struct addr group, source;
	bool included, excluded;
};

struct list {
	struct listed_source *sources;
	size_t count, capacity;
};

static int compare_sources(const void *a, const void *b)
{
	const struct listed_source *one = a, *other = b;
	int order = addr_compare(&one->group, &other->group);

	return order != 0 ? order : addr_compare(&one->source, &other->source);
}

/* 32 hexadecimal digits. */
static bool read_ipv6(const char *text, struct addr *addr)
{
	uint8_t bytes[16];

	for (int i = 0; i < 16; i++) {
		unsigned byte;

		if (sscanf(text + 2 * i, "%2x", &byte) != 1)
			return false;
		bytes[i] = (uint8_t)byte;
	}
	*addr = addr_from_ipv6(bytes);
	return true;
}

static bool add_source(struct list *list, const struct listed_source *source)
{
	struct listed_source *sources = grow(list->sources, list->count, &list->capacity, sizeof *sources);

	if (sources == NULL)
		return false;
	list->sources = sources;
	sources[list->count++] = *source;
	return true;
}

/* "  2   eth0 0xef010203 0x0a000001      1      0", and for IPv6 the same with 32 digits. */
static bool read_source(enum family family, int ifindex, const char *line, struct listed_source *source)
{
	char group[33], address[33];
	unsigned long included, excluded;
	int index;

	if (sscanf(line, "%d %*s %*[0x]%32[0-9a-fA-F] %*[0x]%32[0-9a-fA-F] %lu %lu", &index, group, address,
	           &included, &excluded) == 5 &&
	    family == FAMILY_IPV4 && index == ifindex) {
		source->group = addr_from_ipv4_number((uint32_t)strtoul(group, NULL, 16));
		source->source = addr_from_ipv4_number((uint32_t)strtoul(address, NULL, 16));
	} else if (family == FAMILY_IPV4 ||
	           sscanf(line, "%d %*s %32[0-9a-f] %32[0-9a-f] %lu %lu", &index, group, address, &included,
	                  &excluded) != 5 ||
	           index != ifindex || !read_ipv6(group, &source->group) ||
	           !read_ipv6(address, &source->source)) {
		return false;
	}
	source->included = included > 0;
	source->excluded = excluded > 0 && included == 0;
	return true;
}

/* The kernel lists no source at all where the newest group of no interface has one; otherwise it lists all from that
 * interface on. The first interface is lo, where a membership reaches no network. */
static int show_sources(enum family family)
{
	static const uint8_t group[16] = {0xff, 0x31, [15] = 1}, source[16] = {[15] = 1};
	struct addr groups[] = {addr_from_ipv4_number(0xe8ffffff), addr_from_ipv6(group)};
	struct addr sources[] = {addr_from_ipv4_number(0x7f000001), addr_from_ipv6(source)};
	int fd = join_socket(family);

	if (fd < 0 || join_source(fd, LO, &groups[family], &sources[family]) == 0)
		return fd;
	join_socket_close(fd);
	return -1;
}

static bool read_sources(enum family family, int ifindex, struct list *list)
{
	int fd = show_sources(family);
	FILE *file = fopen(family == FAMILY_IPV4 ? "/proc/net/mcfilter" : "/proc/net/mcfilter6", "re");
	struct listed_source source;
	bool all = file != NULL && fd >= 0;
	char line[256];

	while (all && fgets(line, sizeof line, file) != NULL)
		if (read_source(family, ifindex, line, &source))
			all = add_source(list, &source);
	if (file != NULL)
		fclose(file);
	if (fd >= 0)
		join_socket_close(fd);
	if (list->count > 0)
		qsort(list->sources, list->count, sizeof list->sources[0], compare_sources);
	return all;
}

static const struct listed_source *first_source(const struct list *list, const struct addr *group)
{
	size_t low = 0, high = list->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (addr_compare(&list->sources[middle].group, group) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return list->sources + low;
}

static void report_group(const struct list *list, const struct addr *group, join_list_handler *take,
                         void *context)
{
	static struct addr room[REQUEST_SOURCES_MAX];
	struct filter filter = {.mode = FILTER_EXCLUDE, .sources = sources_on(room, REQUEST_SOURCES_MAX)};
	const struct listed_source *source, *end = list->sources + list->count;
	bool includes = false;

	for (source = first_source(list, group); source < end && addr_equal(&source->group, group); source++)
		includes |= source->included;
	for (source = first_source(list, group); source < end && addr_equal(&source->group, group); source++)
		includes &= !source->excluded;
	if (includes)
		filter.mode = FILTER_INCLUDE;
	for (source = first_source(list, group);
	     source < end && addr_equal(&source->group, group) && filter.sources.count < REQUEST_SOURCES_MAX;
	     source++)
		if (includes ? source->included : source->excluded)
			room[filter.sources.count++] = source->source;
	take(context, group, &filter);
}

/* A line of an interface begins with its index, those of its groups with a tab. A group is four bytes as the machine stores
 * them. */
static bool read_igmp_group(const char *line, int ifindex, int *current, struct addr *group)
{
	uint8_t bytes[4];
	uint32_t number;

	if (line[0] != '\t') {
		if (sscanf(line, "%d", current) != 1)
			*current = 0;
		return false;
	}
	if (*current != ifindex || sscanf(line, " %x", &number) != 1)
		return false;
	memcpy(bytes, &number, sizeof bytes);
	*group = addr_from_ipv4(bytes);
	return true;
}

static bool read_mld_group(const char *line, int ifindex, struct addr *group)
{
	char address[33];
	int index;

	return sscanf(line, "%d %*s %32[0-9a-f]", &index, address) == 2 && index == ifindex &&
	       strlen(address) == 32 && read_ipv6(address, group);
}

bool join_list(enum family family, int ifindex, join_list_handler *take, void *context)
{
	bool ipv4 = family == FAMILY_IPV4;
	FILE *file = fopen(ipv4 ? "/proc/net/igmp" : "/proc/net/igmp6", "re");
	struct list list = {0};
	bool all = read_sources(family, ifindex, &list) && file != NULL;
	struct addr group;
	int current = 0;
	char line[256];

	while (all && fgets(line, sizeof line, file) != NULL)
		if (ipv4 ? read_igmp_group(line, ifindex, &current, &group)
		         : read_mld_group(line, ifindex, &group))
			report_group(&list, &group, take, context);
	if (file != NULL)
		fclose(file);
	free(list.sources);
	return all;
}
