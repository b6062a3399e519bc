/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Rules, sets and ranges as texts: what is accepted, and the message for what is not.
 */
#include "policy_world.h"

static void rules_are_read(void **state)
{
	static const struct {
		const char *text, *error; /* NULL: accepted */
	} rows[] = {
		{"allow all", NULL},
		{"deny  all ", NULL},
		{"deny tv from 10.0.0.0/8 by 192.168.0.1 in eth0", NULL},
		{"deny tv in eth0 by 192.168.0.1", NULL},
		{"deny 239.1.1.1-239.1.1.9 by 52:54:00:aa:bb:cc", NULL},
		{"deny discovery from all by all in all", NULL},
		{"deny 0.0.0.0/0", NULL},
		{"", "rule: a rule is `allow` or `deny`"},
		{"allow", "allow: a rule is `allow` or `deny`"},
		{"permit all", "permit: a rule begins with `allow` or `deny`"},
		{"allow nothing", "nothing: there is no set of this name"},
		{"allow 239.1.1", "239.1.1: it is not an address, a prefix or a range"},
		{"allow 239.1.1.1/33", "239.1.1.1/33: its prefix length is not a number from 0 to 32"},
		{"allow 239.1.1.1/8", "239.1.1.1/8: it has bits set beyond its prefix length"},
		{"allow ff3e::/129", "ff3e::/129: its prefix length is not a number from 0 to 128"},
		{"allow 239.1.1.9-239.1.1.1", "239.1.1.9-239.1.1.1: its end is below its beginning"},
		{"allow 239.1.1.9-ff3e::1", "239.1.1.9-ff3e::1: it begins in one address family"},
		{"allow 10.0.0.1", "10.0.0.1: it contains no multicast group"},
		{"allow 52:54:00:aa:bb:cc", "52:54:00:aa:bb:cc: MAC addresses identify hosts"},
		{"allow all from 52:54:00:aa:bb:cc", "52:54:00:aa:bb:cc: MAC addresses identify hosts"},
		{"allow all form 10.0.0.1", "form: `from`, `by` or `in` is expected here"},
		{"allow all from", "from: a value must follow this word"},
		{"allow all from 10.0.0.1 from 10.0.0.2", "from: the rule has this condition twice"},
		{"allow all in @10.0.0.0/8",
	         "@10.0.0.0/8: an interface or a pattern is expected, not addresses of one"},
		{"allow all from 10.0.0.1 by 10.0.0.2 in eth0 or eth1",
	         "or eth1: the rule is complete before this word"},
		{"allow all in exactly15-chars", NULL},
		{"allow all in exactly-16-chars", "exactly-16-chars: the name of a link has at most 15"},
	};
	struct policy_world world;

	(void)state;
	world_init(&world, "tv = 239.35.0.0/16");
	for (size_t i = 0; i < LENGTH(rows); i++) {
		struct policy_rule rule;
		char error[POLICY_ERROR_SIZE] = "";
		bool read = rule_parse(rows[i].text, 7, &world.sets, &rule, error);

		if (read != (rows[i].error == NULL) || (!read && strstr(error, rows[i].error) != error))
			fail_msg("%s: %s", rows[i].text, error);
		if (read)
			rule_fini(&rule);
	}
	world_fini(&world);
}

static void sets_have_names_of_their_own(void **state)
{
	static const struct {
		const char *name, *error;
	} rows[] = {
		{"tv", "tv: this set is defined already"},
		{"all", "all: this word has a meaning of its own"},
		{"from", "from: this word has a meaning of its own"},
		{"discovery", "discovery: there is a built-in set of this name"},
		{"9live", "9live: the name of a set begins with a letter"},
		{"a.b", "a.b: the name of a set begins with a letter"},
		{"", ": the name of a set begins with a letter"},
		{"a-name-with-exactly-32-characters",
	         "a-name-with-exactly-32-characters: the name of a set has at most 31"},
	};
	struct policy_world world;
	char error[POLICY_ERROR_SIZE];

	(void)state;
	world_init(&world, "tv = 239.35.0.0/16");
	for (size_t i = 0; i < LENGTH(rows); i++) {
		assert_null(sets_define(&world.sets, rows[i].name, 1, error));
		if (strstr(error, rows[i].error) != error)
			fail_msg("%s: %s", rows[i].name, error);
	}
	world_fini(&world);
}

static void a_set_cannot_contain_itself(void **state)
{
	char error[POLICY_ERROR_SIZE];
	struct policy_set *set;
	struct policy_world world;

	(void)state;
	world_init(&world, "");
	set = sets_define(&world.sets, "tv", 1, error);
	assert_false(sets_add(&world.sets, set, "tv", error));
	assert_string_equal(error, "tv: the set contains itself");
	world_fini(&world);
}

static void mac_addresses_stay_single(void **state)
{
	static const char *const texts[] = {"52:54:00:aa:bb:02", "52:54:00:aa:bb:01", "52:54:00:aa:bb:02"};
	struct ranges ranges = {0};
	char text[RANGE_TEXT_SIZE];

	(void)state;
	for (size_t i = 0; i < LENGTH(texts); i++) {
		struct range range;

		assert_null(range_parse(texts[i], &range));
		assert_true(ranges_add(&ranges, &range));
	}
	ranges_normalize(&ranges);
	assert_int_equal(ranges.count, 2);
	assert_string_equal(range_format(&ranges.list[0], text), texts[1]);
	assert_string_equal(range_format(&ranges.list[1], text), texts[0]);
	ranges_fini(&ranges);
}

static void families_stay_apart(void **state)
{
	static const char *const texts[] = {"::/80", "0.0.0.0/0", "::1:0:0:0-::1:0:0:7"};
	struct ranges ranges = {0};
	char text[RANGE_TEXT_SIZE];

	(void)state;
	for (size_t i = 0; i < LENGTH(texts); i++) {
		struct range range;

		assert_null(range_parse(texts[i], &range));
		assert_string_equal(range_format(&range, text), i == 2 ? "::1:0:0:0/125" : texts[i]);
		assert_true(ranges_add(&ranges, &range));
	}
	ranges_normalize(&ranges); /* the IPv4 addresses are the end of ::/80 */
	assert_int_equal(ranges.count, 2);
	assert_string_equal(range_format(&ranges.list[0], text), texts[0]);
	ranges_fini(&ranges);
}

static void ranges_that_touch_are_joined(void **state)
{
	static const char *const texts[] = {"10.0.0.4-10.0.0.5", "10.0.0.1-10.0.0.3", "10.0.0.2", "10.0.0.9"};
	struct ranges ranges = {0};
	struct addr addr;

	(void)state;
	for (size_t i = 0; i < LENGTH(texts); i++) {
		struct range range;

		assert_null(range_parse(texts[i], &range));
		assert_true(ranges_add(&ranges, &range));
	}
	ranges_normalize(&ranges);
	assert_int_equal(ranges.count, 2);
	for (unsigned n = 0; n < 12; n++) {
		addr = nth_addr("10.0.0.0", n);
		assert_int_equal(ranges_has(&ranges, &addr), (n >= 1 && n <= 5) || n == 9);
	}
	ranges_fini(&ranges);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(rules_are_read),
		cmocka_unit_test(sets_have_names_of_their_own),
		cmocka_unit_test(a_set_cannot_contain_itself),
		cmocka_unit_test(mac_addresses_stay_single),
		cmocka_unit_test(families_stay_apart),
		cmocka_unit_test(ranges_that_touch_are_joined),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
