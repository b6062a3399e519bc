/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/link_socket.h"

#include "kernel/socket_option.h"

#include "kernel/join.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/pkt_sched.h>
#include <net/if_arp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define RECEIVE_BUFFER (6 << 20) /* the kernel doubles it: some 15,000 small packets */
#define MEMORY_SHARE   64        /* at most 1/64 of the machine's memory */
#define DISCARDED_MAX  20000

#define PROTOCOL_IGMP       2
#define PROTOCOL_HOP_BY_HOP 0
#define PROTOCOL_ICMP6      58
#define IPV4_PROTOCOL       9 /* offsets from the IP header on */
#define IPV6_NEXT_HEADER    6
#define IPV6_PAYLOAD        40

struct link_socket {
	int fd;
	int membership_fd; /* only a member of the routers' groups */
	enum family family;
	struct sockaddr_ll destination; /* all but sll_addr, which depends on the group; sll_halen 0: none */
};

/* The socket filter. Packets of a VLAN also reach the packet sockets of the link below, with the tag in the
 * metadata; only packets without a VLAN (or of VLAN 0, which is the link itself) belong to this link. The
 * filter also rejects packets to other hosts (PACKET_OTHERHOST), and the higher packet types, which this
 * machine sends. The checks that reject most packets come first, because every packet of a stream passes the
 * filter. */
#define LOAD(size, offset)   BPF_STMT(BPF_LD | (size) | BPF_ABS, (uint32_t)(offset))
#define LOAD_META(name)      LOAD(BPF_W, SKF_AD_OFF + (name))
#define IF_EQUAL(k, yes, no) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, k, yes, no)
#define ACCEPT               BPF_STMT(BPF_RET | BPF_K, UINT32_MAX)
#define REJECT               BPF_STMT(BPF_RET | BPF_K, 0)

static const struct sock_filter igmp_filter[] = {
	LOAD(BPF_B, IPV4_PROTOCOL),
	IF_EQUAL(PROTOCOL_IGMP, 0, 8),
	LOAD_META(SKF_AD_PROTOCOL),
	IF_EQUAL(ETH_P_IP, 0, 6),
	LOAD_META(SKF_AD_PKTTYPE),
	BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, PACKET_OTHERHOST, 4, 0),
	LOAD_META(SKF_AD_VLAN_TAG),
	BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0xfff),
	IF_EQUAL(0, 0, 1),
	ACCEPT,
	REJECT,
};

/* The ICMPv6 message follows the IPv6 header, or a hop-by-hop header of (length + 1) * 8 bytes. */
static const struct sock_filter mld_filter[] = {
	LOAD_META(SKF_AD_PROTOCOL),
	IF_EQUAL(ETH_P_IPV6, 0, 22),
	LOAD_META(SKF_AD_PKTTYPE),
	BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, PACKET_OTHERHOST, 20, 0),
	LOAD_META(SKF_AD_VLAN_TAG),
	BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0xfff),
	IF_EQUAL(0, 0, 17),
	BPF_STMT(BPF_LDX | BPF_IMM, 0),
	LOAD(BPF_B, IPV6_NEXT_HEADER),
	IF_EQUAL(PROTOCOL_ICMP6, 7, 0),
	IF_EQUAL(PROTOCOL_HOP_BY_HOP, 0, 13),
	LOAD(BPF_B, IPV6_PAYLOAD),
	IF_EQUAL(PROTOCOL_ICMP6, 0, 11),
	LOAD(BPF_B, IPV6_PAYLOAD + 1),
	BPF_STMT(BPF_ALU | BPF_ADD | BPF_K, 1),
	BPF_STMT(BPF_ALU | BPF_LSH | BPF_K, 3),
	BPF_STMT(BPF_MISC | BPF_TAX, 0),
	BPF_STMT(BPF_LD | BPF_B | BPF_IND, IPV6_PAYLOAD),
	IF_EQUAL(130, 4, 0), /* query */
	IF_EQUAL(131, 3, 0), /* version 1 report */
	IF_EQUAL(132, 2, 0), /* version 1 done */
	IF_EQUAL(143, 1, 0), /* version 2 report */
	IF_EQUAL(152, 0, 1), /* solicitation of router discovery */
	ACCEPT,
	REJECT,
};

static const struct addr router_groups[FAMILIES][2] = {
	{{{[10] = 0xff, 0xff, 224, 0, 0, 2}}, {{[10] = 0xff, 0xff, 224, 0, 0, 22}}},
	{{{0xff, 2, [15] = 2}}, {{0xff, 2, [15] = 0x16}}},
};

struct link_room {
	struct sockaddr_ll senders[LINK_SOCKET_BATCH];
	struct mmsghdr messages[LINK_SOCKET_BATCH]; /* the kernel changes only what is read of them */
	struct iovec parts[LINK_SOCKET_BATCH];
	uint8_t *long_packet; /* NULL: none */
	uint8_t packets[LINK_SOCKET_BATCH][LINK_SOCKET_PACKET_MAX];
};

static uint16_t ethernet_type(enum family family)
{
	return family == FAMILY_IPV4 ? ETH_P_IP : ETH_P_IPV6;
}

static int attach_filter(int fd, enum family family)
{
	bool ipv4 = family == FAMILY_IPV4;

	return socket_set_filter(fd, ipv4 ? igmp_filter : mld_filter,
	                         (ipv4 ? sizeof igmp_filter : sizeof mld_filter) / sizeof igmp_filter[0]);
}

static int join_all_multicast(int fd, int ifindex)
{
	struct packet_mreq request = {.mr_ifindex = ifindex, .mr_type = PACKET_MR_ALLMULTI};

	return socket_set(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &request, sizeof request);
}

/* Unused buffer costs no memory; a flood fills it. */
static int receive_buffer(void)
{
	int64_t memory = (int64_t)sysconf(_SC_PHYS_PAGES) * sysconf(_SC_PAGESIZE);

	return memory > 0 && memory / MEMORY_SHARE < RECEIVE_BUFFER ? (int)(memory / MEMORY_SHARE)
	                                                            : RECEIVE_BUFFER;
}

/* Failures do not matter. The packets are few and small, but arrive in bursts. The filter rejects packets
 * that this machine sends; PACKET_IGNORE_OUTGOING costs less. */
static void set_preferences(int fd)
{
	int priority = TC_PRIO_CONTROL, on = 1;

	socket_set_receive_buffer(fd, receive_buffer());
	socket_set(fd, SOL_SOCKET, SO_PRIORITY, &priority, sizeof priority);
	socket_set(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof on);
}

/* ETH_P_ALL, because with ETH_P_IP the kernel clones every packet that it forwards from this link. */
static int bind_link(int fd, int ifindex)
{
	struct sockaddr_ll address = {
		.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL), .sll_ifindex = ifindex};

	return bind(fd, (struct sockaddr *)&address, sizeof address) == 0 ? 0 : -errno;
}

/* Finds out how to address a group on the link. Ethernet and similar links have a rule for that; tunnels and
 * point-to-point links need no address. InfiniBand needs another rule, which is not supported. */
static int learn_destination(struct link_socket *socket, int ifindex)
{
	struct sockaddr_ll *destination = &socket->destination;
	socklen_t size = sizeof *destination;
	bool ethernet;

	if (getsockname(socket->fd, (struct sockaddr *)destination, &size) != 0)
		return -errno;
	if (destination->sll_hatype == ARPHRD_INFINIBAND)
		return -EPFNOSUPPORT;
	ethernet = destination->sll_halen == ETH_ALEN;
	*destination = (struct sockaddr_ll){
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ethernet_type(socket->family)),
		.sll_ifindex = ifindex,
		.sll_halen = ethernet ? ETH_ALEN : 0,
	};
	return 0;
}

/* Attaches the filter before it binds, so that the queue never holds an unfiltered packet. */
static int open_packet_socket(struct link_socket *link, int ifindex)
{
	int result;

	link->fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (link->fd < 0)
		return -errno;
	set_preferences(link->fd);
	result = attach_filter(link->fd, link->family);
	if (result == 0)
		result = bind_link(link->fd, ifindex);
	if (result == 0)
		result = join_all_multicast(link->fd, ifindex);
	if (result == 0)
		result = learn_destination(link, ifindex);
	return result;
}

static int join_router_groups(struct link_socket *link, int ifindex)
{
	int result;

	link->membership_fd = join_socket(link->family);
	if (link->membership_fd < 0)
		return link->membership_fd;
	result = join_group(link->membership_fd, ifindex, &router_groups[link->family][0]);
	if (result == 0)
		result = join_group(link->membership_fd, ifindex, &router_groups[link->family][1]);
	return result;
}

bool link_socket_is_on(int fd, int ifindex)
{
	struct sockaddr_ll address = {0};
	socklen_t size = sizeof address;

	return getsockname(fd, (struct sockaddr *)&address, &size) == 0 && address.sll_family == AF_PACKET &&
	       address.sll_ifindex == ifindex;
}

int link_socket_open(struct link_socket **opened, int ifindex, enum family family, int inherited)
{
	struct link_socket *link = malloc(sizeof *link);
	int result;

	if (link == NULL) {
		if (inherited >= 0)
			close(inherited);
		return -ENOMEM;
	}
	*link = (struct link_socket){.fd = -1, .membership_fd = -1, .family = family};
	if (inherited >= 0) {
		link->fd = inherited;
		result = learn_destination(link, ifindex);
	} else {
		result = open_packet_socket(link, ifindex);
	}
	if (result == 0)
		result = join_router_groups(link, ifindex);
	if (result != 0) {
		link_socket_close(link);
		return result;
	}
	*opened = link;
	return 0;
}

void link_socket_close(struct link_socket *socket)
{
	if (socket->membership_fd >= 0)
		join_socket_close(socket->membership_fd);
	if (socket->fd >= 0)
		close(socket->fd);
	free(socket);
}

int link_socket_fd(const struct link_socket *socket)
{
	return socket->fd;
}

int link_socket_membership_fd(const struct link_socket *socket)
{
	return socket->membership_fd;
}

/* When a link goes down, the socket returns ENETDOWN once. That is no error: the socket works again when the
 * link is up. */
static int receive_messages(int fd, struct mmsghdr *messages, unsigned count, int flags)
{
	int received = recvmmsg(fd, messages, count, MSG_DONTWAIT | flags, NULL);

	if (received >= 0)
		return received;
	return errno == EAGAIN || errno == EINTR || errno == ENETDOWN ? 0 : -errno;
}

struct link_room *link_room_new(void)
{
	struct link_room *room = calloc(1, sizeof *room);

	for (int i = 0; room != NULL && i < LINK_SOCKET_BATCH; i++) {
		room->parts[i] =
			(struct iovec){.iov_base = room->packets[i], .iov_len = LINK_SOCKET_PACKET_MAX};
		room->messages[i].msg_hdr = (struct msghdr){
			.msg_name = &room->senders[i], .msg_iov = &room->parts[i], .msg_iovlen = 1};
	}
	return room;
}

void link_room_release(struct link_room *room)
{
	free(room->long_packet);
	room->long_packet = NULL;
}

void link_room_free(struct link_room *room)
{
	if (room != NULL)
		link_room_release(room);
	free(room);
}

static struct link_packet packet_of(uint8_t *data, const struct mmsghdr *message)
{
	const struct sockaddr_ll *sender = message->msg_hdr.msg_name;

	return (struct link_packet){
		.data = data,
		.length = message->msg_len,
		.truncated = message->msg_hdr.msg_flags & MSG_TRUNC,
		.mac = sender->sll_halen == MAC_SIZE ? addr_from_mac(sender->sll_addr)
	                                             : addr_unspecified(FAMILY_IPV6),
	};
}

int link_socket_receive(int fd, struct link_room *room, struct link_packet *packets, size_t max)
{
	unsigned count = (unsigned)(max < LINK_SOCKET_BATCH ? max : LINK_SOCKET_BATCH);
	int received;

	/* The kernel writes the size of each address. */
	for (unsigned i = 0; i < count; i++)
		room->messages[i].msg_hdr.msg_namelen = sizeof room->senders[i];
	received = receive_messages(fd, room->messages, count, 0);

	for (int i = 0; i < received; i++)
		packets[i] = packet_of(room->packets[i], &room->messages[i]);
	return received;
}

/* The size of the next packet, which stays in the queue; 0: there is none, or -errno. recvmmsg, because the
 * system call filter of a worker allows no other call. */
static int size_of_next(int fd)
{
	struct mmsghdr message = {0};
	int received = receive_messages(fd, &message, 1, MSG_PEEK | MSG_TRUNC);

	return received > 0 ? (int)message.msg_len : received;
}

static int receive_one(int fd, uint8_t *buffer, size_t size, struct link_packet *packet)
{
	struct iovec part = {.iov_base = buffer, .iov_len = size};
	struct sockaddr_ll sender = {0};
	struct mmsghdr message = {.msg_hdr = {.msg_name = &sender,
	                                      .msg_namelen = sizeof sender,
	                                      .msg_iov = &part,
	                                      .msg_iovlen = 1}};
	int received = receive_messages(fd, &message, 1, 0);

	if (received > 0)
		*packet = packet_of(buffer, &message);
	return received;
}

static int receive_next(int fd, struct link_room *room, uint8_t *buffer, struct link_packet *packet)
{
	int size = size_of_next(fd);

	if (size <= 0)
		return size;
	if (size > LINK_SOCKET_LONG_MAX)
		size = LINK_SOCKET_LONG_MAX;
	if (size > LINK_SOCKET_PACKET_MAX)
		room->long_packet = malloc((size_t)size);
	if (room->long_packet != NULL)
		return receive_one(fd, room->long_packet, (size_t)size, packet);
	return receive_one(fd, buffer, LINK_SOCKET_PACKET_MAX, packet);
}

int link_socket_receive_long(int fd, struct link_room *room, struct link_packet *packets, size_t max)
{
	int most = (int)(max < LINK_SOCKET_BATCH ? max : LINK_SOCKET_BATCH), count = 0, result = 1;

	assert(room->long_packet == NULL);
	while (count < most && room->long_packet == NULL && result > 0) {
		result = receive_next(fd, room, room->packets[count], &packets[count]);
		count += result > 0;
	}
	return count > 0 ? count : result;
}

/* The limit is more than the buffer holds, so that a flood cannot keep the loop busy. ENETDOWN comes before
 * the packets that wait. */
void link_socket_discard(struct link_socket *socket)
{
	for (int i = 0; i < DISCARDED_MAX; i++)
		if (recv(socket->fd, NULL, 0, MSG_DONTWAIT | MSG_TRUNC) < 0 && errno != ENETDOWN)
			break;
}

/* RFC 1112 section 6.4, RFC 2464 section 7. */
static struct sockaddr_ll group_destination(const struct link_socket *socket, const struct addr *group)
{
	struct sockaddr_ll address = socket->destination;
	const uint8_t *low = group->bytes + 12; /* the last four bytes in both families */

	assert(addr_is_multicast(group) && addr_family(group) == socket->family);
	if (address.sll_halen == 0)
		return address;
	if (socket->family == FAMILY_IPV4)
		memcpy(address.sll_addr, (uint8_t[]){0x01, 0x00, 0x5e, low[1] & 0x7f, low[2], low[3]},
		       ETH_ALEN);
	else
		memcpy(address.sll_addr, (uint8_t[]){0x33, 0x33, low[0], low[1], low[2], low[3]}, ETH_ALEN);
	return address;
}

static int send_messages(int fd, struct mmsghdr *messages, unsigned count)
{
	int sent = sendmmsg(fd, messages, count, MSG_DONTWAIT);

	/* The error may be an old ENETDOWN, which is returned once only. */
	if (sent < 0 && errno == ENETDOWN)
		sent = sendmmsg(fd, messages, count, MSG_DONTWAIT);
	return sent < 0 ? -errno : sent;
}

static int send_batch(struct link_socket *socket, const struct link_send *sends, unsigned count)
{
	struct sockaddr_ll destinations[LINK_SOCKET_BATCH];
	struct iovec parts[LINK_SOCKET_BATCH];
	struct mmsghdr messages[LINK_SOCKET_BATCH];

	for (unsigned i = 0; i < count; i++) {
		destinations[i] = group_destination(socket, &sends[i].destination);
		/* iov_base has no const, but sending only reads. */
		memcpy(&parts[i].iov_base, &sends[i].data, sizeof parts[i].iov_base);
		parts[i].iov_len = sends[i].length;
		messages[i] = (struct mmsghdr){.msg_hdr = {.msg_name = &destinations[i],
		                                           .msg_namelen = sizeof destinations[i],
		                                           .msg_iov = &parts[i],
		                                           .msg_iovlen = 1}};
	}
	return send_messages(socket->fd, messages, count);
}

int link_socket_send(struct link_socket *socket, const struct link_send *sends, size_t count)
{
	size_t sent = 0;

	while (sent < count) {
		size_t left = count - sent;
		unsigned batch = (unsigned)(left < LINK_SOCKET_BATCH ? left : LINK_SOCKET_BATCH);
		int result = send_batch(socket, sends + sent, batch);

		if (result < 0)
			return sent > 0 ? (int)sent : result;
		sent += (unsigned)result;
		if ((unsigned)result < batch)
			break;
	}
	return (int)sent;
}

uint32_t link_socket_drops(struct link_socket *socket)
{
	struct tpacket_stats statistics = {0};
	socklen_t size = sizeof statistics;

	/* Reading resets the counters. */
	if (getsockopt(socket->fd, SOL_PACKET, PACKET_STATISTICS, &statistics, &size) != 0)
		return 0;
	return statistics.tp_drops;
}
