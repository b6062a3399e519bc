/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/machine/capture.h"

#include "ctl/client/program.h"
#include "kernel/link_master.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#define VLAN_NUMBER  0xfff /* in a tag, beside the priority */
#define PACKET_BYTES 128   /* enough of each: IP header with options, ports */

/* Attaches a filter for packets of this group; packets begin with their IP header. */
static int attach_filter(int fd, const struct addr *group)
{
	bool ipv4 = addr_family(group) == FAMILY_IPV4;
	size_t words = ipv4 ? 1 : 4, length = 0;
	uint32_t offset = ipv4 ? 16 : 24;
	const uint8_t *bytes = addr_wire_bytes(group, addr_family(group));
	struct sock_filter code[16];
	struct sock_fprog program = {.filter = code};

	code[length++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 0);
	code[length++] = (struct sock_filter)BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0xf0);
	code[length++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ipv4 ? 0x40 : 0x60, 0,
	                                              (uint8_t)(2 * words + 1));
	for (size_t i = 0; i < words; i++) {
		uint32_t word;

		memcpy(&word, bytes + 4 * i, sizeof word);
		code[length++] =
			(struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offset + 4 * (uint32_t)i);
		code[length++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ntohl(word), 0,
		                                              (uint8_t)(2 * (words - i) - 1));
	}
	code[length++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, PACKET_BYTES);
	code[length++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, 0);
	program.len = (unsigned short)length;
	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) == 0 ? 0 : -errno;
}

/* Every IPv4 packet to a group. */
static int attach_multicast_filter(int fd)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 0),
		BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0xf0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0x40, 0, 4),
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 16),
		BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0xf0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0xe0, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, PACKET_BYTES),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	struct sock_fprog program = {sizeof code / sizeof code[0], code};

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) == 0 ? 0 : -errno;
}

/* Network cards drop groups that were not joined on this machine, and VLANs that have no interface: during the
 * capture, every interface accepts all groups, and ports of the network all VLANs. */
static void accept_all_groups(int fd, const struct interfaces *interfaces)
{
	for (size_t i = 0; i < interfaces->count; i++) {
		const struct interface_state *interface = &interfaces->list[i];
		struct packet_mreq request = {.mr_ifindex = interface->index, .mr_type = PACKET_MR_ALLMULTI};

		if (!interface->up || interface->loopback)
			continue;
		setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &request, sizeof request);
		request.mr_type = PACKET_MR_PROMISC;
		if (!interface->is_bridge && interface->vlan_of == 0)
			setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &request, sizeof request);
	}
}

static int open_socket(const struct addr *group, const struct interfaces *interfaces)
{
	/* With protocol 0 the socket receives nothing until the filter is attached. */
	int fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), result, on = 1;
	struct sockaddr_ll everywhere = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL)};

	if (fd < 0)
		return -errno;
	result = addr_is_unspecified(group) ? attach_multicast_filter(fd) : attach_filter(fd, group);
	setsockopt(fd, SOL_PACKET, PACKET_AUXDATA, &on, sizeof on);
	if (result == 0) {
		accept_all_groups(fd, interfaces);
		if (bind(fd, (struct sockaddr *)&everywhere, sizeof everywhere) != 0)
			result = -errno;
	}
	if (result == 0)
		return fd;
	close(fd);
	return result;
}

static struct sighting *find_or_add(struct capture *capture, const struct addr *source,
                                    const struct capture_frame *frame)
{
	struct sighting *sighting = capture->list;

	for (; sighting < capture->list + capture->count; sighting++)
		if (sighting->interface == frame->interface && sighting->outgoing == frame->outgoing &&
		    sighting->vlan == frame->vlan && addr_equal(&sighting->source, source))
			return sighting;
	if (capture->count == CAPTURE_SIGHTS_MAX)
		return NULL;
	capture->count++;
	*sighting = (struct sighting){.source = *source,
	                              .interface = frame->interface,
	                              .outgoing = frame->outgoing,
	                              .vlan = frame->vlan,
	                              .ttl_min = 255};
	return sighting;
}

static void add_sight(struct sighting *sum, const struct sighting *sighting)
{
	sum->packets += sighting->packets;
	sum->ttl_min = sighting->ttl_min < sum->ttl_min ? sighting->ttl_min : sum->ttl_min;
	sum->ttl_max = sighting->ttl_max > sum->ttl_max ? sighting->ttl_max : sum->ttl_max;
	sum->size_max = sighting->size_max > sum->size_max ? sighting->size_max : sum->size_max;
	sum->port = sum->port != 0 ? sum->port : sighting->port;
}

/* The size in the packet's header; fewer bytes may have been received. */
static unsigned packet_size(const uint8_t *packet, bool ipv4)
{
	return ipv4 ? (unsigned)packet[2] << 8 | packet[3] : 40 + ((unsigned)packet[4] << 8 | packet[5]);
}

static unsigned udp_port(const uint8_t *packet, size_t size, size_t header, uint8_t protocol)
{
	if (protocol != IPPROTO_UDP || size < header + 4)
		return 0;
	return (unsigned)packet[header + 2] << 8 | packet[header + 3];
}

/* A packet that arrives on a bridge port appears a second time on the bridge, and one with a tag on the VLAN interface. */
static bool appears_again(const struct interfaces *interfaces, const struct capture_frame *frame)
{
	const struct interface_state *port = interfaces_by_index(interfaces, frame->interface), *vlan;

	if (!frame->outgoing && port != NULL && link_master_takes(port->master_kind) &&
	    interfaces_by_index(interfaces, port->master) != NULL)
		return true;
	if (frame->vlan == 0)
		return false;
	vlan = interfaces_vlan(interfaces, frame->interface, frame->vlan);
	return frame->outgoing || (vlan != NULL && vlan->up);
}

static bool is_wanted(const struct capture *capture, const struct addr *group)
{
	if (addr_is_unspecified(&capture->group))
		return addr_is_multicast(group) && addr_is_proxied_group(group);
	return addr_equal(group, &capture->group);
}

void capture_take(struct capture *capture, const struct interfaces *interfaces,
                  const struct capture_frame *frame, const uint8_t *packet, size_t size)
{
	bool ipv4 = addr_family(&capture->group) == FAMILY_IPV4;
	size_t header = ipv4 ? 20 : 40;
	struct addr source, group;
	struct sighting *sighting, seen;
	uint8_t protocol;
	unsigned ttl;

	if (size < header || packet[0] >> 4 != (ipv4 ? 4 : 6))
		return;
	source = ipv4 ? addr_from_ipv4(packet + 12) : addr_from_ipv6(packet + 8);
	group = ipv4 ? addr_from_ipv4(packet + 16) : addr_from_ipv6(packet + 24);
	ttl = ipv4 ? packet[8] : packet[7];
	protocol = ipv4 ? packet[9] : packet[6];
	/* Some reports and queries are sent to the group itself. */
	if (!is_wanted(capture, &group) || protocol == IPPROTO_IGMP || protocol == IPPROTO_HOPOPTS ||
	    protocol == IPPROTO_ICMPV6 || appears_again(interfaces, frame))
		return;
	sighting = find_or_add(capture, &source, frame);
	if (sighting == NULL) {
		capture->overflow++;
		return;
	}
	memcpy(sighting->sender, frame->sender, sizeof sighting->sender);
	seen = (struct sighting){
		.packets = 1, .ttl_min = ttl, .ttl_max = ttl, .size_max = packet_size(packet, ipv4)};
	seen.port = udp_port(packet, size, ipv4 ? 4u * (packet[0] & 15u) : header, protocol);
	add_sight(sighting, &seen);
}

/* The tag of a frame is not in the packet: the kernel has removed it. */
static unsigned frame_vlan(struct msghdr *message)
{
	for (struct cmsghdr *part = CMSG_FIRSTHDR(message); part != NULL; part = CMSG_NXTHDR(message, part)) {
		struct tpacket_auxdata data;

		if (part->cmsg_level != SOL_PACKET || part->cmsg_type != PACKET_AUXDATA ||
		    part->cmsg_len < CMSG_LEN(sizeof data))
			continue;
		memcpy(&data, CMSG_DATA(part), sizeof data);
		return data.tp_status & TP_STATUS_VLAN_VALID ? data.tp_vlan_tci & VLAN_NUMBER : 0;
	}
	return 0;
}

/* Reads the packets that wait on the socket, up to a limit. */
static void receive(struct capture *capture, const struct interfaces *interfaces, int fd)
{
	uint8_t packet[PACKET_BYTES];
	struct sockaddr_ll from;
	_Alignas(struct cmsghdr) char parts[CMSG_SPACE(sizeof(struct tpacket_auxdata))];
	struct iovec into = {packet, sizeof packet};

	for (int i = 0; i < 1024; i++) {
		struct msghdr message = {.msg_name = &from,
		                         .msg_namelen = sizeof from,
		                         .msg_iov = &into,
		                         .msg_iovlen = 1,
		                         .msg_control = parts,
		                         .msg_controllen = sizeof parts};
		struct capture_frame frame;
		ssize_t size = recvmsg(fd, &message, 0);

		if (size < 0)
			return;
		frame = (struct capture_frame){.interface = from.sll_ifindex,
		                               .outgoing = from.sll_pkttype == PACKET_OUTGOING,
		                               .vlan = frame_vlan(&message)};
		if (from.sll_halen == sizeof frame.sender)
			memcpy(frame.sender, from.sll_addr, sizeof frame.sender);
		capture_take(capture, interfaces, &frame, packet, (size_t)size);
	}
}

int capture_run(struct capture *capture, const struct addr *group, const struct interfaces *interfaces,
                unsigned milliseconds)
{
	int64_t until = milliseconds_now() + milliseconds, left;
	int fd = open_socket(group, interfaces);

	*capture = (struct capture){.group = *group};
	if (fd < 0)
		return fd;
	while ((left = until - milliseconds_now()) > 0) {
		struct pollfd wait = {.fd = fd, .events = POLLIN};

		if (poll(&wait, 1, (int)left) > 0)
			receive(capture, interfaces, fd);
	}
	close(fd);
	return 0;
}

bool capture_sum(const struct capture *capture, const struct addr *source, int interface, bool outgoing,
                 struct sighting *sum)
{
	*sum = (struct sighting){.interface = interface, .outgoing = outgoing, .ttl_min = 255};
	for (size_t i = 0; i < capture->count; i++) {
		const struct sighting *sighting = &capture->list[i];

		if (sighting->outgoing != outgoing || sighting->vlan != 0 ||
		    (interface != 0 && sighting->interface != interface) ||
		    (source != NULL && !addr_equal(&sighting->source, source)))
			continue;
		sum->source = sighting->source;
		sum->interface = sighting->interface;
		memcpy(sum->sender, sighting->sender, sizeof sum->sender);
		add_sight(sum, sighting);
	}
	return sum->packets > 0;
}
