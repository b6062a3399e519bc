/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The keys `static` and `ssm_map`: levels, errors and their texts, and what a reload shares.
 */
#include "core/policy/group_map.h"
#include "support/config_file.h"

#define F           "test.conf:"
#define LINK(text)  "instances = ( { upstream = \"a\"; downstream = ( { name = \"b\";\n" text " } ); } );"
#define UP(text)    "instances = ( { upstream = ( { name = \"a\";\n" text " } ); downstream = \"b\"; } );"
#define KEEP(group) LINK("static = [ \"239.1.1.1\",\n\"" group "\" ];")
#define MAP(entry)  LINK("ssm_map = [ \"232.1.0.0/16 from 10.1.1.1\",\n\"" entry "\" ];")

static void errors(void **state)
{
#define WRITE        ": write a group, a prefix, or `GROUP from SOURCE`"
#define WRITE_MAP    ": write `GROUPS from SOURCE`, with an address or a prefix for GROUPS"
#define NO_GROUP     ": contains more than multicast groups, which are in 224.0.0.0/4 and ff00::/8"
#define NO_SENDER    ": the address of one sender must follow `from`; write an entry for each sender"
#define OTHER_FAMILY ": its source is of the other address family; name an address of the groups' family"
#define LINK_SCOPE                                                                                           \
	": groups of this range never leave their link, so there is nothing to forward; leave them out"
#define TOO_MANY ": more than 4096 groups; use a longer prefix, such as /20 of IPv4 or /116 of IPv6"
#define SSM      ": source-specific groups need a source; write `GROUP from SOURCE`, or set ssm_range = \"none\""
#define A_STRING ": a string such as \"232.1.1.1 from 10.0.0.1\" is expected"
#define NO_UPSTREAM                                                                                          \
	": an upstream link has no members whose joins could be mapped; move the key to the downstream "     \
	"links, or to the instance"
	static const struct error_row rows[] = {
		{KEEP(""), F "3: static" WRITE},
		{KEEP("239.1.1.1 from"), F "3: static: 239.1.1.1 from" WRITE},
		{KEEP("239.1.1.1 by 10.0.0.1"), F "3: static: 239.1.1.1 by 10.0.0.1" WRITE},
		{KEEP("239.1.1.1 from 10.0.0.1 now"), F "3: static: 239.1.1.1 from 10.0.0.1 now" WRITE},
		{KEEP("tv"), F "3: static: tv: it is not an address, a prefix or a range"},
		{KEEP("10.0.0.1"), F "3: static: 10.0.0.1" NO_GROUP},
		{KEEP("2001:db8::1"), F "3: static: 2001:db8::1" NO_GROUP},
		{KEEP("223.255.255.255-224.1.0.0"), F "3: static: 223.255.255.255-224.1.0.0" NO_GROUP},
		{KEEP("02:00:00:00:00:01"), F "3: static: 02:00:00:00:00:01" NO_GROUP},
		{KEEP("239.1.1.1 from 239.1.1.2"), F "3: static: 239.1.1.1 from 239.1.1.2" NO_SENDER},
		{KEEP("239.1.1.1 from 10.0.0.0/8"), F "3: static: 239.1.1.1 from 10.0.0.0/8" NO_SENDER},
		{KEEP("239.1.1.1 from ::1"), F "3: static: 239.1.1.1 from ::1" NO_SENDER},
		{KEEP("239.1.1.1 from 2001:db8::1"), F "3: static: 239.1.1.1 from 2001:db8::1" OTHER_FAMILY},
		{KEEP("ff1e::1 from 10.0.0.1"), F "3: static: ff1e::1 from 10.0.0.1" OTHER_FAMILY},
		{KEEP("224.0.0.251"), F "3: static: 224.0.0.251" LINK_SCOPE},
		{KEEP("ff02::fb"), F "3: static: ff02::fb" LINK_SCOPE},
		{KEEP("239.2.0.0/19"), F "3: static: 239.2.0.0/19" TOO_MANY},
		{KEEP("ff1e::/115"), F "3: static: ff1e::/115" TOO_MANY},
		{KEEP("ff1e::/16"), F "3: static: ff1e::/16" TOO_MANY},
		{KEEP("239.2.0.0/20"), F "2: static: more than 4096 groups together; name fewer groups"},
		{KEEP("232.1.1.1"), F "3: static: 232.1.1.1" SSM},
		{KEEP("ff35::1"), F "3: static: ff35::1" SSM},
		{LINK("static = 7;"), F "2: static" A_STRING},
		{LINK("static = ( true );"), F "2: static" A_STRING},
		{UP("static = \"10.0.0.1\";"), F "2: static: 10.0.0.1" NO_GROUP},
		{"static = \"239.1.1.1\"; instances = ( \"a ==> b\" );",
	         F "1: static: belongs in a link, not here"},
		{"protocol = \"IGMPv3\"; " KEEP("ff1e::1"),
	         F "3: static: ff1e::1: the link serves no IPv6; add \"MLDv2\" to `protocol`"},
		{"protocol = \"MLDv2\"; " KEEP("ff1e::1"),
	         F "2: static: 239.1.1.1: the link serves no IPv4; add \"IGMPv3\" to `protocol`"},
		{MAP("232.2.0.0/16"),
	         F "3: ssm_map: 232.2.0.0/16: without a source; write `GROUPS from SOURCE`"},
		{MAP(""), F "3: ssm_map" WRITE_MAP},
		{MAP("10.0.0.0/8 from 10.0.0.1"), F "3: ssm_map: 10.0.0.0/8 from 10.0.0.1" NO_GROUP},
		{MAP("232.2.0.0/16 from 10.0.0.0/8"), F "3: ssm_map: 232.2.0.0/16 from 10.0.0.0/8" NO_SENDER},
		{MAP("ff3e::/32 from 10.0.0.1"), F "3: ssm_map: ff3e::/32 from 10.0.0.1" OTHER_FAMILY},
		{"ssm_map = { };\ninstances = ( \"a ==> b\" );", F "1: ssm_map" A_STRING},
		{UP("ssm_map = \"232.1.0.0/16 from 10.1.1.1\";"), F "2: ssm_map" NO_UPSTREAM},
	};

	(void)state;
	check_errors(rows, sizeof rows / sizeof rows[0]);
}

static bool has(const struct group_map *map, const char *text)
{
	struct addr group;

	assert_true(addr_parse(text, &group));
	return group_map_has(map, &group);
}

static void static_groups_belong_to_their_link(void **state)
{
	struct config *config = load_good(
		"instances = ( { upstream = ( \"a\", { name = \"c\"; static = \"239.9.1.1\"; } );\n"
		"downstream = ( \"b\", { name = \"d\"; static = ( \"239.1.0.0/20\", \"239.1.1.1\" ); } ); } );");
	const struct config_instance *instance = &config->instances[0];

	(void)state;
	assert_null(instance->upstream[0].settings.static_groups);
	assert_true(has(instance->upstream[1].settings.static_groups, "239.9.1.1"));
	assert_null(instance->downstream[0].settings.static_groups);
	assert_int_equal(group_map_count(instance->downstream[1].settings.static_groups, FAMILY_IPV4), 4096);
	config_free(config);
	config_free(load_good("ssm_range = \"none\"; " KEEP("232.1.1.1")));
	config_free(load_good("protocol = \"IGMPv2\"; " KEEP("232.1.1.1")));
}

static void maps_at_each_level(void **state)
{
	struct config *config = load_good(
		"ssm_map = \"232.1.0.0/16 from 10.1.1.1\"; instances = ( \"a ==> b\",\n"
		"{ upstream = \"c\"; ssm_map = [ \"232.2.0.0/16 from 10.1.1.1\" ];\n"
		"  downstream = ( \"d\", { name = \"e\"; ssm_map = [ \"232.3.0.0/16 from 10.1.1.1\" ]; "
		"}, { name = \"f\"; ssm_map = ( ); } ); } );");
	const struct config_instance *outer = &config->instances[0], *inner = &config->instances[1];

	(void)state;
	assert_null(outer->upstream[0].settings.ssm_map);
	assert_true(has(outer->downstream[0].settings.ssm_map, "232.1.1.1"));
	assert_null(inner->upstream[0].settings.ssm_map);
	assert_true(has(inner->downstream[0].settings.ssm_map, "232.2.1.1"));
	assert_false(has(inner->downstream[0].settings.ssm_map, "232.1.1.1"));
	assert_true(has(inner->downstream[1].settings.ssm_map, "232.3.1.1"));
	assert_null(inner->downstream[2].settings.ssm_map);
	config_free(config);
}

/* A reload with the same lists in another order is none for the link. */
static void a_reload_shares_equal_lists(void **state)
{
	struct config *running = load_good(KEEP("239.1.1.2"));
	struct config *next = load_good(LINK("static = [ \"239.1.1.2\", \"239.1.1.1\" ];"));
	struct config *other = load_good(KEEP("239.1.1.3"));
	const struct link_settings *before = &running->instances[0].downstream[0].settings;

	(void)state;
	assert_false(link_settings_equal(before, &next->instances[0].downstream[0].settings));
	config_group_maps_share(next, running);
	assert_true(link_settings_equal(before, &next->instances[0].downstream[0].settings));
	config_group_maps_share(other, running);
	assert_false(link_settings_equal(before, &other->instances[0].downstream[0].settings));
	config_free(running);
	assert_true(has(next->instances[0].downstream[0].settings.static_groups, "239.1.1.1"));
	config_free(next);
	config_free(other);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(errors),
		cmocka_unit_test(static_groups_belong_to_their_link),
		cmocka_unit_test(maps_at_each_level),
		cmocka_unit_test(a_reload_shares_equal_lists),
	};

	return cmocka_run_group_tests_name("group_maps", tests, enter_directory, leave_directory);
}
