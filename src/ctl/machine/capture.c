/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/machine/capture.h"

#include "ctl/client/program.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#define PACKET_BYTES 128 /* enough of each: IP header with options, ports */

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

/* Network cards drop groups that were not joined on this machine: during the capture, every multicast
 * interface accepts all groups. */
static void accept_all_groups(int fd, const struct interfaces *interfaces)
{
	for (size_t i = 0; i < interfaces->count; i++) {
		struct packet_mreq request = {.mr_ifindex = interfaces->list[i].index,
		                              .mr_type = PACKET_MR_ALLMULTI};

		if (interfaces->list[i].up && !interfaces->list[i].loopback)
			setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &request, sizeof request);
	}
}

static int open_socket(const struct addr *group, const struct interfaces *interfaces)
{
	/* With protocol 0 the socket receives nothing until the filter is attached. */
	int fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), result;
	struct sockaddr_ll everywhere = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL)};

	if (fd < 0)
		return -errno;
	result = attach_filter(fd, group);
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

static struct sighting *find_or_add(struct capture *capture, const struct addr *source, int interface,
                                    bool outgoing)
{
	struct sighting *sighting = capture->list;

	for (; sighting < capture->list + capture->count; sighting++)
		if (sighting->interface == interface && sighting->outgoing == outgoing &&
		    addr_equal(&sighting->source, source))
			return sighting;
	if (capture->count == CAPTURE_SIGHTS_MAX)
		return NULL;
	capture->count++;
	*sighting = (struct sighting){
		.source = *source, .interface = interface, .outgoing = outgoing, .ttl_min = 255};
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

void capture_take(struct capture *capture, const struct interfaces *interfaces, int interface, bool outgoing,
                  const uint8_t *packet, size_t size)
{
	bool ipv4 = addr_family(&capture->group) == FAMILY_IPV4;
	size_t header = ipv4 ? 20 : 40;
	const struct interface_state *port = interfaces_by_index(interfaces, interface);
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
	if (!addr_equal(&group, &capture->group) || protocol == IPPROTO_IGMP || protocol == IPPROTO_HOPOPTS ||
	    protocol == IPPROTO_ICMPV6)
		return;
	/* A packet on a bridge port appears a second time on the bridge. */
	if (port != NULL && port->master != 0 && interfaces_by_index(interfaces, port->master) != NULL)
		return;
	sighting = find_or_add(capture, &source, interface, outgoing);
	if (sighting == NULL) {
		capture->overflow++;
		return;
	}
	seen = (struct sighting){
		.packets = 1, .ttl_min = ttl, .ttl_max = ttl, .size_max = packet_size(packet, ipv4)};
	seen.port = udp_port(packet, size, ipv4 ? 4u * (packet[0] & 15u) : header, protocol);
	add_sight(sighting, &seen);
}

/* Reads the packets that wait on the socket, up to a limit. */
static void receive(struct capture *capture, const struct interfaces *interfaces, int fd)
{
	uint8_t packet[PACKET_BYTES];
	struct sockaddr_ll from;

	for (int i = 0; i < 1024; i++) {
		socklen_t length = sizeof from;
		ssize_t size = recvfrom(fd, packet, sizeof packet, 0, (struct sockaddr *)&from, &length);

		if (size < 0)
			return;
		capture_take(capture, interfaces, from.sll_ifindex, from.sll_pkttype == PACKET_OUTGOING,
		             packet, (size_t)size);
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

		if (sighting->outgoing != outgoing || (interface != 0 && sighting->interface != interface) ||
		    (source != NULL && !addr_equal(&sighting->source, source)))
			continue;
		sum->source = sighting->source;
		sum->interface = sighting->interface;
		add_sight(sum, sighting);
	}
	return sum->packets > 0;
}
