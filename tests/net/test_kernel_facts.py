# SPDX-License-Identifier: BSD-2-Clause
"""What the daemon takes for granted about the Linux kernel, one fact a test.

When a test here fails, the kernel differs from what the code was built on: its name says what to think over.
No daemon runs in these tests.
"""

import contextlib
import dataclasses
import errno
import re
import socket
import struct
import time

import pytest

import rtnetlink
import wire
from capture import MEMBERSHIP_FILTER
from netlab import (Capture, CraftedHost, CraftedHost6, Membership, MulticastRouting, MulticastRouting6, Receiver,
                    Record, RouteNews, Sender, assert_stays, attach_filter, dump_multicast_routes, send_packet, tables,
                    wait_until)

pytestmark = pytest.mark.kernel_facts

GROUP = "239.1.1.1"
MARKER = {4: "239.255.255.250", 6: "ff1e::fa"}
ON_LO = {4: ("232.255.255.255", "127.0.0.1"), 6: ("ff31::1", "::1")}
UPSTREAM, DOWNSTREAM, DOWNSTREAM2 = 0, 1, 2  # vif numbers, as in the router topology


@dataclasses.dataclass(frozen=True)
class Family:
    number: int
    socket_family: int
    routing: type
    group: str
    source: str
    host: str
    sources: tuple  # for filters
    vifs: object
    routes: object

    def __str__(self):
        return f"IPv{self.number}"


IPV4 = Family(4, socket.AF_INET, MulticastRouting, GROUP, "10.0.0.10", "10.0.1.10",
              ("10.0.0.1", "10.0.0.2", "10.0.0.3"), tables.vifs, tables.routes)
IPV6 = Family(6, socket.AF_INET6, MulticastRouting6, "ff1e::1:1", "fd00::10", "fd00:1::10",
              ("fd00::1", "fd00::2", "fd00::3"), tables.vifs6, tables.routes6)


@pytest.fixture(params=[IPV4, IPV6], ids=str)
def family(request):
    return request.param


@contextlib.contextmanager
def fails_with(*numbers):
    with pytest.raises(OSError) as caught:
        yield
    assert caught.value.errno in numbers, errno.errorcode[caught.value.errno]


def make_routing(net, family, devices=("eth0", "eth1", "eth2")):
    mrt = family.routing(net.router)
    for device in devices:
        mrt.add_vif(device)
    return mrt


@pytest.fixture
def mrt(router_two_hosts, family):
    """Multicast routing with VIFs 0, 1, 2 on eth0, eth1, eth2."""
    return make_routing(router_two_hosts, family)


@pytest.fixture
def net(router_two_hosts):
    return router_two_hosts


def upcalls_before_marker(mrt, namespace, family=IPV4):
    """All upcalls that come before that of a packet of another stream, sent now on the same link."""
    Sender(namespace, "eth0", MARKER[family.number]).send()
    seen = []
    wait_until(lambda: seen.extend(mrt.upcalls()) or any(u.group == MARKER[family.number] for u in seen),
               what="the marker's upcall")
    marker = next(upcall for upcall in seen if upcall.group == MARKER[family.number])
    mrt.add_route(marker.source, marker.group, marker.vif)
    mrt.delete_route(marker.source, marker.group)
    return [upcall for upcall in seen if upcall is not marker]


def receiver_on(host, family):
    return Receiver(host, "eth0", family=family.socket_family).join(family.group)


# The routing socket and its table ----------------------------------------------------------------------------


def test_second_router_gets_eaddrinuse(lab, family):
    namespace = lab.namespace("router")
    first = family.routing(namespace)
    with fails_with(errno.EADDRINUSE):
        family.routing(namespace)
    first.close()
    family.routing(namespace)


def test_families_are_routed_independently(lab):
    namespace = lab.namespace("router")
    MulticastRouting(namespace)
    MulticastRouting6(namespace)


def test_several_tables_have_a_router_each(lab, family):
    namespace = lab.namespace("router")
    first = family.routing(namespace)
    second = family.routing(namespace, table=7)
    second.add_vif("lo")
    assert family.vifs(namespace) == []  # /proc shows the default table
    first.add_vif("lo")
    with fails_with(errno.EBUSY):
        first.set(209, 8)


def lead(namespace, family, selector, table):
    namespace.run(f"ip -{family.number} mrule add {selector} table {table} priority 100")


def test_rule_leads_a_devices_packets_to_a_table(net, family):
    """Also where no rule leads to that table any more: the default table does not get them."""
    default, own = make_routing(net, family), family.routing(net.router, table=7)
    own.add_vif("eth0")
    lead(net.router, family, "iif eth0", 7)
    Sender(net.source, "eth0", family.group).send()
    assert own.wait_for_upcall().source == family.source
    own.close()
    assert upcalls_before_marker(default, net.host, family) == []
    Sender(net.source, "eth0", family.group).send()
    assert upcalls_before_marker(default, net.host, family) == []


def test_rule_loses_a_renamed_device_and_finds_it_again(net, family):
    lead(net.router, family, "iif eth0", 7)

    def is_detached():
        rule = next(rule for rule in net.router.ip_json(f"-{family.number} mrule") if rule["priority"] == 100)
        return "iif_detached" in rule
    assert not is_detached()
    net.router.ip("link set eth0 down", "link set eth0 name wan", "link set wan up")
    assert is_detached()
    net.router.ip("link set wan down", "link set wan name eth0", "link set eth0 up")
    assert not is_detached()


def test_packets_of_this_machine_need_a_rule_by_outgoing_device(net, family):
    own = family.routing(net.router, table=7)
    own.add_vif("eth1")
    sender = Sender(net.router, "eth1", family.group)
    level, loop = ((socket.IPPROTO_IP, socket.IP_MULTICAST_LOOP) if family is IPV4
                   else (socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_LOOP))
    sender.socket.setsockopt(level, loop, 1)
    lead(net.router, family, "iif eth1", 7)
    sender.send()
    assert upcalls_before_marker(own, net.host, family) == []
    lead(net.router, family, "oif eth1", 7)
    sender.send()
    assert own.wait_for_upcall().group == family.group


def test_vif_by_ifindex_and_forwarding_need_no_ipv4_address_and_no_ip_forward(lab):
    source, router, host = (lab.namespace(role) for role in ("source", "router", "host"))
    lab.link(router, "eth0", source, "eth0", (), "10.0.0.10/24")
    lab.link(router, "eth1", host, "eth0", (), "10.0.1.10/24")
    router.sysctl("net/ipv4/ip_forward", 0)
    mrt = MulticastRouting(router)
    mrt.add_route("10.0.0.10", GROUP, mrt.add_vif("eth0"), [mrt.add_vif("eth1")])
    receiver = Receiver(host, "eth0").join(GROUP)
    Sender(source, "eth0", GROUP).send(3)
    wait_until(lambda: receiver.count("10.0.0.10") == 3, what="the packets")


def test_ipv6_multicast_forwarding_needs_no_forwarding_setting(net):
    net.router.sysctl("net/ipv6/conf/all/forwarding", 0)
    make_routing(net, IPV6).add_route(IPV6.source, IPV6.group, UPSTREAM, [DOWNSTREAM])
    receiver = receiver_on(net.host, IPV6)
    Sender(net.source, "eth0", IPV6.group).send(3)
    wait_until(lambda: receiver.count() == 3, what="the packets")


def test_vif_works_on_a_device_that_is_down(net):
    net.router.ip("link set eth1 down")
    make_routing(net, IPV4)
    assert [vif.name for vif in tables.vifs(net.router)] == ["eth0", "eth1", "eth2"]


def test_two_vifs_on_one_device_are_accepted_and_32_are_the_limit(lab):
    namespace = lab.namespace("router")
    mrt = MulticastRouting(namespace)
    for _ in range(32):
        mrt.add_vif("lo")
    with fails_with(errno.ENFILE):
        mrt.add_vif("lo")


def test_table_lives_as_long_as_any_reference_to_the_socket(net, family, mrt):
    mrt.add_route(family.source, family.group, UPSTREAM, [DOWNSTREAM])
    second = mrt.socket.dup()
    mrt.close()
    assert len(family.vifs(net.router)) == 3 and len(family.routes(net.router)) == 1
    second.close()
    assert family.vifs(net.router) == [] and family.routes(net.router) == {}


def test_assert_and_pim_outlive_the_socket(lab, family):
    namespace = lab.namespace("router")
    first = family.routing(namespace)
    assert (first.assertion, first.pim) == (0, 0)
    first.pim = 1
    assert (first.assertion, first.pim) == (1, 1)  # PIM implies assert
    first.done()
    first.close()
    second = family.routing(namespace)
    assert (second.assertion, second.pim) == (1, 1)
    second.pim = 0
    second.assertion = 0
    assert (second.assertion, second.pim) == (0, 0)


def test_any_raw_socket_may_delete_a_route(net):
    make_routing(net, IPV4).add_route(IPV4.source, GROUP, UPSTREAM, [DOWNSTREAM])
    with net.router.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_IGMP) as other:
        other.setsockopt(socket.IPPROTO_IP, 205, MulticastRouting._route(IPV4.source, GROUP, 0, ()))
    assert tables.routes(net.router) == {}


# Which packets reach which socket ----------------------------------------------------------------------------

_PACKET_ADD_MEMBERSHIP, _PACKET_MR_ALLMULTI, _PACKET_IGNORE_OUTGOING, _SOL_PACKET = 1, 2, 23, 263
_ETH_P_ALL, _ETH_P_IP = 3, 0x0800


class PacketSocket:
    """The socket a daemon has per link: datagrams, all protocols, filtered by BPF, nothing of its own."""

    def __init__(self, namespace, device):
        self.socket = namespace.socket(socket.AF_PACKET, socket.SOCK_DGRAM, 0)
        namespace.lab.defer(self.socket.close)
        self.socket.setblocking(False)
        attach_filter(self.socket, MEMBERSHIP_FILTER)
        self.socket.setsockopt(_SOL_PACKET, _PACKET_IGNORE_OUTGOING, 1)
        with namespace.entered():
            self.socket.bind((device, _ETH_P_ALL))
        self.messages = []

    def read(self):
        with contextlib.suppress(BlockingIOError):
            while True:
                self.messages.append(wire.decode(self.socket.recv(65536)))
        return self.messages

    def wait_for(self, predicate, what):
        return wait_until(lambda: next((m for m in self.read() if m and predicate(m)), None), what=what)


def send_all_igmp_kinds(guest):
    guest.join(GROUP, version=1)
    guest.join(GROUP)
    guest.leave(GROUP)
    guest.report(Record("TO_EX", GROUP))
    guest.query()


def test_packet_socket_sees_every_igmp_message_without_a_join(net):
    make_routing(net, IPV4)
    link = PacketSocket(net.router, "eth1")
    send_all_igmp_kinds(CraftedHost(net.host, "eth0", "10.0.1.77"))
    link.wait_for(lambda m: m.kind == "query", "the query, sent last")
    seen = [(m.kind, m.version, m.destination) for m in link.messages if m.source == "10.0.1.77"]
    assert seen == [("report", 1, GROUP), ("report", 2, GROUP), ("leave", 2, "224.0.0.2"), ("report", 3, "224.0.0.22"),
                    ("query", 3, "224.0.0.1")]
    assert set(tables.igmp_groups(net.router, "eth1")) == {"224.0.0.1"}


def test_packet_socket_sees_every_mld_message_without_a_join(net):
    make_routing(net, IPV6)
    link = PacketSocket(net.router, "eth1")
    guest = CraftedHost6(net.host, "eth0", "fe80::77")
    guest.join(IPV6.group)
    guest.leave(IPV6.group)
    guest.report(Record("TO_EX", IPV6.group))
    guest.query()
    link.wait_for(lambda m: m.kind == "query", "the query, sent last")
    seen = [(m.kind, m.version) for m in link.messages if m.source == "fe80::77"]
    assert seen == [("report", 1), ("leave", 1), ("report", 2), ("query", 2)]


def test_packet_socket_gets_nothing_of_its_own_host(net):
    make_routing(net, IPV4)
    link, everything = PacketSocket(net.router, "eth1"), Capture(net.router, "eth1")
    CraftedHost(net.router, "eth1", "10.0.1.1").query()
    Membership(net.router, "eth1").join("224.0.0.22").join(GROUP)
    everything.wait_for(lambda m: m.outgoing and m.kind == "query", "the own query")
    everything.wait_for_record("TO_EX", GROUP)
    CraftedHost(net.host, "eth0", "10.0.1.77").join(GROUP)
    link.wait_for(lambda m: m.source == "10.0.1.77", "the host's report")
    assert not [m for m in link.messages if m.source == "10.0.1.1"]


def test_packet_socket_gets_bad_checksums_and_is_not_subject_to_rp_filter(net):
    make_routing(net, IPV4)
    net.router.sysctl("net/ipv4/conf/eth1/rp_filter", 1)
    link = PacketSocket(net.router, "eth1")
    stranger = CraftedHost(net.host, "eth0", "10.0.0.77")  # an address of the upstream link
    stranger.send(b"\x16\0\xff\xff" + wire.packed(GROUP), GROUP)
    assert not link.wait_for(lambda m: m.source == "10.0.0.77", "the report").checksum_good


def test_packet_socket_sends_from_any_source_on_a_link_without_address(lab):
    router, host = lab.namespace("router"), lab.namespace("host")
    lab.link(router, "eth1", host, "eth0", (), "10.0.1.10/24")
    capture = Capture(host, "eth0")
    CraftedHost(router, "eth1", "0.0.0.0").query()
    query = capture.wait_for(lambda m: m.kind == "query", "the query")
    assert query.source == "0.0.0.0" and query.router_alert and query.ttl == 1 and query.tos == 0xC0


def test_router_socket_misses_v3_reports_and_leaves_unless_joined(net):
    mrt = make_routing(net, IPV4)
    guest = CraftedHost(net.host, "eth0", "10.0.1.77")

    def kinds_seen():
        mrt.packets.clear()
        send_all_igmp_kinds(guest)
        upcalls_before_marker(mrt, net.host)
        messages = [wire.decode(packet) for packet in mrt.packets]
        return [(m.kind, m.version) for m in messages if m.source == "10.0.1.77"]

    assert kinds_seen() == [("report", 1), ("report", 2), ("query", 3)]
    Membership(net.router, "eth1").join("224.0.0.22").join("224.0.0.2")
    assert kinds_seen() == [("report", 1), ("report", 2), ("leave", 2), ("report", 3), ("query", 3)]


@pytest.mark.parametrize("by", ["vif", "packet membership"])
def test_device_that_filters_by_address_passes_reports_in_all_multicast_mode(lab, by):
    router, host = lab.namespace("router"), lab.namespace("host")
    lab.link(router, "eth1", host, "eth0", (), "10.0.1.10/24")
    router.ip("link add mv0 link eth1 type macvlan mode bridge", "link set mv0 up")
    link = PacketSocket(router, "mv0")
    guest = CraftedHost(host, "eth0", "10.0.1.77")
    groups = {f"239.9.0.{number}" for number in range(20)}

    def groups_seen():
        link.messages.clear()
        for group in groups:
            guest.join(group)
        guest.query()  # 224.0.0.1 is joined: passes, and comes last
        link.wait_for(lambda m: m.kind == "query", "the query")
        return groups & {m.group for m in link.messages}

    assert len(groups_seen()) < 5  # the device filters by a hash, so one or the other may slip through
    if by == "vif":
        MulticastRouting(router).add_vif("mv0")
    else:
        request = struct.pack("=iHH8s", router.ifindex("mv0"), _PACKET_MR_ALLMULTI, 0, b"")
        link.socket.setsockopt(_SOL_PACKET, _PACKET_ADD_MEMBERSHIP, request)
    assert groups_seen() == groups


def test_bridge_device_gets_reports_of_its_ports_with_snooping(lab):
    router, host, other = (lab.namespace(role) for role in ("router", "host", "other"))
    lab.link(router, "port1", host, "eth0", (), "10.0.1.10/24")
    lab.link(router, "port2", other, "eth0", (), "10.0.1.11/24")
    router.bridge("br0", "port1", "port2", addresses=("10.0.1.1/24",))
    MulticastRouting(router).add_vif("br0")
    link = PacketSocket(router, "br0")
    CraftedHost(other, "eth0", "10.0.1.88").query()  # a foreign querier, and a known group
    Membership(host, "eth0").join(GROUP)
    link.wait_for(lambda m: Record("TO_EX", GROUP) in m.records, "the kernel's v3 report")
    guest = CraftedHost(host, "eth0", "10.0.1.77")
    guest.join("239.7.7.7")
    guest.leave("239.7.7.7")
    link.wait_for(lambda m: m.kind == "leave", "the leave")
    assert [m.kind for m in link.messages if m.group == "239.7.7.7"] == ["report", "leave"]


@pytest.mark.parametrize("rp_filter,source,upcall", [
    (1, "10.0.1.77", False),  # routes to another link
    (1, "10.0.0.77", True),
    (2, "10.0.1.77", True),
    (2, "10.99.0.1", False),  # routes nowhere
    (0, "10.99.0.1", True),
    (1, "0.0.0.0", False),  # as data; only a report from 0.0.0.0 passes
])
def test_rp_filter_drops_data_before_the_upcall(net, rp_filter, source, upcall):
    mrt = make_routing(net, IPV4)
    net.router.sysctl("net/ipv4/conf/eth0/rp_filter", rp_filter)
    datagram = struct.pack("!HHHH", 1, 5001, 8, 0)
    send_packet(net.source, "eth0", wire.ipv4_packet(source, GROUP, datagram, 8, 0, False, 17))
    assert [u.source for u in upcalls_before_marker(mrt, net.source)] == ([source] if upcall else [])


def accept_upcalls_only(mrt, family):
    if family is IPV4:  # by BPF: the protocol field is 0
        attach_filter(mrt.socket, ((0x30, 0, 0, 9), (0x15, 0, 1, 0), (0x06, 0, 0, 0xFFFF), (0x06, 0, 0, 0)))
    else:
        mrt.socket.setsockopt(socket.IPPROTO_ICMPV6, 1, b"\xff" * 32)  # ICMP6_FILTER: block every type


# Upcalls -----------------------------------------------------------------------------------------------------


def test_nocache_upcall_comes_once_and_again_after_10_seconds(net):
    mrt = make_routing(net, IPV4)
    sender = Sender(net.source, "eth0", GROUP).start(pps=50)
    first = mrt.wait_for_upcall()
    assert (first.vif, first.source, first.group) == (UPSTREAM, IPV4.source, GROUP)
    assert_stays(lambda: not mrt.upcalls(), 8, "silence about a stream that is known to be unresolved")
    mrt.wait_for_upcall(timeout=4)
    sender.stop()


def test_negative_entry_stops_upcalls_and_counts(net, family, mrt):
    mrt.add_route(family.source, family.group, UPSTREAM)
    Sender(net.source, "eth0", family.group).send(5)
    assert upcalls_before_marker(mrt, net.source, family) == []
    assert mrt.counters(family.source, family.group).packets == 5


def test_deleting_an_entry_brings_the_next_upcall(net, family, mrt):
    mrt.add_route(family.source, family.group, UPSTREAM)
    sender = Sender(net.source, "eth0", family.group).send()
    mrt.delete_route(family.source, family.group)
    sender.send()
    assert mrt.wait_for_upcall().source == family.source


def test_unresolved_entry_cannot_be_deleted(net, family, mrt):
    Sender(net.source, "eth0", family.group).send()
    mrt.wait_for_upcall()
    assert (family.source, family.group) in family.routes(net.router)
    with fails_with(errno.ENOENT):
        mrt.delete_route(family.source, family.group)


def test_adding_and_deleting_a_negative_entry_makes_the_next_packet_ask_anew(net, family, mrt):
    sender = Sender(net.source, "eth0", family.group).send()
    mrt.wait_for_upcall()
    sender.send()
    assert upcalls_before_marker(mrt, net.source, family) == []
    mrt.add_route(family.source, family.group, UPSTREAM)
    mrt.delete_route(family.source, family.group)
    sender.send()
    assert mrt.wait_for_upcall().group == family.group


def test_first_four_packets_wait_and_are_sent_in_order_when_the_route_comes(net, family, mrt):
    receiver = receiver_on(net.host, family)
    sender = Sender(net.source, "eth0", family.group).send(6)
    mrt.wait_for_upcall()
    mrt.add_route(family.source, family.group, UPSTREAM, [DOWNSTREAM])
    sender.send()
    wait_until(lambda: receiver.count() == 5, what="five packets")
    assert receiver.sequences() == [0, 1, 2, 3, 6]


def test_negative_answer_discards_the_waiting_packets(net, family, mrt):
    receiver = receiver_on(net.host, family)
    sender = Sender(net.source, "eth0", family.group).send(3)
    mrt.wait_for_upcall()
    mrt.add_route(family.source, family.group, UPSTREAM)
    mrt.add_route(family.source, family.group, UPSTREAM, [DOWNSTREAM])
    sender.send()
    wait_until(lambda: receiver.count() == 1, what="one packet")
    assert receiver.sequences() == [3]


def test_upcall_that_finds_the_buffer_full_is_tried_again_by_the_next_packet(net, family, mrt):
    accept_upcalls_only(mrt, family)
    assert mrt.upcalls() == []
    mrt.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)  # the smallest there is
    groups = [family.group[:-1] + str(number) for number in range(1, 10)]
    for group in groups:
        Sender(net.source, "eth0", group).send()
    answered = {upcall.group for upcall in mrt.upcalls()}
    assert 0 < len(answered) < len(groups)
    unresolved = {group for _, group in family.routes(net.router)}
    assert unresolved == answered  # a lost upcall leaves no entry behind
    lost = next(group for group in groups if group not in answered)
    Sender(net.source, "eth0", lost).send()
    assert mrt.wait_for_upcall().group == lost


def test_socket_filter_lets_upcalls_pass_and_stops_igmp(net):
    mrt = make_routing(net, IPV4)
    accept_upcalls_only(mrt, IPV4)
    Membership(net.router, "eth1").join("224.0.0.22").join("224.0.0.2")
    send_all_igmp_kinds(CraftedHost(net.host, "eth0", "10.0.1.77"))
    Sender(net.source, "eth0", GROUP).send()
    assert mrt.wait_for_upcall().group == GROUP
    upcalls_before_marker(mrt, net.host)
    assert mrt.packets == []


def test_icmp6_filter_lets_upcalls_pass_and_stops_mld(net):
    mrt = make_routing(net, IPV6)
    accept_upcalls_only(mrt, IPV6)
    mrt.upcalls()
    mrt.packets.clear()
    Membership(net.router, "eth1", socket.AF_INET6).join("ff02::16")
    CraftedHost6(net.host, "eth0", "fe80::77").report(Record("TO_EX", IPV6.group))
    Sender(net.source, "eth0", IPV6.group).send()
    assert mrt.wait_for_upcall().group == IPV6.group
    upcalls_before_marker(mrt, net.host, IPV6)
    assert mrt.packets == []


class Received:
    """What the routing socket of IPv4 has received, in order: upcalls with their IP options, and IGMP messages."""

    def __init__(self, mrt):
        self.items = []
        while True:
            try:
                data = mrt.socket.recv(65536)
            except BlockingIOError:
                return
            header = 4 * (data[0] & 15)
            self.items.append(("upcall" if data[9] == 0 else "message", socket.inet_ntoa(data[12:16]),
                               data[20:header]))


@pytest.mark.parametrize("end", ["source", "host"])
@pytest.mark.parametrize("send", [
    lambda guest, **header: guest.join(GROUP, version=1, **header),
    lambda guest, **header: guest.join(GROUP, version=2, **header),
    lambda guest, **header: guest.query(version=2, group=GROUP, **header),
    lambda guest, **header: guest.query(version=3, group=GROUP, sources=("10.0.0.9",), **header),
], ids=["v1 report", "v2 report", "v2 query", "v3 query"])
@pytest.mark.parametrize("router_alert", [True, False])
def test_igmp_message_to_a_group_of_this_machine_makes_an_upcall_behind_itself(net, end, send, router_alert):
    """Just behind: the routing socket gets the message first. The upcall has its IP options, not its protocol."""
    mrt = make_routing(net, IPV4)
    link, namespace = ("eth0", net.source) if end == "source" else ("eth1", net.host)
    guest = CraftedHost(namespace, "eth0", "10.0.0.77")
    send(guest, router_alert=router_alert)
    assert [u for u in upcalls_before_marker(mrt, namespace) if u.group == GROUP] == []  # no member
    Membership(net.router, link).join(GROUP)
    send(guest, router_alert=router_alert)
    wait_until(lambda: ("10.0.0.77", GROUP) in tables.routes(net.router), what="an unresolved entry")
    options = b"\x94\x04\0\0" if router_alert else b""
    received = [item for item in Received(mrt).items if item[1] == "10.0.0.77"]
    assert received == [("message", "10.0.0.77", options), ("upcall", "10.0.0.77", options)]


def test_own_reports_of_older_versions_make_upcalls(net):
    """They have the option Router Alert. Those of IGMPv3 go to another group."""
    mrt = make_routing(net, IPV4)
    member = Membership(net.router, "eth0").join(MARKER[4])
    capture = Capture(net.source, "eth0")
    net.router.force_igmp_version("eth0", 2)
    member.join(GROUP)
    capture.wait_for(lambda m: m.kind == "report" and m.version == 2 and m.group == GROUP, "the kernel's report")
    wait_until(lambda: ("10.0.0.1", GROUP) in tables.routes(net.router), what="an unresolved entry")
    assert [item for item in Received(mrt).items if item[1] == "10.0.0.1"][-1][2] == b"\x94\x04\0\0"


def test_mld_message_makes_an_upcall_only_without_router_alert(net):
    """Whether this machine is a member or not. Its source is link-local, which no stream's is."""
    mrt = make_routing(net, IPV6)
    for member in (False, True):
        if member:
            Membership(net.router, "eth0", socket.AF_INET6).join(IPV6.group)
        for number, send in enumerate((CraftedHost6.join, CraftedHost6.query, CraftedHost6.query)):
            versions = {} if number == 0 else {"group": IPV6.group, "version": number}
            arguments = (IPV6.group,) if number == 0 else ()
            for router_alert in (True, False):
                address = f"fe80::{number + 1}:{1 + int(member)}{int(router_alert)}"
                send(CraftedHost6(net.source, "eth0", address), *arguments, router_alert=router_alert, **versions)
                upcalls = [u.source for u in upcalls_before_marker(mrt, net.source, IPV6) if u.source.startswith("fe80::")
                           and u.group == IPV6.group]
                assert upcalls == ([] if router_alert else [address])


@pytest.mark.parametrize("assertion,pim,outgoing,expected", [
    (0, 0, [DOWNSTREAM], False),
    (1, 0, [DOWNSTREAM], True),
    (1, 0, [DOWNSTREAM2], False),
    (1, 1, [DOWNSTREAM2], True),
    (1, 1, [], True),
])
def test_wrongvif_upcall_needs_assert_and_an_outgoing_arrival_or_pim(
        net, family, mrt, assertion, pim, outgoing, expected):
    mrt.pim, mrt.assertion = pim, assertion
    assert (mrt.assertion, mrt.pim) == (assertion, pim)
    mrt.add_route(family.host, family.group, UPSTREAM, outgoing)
    Sender(net.host, "eth0", family.group).send(3)
    seen = upcalls_before_marker(mrt, net.host, family)
    # One for the three packets: the kernel limits them to one in 3 s for an entry.
    assert [(u.kind, u.vif, u.source) for u in seen] == ([("WRONGVIF", DOWNSTREAM, family.host)] if expected else [])
    assert mrt.counters(family.host, family.group)[::2] == (3, 3)  # packets, and wrong_if of them


def test_entry_made_again_reports_a_wrong_vif_at_once(net, family, mrt):
    """The 3 s between two upcalls are counted from the entry's making."""
    mrt.pim = True
    mrt.add_route(family.host, family.group, UPSTREAM, [DOWNSTREAM2])
    sender = Sender(net.host, "eth0", family.group).send(2)
    assert [u.kind for u in upcalls_before_marker(mrt, net.host, family)] == ["WRONGVIF"]
    mrt.delete_route(family.host, family.group)
    mrt.add_route(family.host, family.group, UPSTREAM, [DOWNSTREAM2])
    sender.send(2)
    assert [u.kind for u in upcalls_before_marker(mrt, net.host, family)] == ["WRONGVIF"]


def test_new_parent_moves_a_stream_without_an_upcall(net, family, mrt):
    receiver = receiver_on(net.host2, family)
    mrt.add_route(family.host, family.group, UPSTREAM, [DOWNSTREAM2])
    sender = Sender(net.host, "eth0", family.group).send()
    mrt.add_route(family.host, family.group, DOWNSTREAM, [DOWNSTREAM2])
    sender.send()
    wait_until(lambda: receiver.count() == 1, what="the packet")
    assert receiver.sequences() == [1]
    assert upcalls_before_marker(mrt, net.host, family) == []


def test_forwarded_packet_comes_back_where_this_machine_is_a_member(net, family, mrt):
    """It is looped back to the link it left by, and counted again: by IPv6 as come in by a wrong vif, too."""
    Membership(net.router, "eth0", family.socket_family).join(family.group)
    receiver = receiver_on(net.source, family)
    mrt.add_route(family.host, family.group, DOWNSTREAM, [UPSTREAM])
    Sender(net.host, "eth0", family.group).send(3)
    wait_until(lambda: receiver.count() == 3, what="the forwarded packets")
    wrong = 3 if family.number == 6 else 0
    wait_until(lambda: mrt.counters(family.host, family.group)[::2] == (6, wrong), 2,
               lambda: f"{wrong} on a wrong vif: {mrt.counters(family.host, family.group)}")


# Entries and counters ----------------------------------------------------------------------------------------


def test_update_of_an_entry_keeps_its_counters_and_applies_at_once(net, family, mrt):
    receiver = receiver_on(net.host, family)
    mrt.add_route(family.source, family.group, UPSTREAM)
    sender = Sender(net.source, "eth0", family.group).send(3)
    mrt.add_route(family.source, family.group, UPSTREAM, [DOWNSTREAM])
    sender.send(2)
    wait_until(lambda: receiver.count() == 2, what="two packets")
    assert receiver.sequences() == [3, 4]
    assert mrt.counters(family.source, family.group).packets == 5
    assert family.routes(net.router)[family.source, family.group].packets == 5


def test_netlink_dump_gives_the_same_counters_as_the_ioctl(net, family, mrt):
    mrt.add_route(family.source, family.group, UPSTREAM, [DOWNSTREAM])
    Sender(net.source, "eth0", family.group).send(7)
    counters = mrt.counters(family.source, family.group)
    assert counters.packets == 7
    assert dump_multicast_routes(net.router, family.number) == {(family.source, family.group): tuple(counters)}


def test_netlink_dump_gives_the_ttl_thresholds(net):
    mrt = make_routing(net, IPV4)
    mrt.add_route(IPV4.source, GROUP, UPSTREAM, [DOWNSTREAM], threshold=16)
    assert re.search(r"Oifs: eth1 ?\(ttl 16\)", net.router.run("ip -4 mroute show"))
    receiver = Receiver(net.host, "eth0").join(GROUP)
    Sender(net.source, "eth0", GROUP, ttl=16).send(2)
    Sender(net.source, "eth0", GROUP, ttl=17).send()
    wait_until(receiver.count, what="the packet with TTL 17")
    assert receiver.count() == 1


def test_arrival_link_in_the_outgoing_list_sends_packets_back(net):
    mrt = make_routing(net, IPV4)
    net.source.add_addresses("eth0", "10.0.0.11/24")
    receiver = Receiver(net.source, "eth0").join(GROUP)
    mrt.add_route("10.0.0.77", GROUP, UPSTREAM, [UPSTREAM])
    datagram = struct.pack("!HHHH", 1, 5001, 8, 0)
    send_packet(net.source, "eth0", wire.ipv4_packet("10.0.0.77", GROUP, datagram, 8, 0, False, 17))
    wait_until(lambda: receiver.count("10.0.0.77") == 1, what="the packet, back at its sender")


def test_packets_with_ttl_1_and_link_local_groups_are_not_forwarded(net):
    mrt = make_routing(net, IPV4)
    receiver = Receiver(net.host, "eth0").join(GROUP).join("224.0.0.200")
    for group in (GROUP, "224.0.0.200"):
        mrt.add_route(IPV4.source, group, UPSTREAM, [DOWNSTREAM])
    Sender(net.source, "eth0", GROUP, ttl=1).send(2)
    Sender(net.source, "eth0", "224.0.0.200").send(2)
    Sender(net.source, "eth0", GROUP, ttl=2).send()
    wait_until(lambda: receiver.count(), what="the packet with TTL 2")
    assert receiver.count() == 1


# Interfaces that vanish --------------------------------------------------------------------------------------


def test_reused_vif_number_inherits_the_entries_that_name_it(net, family, mrt):
    receiver = receiver_on(net.host2, family)
    mrt.delete_vif(DOWNSTREAM2)
    mrt.add_route(family.source, family.group, UPSTREAM, [DOWNSTREAM])
    mrt.delete_vif(DOWNSTREAM)
    sender = Sender(net.source, "eth0", family.group).send()
    assert mrt.counters(family.source, family.group).packets == 1
    assert family.routes(net.router)[family.source, family.group].outgoing == frozenset()
    mrt.add_vif("eth2", DOWNSTREAM)
    sender.send()
    wait_until(lambda: receiver.count() == 1, what="a packet on the link that nobody asked for")
    assert receiver.sequences() == [1]


def test_deleted_device_takes_its_vif_but_not_the_entries_and_says_nothing(net, family, mrt):
    mrt.add_route(family.source, family.group, UPSTREAM, [DOWNSTREAM])
    mrt.add_route(family.host, family.group, DOWNSTREAM, [UPSTREAM])
    news = RouteNews(net.router, rtnetlink.GROUP_MROUTE[family.number])
    net.router.ip("link del eth1")
    assert [vif.name for vif in family.vifs(net.router)] == ["eth0", "eth2"]
    routes = family.routes(net.router)
    assert routes[family.source, family.group].outgoing == frozenset()
    assert routes[family.host, family.group].outgoing == {UPSTREAM}
    assert news.read() == []


def test_vif_survives_down_up_and_rename(net, family, mrt):
    mrt.add_route(family.source, family.group, UPSTREAM, [DOWNSTREAM])
    news = RouteNews(net.router, rtnetlink.GROUP_MROUTE[family.number])
    net.router.ip("link set eth1 down", "link set eth1 name lan", "link set lan up")
    assert [(vif.number, vif.name) for vif in family.vifs(net.router)] == [(0, "eth0"), (1, "lan"), (2, "eth2")]
    assert family.routes(net.router)[family.source, family.group].outgoing == {DOWNSTREAM}
    assert news.read() == []


def test_leaving_a_group_of_a_deleted_device_succeeds(lab):
    namespace = lab.namespace("router")
    lab.link(namespace, "eth0", namespace, "eth1")
    member = Membership(namespace, "eth0").join(GROUP)
    namespace.ip("link del eth0")
    member.leave(GROUP)


# Announcements by netlink ------------------------------------------------------------------------------------


def test_netlink_tells_of_added_updated_and_deleted_routes_of_anyone(net, family, mrt):
    news = RouteNews(net.router, rtnetlink.GROUP_MROUTE[family.number])
    mrt.add_route(family.source, family.group, UPSTREAM, [DOWNSTREAM])
    mrt.add_route(family.source, family.group, UPSTREAM, [DOWNSTREAM2])
    mrt.delete_route(family.source, family.group)
    assert news.types() == ["NEWROUTE", "NEWROUTE", "DELROUTE"]
    assert rtnetlink.address_of(news.seen[2], rtnetlink.RTA_DST) == family.group
    assert rtnetlink.address_of(news.seen[2], rtnetlink.RTA_SRC) == family.source


def test_netlink_tells_of_unresolved_entries_and_upcalls(net, family, mrt):
    news = RouteNews(net.router, rtnetlink.GROUP_MROUTE[family.number], rtnetlink.GROUP_UPCALLS[family.number])
    Sender(net.source, "eth0", family.group).send()
    wait_until(lambda: {"NEWROUTE", "NEWCACHEREPORT"} <= set(news.types()), what="both announcements")
    route = next(item for item in news.seen if item.type == "NEWROUTE")
    assert route.flags & rtnetlink.RTNH_F_UNRESOLVED


def test_netlink_tells_of_mc_forwarding_per_device(net, family):
    news = RouteNews(net.router, rtnetlink.GROUP_NETCONF[family.number])
    mrt = make_routing(net, family, ("eth0",))
    mrt.delete_vif(0)
    changes = [struct.unpack("=i", item.attributes[rtnetlink.NETCONF_MC_FORWARDING])[0] for item in news.read()
               if struct.unpack("=i", item.attributes[rtnetlink.NETCONF_IFINDEX])[0] == net.router.ifindex("eth0")
               and rtnetlink.NETCONF_MC_FORWARDING in item.attributes]
    assert changes == [1, 0]


# Joining upstream --------------------------------------------------------------------------------------------


@dataclasses.dataclass
class Upstream:
    """A proxy's upstream link: `proxy` joins there, `capture` watches on the other end."""

    proxy: object
    peer: object
    capture: Capture
    group: str
    expected: list = dataclasses.field(default_factory=list)

    def expect(self, *records):
        """These records come next, each twice (robustness 2), and no others."""
        self.expected += [record for record in records for _ in range(2)]
        wait_until(lambda: len(self.capture.records(self.group)) >= len(self.expected),
                   what=lambda: f"{self.expected}, seen: {self.capture.records(self.group)}")
        assert sorted(map(str, self.capture.records(self.group))) == sorted(map(str, self.expected))


@pytest.fixture
def upstream(lab, family):
    proxy, peer = lab.namespace("proxy"), lab.namespace("peer")
    # Repetitions at once, not within a second.
    proxy.sysctl("net/ipv4/conf/default/igmpv3_unsolicited_report_interval", 10)
    proxy.sysctl("net/ipv6/conf/default/mldv2_unsolicited_report_interval", 10)
    lab.link(proxy, "eth0", peer, "eth0")
    capture = Capture(peer, "eth0", family.number)
    proxy.add_addresses("eth0", "10.0.0.1/24", "fd00::1/64")
    peer.add_addresses("eth0", "10.0.0.10/24", "fd00::10/64")
    if family is IPV6:  # reports all groups again when an address is ready: let that pass
        proxy.link_local("eth0")
        wait_until(lambda: capture.messages and time.time() - capture.messages[-1].time > 0.2,
                   what="silence on the link")
    return Upstream(proxy, peer, capture, family.group)


def new_member(upstream, family):
    return Membership(upstream.proxy, "eth0", family.socket_family)


# Each step: a call on the membership and the record that it puts on the wire, with indices into family.sources.
RECORD_STORIES = {
    "join_group_and_leave": [("join", None, "TO_EX", ()), ("leave", None, "TO_IN", ())],
    "source_joins_one_by_one": [("join_source", 0, "ALLOW", (0,)), ("join_source", 1, "ALLOW", (1,)),
                                ("leave_source", 0, "BLOCK", (0,)), ("leave_source", 1, "BLOCK", (1,))],
    "include_to_exclude_and_back": [("join_source", 0, "ALLOW", (0,)), ("exclude", (), "TO_EX", ()),
                                    ("include", (0, 1), "TO_IN", (0, 1)), ("include", (), "BLOCK", (0, 1))],
    "include_exchanges_sources": [("join_source", 0, "ALLOW", (0,)),
                                  ("include", (1, 2), ("ALLOW", "BLOCK"), ((1, 2), (0,)))],
    "exclude_lists": [("join", None, "TO_EX", ()), ("exclude", (0,), "BLOCK", (0,)),
                      ("exclude", (1,), ("ALLOW", "BLOCK"), ((0,), (1,)))],
    "include_to_exclude_list": [("join_source", 0, "ALLOW", (0,)), ("exclude", (0,), "TO_EX", (0,))],
}


def apply_step(member, family, call, argument):
    if argument is None:
        getattr(member, call)(family.group)
    elif isinstance(argument, tuple):
        getattr(member, call)(family.group, [family.sources[index] for index in argument])
    else:
        getattr(member, call)(family.group, family.sources[argument])


@pytest.mark.parametrize("story", RECORD_STORIES)
def test_socket_calls_put_exactly_these_records_on_the_wire(upstream, family, story):
    member = new_member(upstream, family)
    for call, argument, types, sources in RECORD_STORIES[story]:
        apply_step(member, family, call, argument)
        records = zip(types, sources, strict=True) if isinstance(types, tuple) else [(types, sources)]
        upstream.expect(*(Record(kind, family.group, [family.sources[index] for index in indices])
                          for kind, indices in records))


def test_last_source_left_ends_the_membership(upstream, family):
    member = new_member(upstream, family).join_source(family.group, family.sources[0])
    with fails_with(errno.EINVAL, errno.EADDRNOTAVAIL):
        member.leave_source(family.group, family.sources[1])
    member.leave_source(family.group, family.sources[0])
    with fails_with(errno.EADDRNOTAVAIL):
        member.leave(family.group)
    with fails_with(errno.EINVAL):
        member.include(family.group, [family.sources[0]])
    member.join_source(family.group, family.sources[0])


def test_source_join_while_excluding_a_list_is_refused_and_replaces_an_empty_list(upstream, family):
    member = new_member(upstream, family).join(family.group)
    upstream.expect(Record("TO_EX", family.group))
    member.exclude(family.group, [family.sources[0]])
    with fails_with(errno.EINVAL):
        member.join_source(family.group, family.sources[1])
    member.exclude(family.group, [])
    member.join_source(family.group, family.sources[1])
    upstream.capture.wait_for_record("TO_IN", family.group, family.sources[1])


def test_source_in_two_sockets_is_reported_once(upstream, family):
    first, second = new_member(upstream, family), new_member(upstream, family)
    for member in (first, second):
        member.join_source(family.group, family.sources[0])
    upstream.expect(Record("ALLOW", family.group, family.sources[:1]))
    second.leave_source(family.group, family.sources[0])
    first.join_source(family.group, family.sources[1])  # a marker
    upstream.expect(Record("ALLOW", family.group, family.sources[1:2]))


def test_exclude_of_one_socket_hides_the_include_lists_of_others(upstream, family):
    first, second, third = (new_member(upstream, family) for _ in range(3))
    first.join_source(family.group, family.sources[0])
    upstream.expect(Record("ALLOW", family.group, family.sources[:1]))
    second.join(family.group)
    upstream.expect(Record("TO_EX", family.group))
    third.join_source(family.group, family.sources[1])
    second.leave(family.group)
    upstream.expect(Record("TO_IN", family.group, family.sources[:2]))


def test_closed_socket_leaves_its_groups(upstream, family):
    member = new_member(upstream, family).join_source(family.group, family.sources[0])
    upstream.capture.wait_for_record("ALLOW", family.group, family.sources[0])
    member.close()
    upstream.capture.wait_for(lambda m: any(r.group == family.group and r.type in ("BLOCK", "TO_IN") for r in m.records),
                              "the leave")


def test_mcfilter_table_skips_a_device_whose_newest_group_has_no_sources(upstream, family):
    """The table is no proof that a filter is absent; the filters themselves are as they should be. While a group of a source is
    joined on lo, which is the first device, the table has all."""
    filters = tables.source_filters if family is IPV4 else tables.source_filters6
    member = new_member(upstream, family).join_source(family.group, family.sources[0])
    assert filters(upstream.proxy, "eth0")[family.group] == {family.sources[0]: (1, 0)}
    member.join(MARKER[family.number])
    assert filters(upstream.proxy, "eth0") == {}
    shown = Membership(upstream.proxy, "lo", family.socket_family).join_source(*ON_LO[family.number])
    assert filters(upstream.proxy, "eth0")[family.group] == {family.sources[0]: (1, 0)}
    shown.close()
    assert filters(upstream.proxy, "eth0") == {}
    member.leave(MARKER[family.number])
    assert filters(upstream.proxy, "eth0")[family.group] == {family.sources[0]: (1, 0)}


def test_igmp_max_memberships_limits_each_socket(lab):
    namespace = lab.namespace("proxy")
    lab.link(namespace, "eth0", namespace, "eth1")
    assert namespace.sysctl("net/ipv4/igmp_max_memberships") == "20"
    first, second = Membership(namespace, "eth0"), Membership(namespace, "eth0")
    for number in range(20):
        first.join(f"239.2.0.{number}")
    with fails_with(errno.ENOBUFS):
        first.join("239.2.0.20")
    second.join("239.2.0.20")
    first.leave("239.2.0.0").join("239.2.0.21")


def test_igmp_max_msf_limits_each_socket_and_several_sockets_make_a_union(lab):
    proxy, peer = lab.namespace("proxy"), lab.namespace("peer")
    lab.link(proxy, "eth0", peer, "eth0", "10.0.0.1/24", "10.0.0.10/24")
    limit = int(proxy.sysctl("net/ipv4/igmp_max_msf"))
    assert limit == 10
    capture = Capture(peer, "eth0")
    addresses = [f"10.7.{number}.1" for number in range(3 * limit)]
    members = [Membership(proxy, "eth0") for _ in range(3)]
    for number, address in enumerate(addresses):
        members[number // limit].join_source("232.1.1.1", address)
    with fails_with(errno.ENOBUFS):
        members[0].join_source("232.1.1.1", "10.8.0.1")
    with fails_with(errno.ENOBUFS):
        members[0].include("232.1.1.1", addresses[:limit + 1])
    excluding = Membership(proxy, "eth0").join("239.1.1.1").exclude("239.1.1.1", addresses[:limit])
    with fails_with(errno.ENOBUFS):
        excluding.block_source("239.1.1.1", "10.8.0.1")
    capture.wait_for(lambda m: m.records, "the first report")
    CraftedHost(peer, "eth0", "10.0.0.10").query(group="232.1.1.1", max_response=0.1)
    capture.wait_for_record("IS_IN", "232.1.1.1", *addresses)


def test_join_on_a_down_device_without_address_works_and_is_reported_when_it_comes_up(lab, family):
    proxy, peer = lab.namespace("proxy"), lab.namespace("peer")
    lab.link(proxy, "eth0", peer, "eth0")
    proxy.ip("link set eth0 down")
    capture = Capture(peer, "eth0", family.number)
    Membership(proxy, "eth0", family.socket_family).join_source(family.group, family.sources[0])
    joined = tables.igmp_groups if family is IPV4 else tables.mld_groups
    assert family.group in joined(proxy, "eth0")
    proxy.ip("link set eth0 up")
    capture.wait_for(lambda m: any(record.group == family.group for record in m.records), "the report")


def test_kernel_reports_a_join_only_at_its_timer_tick_and_once_more_within_a_second(lab):
    proxy, peer = lab.namespace("proxy"), lab.namespace("peer")
    lab.link(proxy, "eth0", peer, "eth0", "10.0.0.1/24", "10.0.0.10/24")
    capture = Capture(proxy, "eth0")
    member = Membership(proxy, "eth0")
    for number in range(5):
        record = Record("TO_EX", f"239.3.0.{number}")
        joined_at = time.time()
        member.join(record.group)
        report = capture.wait_for(lambda m: record in m.records, "the report")
        assert report.time - joined_at > 0.001  # so a report of one's own, sent at once, is worth while
    again = capture.wait_for(lambda m: record in m.records, "the repetition", 3, after=report.time)
    assert again.time - report.time < 1.1


def test_kernel_answers_queries_itself_in_the_version_of_the_querier(upstream, family):
    new_member(upstream, family).join_source(family.group, family.sources[0])
    upstream.capture.wait_for_record("ALLOW", family.group, family.sources[0])
    querier = (CraftedHost(upstream.peer, "eth0", "10.0.0.10") if family is IPV4
               else CraftedHost6(upstream.peer, "eth0", upstream.peer.link_local("eth0")))
    querier.query(max_response=0.1)
    upstream.capture.wait_for_record("IS_IN", family.group, family.sources[0])
    older = 2 if family is IPV4 else 1
    querier.query(version=older, max_response=0.1)
    upstream.capture.wait_for(lambda m: m.kind == "report" and m.version == older and m.group == family.group,
                              "the report in the older version")
    if family is IPV4:
        assert tables.igmp_version(upstream.proxy, "eth0") == "V2"


# A snooping switch between us and the upstream router ---------------------------------------------------------


@dataclasses.dataclass
class Switched:
    switch: object
    proxy: object
    member: Membership  # of the proxy
    capture: Capture  # at the proxy


@pytest.fixture
def switched(lab):
    """A proxy on port1 of a switch that queries, and another host on port2, both members of GROUP (IGMPv2)."""
    switch, proxy, other = (lab.namespace(role) for role in ("switch", "proxy", "other"))
    lab.link(switch, "port1", proxy, "eth0", (), "10.0.0.1/24")
    lab.link(switch, "port2", other, "eth0", (), "10.0.0.2/24")
    switch.bridge("br0", "port1", "port2", querier=True, addresses=("10.0.0.254/24",))
    switch.ip("link set br0 type bridge mcast_last_member_interval 10 mcast_last_member_count 2")
    proxy.force_igmp_version("eth0", 2)
    capture = Capture(proxy, "eth0")
    member = Membership(proxy, "eth0").join(GROUP)
    wait_until(lambda: ports_of_group(switch) == {"port1"}, what="the proxy's port in the snooping table")
    # Not a kernel host, as those suppress their report when they hear the other's.
    CraftedHost(other, "eth0", "10.0.0.2").join(GROUP)
    wait_until(lambda: ports_of_group(switch) == {"port1", "port2"}, what="both ports in the snooping table")
    return Switched(switch, proxy, member, capture)


def ports_of_group(switch):
    return {port for port, group in switch.bridge_members("br0") if group == GROUP}


def test_crafted_leave_while_the_kernel_stays_joined_keeps_a_port_by_the_query(switched):
    CraftedHost(switched.proxy, "eth0", "10.0.0.1").leave(GROUP)
    query = switched.capture.wait_for(lambda m: m.kind == "query" and m.group == GROUP, "the switch's question")
    switched.capture.wait_for(lambda m: m.kind == "report" and m.outgoing, "the kernel's answer", after=query.time)
    assert_stays(lambda: "port1" in ports_of_group(switched.switch), 0.5, "the port in the snooping table")


def test_crafted_leave_while_the_kernel_stays_joined_loses_a_fast_leave_port(switched):
    switched.switch.bridge_port("port1", "fastleave on")
    CraftedHost(switched.proxy, "eth0", "10.0.0.1").leave(GROUP)
    wait_until(lambda: ports_of_group(switched.switch) == {"port2"}, what="the port gone, though its host is a member")


@pytest.mark.parametrize("fast_leave", ["on", "off"])
def test_crafted_leave_after_the_kernels_leaves_other_ports_alone(switched, fast_leave):
    switched.switch.bridge_port("port1", f"fastleave {fast_leave}")
    switched.member.leave(GROUP)
    CraftedHost(switched.proxy, "eth0", "10.0.0.1").leave(GROUP)
    wait_until(lambda: ports_of_group(switched.switch) == {"port2"}, what="only the left port gone")
    assert_stays(lambda: ports_of_group(switched.switch) == {"port2"}, 0.3, "the other port in the snooping table")


@pytest.mark.parametrize("fast_leave", ["on", "off"])
def test_crafted_leave_and_join_anew_keeps_the_port(switched, fast_leave):
    switched.switch.bridge_port("port1", f"fastleave {fast_leave}")
    switched.member.leave(GROUP)
    CraftedHost(switched.proxy, "eth0", "10.0.0.1").leave(GROUP)
    switched.member.join(GROUP)
    wait_until(lambda: "port1" in ports_of_group(switched.switch), what="the port back in the snooping table")
    assert_stays(lambda: "port1" in ports_of_group(switched.switch), 0.5, "the port in the snooping table")
