/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/machine/interfaces.h"

#include "ctl/machine/netlink_ask.h"
#include "kernel/link_master.h"

#include <errno.h>
#include <linux/if.h>
#include <linux/if_bridge.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/utsname.h>

/* The loops over attributes and next hops are macros of libraries, which cast const away. */
#pragma GCC diagnostic ignored "-Wcast-qual"

static struct interface_state *find(const struct interfaces *interfaces, int index)
{
	for (size_t i = 0; i < interfaces->count; i++)
		if (interfaces->list[i].index == index)
			return &interfaces->list[i];
	return NULL;
}

static struct interface_state *find_or_add(struct interfaces *interfaces, int index)
{
	struct interface_state *found = find(interfaces, index), *list;

	if (found != NULL)
		return found;
	list = realloc(interfaces->list, (interfaces->count + 1) * sizeof *list);
	if (list == NULL)
		return NULL;
	interfaces->list = list;
	list[interfaces->count] = (struct interface_state){.index = index};
	return &list[interfaces->count++];
}

/* The attribute is present while another querier is known, or while the bridge itself is a querier. */
static void take_queriers(struct interface_state *interface, const struct nlattr *state)
{
	const struct nlattr *attribute;

	interface->knows_queriers = true;
	mnl_attr_for_each_nested(attribute, state)
	{
		if (mnl_attr_get_type(attribute) == BRIDGE_QUERIER_IP_ADDRESS)
			interface->has_querier[FAMILY_IPV4] = true;
		else if (mnl_attr_get_type(attribute) == BRIDGE_QUERIER_IPV6_ADDRESS)
			interface->has_querier[FAMILY_IPV6] = true;
	}
}

static void take_bridge(struct interface_state *interface, const struct nlattr *data)
{
	const struct nlattr *attribute;

	interface->is_bridge = true;
	mnl_attr_for_each_nested(attribute, data)
	{
		switch (mnl_attr_get_type(attribute)) {
		case IFLA_BR_MCAST_SNOOPING:
			interface->snooping = mnl_attr_get_u8(attribute) != 0;
			break;
		case IFLA_BR_MCAST_QUERIER:
			interface->own_querier = mnl_attr_get_u8(attribute) != 0;
			break;
		case IFLA_BR_MCAST_QUERIER_STATE:
			take_queriers(interface, attribute);
			break;
		case IFLA_BR_MCAST_IGMP_VERSION:
			interface->old_queries[FAMILY_IPV4] = mnl_attr_get_u8(attribute) < 3;
			break;
		case IFLA_BR_MCAST_MLD_VERSION:
			interface->old_queries[FAMILY_IPV6] = mnl_attr_get_u8(attribute) < 2;
			break;
		}
	}
}

static void take_vlan(struct interface_state *interface, const struct nlattr *data)
{
	const struct nlattr *attribute;

	mnl_attr_for_each_nested(attribute, data)
	{
		if (mnl_attr_get_type(attribute) == IFLA_VLAN_ID)
			interface->vlan = mnl_attr_get_u16(attribute);
	}
}

static void take_info(struct interface_state *interface, const struct nlattr *info)
{
	const struct nlattr *attribute;
	const char *kind = "";

	mnl_attr_for_each_nested(attribute, info)
	{
		switch (mnl_attr_get_type(attribute)) {
		case IFLA_INFO_KIND:
			kind = mnl_attr_get_str(attribute);
			break;
		case IFLA_INFO_DATA:
			if (strcmp(kind, "bridge") == 0)
				take_bridge(interface, attribute);
			else if (strcmp(kind, "vlan") == 0)
				take_vlan(interface, attribute);
			break;
		case IFLA_INFO_SLAVE_KIND:
			snprintf(interface->master_kind, sizeof interface->master_kind, "%s",
			         mnl_attr_get_str(attribute));
			break;
		}
	}
}

static bool take_link(struct interfaces *interfaces, const struct nlmsghdr *message)
{
	const struct ifinfomsg *header = mnl_nlmsg_get_payload(message);
	struct interface_state *interface = find_or_add(interfaces, header->ifi_index);
	const struct nlattr *attribute;
	int parent = 0;

	if (interface == NULL)
		return false;
	interface->up = header->ifi_flags & IFF_UP;
	interface->carrier = header->ifi_flags & IFF_RUNNING;
	interface->multicast = header->ifi_flags & IFF_MULTICAST;
	interface->loopback = header->ifi_flags & IFF_LOOPBACK;
	mnl_attr_for_each(attribute, message, sizeof *header)
	{
		switch (mnl_attr_get_type(attribute)) {
		case IFLA_IFNAME:
			snprintf(interface->name, sizeof interface->name, "%s", mnl_attr_get_str(attribute));
			break;
		case IFLA_MTU:
			interface->mtu = mnl_attr_get_u32(attribute);
			break;
		case IFLA_MASTER:
			interface->master = (int)mnl_attr_get_u32(attribute);
			break;
		case IFLA_LINK:
			parent = (int)mnl_attr_get_u32(attribute);
			break;
		case IFLA_LINKINFO:
			take_info(interface, attribute);
			break;
		}
	}
	interface->vlan_of = interface->vlan != 0 ? parent : 0;
	return true;
}

/* The interface's own address. On a point-to-point link that is IFA_LOCAL, which then stands beside
 * IFA_ADDRESS. */
static bool take_address(struct interfaces *interfaces, const struct nlmsghdr *message)
{
	const struct ifaddrmsg *header = mnl_nlmsg_get_payload(message);
	enum family family = header->ifa_family == AF_INET ? FAMILY_IPV4 : FAMILY_IPV6;
	struct interface_state *interface = find_or_add(interfaces, (int)header->ifa_index);
	const struct nlattr *attribute;
	struct addr addr = addr_unspecified(family);
	bool local = false;

	if (interface == NULL)
		return false;
	mnl_attr_for_each(attribute, message, sizeof *header)
	{
		uint16_t type = mnl_attr_get_type(attribute);

		if ((type != IFA_LOCAL && (type != IFA_ADDRESS || local)) ||
		    mnl_attr_get_payload_len(attribute) != addr_wire_size(family))
			continue;
		local = type == IFA_LOCAL;
		addr = family == FAMILY_IPV4 ? addr_from_ipv4(mnl_attr_get_payload(attribute))
		                             : addr_from_ipv6(mnl_attr_get_payload(attribute));
	}
	if (interface->has_address[family] || (family == FAMILY_IPV6 && !addr_is_link_local(&addr)))
		return true;
	interface->has_address[family] = !addr_is_unspecified(&addr);
	interface->address[family] = addr;
	return true;
}

bool interfaces_take(struct interfaces *interfaces, const struct nlmsghdr *message)
{
	if (message->nlmsg_type == RTM_NEWLINK)
		return take_link(interfaces, message);
	if (message->nlmsg_type == RTM_NEWADDR)
		return take_address(interfaces, message);
	return true;
}

static int take(const struct nlmsghdr *message, void *context)
{
	return interfaces_take(context, message) ? MNL_CB_OK : MNL_CB_ERROR;
}

static int dump(struct interfaces *interfaces, uint16_t type, int family)
{
	char buffer[256] __attribute__((aligned(4)));
	struct nlmsghdr *request = mnl_nlmsg_put_header(buffer);
	struct ifinfomsg *header; /* longer than struct ifaddrmsg, and begins with the same fields */

	request->nlmsg_type = type;
	request->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	header = mnl_nlmsg_put_extra_header(request, sizeof *header);
	header->ifi_family = (unsigned char)family;
	return netlink_ask(request, take, interfaces);
}

/* Linux reports queriers since 5.16. On such a kernel, a bridge without the attribute has none. */
static bool kernel_reports_queriers(void)
{
	unsigned major, minor;
	struct utsname name;

	return uname(&name) == 0 && sscanf(name.release, "%u.%u", &major, &minor) == 2 &&
	       (major > 5 || (major == 5 && minor >= 16));
}

int interfaces_read(struct interfaces *interfaces)
{
	bool reports = kernel_reports_queriers();
	int result;

	*interfaces = (struct interfaces){0};
	result = dump(interfaces, RTM_GETLINK, AF_UNSPEC);
	for (size_t i = 0; i < interfaces->count; i++)
		interfaces->list[i].knows_queriers |= reports && interfaces->list[i].is_bridge;
	if (result == 0)
		result = dump(interfaces, RTM_GETADDR, AF_INET);
	if (result == 0)
		result = dump(interfaces, RTM_GETADDR, AF_INET6);
	/* A kernel without IPv6 has no such addresses. */
	return result == -EAFNOSUPPORT || result == -EOPNOTSUPP ? 0 : result;
}

void interfaces_free(struct interfaces *interfaces)
{
	free(interfaces->list);
	*interfaces = (struct interfaces){0};
}

const struct interface_state *interfaces_by_index(const struct interfaces *interfaces, int index)
{
	return find(interfaces, index);
}

const struct interface_state *interfaces_by_name(const struct interfaces *interfaces, const char *name)
{
	for (size_t i = 0; i < interfaces->count; i++)
		if (strcmp(interfaces->list[i].name, name) == 0)
			return &interfaces->list[i];
	return NULL;
}

bool interfaces_master(const struct interfaces *interfaces, const struct interface_state *interface,
                       struct link_master *master)
{
	const struct interface_state *port = interface, *above;

	*master = (struct link_master){0};
	/* The devices above each other are fewer than all; a snapshot may be torn. */
	for (size_t i = 0; i < interfaces->count && port->master != 0; i++, port = above) {
		above = interfaces_by_index(interfaces, port->master);
		if (above == NULL || !link_master_takes(port->master_kind))
			break;
		snprintf(master->name, sizeof master->name, "%s", above->name);
		if (port != interface)
			continue;
		snprintf(master->next, sizeof master->next, "%s", above->name);
		snprintf(master->kind, sizeof master->kind, "%s", port->master_kind);
	}
	return *master->name != '\0';
}

const struct interface_state *interfaces_vlan(const struct interfaces *interfaces, int parent, unsigned vlan)
{
	for (size_t i = 0; i < interfaces->count; i++)
		if (interfaces->list[i].vlan_of == parent && interfaces->list[i].vlan == vlan)
			return &interfaces->list[i];
	return NULL;
}
