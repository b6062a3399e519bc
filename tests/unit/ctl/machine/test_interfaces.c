/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Interfaces from rtnetlink messages, and those of this machine.
 */
#include "ctl/machine/interfaces.h"

#include "kernel/link_master.h"

#include <libmnl/libmnl.h>
#include <linux/if.h>
#include <linux/if_bridge.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "support/craft.h"

static char buffer[1024] __attribute__((aligned(4)));

static struct nlmsghdr *begin_link(int index, const char *name, unsigned flags)
{
	struct nlmsghdr *message = mnl_nlmsg_put_header(buffer);
	struct ifinfomsg *header;

	message->nlmsg_type = RTM_NEWLINK;
	header = mnl_nlmsg_put_extra_header(message, sizeof *header);
	header->ifi_index = index;
	header->ifi_flags = flags;
	mnl_attr_put_strz(message, IFLA_IFNAME, name);
	return message;
}

static struct nlmsghdr *address_of(int index, const char *local, const char *peer)
{
	struct nlmsghdr *message = mnl_nlmsg_put_header(buffer);
	struct addr own = addr_of(local), other = addr_of(peer);
	enum family family = addr_family(&own);
	struct ifaddrmsg *header;

	message->nlmsg_type = RTM_NEWADDR;
	header = mnl_nlmsg_put_extra_header(message, sizeof *header);
	header->ifa_family = family == FAMILY_IPV4 ? AF_INET : AF_INET6;
	header->ifa_index = (unsigned)index;
	mnl_attr_put(message, IFA_ADDRESS, addr_wire_size(family), addr_wire_bytes(&other, family));
	if (strcmp(local, peer) != 0 || family == FAMILY_IPV4)
		mnl_attr_put(message, IFA_LOCAL, addr_wire_size(family), addr_wire_bytes(&own, family));
	return message;
}

static void flags_and_addresses_are_read(void **state)
{
	struct interfaces interfaces = {0};
	const struct interface_state *eth0, *ppp0;

	(void)state;
	assert_true(interfaces_take(&interfaces, begin_link(2, "eth0", IFF_UP | IFF_MULTICAST)));
	assert_true(interfaces_take(&interfaces, begin_link(3, "ppp0", IFF_UP | IFF_RUNNING)));
	assert_true(interfaces_take(&interfaces, address_of(2, "10.0.0.1", "10.0.0.1")));
	assert_true(interfaces_take(&interfaces, address_of(2, "10.0.0.2", "10.0.0.2")));
	assert_true(interfaces_take(&interfaces, address_of(3, "10.9.0.1", "10.9.0.2")));
	assert_true(interfaces_take(&interfaces, address_of(3, "fd00::1", "fd00::1")));
	assert_true(interfaces_take(&interfaces, address_of(2, "fe80::2", "fe80::2")));

	eth0 = interfaces_by_name(&interfaces, "eth0");
	ppp0 = interfaces_by_index(&interfaces, 3);
	assert_non_null(eth0);
	assert_non_null(ppp0);
	assert_true(eth0->up && !eth0->carrier && eth0->multicast);
	assert_true(ppp0->up && ppp0->carrier && !ppp0->multicast);
	assert_true(eth0->has_address[FAMILY_IPV4] && eth0->has_address[FAMILY_IPV6]);
	assert_true(addr_equal(&eth0->address[FAMILY_IPV4], &(struct addr){0}) == false);
	assert_memory_equal(addr_ipv4_bytes(&eth0->address[FAMILY_IPV4]), ((uint8_t[]){10, 0, 0, 1}), 4);
	assert_memory_equal(addr_ipv4_bytes(&ppp0->address[FAMILY_IPV4]), ((uint8_t[]){10, 9, 0, 1}), 4);
	/* MLD needs a link-local one. */
	assert_false(ppp0->has_address[FAMILY_IPV6]);
	assert_null(interfaces_by_name(&interfaces, "eth1"));
	interfaces_free(&interfaces);
}

static void bridges_report_queriers(void **state)
{
	struct interfaces interfaces = {0};
	struct nlmsghdr *message = begin_link(4, "br0", IFF_UP);
	struct nlattr *info = mnl_attr_nest_start(message, IFLA_LINKINFO), *data, *queriers;
	const struct interface_state *bridge;

	(void)state;
	mnl_attr_put_strz(message, IFLA_INFO_KIND, "bridge");
	data = mnl_attr_nest_start(message, IFLA_INFO_DATA);
	mnl_attr_put_u8(message, IFLA_BR_MCAST_SNOOPING, 1);
	mnl_attr_put_u8(message, IFLA_BR_MCAST_QUERIER, 0);
	mnl_attr_put_u8(message, IFLA_BR_MCAST_IGMP_VERSION, 2);
	mnl_attr_put_u8(message, IFLA_BR_MCAST_MLD_VERSION, 2);
	queriers = mnl_attr_nest_start(message, IFLA_BR_MCAST_QUERIER_STATE);
	mnl_attr_put_u32(message, BRIDGE_QUERIER_IP_ADDRESS, 0x0100000a);
	mnl_attr_nest_end(message, queriers);
	mnl_attr_nest_end(message, data);
	mnl_attr_nest_end(message, info);
	assert_true(interfaces_take(&interfaces, message));
	bridge = interfaces_by_name(&interfaces, "br0");
	assert_true(bridge->is_bridge && bridge->snooping && !bridge->own_querier && bridge->knows_queriers);
	assert_true(bridge->old_queries[FAMILY_IPV4] && !bridge->old_queries[FAMILY_IPV6]);
	assert_true(bridge->has_querier[FAMILY_IPV4] && !bridge->has_querier[FAMILY_IPV6]);
	interfaces_free(&interfaces);
}

static void take_port(struct interfaces *interfaces, int index, const char *name, int master,
                      const char *kind)
{
	struct nlmsghdr *message = begin_link(index, name, IFF_UP);
	struct nlattr *info;

	if (master != 0)
		mnl_attr_put_u32(message, IFLA_MASTER, (uint32_t)master);
	info = mnl_attr_nest_start(message, IFLA_LINKINFO);
	mnl_attr_put_strz(message, IFLA_INFO_KIND, "veth");
	if (master != 0)
		mnl_attr_put_strz(message, IFLA_INFO_SLAVE_KIND, kind);
	mnl_attr_nest_end(message, info);
	assert_true(interfaces_take(interfaces, message));
}

/* The outermost device takes the packets, but no VRF does. */
static void ports_have_a_master(void **state)
{
	static const struct {
		const char *name, *text;
	} rows[] = {
		{"lanp1", "lanp1 is a port of bridge br-lan: use br-lan"},
		{"bond0", "bond0 is a port of bridge br-lan: use br-lan"},
		{"eth0", "eth0 is a member of bond bond0: use br-lan"},
		{"eth1", "eth1 is a member of team team0: use team0"},
		{"ovs1", "ovs1 is a port of an Open vSwitch bridge: use that bridge"},
		{"br-lan", NULL},
		{"team0", NULL},
		{"lost", NULL},
	};
	struct interfaces interfaces = {0};

	(void)state;
	take_port(&interfaces, 1, "red", 0, "");
	take_port(&interfaces, 2, "br-lan", 1, "vrf");
	take_port(&interfaces, 3, "lanp1", 2, "bridge");
	take_port(&interfaces, 4, "bond0", 2, "bridge");
	take_port(&interfaces, 5, "eth0", 4, "bond");
	take_port(&interfaces, 6, "team0", 0, "");
	take_port(&interfaces, 7, "eth1", 6, "team");
	take_port(&interfaces, 8, "ovs1", 9, "openvswitch");
	take_port(&interfaces, 9, "ovs-system", 0, "");
	take_port(&interfaces, 10, "lost", 99, "bridge");
	for (size_t i = 0; i < LENGTH(rows); i++) {
		struct link_master master;
		char text[128];
		bool found = interfaces_master(&interfaces, interfaces_by_name(&interfaces, rows[i].name),
		                               &master);

		assert_int_equal(found, rows[i].text != NULL);
		if (!found)
			continue;
		link_master_text(rows[i].name, &master, text, sizeof text);
		assert_string_equal(text, rows[i].text);
	}
	interfaces_free(&interfaces);
}

/* A torn snapshot. */
static void masters_in_a_circle_end(void **state)
{
	struct interfaces interfaces = {0};
	struct link_master master;

	(void)state;
	take_port(&interfaces, 2, "a", 3, "bridge");
	take_port(&interfaces, 3, "b", 2, "bridge");
	assert_true(interfaces_master(&interfaces, interfaces_by_name(&interfaces, "a"), &master));
	interfaces_free(&interfaces);
}

static void vlans_are_found(void **state)
{
	struct interfaces interfaces = {0};
	struct nlmsghdr *message = begin_link(5, "eth0.4", IFF_UP);
	struct nlattr *info, *data;

	(void)state;
	mnl_attr_put_u32(message, IFLA_LINK, 2);
	info = mnl_attr_nest_start(message, IFLA_LINKINFO);
	mnl_attr_put_strz(message, IFLA_INFO_KIND, "vlan");
	data = mnl_attr_nest_start(message, IFLA_INFO_DATA);
	mnl_attr_put_u16(message, IFLA_VLAN_ID, 4);
	mnl_attr_nest_end(message, data);
	mnl_attr_nest_end(message, info);
	assert_true(interfaces_take(&interfaces, message));
	message = begin_link(6, "veth0", IFF_UP); /* IFLA_LINK is its peer */
	mnl_attr_put_u32(message, IFLA_LINK, 2);
	assert_true(interfaces_take(&interfaces, message));
	assert_ptr_equal(interfaces_vlan(&interfaces, 2, 4), interfaces_by_name(&interfaces, "eth0.4"));
	assert_null(interfaces_vlan(&interfaces, 2, 5));
	assert_null(interfaces_vlan(&interfaces, 3, 4));
	assert_int_equal(interfaces_by_name(&interfaces, "veth0")->vlan_of, 0);
	interfaces_free(&interfaces);
}

static void this_machine_has_a_loopback(void **state)
{
	struct interfaces interfaces;
	const struct interface_state *lo;

	(void)state;
	assert_int_equal(interfaces_read(&interfaces), 0);
	lo = interfaces_by_name(&interfaces, "lo");
	assert_true(lo != NULL && lo->loopback);
	interfaces_free(&interfaces);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(flags_and_addresses_are_read),
		cmocka_unit_test(bridges_report_queriers),
		cmocka_unit_test(ports_have_a_master),
		cmocka_unit_test(masters_in_a_circle_end),
		cmocka_unit_test(vlans_are_found),
		cmocka_unit_test(this_machine_has_a_loopback),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
