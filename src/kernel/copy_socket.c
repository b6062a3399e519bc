/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/copy_socket.h"

#include "kernel/socket_option.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <sys/socket.h>
#include <unistd.h>

#define PROTOCOL_IGMP 2
#define HEADER_SIZE   40 /* of IPv6; IPv4: its options are not read */
#define STATEMENTS    (3 + COPY_SOCKET_STREAMS * 17 + 1)

/* Offsets from the IP header on. */
static const struct {
	uint16_t type;
	uint8_t source, group;
} layout[FAMILIES] = {
	[FAMILY_IPV4] = {ETH_P_IP, 12, 16},
	[FAMILY_IPV6] = {ETH_P_IPV6, 8, 24},
};

struct program {
	struct sock_filter code[STATEMENTS];
	unsigned short length;
};

static void put(struct program *program, uint16_t code, uint32_t value, uint8_t yes, uint8_t no)
{
	program->code[program->length++] = (struct sock_filter)BPF_JUMP(code, value, yes, no);
}

/* Continues while the address is the same; otherwise skips `rest` more statements. */
static void put_address(struct program *program, enum family family, const struct addr *addr, unsigned offset,
                        unsigned rest)
{
	const uint8_t *bytes = addr_wire_bytes(addr, family);
	size_t size = addr_wire_size(family);

	/* The last word first: it differs most. */
	while (size > 0) {
		uint32_t word;

		size -= sizeof word;
		memcpy(&word, bytes + size, sizeof word);
		put(program, BPF_LD | BPF_W | BPF_ABS, offset + (uint32_t)size, 0, 0);
		put(program, BPF_JMP | BPF_JEQ | BPF_K, ntohl(word), 0, (uint8_t)(size / 2 + rest));
	}
}

int copy_socket_seek(int fd, enum family family, const struct copy *streams, size_t count)
{
	struct program program = {.length = 0};
	unsigned source_length = (unsigned)addr_wire_size(family) / 2;

	/* IGMP messages are not part of a stream. */
	if (family == FAMILY_IPV4) {
		put(&program, BPF_LD | BPF_B | BPF_ABS, 9, 0, 0);
		put(&program, BPF_JMP | BPF_JEQ | BPF_K, PROTOCOL_IGMP, 0, 1);
		put(&program, BPF_RET | BPF_K, 0, 0, 0);
	}
	for (size_t i = 0; i < count; i++) {
		put_address(&program, family, &streams[i].group, layout[family].group, source_length + 1);
		put_address(&program, family, &streams[i].source, layout[family].source, 1);
		put(&program, BPF_RET | BPF_K, HEADER_SIZE, 0, 0);
	}
	put(&program, BPF_RET | BPF_K, 0, 0, 0);
	return socket_set_filter(fd, program.code, program.length);
}

/* The filter comes before the link, so that no other packet is ever queued. */
int copy_socket_open(int ifindex, enum family family)
{
	struct sockaddr_ll address = {
		.sll_family = AF_PACKET, .sll_protocol = htons(layout[family].type), .sll_ifindex = ifindex};
	int fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int result;

	if (fd < 0)
		return -errno;
	result = copy_socket_seek(fd, family, NULL, 0);
	if (result == 0 && bind(fd, (struct sockaddr *)&address, sizeof address) != 0)
		result = -errno;
	if (result == 0)
		return fd;
	close(fd);
	return result;
}

static struct addr read_addr(const uint8_t *header, enum family family, unsigned offset)
{
	return family == FAMILY_IPV4 ? addr_from_ipv4(header + offset) : addr_from_ipv6(header + offset);
}

bool copy_socket_receive(int fd, enum family family, struct copy *copy)
{
	uint8_t header[HEADER_SIZE];
	ssize_t size = recv(fd, header, sizeof header, 0);
	unsigned group = layout[family].group;

	/* The kernel reports once, as an error, that the link went down. */
	if (size < 0 && errno != EAGAIN)
		size = recv(fd, header, sizeof header, 0);
	if (size < (ssize_t)(group + addr_wire_size(family)))
		return false;
	copy->source = read_addr(header, family, layout[family].source);
	copy->group = read_addr(header, family, group);
	return true;
}
