/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Maps of groups to sources: look-up, walk and count, also where ranges overlap.
 */
#include "core/policy/group_map.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "core/base/xorshift.h"
#include "support/craft.h"

#define ENTRIES_MAX 32

static struct group_map_entry entry_of(const char *groups, const char *source)
{
	struct group_map_entry entry;

	assert_null(range_parse(groups, &entry.groups));
	entry.source = source ? addr_of(source) : addr_unspecified(FAMILY_IPV4);
	return entry;
}

static const char *filter_of(const struct group_map *map, const char *group)
{
	static char text[256];
	struct addr list[GROUP_MAP_ENTRIES_MAX], address = addr_of(group);
	struct filter filter = {.sources = sources_on(list, GROUP_MAP_ENTRIES_MAX)};
	char source[ADDR_TEXT_SIZE];
	size_t used;

	group_map_filter(map, &address, &filter);
	used = (size_t)snprintf(text, sizeof text, "%s{", filter_mode_name(filter.mode));
	for (size_t i = 0; i < filter.sources.count; i++)
		used += (size_t)snprintf(text + used, sizeof text - used, "%s%s", i ? " " : "",
		                         addr_format(&list[i], source));
	snprintf(text + used, sizeof text - used, "}");
	assert_int_equal(group_map_has(map, &address), !filter_is_none(&filter));
	return text;
}

static void several_entries_unite(void **state)
{
	const struct group_map_entry entries[] = {
		entry_of("232.1.1.0/24", "10.0.0.2"), entry_of("232.1.0.0/16", "10.0.0.1"),
		entry_of("232.1.1.5", "10.0.0.1"),    entry_of("232.1.1.7", NULL),
		entry_of("ff3e::/96", "2001:db8::1"), entry_of("232.1.1.0/24", "10.0.0.2"),
	};
	struct group_map *map = group_map_new(entries, LENGTH(entries));
	struct addr group = addr_of("232.1.1.5"), one = addr_of("10.0.0.1"), other = addr_of("10.0.0.3");

	(void)state;
	assert_non_null(map);
	assert_string_equal(filter_of(map, "232.0.255.255"), "INCLUDE{}");
	assert_string_equal(filter_of(map, "232.1.0.0"), "INCLUDE{10.0.0.1}");
	assert_string_equal(filter_of(map, "232.1.1.5"), "INCLUDE{10.0.0.1 10.0.0.2}");
	assert_string_equal(filter_of(map, "232.1.1.7"), "EXCLUDE{}");
	assert_string_equal(filter_of(map, "232.1.255.255"), "INCLUDE{10.0.0.1}");
	assert_string_equal(filter_of(map, "232.2.0.0"), "INCLUDE{}");
	assert_string_equal(filter_of(map, "ff3e::1"), "INCLUDE{2001:db8::1}");
	assert_string_equal(filter_of(map, "ff3f::1"), "INCLUDE{}");
	assert_true(group_map_wants(map, &group, &one));
	assert_false(group_map_wants(map, &group, &other));
	assert_false(group_map_wants_all(map, &group));
	assert_int_equal(group_map_count(map, FAMILY_IPV4), 65536);
	assert_int_equal(group_map_count(map, FAMILY_IPV6), (uint64_t)1 << 32);
	group_map_release(map);
}

/* A group with all sources has none of its own, also where another entry names one. */
static void all_sources_are_no_list(void **state)
{
	const struct group_map_entry entries[] = {entry_of("239.1.1.1", NULL),
	                                          entry_of("239.1.1.1", "10.0.0.1")};
	struct group_map *map = group_map_new(entries, LENGTH(entries));
	struct addr group = addr_of("239.1.1.1"), source, zero = addr_unspecified(FAMILY_IPV4);

	(void)state;
	assert_true(group_map_wants_all(map, &group));
	assert_false(group_map_next_source(map, &group, &zero, &source));
	group_map_release(map);
}

static void no_map_has_no_groups(void **state)
{
	struct addr group = addr_of("239.1.1.1"), source = addr_of("10.0.0.1");

	(void)state;
	assert_string_equal(filter_of(NULL, "239.1.1.1"), "INCLUDE{}");
	assert_false(group_map_wants(NULL, &group, &source));
	assert_false(group_map_next(NULL, &group));
	assert_false(group_map_next_source(NULL, &group, &source, &source));
	assert_int_equal(group_map_count(NULL, FAMILY_IPV4), 0);
	group_map_hold(NULL);
	group_map_release(NULL);
}

static void huge_ranges_have_no_exact_count(void **state)
{
	const struct group_map_entry entries[] = {entry_of("ff00::/8", NULL), entry_of("224.0.0.0/4", NULL)};
	struct group_map *map = group_map_new(entries, LENGTH(entries));

	(void)state;
	assert_int_equal(group_map_count(map, FAMILY_IPV6), SIZE_MAX);
	assert_int_equal(group_map_count(map, FAMILY_IPV4), 1 << 28);
	group_map_release(map);
}

static void maps_are_equal_in_any_order(void **state)
{
	const struct group_map_entry a[] = {entry_of("239.1.1.1", NULL), entry_of("239.1.1.2", "10.0.0.1")};
	const struct group_map_entry b[] = {a[1], a[0], a[1]};
	const struct group_map_entry c[] = {a[1], entry_of("239.1.1.1", "10.0.0.1")};
	struct group_map *maps[] = {group_map_new(a, LENGTH(a)), group_map_new(b, LENGTH(b)),
	                            group_map_new(c, LENGTH(c)), group_map_new(a, 1)};

	(void)state;
	assert_true(group_map_equal(maps[0], maps[1]));
	assert_false(group_map_equal(maps[0], maps[2]));
	assert_false(group_map_equal(maps[0], maps[3]));
	for (size_t i = 0; i < LENGTH(maps); i++)
		group_map_release(maps[i]);
}

/* Against a list that is searched from end to end. */
static void looks_up_as_a_list_does(void **state)
{
	uint64_t random = 7;

	(void)state;
	for (int round = 0; round < 500; round++) {
		struct group_map_entry entries[ENTRIES_MAX];
		size_t count = 1 + xorshift_next(&random) % ENTRIES_MAX, groups = 0, walked = 0;
		struct group_map *map;
		struct addr walk = addr_unspecified(FAMILY_IPV4);

		for (size_t i = 0; i < count; i++) {
			uint32_t first = (uint32_t)(xorshift_next(&random) % 64);

			entries[i].groups.first = nth_addr("239.1.1.0", first);
			entries[i].groups.last =
				nth_addr("239.1.1.0", first + (uint32_t)(xorshift_next(&random) % 16));
			entries[i].source = nth_addr("10.0.0.1", (uint32_t)(xorshift_next(&random) % 4));
		}
		map = group_map_new(entries, count);
		for (uint32_t g = 0; g < 80; g++) {
			struct addr group = nth_addr("239.1.1.0", g), at = addr_unspecified(FAMILY_IPV4);
			bool has = false;

			for (uint32_t s = 0; s < 4; s++) {
				struct addr source = nth_addr("10.0.0.1", s), next;
				bool wants = false;

				for (size_t i = 0; i < count; i++)
					wants |= addr_compare(&entries[i].groups.first, &group) <= 0 &&
					         addr_compare(&group, &entries[i].groups.last) <= 0 &&
					         addr_equal(&entries[i].source, &source);
				assert_int_equal(group_map_wants(map, &group, &source), wants);
				has |= wants;
				if (!wants)
					continue;
				assert_true(group_map_next_source(map, &group, &at, &next));
				assert_true(addr_equal(&next, &source));
				at = next;
			}
			assert_false(group_map_next_source(map, &group, &at, &at));
			assert_int_equal(group_map_has(map, &group), has);
			groups += has;
		}
		assert_int_equal(group_map_count(map, FAMILY_IPV4), groups);
		for (; group_map_next(map, &walk); addr_next(&walk)) {
			assert_true(group_map_has(map, &walk));
			walked++;
		}
		assert_int_equal(walked, groups);
		group_map_release(map);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(several_entries_unite),
		cmocka_unit_test(all_sources_are_no_list),
		cmocka_unit_test(no_map_has_no_groups),
		cmocka_unit_test(huge_ranges_have_no_exact_count),
		cmocka_unit_test(maps_are_equal_in_any_order),
		cmocka_unit_test(looks_up_as_a_list_does),
	};

	return cmocka_run_group_tests_name("group_map", tests, NULL, NULL);
}
