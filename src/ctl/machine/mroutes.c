/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/machine/mroutes.h"

#include "ctl/machine/netlink_ask.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <sys/socket.h>

/* The loops over attributes and next hops are macros of libraries, which cast const away. */
#pragma GCC diagnostic ignored "-Wcast-qual"

static bool take_addr(const struct nlattr *attribute, enum family family, struct addr *addr)
{
	if (mnl_attr_get_payload_len(attribute) != addr_wire_size(family))
		return false;
	*addr = family == FAMILY_IPV4 ? addr_from_ipv4(mnl_attr_get_payload(attribute))
	                              : addr_from_ipv6(mnl_attr_get_payload(attribute));
	return true;
}

static void take_outputs(struct mroute *mroute, const struct nlattr *attribute)
{
	const struct rtnexthop *hop = mnl_attr_get_payload(attribute);
	int left = mnl_attr_get_payload_len(attribute);

	for (; RTNH_OK(hop, left) && mroute->output_count < MROUTE_OUTPUTS; hop = RTNH_NEXT(hop)) {
		mroute->outputs[mroute->output_count++] = hop->rtnh_ifindex;
		left -= (int)RTNH_ALIGN(hop->rtnh_len);
	}
}

static void take_counters(struct mroute *mroute, const struct nlattr *attribute)
{
	struct rta_mfc_stats stats;

	if (mnl_attr_get_payload_len(attribute) < sizeof stats)
		return;
	memcpy(&stats, mnl_attr_get_payload(attribute), sizeof stats);
	mroute->packets = stats.mfcs_packets;
	mroute->bytes = stats.mfcs_bytes;
	mroute->wrong_input = stats.mfcs_wrong_if;
}

static bool add(struct mroutes *mroutes, const struct mroute *mroute)
{
	struct mroute *list = realloc(mroutes->list, (mroutes->count + 1) * sizeof *list);

	if (list == NULL)
		return false;
	list[mroutes->count++] = *mroute;
	mroutes->list = list;
	return true;
}

bool mroutes_take(struct mroutes *mroutes, const struct nlmsghdr *message)
{
	const struct rtmsg *header = mnl_nlmsg_get_payload(message);
	struct mroute mroute = {0};
	enum family family = FAMILY_IPV6;
	const struct nlattr *attribute;

	if (message->nlmsg_type != RTM_NEWROUTE ||
	    (header->rtm_family != RTNL_FAMILY_IPMR && header->rtm_family != RTNL_FAMILY_IP6MR))
		return true;
	if (header->rtm_family == RTNL_FAMILY_IPMR)
		family = FAMILY_IPV4;
	mroute.table = header->rtm_table;
	mnl_attr_for_each(attribute, message, sizeof *header)
	{
		switch (mnl_attr_get_type(attribute)) {
		case RTA_DST:
			take_addr(attribute, family, &mroute.group);
			break;
		case RTA_SRC:
			take_addr(attribute, family, &mroute.source);
			break;
		case RTA_IIF:
			mroute.resolved = true;
			mroute.input = (int)mnl_attr_get_u32(attribute);
			break;
		case RTA_TABLE:
			mroute.table = mnl_attr_get_u32(attribute);
			break;
		case RTA_MULTIPATH:
			take_outputs(&mroute, attribute);
			break;
		case RTA_MFC_STATS:
			take_counters(&mroute, attribute);
			break;
		}
	}
	return !addr_equal(&mroute.group, &mroutes->group) || add(mroutes, &mroute);
}

static int take(const struct nlmsghdr *message, void *context)
{
	return mroutes_take(context, message) ? MNL_CB_OK : MNL_CB_ERROR;
}

int mroutes_read(struct mroutes *mroutes, const struct addr *group)
{
	char buffer[256] __attribute__((aligned(4)));
	struct nlmsghdr *request = mnl_nlmsg_put_header(buffer);
	struct rtmsg *header;

	*mroutes = (struct mroutes){.group = *group};
	request->nlmsg_type = RTM_GETROUTE;
	request->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	header = mnl_nlmsg_put_extra_header(request, sizeof *header);
	header->rtm_family = addr_family(group) == FAMILY_IPV4 ? RTNL_FAMILY_IPMR : RTNL_FAMILY_IP6MR;
	return netlink_ask(request, take, mroutes);
}

void mroutes_free(struct mroutes *mroutes)
{
	free(mroutes->list);
	*mroutes = (struct mroutes){0};
}

bool mroute_has_output(const struct mroute *mroute, int index)
{
	for (size_t i = 0; i < mroute->output_count; i++)
		if (mroute->outputs[i] == index)
			return true;
	return false;
}

static int take_output(const struct nlmsghdr *message, void *context)
{
	const struct rtmsg *header = mnl_nlmsg_get_payload(message);
	const struct nlattr *attribute;

	if (message->nlmsg_type != RTM_NEWROUTE)
		return MNL_CB_OK;
	mnl_attr_for_each(attribute, message, sizeof *header)
	{
		if (mnl_attr_get_type(attribute) == RTA_OIF)
			*(int *)context = (int)mnl_attr_get_u32(attribute);
	}
	return MNL_CB_OK;
}

int route_lookup(const struct addr *address)
{
	char buffer[256] __attribute__((aligned(4)));
	struct nlmsghdr *request = mnl_nlmsg_put_header(buffer);
	enum family family = addr_family(address);
	struct rtmsg *header;
	int index = -ENETUNREACH, result;

	request->nlmsg_type = RTM_GETROUTE;
	request->nlmsg_flags = NLM_F_REQUEST;
	header = mnl_nlmsg_put_extra_header(request, sizeof *header);
	header->rtm_family = family == FAMILY_IPV4 ? AF_INET : AF_INET6;
	header->rtm_dst_len = (unsigned char)(8 * addr_wire_size(family));
	mnl_attr_put(request, RTA_DST, addr_wire_size(family), addr_wire_bytes(address, family));
	result = netlink_ask(request, take_output, &index);
	return result != 0 ? result : index;
}
