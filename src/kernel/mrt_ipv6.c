/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/mrt_family.h"

#include <linux/icmpv6.h>
#include <linux/in.h>
#include <linux/mroute6.h>
#include <sys/ioctl.h>

_Static_assert(MRT_VIFS == MAXMIFS, "the kernel's limit");

/* ICMPV6_FILTER does not affect upcalls. The program rejects whatever else it lets through: upcalls begin
 * with a zero byte. */
static int pass_upcalls_only(int fd)
{
	static const struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	struct icmp6_filter block_all;
	int result;

	memset(&block_all, 0xff, sizeof block_all);
	result = socket_set(fd, IPPROTO_ICMPV6, ICMPV6_FILTER, &block_all, sizeof block_all);
	if (result != 0)
		return result;
	return socket_set_filter(fd, code, sizeof code / sizeof code[0]);
}

static int add_vif(int fd, unsigned vif, int ifindex, uint8_t threshold)
{
	struct mif6ctl control = {
		.mif6c_mifi = (mifi_t)vif,
		.vifc_threshold = threshold,
		.mif6c_pifi = (uint16_t)ifindex,
	};

	/* The kernel's structure has 16 bits for the index. */
	if (ifindex > UINT16_MAX)
		return -EOVERFLOW;
	return socket_set(fd, IPPROTO_IPV6, MRT6_ADD_MIF, &control, sizeof control);
}

static int del_vif(int fd, unsigned vif)
{
	mifi_t number = (mifi_t)vif;

	return socket_set(fd, IPPROTO_IPV6, MRT6_DEL_MIF, &number, sizeof number);
}

static struct sockaddr_in6 to_kernel(const struct addr *addr)
{
	struct sockaddr_in6 result = {.sin6_family = AF_INET6};

	memcpy(&result.sin6_addr, addr->bytes, sizeof result.sin6_addr);
	return result;
}

static struct addr from_kernel(const struct in6_addr *addr)
{
	struct addr result;

	memcpy(result.bytes, addr, sizeof result.bytes);
	return result;
}

static bool has_vif(int fd, unsigned vif)
{
	struct sioc_mif_req6 request = {.mifi = (mifi_t)vif};

	return ioctl(fd, SIOCGETMIFCNT_IN6, &request) == 0;
}

static int change_route(int fd, bool wanted, const struct addr *source, const struct addr *group,
                        unsigned input_vif, uint32_t output_vifs, const uint8_t thresholds[MRT_VIFS])
{
	struct mf6cctl control = {
		.mf6cc_origin = to_kernel(source),
		.mf6cc_mcastgrp = to_kernel(group),
		.mf6cc_parent = (mifi_t)input_vif,
	};

	(void)thresholds; /* the kernel forwards each packet with a hop limit above 1 */
	/* Vifs 0 to 31 are the first word of the set. */
	control.mf6cc_ifset.ifs_bits[0] = output_vifs;
	return socket_set(fd, IPPROTO_IPV6, wanted ? MRT6_ADD_MFC : MRT6_DEL_MFC, &control, sizeof control);
}

static int route_counters(int fd, const struct addr *source, const struct addr *group,
                          struct mrt_counters *counters)
{
	struct sioc_sg_req6 request = {.src = to_kernel(source), .grp = to_kernel(group)};

	if (ioctl(fd, SIOCGETSGCNT_IN6, &request) != 0)
		return -errno;
	*counters = (struct mrt_counters){request.pktcnt, request.bytecnt, request.wrong_if};
	return 0;
}

static bool decode(const uint8_t *bytes, size_t size, struct mrt_upcall *upcall)
{
	struct mrt6msg message;

	if (size < sizeof message)
		return false;
	memcpy(&message, bytes, sizeof message);
	if (message.im6_mbz != 0)
		return false;
	if (message.im6_msgtype != MRT6MSG_NOCACHE && message.im6_msgtype != MRT6MSG_WRONGMIF)
		return false;
	upcall->kind = message.im6_msgtype == MRT6MSG_NOCACHE ? MRT_UPCALL_NOCACHE : MRT_UPCALL_WRONGVIF;
	upcall->vif = message.im6_mif;
	upcall->source = from_kernel(&message.im6_src);
	upcall->group = from_kernel(&message.im6_dst);
	upcall->igmp = false;
	return true;
}

const struct mrt_family mrt_ipv6 = {
	.domain = AF_INET6,
	.protocol = IPPROTO_ICMPV6,
	.level = IPPROTO_IPV6,
	.init = MRT6_INIT,
	.done = MRT6_DONE,
	.table = MRT6_TABLE,
	.flush = MRT6_BASE + 12, /* MRT6_FLUSH; kernel headers before 5.1 lack it */
	.assert = MRT6_ASSERT,
	.pim = MRT6_PIM,
	.pass_upcalls_only = pass_upcalls_only,
	.add_vif = add_vif,
	.del_vif = del_vif,
	.has_vif = has_vif,
	.change_route = change_route,
	.route_counters = route_counters,
	.decode = decode,
};
