# SPDX-License-Identifier: BSD-2-Clause
"""Packets that must not be believed, and odd ones that must: each wrong one causes no join, is counted under its cause, and
disturbs nobody."""

import struct

import pytest
import wire
from ctl import ask
from families import FAMILIES, IPV4, IPV6
from netlab import CraftedHost, CraftedHost6, Daemon, Record, Sender, send_packet, tables, wait_until

both_families = pytest.mark.parametrize("family", FAMILIES, ids=str)
QUICK = "query_interval = 60; last_member_query_interval = 0.2; "
ROUTER_ALERT6 = b"\5\2\0\0"


class Scene:
    """A running stream that must not suffer, and a guest that sends what is to be judged."""

    def __init__(self, network, family, settings=""):
        self.network = network
        self.family = family
        self.daemon = family.daemon(network, QUICK + settings)
        self.guest = family.guest(network.host)
        self.witness = family.receiver(network.host).join(family.other_group)
        Sender(network.source, "eth0", family.other_group).start(pps=50)
        self.witness.wait_for(3)

    def send(self, packet):
        send_packet(self.network.host, "eth0", packet)

    def group(self, number):
        return f"239.66.0.{number}" if self.family is IPV4 else f"ff1e::66:{number}"

    def joined(self):
        """All groups joined upstream, once everything sent before has been taken in."""
        marker = self.group(250)
        self.guest.report(Record("TO_EX", marker))
        wait_until(lambda: marker in self.family.joined(self.network), what="the marker")
        return set(self.family.joined(self.network))

    def expect_refused(self, cause, count, groups=()):
        """None of the groups is joined, the cause was logged with its count, and the stream continues."""
        assert not self.joined() & set(groups)
        logged = 1 << count.bit_length() - 1  # the log has a line for each power of two
        wait_until(lambda: f"dropped: {cause} ({logged} so far)" in self.daemon.stderr, 2,
                   lambda: f"{logged} times {cause!r} in {self.daemon.stderr}")
        assert f"dropped: {cause} ({logged * 2} so far)" not in self.daemon.stderr
        self.expect_undisturbed()

    def expect_undisturbed(self):
        self.witness.wait_for(2)
        assert not self.witness.gaps()


def report_bytes(family, *records):
    return (wire.igmp_v3_report if family is IPV4 else wire.mld_v2_report)(*records)


def pack(family, payload, destination=None, source=None, **header):
    """An IP packet around a message, whose checksum is put right: IGMP's own, or ICMPv6's."""
    source = source or family.guest_address
    if family is IPV4:
        payload = payload[:2] + struct.pack("!H", wire.checksum(payload[:2] + b"\0\0" + payload[4:])) + payload[4:]
        return wire.ipv4_packet(source, destination or "224.0.0.22", payload, **header)
    return wire.ipv6_packet(source, destination or "ff02::16", payload, **header)


def older_join(family, group):
    return wire.igmp_simple(wire.IGMP_V2_REPORT, group) if family is IPV4 else wire.mld_simple(wire.MLD_V1_REPORT, group)


def older_leave(family, group):
    return wire.igmp_simple(wire.IGMP_LEAVE, group) if family is IPV4 else wire.mld_simple(wire.MLD_DONE, group)


def corrupt(packet):
    """One bit of the message's checksum is wrong."""
    at = 26 if packet[0] >> 4 == 4 else 50
    return packet[:at] + bytes([packet[at] ^ 1]) + packet[at + 1:]


def fix_length(packet, change):
    """The length in the IP header is larger or smaller than that of the packet."""
    at = 2 if packet[0] >> 4 == 4 else 4
    length = struct.unpack_from("!H", packet, at)[0] + change
    packet = packet[:at] + struct.pack("!H", length) + packet[at + 2:]
    return fix_header(packet)


def fix_header(packet):
    if packet[0] >> 4 != 4:
        return packet
    size = (packet[0] & 15) * 4
    total = wire.checksum(packet[:10] + b"\0\0" + packet[12:size])
    return packet[:10] + struct.pack("!H", total) + packet[12:]


@pytest.mark.smoke
@both_families
def test_bad_checksum(router, family):
    scene = Scene(router, family)
    one, two = scene.group(1), scene.group(2)
    scene.send(corrupt(pack(family, report_bytes(family, Record("TO_EX", one)))))
    scene.send(corrupt(pack(family, older_join(family, two), two)))
    scene.expect_refused("bad checksum", 2, (one, two))


def test_bad_checksum_of_the_ip_header(router):
    scene = Scene(router, IPV4)
    packet = pack(IPV4, older_join(IPV4, scene.group(1)), scene.group(1))
    scene.send(packet[:10] + bytes([packet[10] ^ 1]) + packet[11:])
    scene.expect_refused("bad IP checksum", 1, (scene.group(1),))


@pytest.mark.smoke
@both_families
def test_lengths_and_counts_past_the_end(router, family):
    """Nothing of such a report is used, not even the records before the broken one."""
    scene = Scene(router, family)
    group = scene.group
    good = report_bytes(family, Record("TO_EX", group(1)), Record("TO_EX", group(2)))
    with_sources = report_bytes(family, Record("ALLOW", group(4), family.sources[:2]))
    at = 8 + 2  # the number of sources of the first record
    packets = [
        pack(family, good[:6] + struct.pack("!H", 3) + good[8:]),  # a record that is not there
        pack(family, good[:6] + struct.pack("!H", 65535) + good[8:]),
        pack(family, good[:-1]),
        pack(family, good[:8 + 3]),
        pack(family, with_sources[:at] + struct.pack("!H", 3) + with_sources[at + 2:]),  # a source that is not there
        pack(family, with_sources[:at] + struct.pack("!H", 65535) + with_sources[at + 2:]),
        pack(family, good[:9] + b"\xff" + good[10:]),  # auxiliary data past the end
        pack(family, good[:7]),
    ]
    for packet in packets:
        scene.send(packet)
    scene.expect_refused("bad length", len(packets), [group(1), group(2), group(4)])


@both_families
def test_short_messages_of_the_older_versions(router, family):
    scene = Scene(router, family)
    groups = [scene.group(1), scene.group(2)]
    scene.send(pack(family, older_join(family, groups[0])[:-1], groups[0]))
    scene.send(pack(family, older_join(family, groups[1])[:4], groups[1]))
    scene.send(pack(family, older_leave(family, family.other_group)[:-2], "224.0.0.2" if family is IPV4 else "ff02::2"))
    scene.send(pack(family, older_join(family, groups[1])[:0], groups[1]) if family is IPV4 else
               pack(family, older_join(family, groups[1])[:5], groups[1]))
    scene.expect_refused("bad length", 4, groups)


@both_families
def test_queries_of_impossible_length(router, family):
    """Between the older and the newer query's length, or sources past the end (RFC 9776 section 7.1, RFC 9777 section 8.1):
    they are not heard, so the router stays querier."""
    scene = Scene(router, family)
    query = wire.igmp_query() if family is IPV4 else wire.mld_query()
    lower = "10.0.1.0" if family is IPV4 else "fe80::1"
    for payload in (query[:-1], query[:-3], query[:-2] + b"\0\1", query[:-2] + b"\xff\xff"):
        scene.send(pack(family, payload, family.general_destination, source=lower))
    scene.expect_refused("bad length", 4)
    assert "querier: another router" not in scene.daemon.stderr
    # A longer one is in order: what is beyond the known fields is for later versions.
    scene.send(pack(family, query + b"later", family.general_destination, source=lower))
    scene.daemon.wait_for_output("querier: another router")


@both_families
def test_ip_header_that_does_not_fit_the_packet(router, family):
    scene = Scene(router, family)
    group = scene.group(1)
    packet = pack(family, report_bytes(family, Record("TO_EX", group)))
    scene.send(fix_length(packet, 8))
    assert group not in scene.joined()
    assert any(f"dropped: {cause}" in scene.daemon.stderr for cause in ("bad IP header", "bad length"))
    scene.expect_undisturbed()


@both_families
def test_padding_after_the_ip_packet_is_ignored(router, family):
    """Ethernet pads short frames."""
    scene = Scene(router, family)
    scene.send(pack(family, older_join(family, scene.group(1)), scene.group(1)) + bytes(14))
    assert scene.group(1) in scene.joined()


def test_fragments(router):
    scene = Scene(router, IPV4)
    packet = pack(IPV4, older_join(IPV4, scene.group(1)), scene.group(1))
    scene.send(fix_header(packet[:6] + b"\x20\0" + packet[8:]))  # more fragments
    scene.send(fix_header(packet[:6] + b"\0\1" + packet[8:]))  # a later one
    scene.expect_refused("fragment", 2, (scene.group(1),))


@pytest.mark.smoke
@both_families
def test_ttl_other_than_1(router, family):
    """It may come from beyond a router."""
    scene = Scene(router, family)
    name = "ttl" if family is IPV4 else "hop_limit"
    groups = [scene.group(number) for number in range(1, 5)]
    scene.send(pack(family, older_join(family, groups[0]), groups[0], **{name: 2}))
    scene.send(pack(family, report_bytes(family, Record("TO_EX", groups[1])), **{name: 255}))
    scene.send(pack(family, report_bytes(family, Record("TO_EX", groups[2])), **{name: 0}))
    routers = "224.0.0.2" if family is IPV4 else "ff02::2"
    scene.send(pack(family, older_leave(family, family.other_group), routers, **{name: 64}))
    scene.expect_refused("TTL or hop limit not 1", 4, groups)


def test_igmp_without_router_alert_is_accepted(router):
    """Old hosts send it so (RFC 9776 section 9)."""
    scene = Scene(router, IPV4)
    scene.guest.join(scene.group(1), router_alert=False)
    scene.guest.report(Record("TO_EX", scene.group(2)), router_alert=False)
    scene.guest.join(scene.group(3), version=1, router_alert=False)
    assert {scene.group(number) for number in (1, 2, 3)} <= scene.joined()
    scene.guest.leave(scene.group(1), router_alert=False)
    wait_until(lambda: scene.group(1) not in IPV4.joined(router), what="the leave")


@pytest.mark.smoke
def test_mld_without_router_alert_is_rejected(router):
    """RFC 9777 section 10: a router silently discards it."""
    scene = Scene(router, IPV6)
    groups = [scene.group(number) for number in range(1, 4)]
    scene.guest.join(groups[0], router_alert=False)
    scene.guest.report(Record("TO_EX", groups[1]), router_alert=False)
    # Hop-by-hop options without it, and with another value than MLD's.
    for number, options in ((2, b"\1\4\0\0\0\0"), (2, b"\5\2\0\1\1\0")):
        packet = pack(IPV6, report_bytes(IPV6, Record("TO_EX", groups[number])))
        scene.send(packet[:42] + options + packet[48:])
    scene.expect_refused("no router alert", 4, groups)


def test_router_alert_is_found_among_other_options(router):
    scene = Scene(router, IPV6)
    packet = pack(IPV6, report_bytes(IPV6, Record("TO_EX", scene.group(1))))
    scene.send(packet[:42] + b"\1\0" + ROUTER_ALERT6 + packet[48:])  # padding first
    options = b"\x3a\1" + b"\x1e\4\1\2\3\4" + ROUTER_ALERT6 + b"\1\2\0\0"  # an option to be skipped, in 16 bytes
    packet = pack(IPV6, report_bytes(IPV6, Record("TO_EX", scene.group(2))))
    scene.send(packet[:4] + struct.pack("!H", len(packet) - 40 + 8) + packet[6:40] + options + packet[48:])
    assert {scene.group(1), scene.group(2)} <= scene.joined()


def test_mld_from_an_address_that_is_not_link_local_is_rejected(router):
    scene = Scene(router, IPV6)
    groups = [scene.group(number) for number in range(1, 4)]
    scene.send(pack(IPV6, older_join(IPV6, groups[0]), groups[0], source="fd00:1::77"))
    scene.send(pack(IPV6, report_bytes(IPV6, Record("TO_EX", groups[1])), source="2001:db8::1"))
    scene.send(pack(IPV6, wire.mld_query(), "ff02::1", source="fd00:1::1"))
    scene.send(pack(IPV6, older_leave(IPV6, IPV6.other_group), "ff02::2", source="fd00:1::77"))
    scene.expect_refused("source not link-local", 4, groups)
    assert "querier: another router" not in scene.daemon.stderr


def test_what_the_standards_want_logged_is_logged_once(router):
    """RFC 9777 section 5.1.14: queries from an address that is not link-local; RFC 4604: older joins in the SSM range."""
    network = router
    daemon = Daemon(network.router, 'instances = ("eth0 ==> eth1");', vifs=("eth0", "eth1"), vifs6=("eth0", "eth1"))
    daemon.wait_for_output(": in use, vif 1")
    for _ in range(3):
        CraftedHost6(network.host, "eth0", "fd00:1::77").query()
        CraftedHost(network.host, "eth0", "10.0.1.77").join("232.1.1.1")
        CraftedHost6(network.host, "eth0", "fe80::77").join("ff3e::1")
    daemon.wait_for_output("eth1: dropped: source not link-local (1 so far)")
    daemon.wait_for_output("eth1: dropped: not allowed in SSM range (1 so far)")
    assert daemon.stderr.count("dropped: ") == 2


def test_mld_from_the_unspecified_address(router):
    """RFC 9777 sections 5.1.14 and 5.2.14: a router discards reports and dones, which hosts send so while their address is
    tentative, and queries."""
    scene = Scene(router, IPV6)
    groups = [scene.group(1), scene.group(2)]
    scene.send(pack(IPV6, report_bytes(IPV6, Record("TO_EX", groups[0])), source="::"))
    scene.send(pack(IPV6, older_join(IPV6, groups[1]), groups[1], source="::"))
    scene.send(pack(IPV6, report_bytes(IPV6, Record("TO_IN", IPV6.other_group)), source="::"))
    scene.send(pack(IPV6, older_leave(IPV6, IPV6.other_group), "ff02::2", source="::"))
    scene.expect_refused("report from ::", 4, groups)
    drops = ask(scene.daemon, "show", what="links", link="eth1")["links"][0]["drops"]
    assert drops["report from ::"] == 4 and "source not link-local" not in drops
    scene.send(pack(IPV6, wire.mld_query(), "ff02::1", source="::"))
    scene.expect_refused("source not link-local", 1)
    assert "querier: another router" not in scene.daemon.stderr


@both_families
def test_groups_that_are_not_multicast(router, family):
    scene = Scene(router, family)
    wrong = ("10.0.0.10", "0.0.0.0", "255.255.255.255") if family is IPV4 else ("fd00::10", "::", "fe80::1")
    for address in wrong:
        scene.send(pack(family, report_bytes(family, Record("TO_EX", address))))
        scene.send(pack(family, older_join(family, address), scene.group(1)))
    scene.expect_refused("group not multicast", 6, wrong)


@both_families
def test_a_bad_group_among_good_ones_costs_only_itself(router, family):
    scene = Scene(router, family)
    wrong = "10.0.0.10" if family is IPV4 else "fd00::10"
    narrow = "224.0.0.77" if family is IPV4 else "ff02::77"
    scene.guest.report(Record("TO_EX", scene.group(1)), Record("TO_EX", wrong), Record("TO_EX", narrow),
                       Record("ALLOW", scene.group(2), family.sources[:1]))
    joined = scene.joined()
    assert {scene.group(1), scene.group(2)} <= joined
    assert not {wrong, narrow} & joined
    for cause in ("group not multicast", "group of link scope"):
        assert f"dropped: {cause}" in scene.daemon.stderr


@pytest.mark.smoke
@both_families
def test_unknown_record_types_are_skipped_and_the_next_record_is_used(router, family):
    """RFC 9776 section 4.2.12, RFC 9777 section 5.2.12."""
    scene = Scene(router, family)
    for number, kind in enumerate((0, 7, 255), 1):
        payload = report_bytes(family, Record("ALLOW", scene.group(number), family.sources[:2]),
                               Record("TO_EX", scene.group(10 + number)))
        scene.send(pack(family, payload[:8] + bytes([kind]) + payload[9:]))
    scene.expect_refused("unknown record type", 3, [scene.group(number) for number in (1, 2, 3)])
    assert {scene.group(number) for number in (11, 12, 13)} <= scene.joined()


@both_families
def test_auxiliary_data_and_what_follows_the_records_are_skipped(router, family):
    """RFC 9776 sections 4.2.10 and 4.2.11: ignored, but part of the checksum."""
    scene = Scene(router, family)
    first = report_bytes(family, Record("ALLOW", scene.group(1), family.sources[:1]))
    second = report_bytes(family, Record("TO_EX", scene.group(2)))
    payload = first[:6] + struct.pack("!H", 2) + first[8:9] + b"\2" + first[10:] + b"auxiliar" + second[8:] + b"trailer"
    scene.send(pack(family, payload))
    assert {scene.group(1), scene.group(2)} <= scene.joined()
    assert "dropped: bad" not in scene.daemon.stderr


@both_families
def test_reserved_fields_are_ignored(router, family):
    scene = Scene(router, family)
    payload = bytearray(report_bytes(family, Record("TO_EX", scene.group(1))))
    payload[1] = 0xFF
    payload[4:6] = b"\xff\xff"
    scene.send(pack(family, bytes(payload)))
    payload = bytearray(older_join(family, scene.group(2)))
    payload[1] = 0xFF
    scene.send(pack(family, bytes(payload), scene.group(2)))
    assert {scene.group(1), scene.group(2)} <= scene.joined()


def test_unknown_igmp_types(router):
    """DVMRP, PIMv1, trace and types without a meaning yet."""
    scene = Scene(router, IPV4)
    for kind in (0x00, 0x13, 0x14, 0x1F, 0x23, 0xFF):
        scene.send(pack(IPV4, bytes([kind]) + wire.igmp_simple(0, scene.group(1))[1:], scene.group(1)))
    scene.expect_refused("unknown type", 6, (scene.group(1),))


def test_other_icmpv6_messages_are_none_of_our_business(router):
    scene = Scene(router, IPV6)
    for kind in (128, 133, 134, 135, 151, 255):
        scene.send(pack(IPV6, bytes([kind]) + wire.mld_simple(0, scene.group(1))[1:], "ff02::1"))
    assert scene.group(1) not in scene.joined()
    scene.expect_undisturbed()


@pytest.mark.smoke
@both_families
def test_reports_and_leaves_on_the_upstream_link_are_ignored(router, family):
    """Else all of the neighbours' groups would be joined, and left."""
    network = router
    scene = Scene(network, family)
    neighbour = family.guest(network.source, "10.0.0.77" if family is IPV4 else None)
    neighbour.join(scene.group(1))
    neighbour.report(Record("TO_EX", scene.group(2)))
    neighbour.leave(family.other_group)
    neighbour.report(Record("TO_IN", family.other_group))
    scene.daemon.wait_for_output("dropped: report on upstream")
    assert not scene.joined() & {scene.group(1), scene.group(2)}
    scene.expect_undisturbed()


def ssm_attempts(scene, group):
    """All that asks for every source of a group; returns how many messages."""
    family, guest = scene.family, scene.guest
    guest.join(group)
    guest.report(Record("TO_EX", group))
    guest.report(Record("IS_EX", group))
    guest.report(Record("TO_EX", group, family.sources[:1]))
    if family is IPV4:
        guest.join(group, version=1)
        return 5
    return 4


@pytest.mark.smoke
@both_families
def test_source_specific_range_takes_no_joins_without_sources(router, family):
    """RFC 4604 section 2.2."""
    scene = Scene(router, family)
    others = {IPV4: ("231.255.255.255", "233.0.0.0"), IPV6: ("ff2e::1", "ff3e:1::1")}[family]
    edges = {IPV4: ("232.0.0.1", "232.255.255.255"), IPV6: ("ff35::1", "ff3e::ffff:ffff")}[family]
    count = 0
    for group in edges:
        count += ssm_attempts(scene, group)
    for group in others:
        scene.guest.join(group)
    scene.expect_refused("not allowed in SSM range", count, edges)
    assert set(others) <= scene.joined()
    # Sources by name are what the range is for, and a leave of a group by an old host changes nothing.
    scene.guest.report(Record("ALLOW", edges[0], family.sources[:1]))
    wait_until(lambda: edges[0] in family.joined(router), what="the join of a source")
    scene.guest.leave(edges[0])
    assert edges[0] in scene.joined()
    capture = family.capture(router.host)
    scene.guest.leave(edges[0])
    scene.guest.report(Record("BLOCK", edges[0], family.sources[:1]))
    wait_until(lambda: edges[0] not in family.joined(router), what="the end of the source")
    assert all(query.sources for query in capture.select("query", group=edges[0]))


@both_families
def test_source_specific_range_can_be_changed(router, family):
    mine, usual = ("239.66.0.0/16", "232.1.1.1") if family is IPV4 else ("ff1e::66:0/112", "ff3e::1")
    scene = Scene(router, family, f'ssm_range = "{mine}";')
    # The marker of this scene is in the range: another one has to do.
    scene.guest.report(Record("TO_EX", scene.group(1)))
    scene.guest.join(scene.group(2))
    scene.guest.join(usual)
    wait_until(lambda: usual in family.joined(router), what="the join of what is usually source-specific")
    assert not {scene.group(1), scene.group(2)} & set(family.joined(router))
    scene.guest.report(Record("ALLOW", scene.group(1), family.sources[:1]))
    wait_until(lambda: scene.group(1) in family.joined(router), what="the join of a source")


@both_families
def test_network_of_sources_only(router, family):
    """RFC 9776 section 7.3.1: an option for networks that operate in SSM mode only; here the range is all groups."""
    everything = "224.0.0.0/4" if family is IPV4 else "ff00::/8"
    family.daemon(router, f'ssm_range = "{everything}";')
    guest = family.guest(router.host)
    guest.join(family.group)
    guest.report(Record("TO_EX", family.group))
    guest.report(Record("ALLOW", family.other_group, family.sources[:1]))
    wait_until(lambda: family.other_group in family.joined(router), what="the join of a source")
    assert family.group not in family.joined(router)


@both_families
def test_source_specific_range_can_be_turned_off(router, family):
    scene = Scene(router, family, 'ssm_range = "none";')
    scene.guest.join(family.ssm_group)
    assert family.ssm_group in scene.joined()


@pytest.mark.parametrize("address", ["0.0.0.0", "192.0.2.77", "10.0.0.10"])
def test_igmp_from_any_source_address_is_accepted(router, address):
    """Hosts report from 0.0.0.0 before they have an address, and subnets overlap on one wire (RFC 9776 section 4.2.14)."""
    scene = Scene(router, IPV4)
    guest = IPV4.guest(router.host, address)
    guest.report(Record("TO_EX", scene.group(1)))
    guest.join(scene.group(2))
    guest.join(scene.group(3), version=1)
    guest.report(Record("ALLOW", "232.7.7.7", IPV4.sources[:1]))
    assert {scene.group(1), scene.group(2), scene.group(3), "232.7.7.7"} <= scene.joined()
    guest.leave(scene.group(2))
    wait_until(lambda: scene.group(2) not in IPV4.joined(router), what="the leave")


@both_families
def test_reports_to_any_destination_are_accepted(router, family):
    """RFC 9776 section 4.2.15, RFC 9777 section 5.2.14: a router must accept them to any of its own addresses."""
    scene = Scene(router, family)
    own = "10.0.1.1" if family is IPV4 else router.router.link_local("eth1")
    scene.send(pack(family, report_bytes(family, Record("TO_EX", scene.group(1))), own))
    scene.send(pack(family, report_bytes(family, Record("TO_EX", scene.group(2))), scene.group(2)))
    assert {scene.group(1), scene.group(2)} <= scene.joined()


@both_families
def test_sources_that_are_no_addresses_of_hosts(router, family):
    """A list with a multicast address or zero in it does no harm: no traffic can come from there."""
    scene = Scene(router, family)
    odd = (family.group, family.unspecified, family.sources[0])
    scene.guest.report(Record("ALLOW", scene.group(1), odd))
    assert scene.group(1) in scene.joined()
    scene.expect_undisturbed()


@pytest.mark.smoke
@both_families
def test_limits_of_groups_and_sources(router, family):
    scene = Scene(router, family, "groups_max = 5; sources_max = 3;")
    for number in range(1, 20):
        scene.guest.report(Record("TO_EX", scene.group(number)))
    scene.daemon.wait_for_output("groups_max")
    asked = {scene.group(number) for number in range(1, 20)}
    wait_until(lambda: len(asked & set(family.joined(router))) == 4, what="as many groups as the limit")
    scene.guest.report(Record("TO_IN", scene.group(1)))
    wait_until(lambda: scene.group(1) not in family.joined(router), what="room for another group")
    base = "10.5.0.%d" if family is IPV4 else "fd05::%d"
    scene.guest.report(Record("ALLOW", scene.group(30), tuple(base % number for number in range(1, 10))))
    scene.daemon.wait_for_output("sources_max")
    scene.expect_undisturbed()


def test_garbage_of_every_length_does_no_harm(router):
    """All prefixes of a valid report, and messages of one repeated byte."""
    scene = Scene(router, IPV4)
    scene6 = IPV6.guest(router.host)
    payload = report_bytes(IPV4, Record("ALLOW", scene.group(1), IPV4.sources[:2]))
    for size in range(len(payload)):
        scene.send(pack(IPV4, payload[:size].ljust(4, b"\0")[:max(size, 4)]))
    for byte in range(0, 256, 5):
        scene.guest.send(bytes([byte]) * 40, "224.0.0.22")
        scene6.send(bytes([byte]) * 40, "ff02::16")
    scene.send(pack(IPV4, payload)[:20])
    scene.send(pack(IPV4, payload)[:23])
    assert scene.group(1) not in scene.joined()
    scene.expect_undisturbed()


def test_igmp_type_in_other_protocols_is_not_read(router):
    scene = Scene(router, IPV4)
    report = report_bytes(IPV4, Record("TO_EX", scene.group(1)))
    scene.send(wire.ipv4_packet(IPV4.guest_address, "224.0.0.22", report, protocol=17))
    assert scene.group(1) not in scene.joined()
    assert tables.vifs(router.router)
