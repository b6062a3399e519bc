/* SPDX-License-Identifier: BSD-2-Clause */
#include "support/lab.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

bool lab_is_open;

void lab_run(const char *format, ...)
{
	char command[512];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(command, sizeof command, format, arguments);
	va_end(arguments);
	if (system(command) != 0)
		fail_msg("failed: %s", command);
}

bool lab_holds(const char *format, ...)
{
	char command[512];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(command, sizeof command, format, arguments);
	va_end(arguments);
	return system(command) == 0;
}

int lab_open(void **state)
{
	(void)state;
	if (geteuid() != 0 || unshare(CLONE_NEWNET) != 0)
		return 0;
	lab_is_open = true;
	lab_run("ip link set lo up");
	/* New interfaces take over what stands here: no reverse path filter, no duplicate address
	 * detection. */
	lab_run("cd /proc/sys/net && echo 0 >ipv4/conf/all/rp_filter && echo 0 "
	        ">ipv4/conf/default/rp_filter && echo 0 >ipv6/conf/default/accept_dad && echo 0 "
	        ">ipv6/conf/default/dad_transmits");
	return 0;
}

void lab_await_up(int n)
{
	lab_run("for i in $(seq 500); do test $(ip link show | grep -cE '(eth|peer)%d@.* state UP') = 2 && "
	        "exit 0; sleep 0.01; done; exit 1",
	        n);
}

void lab_add_pair(int n)
{
	lab_run("ip link add eth%d type veth peer name peer%d", n, n);
	lab_run("ip link set eth%d up && ip link set peer%d up", n, n);
	lab_await_up(n);
}

void lab_del_pair(int n)
{
	lab_run("ip link del eth%d", n);
}

int lab_index(const char *name)
{
	int ifindex = (int)if_nametoindex(name);

	assert_true(ifindex > 0);
	return ifindex;
}

int64_t lab_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

bool lab_wait(int fd, int timeout)
{
	struct pollfd entry = {.fd = fd, .events = POLLIN};

	return poll(&entry, 1, timeout) == 1;
}

int lab_wire(const char *name)
{
	struct sockaddr_ll address = {
		.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL), .sll_ifindex = lab_index(name)};
	int on = 1, fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof on), 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
	return fd;
}

static const uint8_t lab_source_mac[ETH_ALEN] = {0x02, 0, 0, 0, 0, 0x99};

struct lab_frame lab_frame_of(const uint8_t *mac, int vlan, uint16_t type, const void *packet, size_t size)
{
	struct lab_frame frame = {.size = 14};

	memcpy(frame.bytes, mac, ETH_ALEN);
	memcpy(frame.bytes + 6, lab_source_mac, ETH_ALEN);
	if (vlan >= 0) {
		memcpy(frame.bytes + 12, (uint8_t[]){0x81, 0, (uint8_t)(vlan >> 8), (uint8_t)vlan}, 4);
		frame.size += 4;
	}
	frame.bytes[frame.size - 2] = (uint8_t)(type >> 8);
	frame.bytes[frame.size - 1] = (uint8_t)type;
	memcpy(frame.bytes + frame.size, packet, size);
	frame.size += size;
	return frame;
}

void lab_put_frame(int wire, const struct lab_frame *frame)
{
	assert_int_equal(send(wire, frame->bytes, frame->size, 0), (ssize_t)frame->size);
}

void lab_group_mac(const struct addr *group, uint8_t mac[ETH_ALEN])
{
	const uint8_t *low = group->bytes + 12;

	if (addr_family(group) == FAMILY_IPV4)
		memcpy(mac, (uint8_t[]){1, 0, 0x5e, low[1] & 0x7f, low[2], low[3]}, ETH_ALEN);
	else
		memcpy(mac, (uint8_t[]){0x33, 0x33, low[0], low[1], low[2], low[3]}, ETH_ALEN);
}

uint16_t lab_type(enum family family)
{
	return family == FAMILY_IPV4 ? ETH_P_IP : ETH_P_IPV6;
}

void lab_put(int wire, const struct addr *group, const void *packet, size_t size)
{
	uint8_t mac[ETH_ALEN];
	struct lab_frame frame;

	lab_group_mac(group, mac);
	frame = lab_frame_of(mac, -1, lab_type(addr_family(group)), packet, size);
	lab_put_frame(wire, &frame);
}

bool lab_take_frame(int wire, struct lab_frame *frame, int64_t until)
{
	for (;;) {
		ssize_t size = recv(wire, frame->bytes, sizeof frame->bytes, 0);
		int64_t left = until - lab_now();

		if (size >= 0) {
			frame->size = (size_t)size;
			return true;
		}
		assert_int_equal(errno, EAGAIN);
		if (left <= 0 || !lab_wait(wire, (int)left))
			return false;
	}
}

void lab_await(int wire, int count)
{
	int64_t until = lab_now() + LAB_PATIENCE;
	struct lab_frame frame;

	while (count > 0) {
		assert_true(lab_take_frame(wire, &frame, until));
		count -= memcmp(frame.bytes + ETH_ALEN, lab_source_mac, ETH_ALEN) == 0;
	}
}
