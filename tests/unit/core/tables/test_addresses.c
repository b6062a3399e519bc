/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Of the addresses of an interface the best one and the lists, as they come and go.
 */
#include "core/tables/addresses.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "support/craft.h"

/* What happens, one after the other, and the best address then ("": none). */
static const struct {
	enum family family;
	const char *add, *remove, *best;
} steps[] = {
	{FAMILY_IPV4, NULL, NULL, ""},
	{FAMILY_IPV4, "10.0.0.5", NULL, "10.0.0.5"},
	{FAMILY_IPV4, "10.0.0.1", NULL, "10.0.0.5"},
	{FAMILY_IPV4, "10.0.0.5", NULL, "10.0.0.5"},
	{FAMILY_IPV4, "10.0.0.9", NULL, "10.0.0.5"},
	{FAMILY_IPV4, NULL, "10.0.0.7", "10.0.0.5"},
	{FAMILY_IPV4, NULL, "10.0.0.5", "10.0.0.1"},
	{FAMILY_IPV4, NULL, "10.0.0.1", "10.0.0.9"},
	{FAMILY_IPV4, NULL, "10.0.0.9", ""},
	{FAMILY_IPV4, "10.0.0.2", NULL, "10.0.0.2"},
	{FAMILY_IPV6, NULL, NULL, ""},
	{FAMILY_IPV6, "fe80::5", NULL, "fe80::5"},
	{FAMILY_IPV6, "fe80::9", NULL, "fe80::5"},
	{FAMILY_IPV6, "fe80::1", NULL, "fe80::1"},
	{FAMILY_IPV6, NULL, "fe80::9", "fe80::1"},
	{FAMILY_IPV6, NULL, "fe80::1", "fe80::5"},
	{FAMILY_IPV6, NULL, "fe80::5", ""},
};

static struct addr best_of(size_t step)
{
	return steps[step].best[0] != '\0' ? addr_of(steps[step].best) : addr_unspecified(steps[step].family);
}

static bool add(struct addresses *addresses, const char *text, const char *network, uint8_t length,
                bool secondary)
{
	struct interface_address is = {.address = addr_of(text),
	                               .network = addr_of(network),
	                               .length = length,
	                               .secondary = secondary};

	return addresses_add(addresses, &is);
}

static void take_off(struct addresses *addresses, const char *text, const char *network, uint8_t length)
{
	struct interface_address is = {
		.address = addr_of(text), .network = addr_of(network), .length = length};

	addresses_remove(addresses, &is);
}

static void the_best_address_is_known(void **state)
{
	struct addresses addresses[FAMILIES];

	(void)state;
	for (enum family family = FAMILY_IPV4; family < FAMILIES; family++)
		addresses_init(&addresses[family], family);
	for (size_t i = 0; i < LENGTH(steps); i++) {
		struct addresses *one = &addresses[steps[i].family];
		struct addr best = best_of(i);

		if (steps[i].add != NULL)
			assert_true(add(one, steps[i].add, steps[i].add, 24, false));
		else if (steps[i].remove != NULL)
			take_off(one, steps[i].remove, steps[i].remove, 24);
		assert_true(addr_equal(&one->best, &best));
	}
	for (int family = 0; family < FAMILIES; family++)
		addresses_fini(&addresses[family]);
}

static void a_dump_leaves_what_it_has(void **state)
{
	struct addresses addresses, moved;
	struct addr second = addr_of("fe80::2"), third = addr_of("fe80::3");

	(void)state;
	addresses_init(&addresses, FAMILY_IPV6);
	assert_true(add(&addresses, "fe80::1", "fe80::1", 64, false));
	assert_true(add(&addresses, "fe80::2", "fe80::2", 64, false));
	addresses_dump_begin(&addresses);
	assert_true(add(&addresses, "fe80::2", "fe80::2", 64, false));
	assert_true(add(&addresses, "fe80::3", "fe80::3", 64, false));
	addresses_dump_end(&addresses);
	assert_true(addr_equal(&addresses.best, &second));
	assert_int_equal(addresses.count, 2);
	addresses_init(&moved, FAMILY_IPV6);
	addresses_move(&moved, &addresses);
	assert_true(addr_is_unspecified(&addresses.best));
	assert_int_equal(addresses.count, 0);
	assert_true(addr_equal(&moved.best, &second));
	take_off(&moved, "fe80::2", "fe80::2", 64);
	assert_true(addr_equal(&moved.best, &third));
	addresses_fini(&addresses);
	addresses_fini(&moved);
}

static const char *lists(const struct addresses *ipv4)
{
	static char text[1024];
	struct addresses both[FAMILIES] = {*ipv4};
	struct link_addresses list = {.subnet_count = 0};
	size_t used = 0;

	addresses_init(&both[FAMILY_IPV6], FAMILY_IPV6);
	addresses_list(both, &list);
	*text = '\0';
	for (unsigned i = 0; i < list.address_count[FAMILY_IPV4]; i++) {
		char addr[ADDR_TEXT_SIZE];

		used += (size_t)snprintf(text + used, sizeof text - used, "%s ",
		                         addr_format(&list.addresses[FAMILY_IPV4][i], addr));
	}
	used += (size_t)snprintf(text + used, sizeof text - used, "in%s", list.subnets_unknown ? " any" : "");
	for (unsigned i = 0; i < list.subnet_count; i++) {
		const struct link_subnet *subnet = &list.subnets[i];

		used += (size_t)snprintf(text + used, sizeof text - used, " %u.%u.%u.%u/%u",
		                         subnet->prefix[0], subnet->prefix[1], subnet->prefix[2],
		                         subnet->prefix[3], subnet->length);
	}
	return text;
}

static void own_addresses_and_subnets_are_listed(void **state)
{
	struct addresses addresses;
	struct addr best;

	(void)state;
	addresses_init(&addresses, FAMILY_IPV4);
	assert_string_equal(lists(&addresses), "in");
	/* A virtual address and an unnumbered tunnel add no subnet; a peer is in one. */
	add(&addresses, "10.0.0.1", "10.0.0.1", 32, false);
	assert_string_equal(lists(&addresses), "10.0.0.1 in");
	add(&addresses, "10.0.1.77", "10.0.1.77", 26, false);
	add(&addresses, "10.0.2.1", "10.0.3.9", 23, false);
	add(&addresses, "10.0.1.78", "10.0.1.78", 26, true);
	assert_string_equal(lists(&addresses),
	                    "10.0.0.1 10.0.1.77 10.0.2.1 10.0.1.78 in 10.0.1.64/26 10.0.2.0/23");
	/* The same address in two subnets. */
	add(&addresses, "10.0.1.77", "10.0.1.77", 8, false);
	assert_string_equal(lists(&addresses),
	                    "10.0.0.1 10.0.1.77 10.0.2.1 10.0.1.78 in 10.0.1.64/26 10.0.2.0/23 10.0.0.0/8");
	take_off(&addresses, "10.0.1.77", "10.0.1.77", 26);
	/* The kernel makes the secondary address primary, behind the others. */
	add(&addresses, "10.0.1.78", "10.0.1.78", 26, false);
	take_off(&addresses, "10.0.0.1", "10.0.0.1", 32);
	best = addr_of("10.0.2.1");
	assert_true(addr_equal(&addresses.best, &best));
	assert_string_equal(lists(&addresses),
	                    "10.0.2.1 10.0.1.77 10.0.1.78 in 10.0.2.0/23 10.0.0.0/8 10.0.1.64/26");
	addresses_fini(&addresses);
}

/* Many addresses of a subnet are listed by one subnet. Too many subnets are none, until there are few again. */
static void lists_are_bounded(void **state)
{
	struct addresses addresses;
	char text[32];
	uint32_t changes;

	(void)state;
	addresses_init(&addresses, FAMILY_IPV4);
	for (int i = 1; i <= 200; i++) {
		snprintf(text, sizeof text, "10.0.0.%d", i);
		assert_true(add(&addresses, text, text, 24, i > 1));
	}
	assert_int_equal(addresses.count, LINK_ADDRESSES_MAX);
	assert_int_equal(addresses.subnet_count, 1);
	changes = addresses.changes;
	take_off(&addresses, "10.0.0.200", "10.0.0.200", 24);
	assert_int_equal(addresses.changes, changes);
	for (int i = 1; i <= 100; i++) {
		snprintf(text, sizeof text, "10.1.%d.1", i);
		assert_true(add(&addresses, text, text, 24, false));
		assert_int_equal(addresses.subnets_unknown, i >= LINK_SUBNETS_MAX);
	}
	assert_int_equal(addresses.subnet_count, 0);
	for (int i = 100; i >= LINK_SUBNETS_MAX; i--) {
		snprintf(text, sizeof text, "10.1.%d.1", i);
		assert_true(addresses.subnets_unknown);
		take_off(&addresses, text, text, 24);
	}
	assert_false(addresses.subnets_unknown);
	assert_int_equal(addresses.subnet_count, LINK_SUBNETS_MAX);
	addresses_fini(&addresses);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_best_address_is_known),
		cmocka_unit_test(a_dump_leaves_what_it_has),
		cmocka_unit_test(own_addresses_and_subnets_are_listed),
		cmocka_unit_test(lists_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
