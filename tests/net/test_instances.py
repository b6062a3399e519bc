# SPDX-License-Identifier: BSD-2-Clause
"""The startup guide's second scenario: two instances in one kernel table, with a tunnel as a downstream."""

import contextlib
import socket
import time

import pytest
import wire
from families import FAMILIES, IPV6
from netlab import Daemon, Sender, tables, wait_until
from plugs import StreamWatch

GUIDE = {4: "protocol IGMPv1\neth0 ==> eth1 tun0\neth2 ==> eth3\n",
         6: "protocol MLDv1\neth0 ==> eth1 tun0\neth2 ==> eth3\n"}
QUICK = "query_interval = 5; query_response_interval = 0.2; last_member_query_interval = 0.2;"
TWO = 'instances = ("eth0 ==> eth1", "eth2 ==> eth3");'


class Network:
    """first source -- eth0 router eth1 -- first host; second source -- eth2 router eth3 -- second host

    Link n is 10.0.n.0/24 and fd00:n::/64 (the first fd00::/64); the router has .1 there, the others .10.
    """

    def __init__(self, lab):
        self.router = lab.namespace("router")
        ends = []
        for number in range(4):
            end = lab.namespace(f"end{number}")
            prefix6 = f"fd00:{number}::" if number else "fd00::"
            lab.link(self.router, f"eth{number}", end, "eth0", (f"10.0.{number}.1/24", f"{prefix6}1/64"),
                     (f"10.0.{number}.10/24", f"{prefix6}10/64"))
            end.ip(f"route add default via 10.0.{number}.1", f"route add default via {prefix6}1")
            ends.append(end)
        self.source, self.host, self.source2, self.host2 = ends


@pytest.fixture
def network(lab):
    return Network(lab)


def source_addresses(family):
    return ("10.0.0.10", "10.0.2.10") if family.number == 4 else ("fd00::10", "fd00:2::10")


def start(network, family, text, links=("eth0", "eth1", "eth2", "eth3")):
    ready = {"vifs": links} if family.number == 4 else {"vifs6": links}
    daemon = Daemon(network.router, text, "-d", **ready)
    for link in links:
        daemon.wait_for_output(f" {link}: link usable")
    return daemon


def start_two(network, family):
    return start(network, family, f'protocol = "{family.protocol}"; {QUICK} {TWO}')


def asks_for(group):
    return lambda m: m.kind == "report" and (m.group == group or any(record.group == group for record in m.records))


class TunnelEnd:
    """The far end of the tap device: a host made of frames. `stream` counts the UDP packets that came through."""

    def __init__(self, tap):
        self.tap = tap
        self.stream = 0
        self.messages = []

    def poll(self):
        while (frame := self.tap.read()) is not None:
            packet = frame[14:]
            protocol = packet[9] if packet[0] >> 4 == 4 else packet[6]
            self.stream += protocol == socket.IPPROTO_UDP
            message = None
            if protocol != socket.IPPROTO_UDP:
                with contextlib.suppress(IndexError, ValueError):
                    message = wire.decode(packet, time.time(), False)
            if message is not None:
                self.messages.append(message)
        return self

    def join(self, family):
        if family.number == 4:
            packet = wire.ipv4_packet("10.0.9.77", family.group, wire.igmp_simple(wire.IGMP_V1_REPORT, family.group))
            kind, address = 0x0800, b"\x01\x00\x5e\x01\x02\x03"
        else:
            packet = wire.ipv6_packet("fe80::77", family.group, wire.mld_simple(wire.MLD_V1_REPORT, family.group))
            kind, address = 0x86DD, b"\x33\x33\x00\x01\x00\x03"
        self.tap.write(address + b"\x02\x00\x00\x00\x00\x77" + kind.to_bytes(2, "big") + packet)


@pytest.mark.smoke
@pytest.mark.parametrize("family", FAMILIES, ids=str)
def test_two_instances_and_a_tunnel_as_the_guide_writes_them(network, family):
    tunnel = TunnelEnd(network.router.tap("tun0", "10.0.9.1/24", "fd00:9::1/64"))
    if family is IPV6:
        network.router.link_local("tun0")
    start(network, family, GUIDE[family.number], ("eth0", "eth1", "tun0", "eth2", "eth3"))
    for host in (network.host, network.host2):
        family.force_version(host, 1)
    first, second = source_addresses(family)
    Sender(network.source, "eth0", family.group).start(pps=200)
    Sender(network.source2, "eth0", family.group).start(pps=200)
    wait_until(lambda: tunnel.poll().messages, what="a query through the tunnel")
    query = next(m for m in tunnel.messages if m.kind == "query")
    assert query.version == 1

    # The tunnel first: no other link gets anything.
    tunnel.join(family)
    wait_until(lambda: tunnel.poll().stream > 20, what="the stream through the tunnel")
    assert family.group in family.joined(network)
    assert family.group not in family.joined(network, "eth2")
    assert tables.outgoing_devices(network.router, first, family.group) == {"tun0"}

    receiver, receiver2 = family.receiver(network.host), family.receiver(network.host2)
    receiver.join(family.group).wait_for(20)
    assert tables.outgoing_devices(network.router, first, family.group) == {"eth1", "tun0"}
    assert tables.outgoing_devices(network.router, second, family.group) == set()
    assert family.group not in family.joined(network, "eth2")

    receiver2.join(family.group).wait_for(20)
    assert family.group in family.joined(network, "eth2")
    assert tables.outgoing_devices(network.router, second, family.group) == {"eth3"}
    assert set(receiver.per_source()) == {first}
    assert set(receiver2.per_source()) == {second}


@pytest.mark.smoke
@pytest.mark.parametrize("family", FAMILIES, ids=str)
def test_joins_and_leaves_stay_in_their_instance(network, family):
    start_two(network, family)
    upper, upper2 = family.capture(network.source), family.capture(network.source2)
    receiver, receiver2 = family.receiver(network.host), family.receiver(network.host2)

    receiver.join(family.group)
    receiver2.join(family.other_group)
    upper.wait_for(asks_for(family.group), "the first instance's join")
    upper2.wait_for(asks_for(family.other_group), "the second instance's join")
    wait_until(lambda: family.group in family.joined(network) and family.other_group in family.joined(network, "eth2"),
               what="both joins in the kernel")

    # What both want is left by one and stays with the other.
    receiver.join(family.other_group)
    upper.wait_for(asks_for(family.other_group), "the join of the second group")
    receiver.leave(family.other_group)
    wait_until(lambda: family.other_group not in family.joined(network), what="the leave")
    assert family.other_group in family.joined(network, "eth2")
    assert not upper2.select("report", group=family.group)
    assert not upper2.select("leave", group=family.other_group)
    assert family.group not in family.joined(network, "eth2")


@pytest.mark.parametrize("family", FAMILIES, ids=str)
def test_streams_stay_in_their_instance(network, family):
    """Also those of hosts below: they go to their own upstream link only."""
    start_two(network, family)
    above, above2 = StreamWatch(network.source, "eth0"), StreamWatch(network.source2, "eth0")
    below2 = StreamWatch(network.host2, "eth0")
    receiver, receiver2 = family.receiver(network.host), family.receiver(network.host2)
    receiver.join(family.group)
    receiver2.join(family.other_group)
    wait_until(lambda: family.group in family.joined(network) and family.other_group in family.joined(network, "eth2"),
               what="both joins")

    down = Sender(network.source, "eth0", family.group).start(pps=200)
    receiver.wait_for(20)
    down.stop()
    # The other instance's group by this upstream link: no host here wants it.
    other = Sender(network.source, "eth0", family.other_group).start(pps=200)
    wait_until(lambda: other.sequence > 40, what="some packets")
    other.stop()
    assert below2.count() == 0
    assert above2.count() == 0

    up = Sender(network.host, "eth0", family.other_group).start(pps=200)
    wait_until(lambda: above.count() > 20, what="the host's stream upstream")
    up.stop()
    assert above2.count() == 0
    assert receiver2.count() == 0 and below2.count() == 0


@pytest.mark.parametrize("family", FAMILIES, ids=str)
def test_link_lost_in_one_instance_does_not_touch_the_other(network, family):
    start_two(network, family)
    receiver2 = family.receiver(network.host2).join(family.group)
    sender2 = Sender(network.source2, "eth0", family.group).start(pps=500)
    receiver2.wait_for(20)
    for _ in range(5):
        network.router.ip("link set eth0 down", "link set eth1 down")
        receiver2.wait_for(20)
        network.router.ip("link set eth0 up", "link set eth1 up")
        receiver2.wait_for(20)
    sender2.stop()
    assert not receiver2.gaps()


def flood(network, family, count=20000):
    """Reports that join many groups, 50 in each, as fast as one sender can."""
    guest = family.guest(network.host)
    packets = []
    for number in range(count // 50):
        groups = [f"239.{100 + number // 250}.{number % 250}.{last}" if family.number == 4
                  else f"ff1e::{number + 1:x}:{last:x}" for last in range(1, 51)]
        records = [wire.Record("TO_EX", group) for group in groups]
        if family.number == 4:
            packets.append(wire.ipv4_packet(guest.address, "224.0.0.22", wire.igmp_v3_report(*records)))
        else:
            packets.append(wire.ipv6_packet(guest.address, "ff02::16", wire.mld_v2_report(*records)))
    address = (b"\x01\x00\x5e\x00\x00\x16", 0x0800) if family.number == 4 else (b"\x33\x33\x00\x00\x00\x16", 0x86DD)
    with network.host.entered(), socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, 0) as sock:
        for packet in packets:
            sock.sendto(packet, ("eth0", address[1], 0, 0, address[0]))


@pytest.mark.parametrize("membership", ["kernel", "user"])
@pytest.mark.parametrize("family", FAMILIES, ids=str)
def test_flood_of_reports_on_one_instance_leaves_the_other_working(network, family, membership):
    daemon = start(network, family,
                   f'protocol = "{family.protocol}"; {QUICK} upstream_membership = "{membership}"; {TWO}')
    upper2 = family.capture(network.source2)
    Sender(network.source2, "eth0", family.group).start(pps=200)
    receiver2 = family.receiver(network.host2)

    flood(network, family)
    receiver2.join(family.group)
    upper2.wait_for(asks_for(family.group), "the join on the other instance", timeout=2)
    receiver2.wait_for(20)
    assert not receiver2.gaps()

    # And the flooded one still does what it is for.
    Sender(network.source, "eth0", family.other_group).start(pps=200)
    family.receiver(network.host).join(family.other_group).wait_for(20, timeout=10)
    assert daemon.running


@pytest.mark.parametrize("membership", ["kernel", "user"])
@pytest.mark.parametrize("family", FAMILIES, ids=str)
def test_upstream_link_of_two_instances_gets_the_union_of_their_wishes(network, family, membership):
    start(network, family, f'protocol = "{family.protocol}"; {QUICK} upstream_membership = "{membership}"; '
                           'instances = ("eth0 ==> eth1", "eth0 ==> eth3");', ("eth0", "eth1", "eth3"))
    upper = family.capture(network.source)
    receiver, receiver2 = family.receiver(network.host), family.receiver(network.host2)
    Sender(network.source, "eth0", family.group).start(pps=200)
    receiver.join(family.group).wait_for(20)
    below2 = StreamWatch(network.host2, "eth0")
    receiver.wait_for(20)
    assert below2.count() == 0

    receiver2.join(family.group).wait_for(20)
    receiver.leave(family.group)
    receiver.wait_for_silence()
    receiver2.wait_for(20)
    assert not receiver2.gaps()
    receiver2.leave(family.group)
    upper.wait_for(lambda m: wire.Record("TO_IN", family.group) in m.records, "the leave of the last one")
