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

/* br0 with the port eth0; eth1 with two VLANs, of which one is down; eth2 in a VRF. */
static struct interface_state list[] = {
	{.index = 1, .name = "br0", .is_bridge = true},
	{.index = 2, .name = "eth0", .master = 1, .master_kind = "bridge"},
	{.index = 3, .name = "eth1"},
	{.index = 4, .name = "eth1.4", .vlan_of = 3, .vlan = 4, .up = true},
	{.index = 5, .name = "eth1.5", .vlan_of = 3, .vlan = 5},
	{.index = 6, .name = "red"},
	{.index = 7, .name = "eth2", .master = 6, .master_kind = "vrf"},
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

static void take_tagged(struct capture *capture, int interface, bool outgoing, unsigned vlan,
                        const char *source, const char *group, unsigned ttl, uint8_t protocol)
{
	uint8_t packet[64];
	size_t size = packet_of(packet, source, group, ttl, protocol);

	capture_take(capture, &interfaces, &(struct capture_frame){interface, outgoing, vlan, {0}}, packet,
	             size);
}

static void take(struct capture *capture, int interface, bool outgoing, const char *source, const char *group,
                 unsigned ttl, uint8_t protocol)
{
	take_tagged(capture, interface, outgoing, 0, source, group, ttl, protocol);
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

/* Packets with a tag count on the VLAN interface if there is one that is up. */
static void tags_without_an_interface_are_kept(void **state)
{
	static const struct {
		unsigned vlan;
		bool outgoing;
		size_t count;
	} rows[] = {{0, false, 1}, {4, false, 0}, {5, false, 1}, {6, false, 1}, {4, true, 0}, {6, true, 0}};

	(void)state;
	for (size_t i = 0; i < LENGTH(rows); i++) {
		struct capture capture = {.group = addr_of("239.1.2.3")};
		struct sighting sum;

		take_tagged(&capture, 3, rows[i].outgoing, rows[i].vlan, "10.0.0.10", "239.1.2.3", 8,
		            IPPROTO_UDP);
		assert_int_equal(capture.count, rows[i].count);
		if (capture.count > 0)
			assert_int_equal(capture.list[0].vlan, rows[i].vlan);
		assert_int_equal(capture_sum(&capture, NULL, 3, rows[i].outgoing, &sum), rows[i].vlan == 0);
	}
}

static void members_of_a_vrf_stand_for_themselves(void **state)
{
	struct capture capture = {.group = addr_of("239.1.2.3")};

	(void)state;
	take(&capture, 7, false, "10.0.0.10", "239.1.2.3", 8, IPPROTO_UDP);
	assert_int_equal(capture.count, 1);
	assert_int_equal(capture.list[0].interface, 7);
}

static void every_group_that_routers_forward(void **state)
{
	struct capture capture = {.group = addr_unspecified(FAMILY_IPV4)};

	(void)state;
	take(&capture, 3, false, "10.0.0.10", "239.1.2.3", 8, IPPROTO_UDP);
	take(&capture, 3, false, "10.0.0.10", "239.1.2.4", 8, IPPROTO_UDP);
	take(&capture, 3, false, "10.0.0.10", "224.0.0.251", 8, IPPROTO_UDP);
	take(&capture, 3, false, "10.0.0.10", "10.0.0.11", 8, IPPROTO_UDP);
	assert_int_equal(capture.count, 1);
	assert_int_equal(capture.list[0].packets, 2);
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
	capture_take(&capture, &interfaces, &(struct capture_frame){.interface = 3}, packet, 19);
	assert_int_equal(capture.count, 0);
	/* A header longer than the packet: no port. */
	packet[0] = 0x4f;
	capture_take(&capture, &interfaces, &(struct capture_frame){.interface = 3}, packet, 20);
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
		cmocka_unit_test(tags_without_an_interface_are_kept),
		cmocka_unit_test(members_of_a_vrf_stand_for_themselves),
		cmocka_unit_test(every_group_that_routers_forward),
		cmocka_unit_test(what_is_no_stream_is_passed_over),
		cmocka_unit_test(too_many_sources_are_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
