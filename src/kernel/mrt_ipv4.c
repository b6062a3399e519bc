/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/mrt_family.h"
#include "kernel/mrt_igmp.h"

#include <linux/mroute.h>
#include <sys/ioctl.h>

/* Offsets in the IPv4 header. An upcall has the same layout, with protocol 0. */
#define PROTOCOL_OFFSET 9

_Static_assert(MRT_VIFS == MAXVIFS, "the kernel's limit");

static int pass_upcalls_only(int fd)
{
	static const struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, PROTOCOL_OFFSET),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};

	return socket_set_filter(fd, code, sizeof code / sizeof code[0]);
}

static int add_vif(int fd, unsigned vif, int ifindex, uint8_t threshold)
{
	struct vifctl control = {
		.vifc_vifi = (vifi_t)vif,
		.vifc_flags = VIFF_USE_IFINDEX,
		.vifc_threshold = threshold,
		.vifc_lcl_ifindex = ifindex,
	};

	return socket_set(fd, IPPROTO_IP, MRT_ADD_VIF, &control, sizeof control);
}

static int del_vif(int fd, unsigned vif)
{
	struct vifctl control = {.vifc_vifi = (vifi_t)vif};

	return socket_set(fd, IPPROTO_IP, MRT_DEL_VIF, &control, sizeof control);
}

static bool has_vif(int fd, unsigned vif)
{
	struct sioc_vif_req request = {.vifi = (vifi_t)vif};

	return ioctl(fd, SIOCGETVIFCNT, &request) == 0;
}

static struct in_addr to_kernel(const struct addr *addr)
{
	struct in_addr result;

	memcpy(&result, addr_ipv4_bytes(addr), sizeof result);
	return result;
}

static struct addr from_kernel(const struct in_addr *addr)
{
	uint8_t bytes[4];

	memcpy(bytes, addr, sizeof bytes);
	return addr_from_ipv4(bytes);
}

static int change_route(int fd, bool wanted, const struct addr *source, const struct addr *group,
                        unsigned input_vif, uint32_t output_vifs, const uint8_t thresholds[MRT_VIFS])
{
	struct mfcctl control = {
		.mfcc_origin = to_kernel(source),
		.mfcc_mcastgrp = to_kernel(group),
		.mfcc_parent = (vifi_t)input_vif,
	};

	for (unsigned vif = 0; vif < MRT_VIFS; vif++)
		if (output_vifs >> vif & 1)
			control.mfcc_ttls[vif] = thresholds[vif];
	return socket_set(fd, IPPROTO_IP, wanted ? MRT_ADD_MFC : MRT_DEL_MFC, &control, sizeof control);
}

static int route_counters(int fd, const struct addr *source, const struct addr *group,
                          struct mrt_counters *counters)
{
	struct sioc_sg_req request = {.src = to_kernel(source), .grp = to_kernel(group)};

	if (ioctl(fd, SIOCGETSGCNT, &request) != 0)
		return -errno;
	*counters = (struct mrt_counters){request.pktcnt, request.bytecnt, request.wrong_if};
	return 0;
}

static bool decode(const uint8_t *bytes, size_t size, struct mrt_upcall *upcall)
{
	struct igmpmsg message;

	if (size < sizeof message)
		return false;
	memcpy(&message, bytes, sizeof message);
	upcall->source = from_kernel(&message.im_src);
	upcall->group = from_kernel(&message.im_dst);
	if (message.im_mbz != 0 ||
	    (message.im_msgtype != IGMPMSG_NOCACHE && message.im_msgtype != IGMPMSG_WRONGVIF))
		return false;
	upcall->kind = message.im_msgtype == IGMPMSG_NOCACHE ? MRT_UPCALL_NOCACHE : MRT_UPCALL_WRONGVIF;
	upcall->vif = (unsigned)message.im_vif | (unsigned)message.im_vif_hi << 8;
	upcall->igmp = mrt_igmp_has_alert(bytes, size);
	return true;
}

const struct mrt_family mrt_ipv4 = {
	.domain = AF_INET,
	.protocol = IPPROTO_IGMP,
	.level = IPPROTO_IP,
	.init = MRT_INIT,
	.done = MRT_DONE,
	.table = MRT_TABLE,
	.flush = MRT_BASE + 12, /* MRT_FLUSH; kernel headers before 5.1 lack it */
	.assert = MRT_ASSERT,
	.pim = MRT_PIM,
	.pass_upcalls_only = pass_upcalls_only,
	.add_vif = add_vif,
	.del_vif = del_vif,
	.has_vif = has_vif,
	.change_route = change_route,
	.route_counters = route_counters,
	.decode = decode,
};
