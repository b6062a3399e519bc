/* SPDX-License-Identifier: BSD-2-Clause */
#include "port.h"

#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define RECEIVE_BUFFER (128 << 20)
#define IGMP_HEADER    24 /* with Router Alert */
#define STREAM_SIZE    (20 + 8 + 4 + 60)

static uint8_t send_buffers[PORT_BATCH][PORT_FRAME_MAX];
static size_t send_sizes[PORT_BATCH];
static uint8_t receive_buffers[PORT_BATCH][PORT_FRAME_MAX];

int64_t clock_nanoseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * NANOSECONDS + now.tv_nsec;
}

void sleep_until(int64_t time)
{
	struct timespec until = {.tv_sec = time / NANOSECONDS, .tv_nsec = time % NANOSECONDS};

	while (clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &until, NULL) == EINTR)
		;
}

static void enter(const char *namespace)
{
	int fd = open(namespace, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || setns(fd, CLONE_NEWNET) != 0)
		err(1, "%s", namespace);
	close(fd);
}

static void filter_protocol(int fd, uint32_t protocol)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 9),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, protocol, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	struct sock_fprog program = {.len = sizeof code / sizeof code[0], .filter = code};

	if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) != 0)
		err(1, "socket filter");
}

static void set_options(int fd)
{
	int size = RECEIVE_BUFFER, on = 1;

	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size);
	setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);
	setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof on);
}

static void learn_device(struct port *port, const char *device)
{
	struct ifreq request = {0};

	strncpy(request.ifr_name, device, IFNAMSIZ - 1);
	if (ioctl(port->fd, SIOCGIFINDEX, &request) != 0)
		err(1, "%s", device);
	port->ifindex = request.ifr_ifindex;
	if (ioctl(port->fd, SIOCGIFHWADDR, &request) != 0)
		err(1, "%s", device);
	memcpy(port->mac, request.ifr_hwaddr.sa_data, sizeof port->mac);
}

void port_open(struct port *port, const char *namespace, const char *device, uint32_t address, bool igmp)
{
	struct sockaddr_ll link = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_IP)};

	enter(namespace);
	*port = (struct port){.address = address};
	/* A socket of datagrams receives from the IP header on; sends are given the frame's head as
	 * address. */
	port->fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (port->fd < 0)
		err(1, "packet socket");
	learn_device(port, device);
	set_options(port->fd);
	filter_protocol(port->fd, igmp ? IPPROTO_IGMP : IPPROTO_UDP);
	link.sll_ifindex = port->ifindex;
	if (bind(port->fd, (struct sockaddr *)&link, sizeof link) != 0)
		err(1, "%s: bind", device);
}

void port_close(struct port *port)
{
	close(port->fd);
}

static uint8_t *put16(uint8_t *at, unsigned value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
	return at + 2;
}

static uint8_t *put32(uint8_t *at, uint32_t value)
{
	return put16(put16(at, value >> 16), value & 0xffff);
}

static uint32_t get32(const uint8_t *at)
{
	return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static unsigned checksum(const uint8_t *data, size_t size)
{
	uint32_t sum = 0;

	for (size_t i = 0; i + 1 < size; i += 2)
		sum += (uint32_t)data[i] << 8 | data[i + 1];
	while (sum > 0xffff)
		sum = (sum & 0xffff) + (sum >> 16);
	return ~sum & 0xffff;
}

static uint8_t *next_frame(struct port *port, size_t size)
{
	if (port->waiting == PORT_BATCH)
		port_flush(port);
	send_sizes[port->waiting] = size;
	return send_buffers[port->waiting++];
}

static void put_header(uint8_t *frame, size_t header, size_t size, unsigned ttl, unsigned protocol,
                       uint32_t source, uint32_t destination)
{
	memset(frame, 0, header);
	frame[0] = (uint8_t)(0x40 | header / 4);
	put16(frame + 2, (unsigned)size);
	frame[8] = (uint8_t)ttl;
	frame[9] = (uint8_t)protocol;
	put32(frame + 12, source);
	put32(frame + 16, destination);
	if (header == IGMP_HEADER)
		put32(frame + 20, 0x94040000);
	put16(frame + 10, checksum(frame, header));
}

void port_report(struct port *port, enum record_type type, uint32_t first, unsigned count)
{
	size_t message = 8 + 8 * (size_t)count, size = IGMP_HEADER + message;
	uint8_t *frame = next_frame(port, size), *at = frame + IGMP_HEADER;

	put_header(frame, IGMP_HEADER, size, 1, IPPROTO_IGMP, port->address, 0xe0000016);
	put32(at, 0x22000000);
	put32(at + 4, count);
	for (unsigned i = 0; i < count; i++) {
		put32(at + 8 + 8 * (size_t)i, (uint32_t)type << 24);
		put32(at + 12 + 8 * (size_t)i, first + i);
	}
	put16(at + 2, checksum(at, message));
}

void port_stream(struct port *port, uint32_t source, uint32_t group, uint32_t sequence)
{
	uint8_t *frame = next_frame(port, STREAM_SIZE), *at = frame + 20;

	memset(frame, 0, STREAM_SIZE);
	put_header(frame, 20, STREAM_SIZE, 16, IPPROTO_UDP, source, group);
	at = put16(at, 5001);
	at = put16(at, 5001);
	at = put16(at, STREAM_SIZE - 20);
	put32(at + 2, sequence); /* behind a checksum of 0: none */
}

void port_flush(struct port *port)
{
	struct sockaddr_ll links[PORT_BATCH];
	struct iovec parts[PORT_BATCH];
	struct mmsghdr messages[PORT_BATCH];
	unsigned sent = 0;

	for (unsigned i = 0; i < port->waiting; i++) {
		const uint8_t *group = send_buffers[i] + 16;

		links[i] =
			(struct sockaddr_ll){.sll_family = AF_PACKET,
		                             .sll_protocol = htons(ETH_P_IP),
		                             .sll_ifindex = port->ifindex,
		                             .sll_halen = 6,
		                             .sll_addr = {1, 0, 0x5e, group[1] & 0x7f, group[2], group[3]}};
		parts[i] = (struct iovec){.iov_base = send_buffers[i], .iov_len = send_sizes[i]};
		messages[i] = (struct mmsghdr){.msg_hdr = {.msg_name = &links[i],
		                                           .msg_namelen = sizeof links[i],
		                                           .msg_iov = &parts[i],
		                                           .msg_iovlen = 1}};
	}
	while (sent < port->waiting) {
		int result = sendmmsg(port->fd, messages + sent, port->waiting - sent, 0);

		if (result < 0)
			err(1, "send");
		sent += (unsigned)result;
	}
	port->waiting = 0;
}

static int64_t stamp(struct msghdr *header)
{
	struct timespec time = {0};

	for (struct cmsghdr *part = CMSG_FIRSTHDR(header); part != NULL; part = CMSG_NXTHDR(header, part))
		if (part->cmsg_level == SOL_SOCKET && part->cmsg_type == SO_TIMESTAMPNS)
			memcpy(&time, CMSG_DATA(part), sizeof time);
	return (int64_t)time.tv_sec * NANOSECONDS + time.tv_nsec;
}

/* False for a packet that is cut short. */
static bool read_packet(struct arrival *arrival, const uint8_t *packet, size_t size)
{
	size_t header = size >= 20 ? (packet[0] & 15) * 4U : 0;

	if (header < 20 || header + 8 > size)
		return false;
	arrival->source = get32(packet + 12);
	arrival->group = get32(packet + 16);
	arrival->payload = packet + header;
	arrival->size = size - header;
	arrival->sequence = packet[9] == IPPROTO_UDP && arrival->size >= 12 ? get32(packet + header + 8) : 0;
	return true;
}

static bool wait_readable(int fd, int64_t until)
{
	struct pollfd news = {.fd = fd, .events = POLLIN};
	int64_t left = until - clock_nanoseconds();
	struct timespec timeout = {.tv_sec = left / NANOSECONDS, .tv_nsec = left % NANOSECONDS};

	return left > 0 && ppoll(&news, 1, &timeout, NULL) > 0;
}

unsigned port_receive(struct port *port, struct arrival *arrivals, int64_t until)
{
	struct iovec parts[PORT_BATCH];
	struct mmsghdr messages[PORT_BATCH];
	char controls[PORT_BATCH][64];
	unsigned count = 0;
	int received;

	for (unsigned i = 0; i < PORT_BATCH; i++) {
		parts[i] = (struct iovec){.iov_base = receive_buffers[i], .iov_len = PORT_FRAME_MAX};
		messages[i] = (struct mmsghdr){.msg_hdr = {.msg_iov = &parts[i],
		                                           .msg_iovlen = 1,
		                                           .msg_control = controls[i],
		                                           .msg_controllen = sizeof controls[i]}};
	}
	received = recvmmsg(port->fd, messages, PORT_BATCH, MSG_DONTWAIT, NULL);
	if (received <= 0 && wait_readable(port->fd, until))
		received = recvmmsg(port->fd, messages, PORT_BATCH, MSG_DONTWAIT, NULL);
	for (int i = 0; i < received; i++) {
		arrivals[count].time = stamp(&messages[i].msg_hdr);
		count += read_packet(&arrivals[count], receive_buffers[i], messages[i].msg_len);
	}
	port->received += count;
	return count;
}

static void version_3_groups(const struct arrival *arrival, heard_group *ready, void *context)
{
	const uint8_t *at = arrival->payload + 8, *end = arrival->payload + arrival->size;
	unsigned records = get32(arrival->payload + 4) & 0xffff;

	for (; records > 0 && at + 8 <= end; records--) {
		unsigned sources = (unsigned)at[2] << 8 | at[3];
		bool joined = at[0] == IS_EX || at[0] == TO_EX || (at[0] != BLOCK && sources > 0);

		ready(context, get32(at + 4), joined, arrival->time);
		at += 8 + 4 * (size_t)(sources + at[1]);
	}
}

void arrival_groups(const struct arrival *arrival, heard_group *ready, void *context)
{
	uint8_t type = arrival->payload[0];

	if (type == 0x22)
		version_3_groups(arrival, ready, context);
	else if (type == 0x16 || type == 0x12 || type == 0x17)
		ready(context, get32(arrival->payload + 4), type != 0x17, arrival->time);
}
