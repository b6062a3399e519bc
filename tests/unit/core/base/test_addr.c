/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Addresses: forms, classes, text and hash.
 */
#include "core/base/addr.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "support/craft.h"

static void families_share_one_form(void **state)
{
	static const uint8_t ipv4[4] = {239, 1, 2, 3};
	struct addr a = addr_from_ipv4(ipv4), b = addr_from_ipv4_number(0xef010203);

	(void)state;
	assert_true(addr_equal(&a, &b));
	assert_int_equal(addr_family(&a), FAMILY_IPV4);
	assert_string_equal(family_name(FAMILY_IPV4), "IPv4");
	assert_string_equal(family_name(FAMILY_IPV6), "IPv6");
	assert_memory_equal(addr_ipv4_bytes(&a), ipv4, 4);
	assert_memory_equal(addr_wire_bytes(&a, FAMILY_IPV4), ipv4, 4);
	assert_int_equal(addr_wire_size(FAMILY_IPV4), 4);
	assert_int_equal(addr_wire_size(FAMILY_IPV6), 16);
	b = addr_of("ff0e::1234");
	assert_int_equal(addr_family(&b), FAMILY_IPV6);
	assert_memory_equal(addr_wire_bytes(&b, FAMILY_IPV6), b.bytes, 16);
	a = addr_from_ipv6(b.bytes);
	assert_true(addr_equal(&a, &b));
}

static void unspecified_has_a_family(void **state)
{
	(void)state;
	for (int family = 0; family < FAMILIES; family++) {
		struct addr addr = addr_unspecified(family);

		assert_int_equal(addr_family(&addr), family);
		assert_true(addr_is_unspecified(&addr));
		addr.bytes[15] = 1;
		assert_false(addr_is_unspecified(&addr));
	}
}

static void order_is_that_of_the_bytes(void **state)
{
	/* The querier election counts on it: the lower address wins. */
	static const char *const ascending[] = {
		"::",       "::1",      "0.0.0.0",         "0.0.0.1",     "9.255.255.255",
		"10.0.0.1", "10.0.1.0", "255.255.255.255", "2001:db8::1", "fe80::1",
		"fe80::2",  "ff02::1",
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(ascending); i++) {
		for (size_t j = 0; j < LENGTH(ascending); j++) {
			struct addr a = addr_of(ascending[i]), b = addr_of(ascending[j]);
			int order = addr_compare(&a, &b);

			assert_int_equal((order > 0) - (order < 0), (i > j) - (i < j));
		}
	}
}

static void classes(void **state)
{
	static const struct {
		const char *text;
		bool multicast, link_local, proxied, source;
	} rows[] = {
		{"0.0.0.0", false, false, false, false},
		{"0.1.2.3", false, false, false, false},
		{"10.0.0.1", false, false, false, true},
		{"127.0.0.1", false, false, false, false},
		{"169.253.255.255", false, false, false, true},
		{"169.254.0.0", false, true, false, true},
		{"169.254.255.255", false, true, false, true},
		{"169.255.0.0", false, false, false, true},
		{"223.255.255.255", false, false, false, true},
		{"224.0.0.0", true, false, false, false},
		{"224.0.0.1", true, false, false, false},
		{"224.0.0.22", true, false, false, false},
		{"224.0.0.255", true, false, false, false},
		{"224.0.1.0", true, false, true, false},
		{"224.1.0.0", true, false, true, false},
		{"232.1.2.3", true, false, true, false},
		{"239.255.255.255", true, false, true, false},
		{"240.0.0.0", false, false, false, false},
		{"255.255.255.255", false, false, false, false},
		{"::", false, false, false, false},
		{"::1", false, false, false, false},
		{"::2", false, false, false, true},
		{"2001:db8::1", false, false, false, true},
		{"fe7f:ffff::", false, false, false, true},
		{"fe80::", false, true, false, true},
		{"febf:ffff::", false, true, false, true},
		{"fec0::", false, false, false, true},
		{"feff::", false, false, false, true},
		{"ff00::1", true, false, false, false},
		{"ff01::1", true, false, false, false},
		{"ff02::1", true, false, false, false},
		{"ff12::1", true, false, false, false},
		{"ff32::1", true, false, false, false},
		{"ff03::1", true, false, true, false},
		{"ff05::1", true, false, true, false},
		{"ff0e::1", true, false, true, false},
		{"ff1e::1", true, false, true, false},
		{"ff3e::1", true, false, true, false},
		{"ffff::1", true, false, true, false},
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(rows); i++) {
		struct addr addr = addr_of(rows[i].text);

		if (addr_is_multicast(&addr) != rows[i].multicast ||
		    addr_is_link_local(&addr) != rows[i].link_local ||
		    addr_is_proxied_group(&addr) != rows[i].proxied ||
		    addr_is_source(&addr) != rows[i].source)
			fail_msg("%s is taken for something else", rows[i].text);
	}
}

static void streams(void **state)
{
	static const struct {
		const char *source, *group;
		bool proxied;
	} rows[] = {
		{"10.0.0.1", "239.1.1.1", true},   {"10.0.0.1", "224.0.0.5", false},
		{"127.0.0.1", "239.1.1.1", false}, {"169.254.0.1", "239.1.1.1", false},
		{"239.1.1.1", "239.1.1.1", false}, {"10.0.0.1", "10.0.0.2", false},
		{"2001:db8::1", "ff05::1", true},  {"fe80::1", "ff05::1", false},
		{"2001:db8::1", "ff02::1", false}, {"::", "ff05::1", false},
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(rows); i++) {
		struct addr source = addr_of(rows[i].source), group = addr_of(rows[i].group);

		if (addr_is_proxied_stream(&source, &group) != rows[i].proxied)
			fail_msg("%s > %s is taken for something else", rows[i].source, rows[i].group);
	}
}

static void prefixes(void **state)
{
	static const struct {
		const char *addr, *prefix;
		unsigned length; /* of the 128 bits; IPv4 begins at bit 96 */
		bool in;
	} rows[] = {
		{"232.1.2.3", "232.0.0.0", 96 + 8, true},
		{"233.0.0.0", "232.0.0.0", 96 + 8, false},
		{"231.255.0.0", "232.0.0.0", 96 + 8, false},
		{"10.1.2.3", "10.1.2.3", 128, true},
		{"10.1.2.2", "10.1.2.3", 128, false},
		{"10.1.2.2", "10.1.2.3", 127, true},
		{"ff3e::1", "ff30::", 12, true},
		{"ff4e::1", "ff30::", 12, false},
		{"10.1.2.3", "ff30::", 0, true},
		{"fe80::1", "fe80::", 10, true},
		{"fec0::1", "fe80::", 10, false},
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(rows); i++) {
		struct addr addr = addr_of(rows[i].addr), prefix = addr_of(rows[i].prefix);

		if (addr_in_prefix(&addr, &prefix, rows[i].length) != rows[i].in)
			fail_msg("%s in %s/%u", rows[i].addr, rows[i].prefix, rows[i].length);
	}
}

static void text_both_ways(void **state)
{
	static const char *const good[] = {
		"0.0.0.0", "239.1.2.3", "255.255.255.255",      "::",
		"::1",     "ff02::16",  "2001:db8:1:2:3:4:5:6", "fe80::1234:5678:9abc:def0"};
	static const char *const bad[] = {"",
	                                  "x",
	                                  "1.2.3",
	                                  "1.2.3.4.5",
	                                  "256.1.1.1",
	                                  "1.2.3.4 ",
	                                  "01.2.3.4",
	                                  ":::",
	                                  "1:2:3:4:5:6:7:8:9",
	                                  "g::",
	                                  "fe80::1%eth0",
	                                  "239.1.2.3/8"};
	char text[ADDR_TEXT_SIZE];
	struct addr addr;

	(void)state;
	for (size_t i = 0; i < LENGTH(good); i++) {
		assert_true(addr_parse(good[i], &addr));
		assert_ptr_equal(addr_format(&addr, text), text);
		assert_string_equal(text, good[i]);
	}
	for (size_t i = 0; i < LENGTH(bad); i++)
		if (addr_parse(bad[i], &addr))
			fail_msg("\"%s\" is no address", bad[i]);
	memset(addr.bytes, 0xff, sizeof addr.bytes);
	assert_int_equal(strlen(addr_format(&addr, text)), 39);
}

static void hash_spreads_and_depends_on_the_seed(void **state)
{
	unsigned buckets[1024] = {0}, same = 0;

	(void)state;
	for (uint32_t i = 0; i < 64 * 1024; i++) {
		struct addr addr = nth_addr("239.0.0.0", i);

		buckets[addr_hash(&addr, 1) % 1024]++;
		same += addr_hash(&addr, 1) == addr_hash(&addr, 2);
		assert_int_equal(addr_hash(&addr, 1), addr_hash(&addr, 1));
	}
	for (size_t i = 0; i < LENGTH(buckets); i++)
		assert_in_range(buckets[i], 16, 256); /* 64 on average */
	assert_in_range(same, 0, 8);
}

static int compare_hashes(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static unsigned longest_run(uint32_t *hashes, size_t count)
{
	unsigned run = 0, longest = 0;

	qsort(hashes, count, sizeof *hashes, compare_hashes);
	for (size_t i = 0; i < count; i++) {
		run = i > 0 && hashes[i] == hashes[i - 1] ? run + 1 : 1;
		if (run > longest)
			longest = run;
	}
	return longest;
}

#define FAMILY_BITS 6

/* A multiplication keeps what differs only in the highest bits there, and a shift by half a word copies it
 * into the middle. So a hash of that kind has collisions for every seed among addresses that differ in the
 * highest bits of both halves and in the middle of the second half. Both byte orders of a half. */
static void no_family_collides_for_every_seed(void **state)
{
	static const struct {
		unsigned high, middle, low; /* bytes whose upper bits differ */
	} rows[] = {{7, 11, 15}, {2, 12, 8}};
	static const uint64_t seeds[] = {0, 1, 0x0123456789abcdef, 0xfedcba9876543210};
	static uint32_t hashes[1 << 3 * FAMILY_BITS];
	const uint32_t mask = (1 << FAMILY_BITS) - 1;
	const struct addr source = addr_of("2001:db8::1"), first = addr_of("ff0e::");

	(void)state;
	for (size_t row = 0; row < LENGTH(rows) * LENGTH(seeds) * 3; row++) {
		uint64_t seed = seeds[row % LENGTH(seeds)];
		size_t bytes = row / LENGTH(seeds) % LENGTH(rows), use = row / LENGTH(seeds) / LENGTH(rows);

		for (uint32_t i = 0; i < LENGTH(hashes); i++) {
			struct addr group = first;

			group.bytes[rows[bytes].high] = (uint8_t)((i & mask) << (8 - FAMILY_BITS));
			group.bytes[rows[bytes].middle] =
				(uint8_t)((i >> FAMILY_BITS & mask) << (8 - FAMILY_BITS));
			group.bytes[rows[bytes].low] = (uint8_t)(i >> 2 * FAMILY_BITS << (8 - FAMILY_BITS));
			hashes[i] = use == 0   ? addr_hash(&group, seed)
			            : use == 1 ? addr_pair_hash(&source, &group, seed)
			                       : addr_pair_hash(&group, &source, seed);
		}
		assert_in_range(longest_run(hashes, LENGTH(hashes)), 1, 4);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(families_share_one_form),
		cmocka_unit_test(unspecified_has_a_family),
		cmocka_unit_test(order_is_that_of_the_bytes),
		cmocka_unit_test(classes),
		cmocka_unit_test(streams),
		cmocka_unit_test(prefixes),
		cmocka_unit_test(text_both_ways),
		cmocka_unit_test(hash_spreads_and_depends_on_the_seed),
		cmocka_unit_test(no_family_collides_for_every_seed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
