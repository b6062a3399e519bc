/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What a capture counts, and what it passes over.
 */
#include "ctl/machine/capture.h"

#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "support/craft.h"

/* br0 with the port eth0; eth1 alone. */
static struct interface_state list[] = {
	{.index = 1, .name = "br0", .is_bridge = true},
	{.index = 2, .name = "eth0", .master = 1},
	{.index = 3, .name = "eth1"},
};
static const struct interfaces interfaces = {list, LENGTH(list)};

static size_t packet_of(uint8_t packet[64], const char *source, const char *group, unsigned ttl,
                        uint8_t protocol)
{
	struct addr from = addr_of(source), to = addr_of(group);
	bool ipv4 = addr_family(&to) == FAMILY_IPV4;
	size_t header = ipv4 ? 20 : 40;

	memset(packet, 0, 64);
	packet[0] = ipv4 ? 0x45 : 0x60;
	packet[ipv4 ? 2 : 4] = 1; /* 256 bytes, 40 more with IPv6 */
	packet[ipv4 ? 8 : 7] = (uint8_t)ttl;
	packet[ipv4 ? 9 : 6] = protocol;
	memcpy(packet + (ipv4 ? 12 : 8), addr_wire_bytes(&from, addr_family(&from)), ipv4 ? 4 : 16);
	memcpy(packet + (ipv4 ? 16 : 24), addr_wire_bytes(&to, addr_family(&to)), ipv4 ? 4 : 16);
	packet[header + 2] = 5001 >> 8;
	packet[header + 3] = 5001 & 255;
	return header + 8;
}

static void take(struct capture *capture, int interface, bool outgoing, const char *source, const char *group,
                 unsigned ttl, uint8_t protocol)
{
	uint8_t packet[64];
	size_t size = packet_of(packet, source, group, ttl, protocol);

	capture_take(capture, &interfaces, interface, outgoing, packet, size);
}

static void packets_are_counted_by_source_and_interface(void **state)
{
	struct capture capture = {.group = addr_of("239.1.2.3")};
	struct addr source = addr_of("10.0.0.10"), other = addr_of("10.0.0.12");
	struct sighting sum;

	(void)state;
	take(&capture, 3, false, "10.0.0.10", "239.1.2.3", 8, IPPROTO_UDP);
	take(&capture, 3, false, "10.0.0.10", "239.1.2.3", 3, IPPROTO_UDP);
	take(&capture, 3, false, "10.0.0.11", "239.1.2.3", 9, IPPROTO_UDP);
	take(&capture, 1, true, "10.0.0.10", "239.1.2.3", 7, IPPROTO_UDP);
	assert_int_equal(capture.count, 3);
	assert_true(capture_sum(&capture, &source, 0, false, &sum));
	assert_int_equal(sum.packets, 2);
	assert_int_equal(sum.ttl_min, 3);
	assert_int_equal(sum.ttl_max, 8);
	assert_int_equal(sum.size_max, 256);
	assert_int_equal(sum.port, 5001);
	assert_int_equal(sum.interface, 3);
	assert_true(capture_sum(&capture, NULL, 3, false, &sum));
	assert_int_equal(sum.packets, 3);
	assert_true(capture_sum(&capture, &source, 1, true, &sum));
	assert_false(capture_sum(&capture, &source, 3, true, &sum));
	assert_false(capture_sum(&capture, &other, 0, false, &sum));
}

static void a_bridge_stands_for_its_ports(void **state)
{
	struct capture capture = {.group = addr_of("ff1e::1:3")};
	struct sighting sum;

	(void)state;
	take(&capture, 2, false, "fd00::10", "ff1e::1:3", 8, IPPROTO_UDP);
	take(&capture, 1, false, "fd00::10", "ff1e::1:3", 8, IPPROTO_UDP);
	assert_int_equal(capture.count, 1);
	assert_true(capture_sum(&capture, NULL, 0, false, &sum));
	assert_int_equal(sum.packets, 1);
	assert_int_equal(sum.interface, 1);
	assert_int_equal(sum.size_max, 296);
	assert_int_equal(sum.port, 5001);
}

static void what_is_no_stream_is_passed_over(void **state)
{
	struct capture capture = {.group = addr_of("239.1.2.3")};
	uint8_t packet[64];

	(void)state;
	take(&capture, 3, false, "10.0.0.10", "239.1.2.4", 8, IPPROTO_UDP);
	take(&capture, 3, false, "10.0.0.10", "239.1.2.3", 1, IPPROTO_IGMP);
	take(&capture, 3, false, "fd00::10", "ff1e::1:3", 1, IPPROTO_UDP);
	packet_of(packet, "10.0.0.10", "239.1.2.3", 8, IPPROTO_UDP);
	capture_take(&capture, &interfaces, 3, false, packet, 19);
	assert_int_equal(capture.count, 0);
	/* A header longer than the packet: no port. */
	packet[0] = 0x4f;
	capture_take(&capture, &interfaces, 3, false, packet, 20);
	assert_int_equal(capture.count, 1);
	assert_int_equal(capture.list[0].port, 0);
}

static void too_many_sources_are_counted(void **state)
{
	struct capture capture = {.group = addr_of("239.1.2.3")};
	char source[32];

	(void)state;
	for (int i = 0; i < CAPTURE_SIGHTS_MAX + 5; i++) {
		snprintf(source, sizeof source, "10.0.%d.%d", i / 250, i % 250);
		take(&capture, 3, false, source, "239.1.2.3", 8, IPPROTO_UDP);
	}
	assert_int_equal(capture.count, CAPTURE_SIGHTS_MAX);
	assert_int_equal(capture.overflow, 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(packets_are_counted_by_source_and_interface),
		cmocka_unit_test(a_bridge_stands_for_its_ports),
		cmocka_unit_test(what_is_no_stream_is_passed_over),
		cmocka_unit_test(too_many_sources_are_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
