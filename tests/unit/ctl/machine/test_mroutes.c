/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Multicast forwarding entries from rtnetlink messages.
 */
#include "ctl/machine/mroutes.h"

#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "support/craft.h"

static char buffer[1024] __attribute__((aligned(4)));

static struct nlmsghdr *entry_of(const char *source, const char *group, unsigned input, const int outputs[2])
{
	struct nlmsghdr *message = mnl_nlmsg_put_header(buffer);
	struct addr s = addr_of(source), g = addr_of(group);
	enum family family = addr_family(&g);
	struct rtnexthop hops[2] = {{.rtnh_len = sizeof hops[0], .rtnh_ifindex = outputs[0]},
	                            {.rtnh_len = sizeof hops[0], .rtnh_ifindex = outputs[1]}};
	struct rta_mfc_stats stats = {.mfcs_packets = 100, .mfcs_bytes = 5000, .mfcs_wrong_if = 3};
	struct rtmsg *header;

	message->nlmsg_type = RTM_NEWROUTE;
	header = mnl_nlmsg_put_extra_header(message, sizeof *header);
	header->rtm_family = family == FAMILY_IPV4 ? RTNL_FAMILY_IPMR : RTNL_FAMILY_IP6MR;
	mnl_attr_put(message, RTA_SRC, addr_wire_size(family), addr_wire_bytes(&s, family));
	mnl_attr_put(message, RTA_DST, addr_wire_size(family), addr_wire_bytes(&g, family));
	mnl_attr_put_u32(message, RTA_TABLE, 253);
	if (input == 0)
		return message;
	mnl_attr_put_u32(message, RTA_IIF, input);
	mnl_attr_put(message, RTA_MULTIPATH, sizeof hops, hops);
	mnl_attr_put(message, RTA_MFC_STATS, sizeof stats, &stats);
	return message;
}

static void entries_of_the_group_are_kept(void **state)
{
	static const int outputs[2] = {3, 4};
	struct mroutes mroutes = {.group = addr_of("239.1.2.3")};

	(void)state;
	assert_true(mroutes_take(&mroutes, entry_of("10.0.0.10", "239.1.2.3", 2, outputs)));
	assert_true(mroutes_take(&mroutes, entry_of("10.0.0.10", "239.1.2.4", 2, outputs)));
	assert_true(mroutes_take(&mroutes, entry_of("10.0.0.11", "239.1.2.3", 0, outputs)));
	assert_int_equal(mroutes.count, 2);
	assert_true(mroutes.list[0].resolved);
	assert_int_equal(mroutes.list[0].table, 253);
	assert_int_equal(mroutes.list[0].input, 2);
	assert_int_equal(mroutes.list[0].packets, 100);
	assert_int_equal(mroutes.list[0].bytes, 5000);
	assert_int_equal(mroutes.list[0].wrong_input, 3);
	assert_true(mroute_has_output(&mroutes.list[0], 3));
	assert_true(mroute_has_output(&mroutes.list[0], 4));
	assert_false(mroute_has_output(&mroutes.list[0], 2));
	assert_false(mroutes.list[1].resolved);
	assert_int_equal(mroutes.list[1].output_count, 0);
	mroutes_free(&mroutes);
}

static void ipv6_is_told_apart(void **state)
{
	static const int outputs[2] = {3, 4};
	struct mroutes mroutes = {.group = addr_of("ff1e::1:3")};
	struct addr source = addr_of("fd00::10");

	(void)state;
	assert_true(mroutes_take(&mroutes, entry_of("fd00::10", "ff1e::1:3", 2, outputs)));
	assert_int_equal(mroutes.count, 1);
	assert_true(addr_equal(&mroutes.list[0].source, &source));
	mroutes_free(&mroutes);
}

static void the_way_to_this_machine_is_known(void **state)
{
	struct addr own = addr_of("127.0.0.1");

	(void)state;
	assert_true(route_lookup(&own) > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(entries_of_the_group_are_kept),
		cmocka_unit_test(ipv6_is_told_apart),
		cmocka_unit_test(the_way_to_this_machine_is_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
