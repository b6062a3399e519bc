# SPDX-License-Identifier: BSD-2-Clause
"""Sources that move from one link of the router to another: they are forwarded from there within four seconds, as the kernel
tells of such packets at most every three."""

import struct
import threading
import time

import pytest
import wire
from capture import PacketSocket
from families import FAMILIES, IPV4, IPV6
from netlab import Sender, make_router, send_packet, tables, wait_until

both_families = pytest.mark.parametrize("family", FAMILIES, ids=str)
LINKS = ("eth0", "eth1", "eth2", "eth3")
AT_MOST = 1.0
PORT = 5001


class RovingSource:
    """A source that exists only as packets: it sends a stream with one address, from whatever place it is at."""

    def __init__(self, family, address, place, pps=50, hop_limit=8):
        self.family = family
        self.address = address
        self.place = place  # (namespace, device)
        self.hop_limit = hop_limit
        self.sequence = 0
        self._interval = 1 / pps
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._loop, daemon=True)
        place[0].lab.defer(self.close)
        self._thread.start()

    def _packet(self):
        payload = (b"mcpx" + struct.pack("=qd", self.sequence, time.time())).ljust(64, b"\0")
        udp = struct.pack("!HHHH", PORT, PORT, 8 + len(payload), 0) + payload
        group = wire.packed(self.family.group)
        if self.family is IPV4:
            return wire.ipv4_packet(self.address, self.family.group, udp, ttl=self.hop_limit, tos=0, router_alert=False,
                                    protocol=17)
        pseudo = wire.packed(self.address) + group + struct.pack("!II", len(udp), 17)
        udp = udp[:6] + struct.pack("!H", wire.checksum(pseudo + udp)) + udp[8:]
        return struct.pack("!IHBB", 0x60000000, len(udp), 17, self.hop_limit) + wire.packed(self.address) + group + udp

    def _loop(self):
        used, sock = None, None
        while not self._stop.wait(self._interval):
            if used != self.place:
                used = self.place
                if sock:
                    sock.close()
                sock = PacketSocket(*used)
            sock.send(self._packet())
            self.sequence += 1
        if sock:
            sock.close()

    def move(self, place, hop_limit=None):
        """Returns the number of the first packet from there, and when that was."""
        self.hop_limit = hop_limit or self.hop_limit
        self.place = place
        return self.sequence + 1, time.time()

    def close(self):
        self._stop.set()
        self._thread.join()


def place(namespace):
    return namespace, "eth0"


@pytest.fixture
def three_links(lab):
    return make_router(lab, downstreams=3)


def expect_from(receiver, first, since):
    """The receiver gets packets from the new place in time, and then all of them, once."""
    wait_until(lambda: [a for a in receiver.arrivals if a.sequence >= first], AT_MOST + 1,
               lambda: f"packets from {first} on; the last ones were {receiver.sequences()[-3:]}")
    begin = next(a for a in list(receiver.arrivals) if a.sequence >= first)
    assert begin.time - since < AT_MOST
    receiver.wait_for(25)
    after = [sequence for sequence in receiver.sequences() if sequence >= begin.sequence]
    assert after == list(range(after[0], after[0] + len(after)))


@pytest.mark.smoke
@both_families
@pytest.mark.parametrize("journey", ["upstream to downstream", "downstream to upstream", "downstream to downstream"])
def test_source_that_moves_is_forwarded_from_its_new_link(three_links, family, journey):
    network = three_links
    family.daemon(network, "", LINKS)
    places = {"upstream": (network.source, "eth0"), "downstream": (network.hosts[1], "eth2")}
    start, end = (places[word] for word in journey.split(" to "))
    if start == end:
        end = (network.hosts[2], "eth3")
    receiver = family.receiver(network.host).join(family.group)
    source = RovingSource(family, family.sources[0], place(start[0]))
    receiver.wait_for(10)

    first, since = source.move(place(end[0]))
    expect_from(receiver, first, since)
    route = family.routes(network.router)[(family.sources[0], family.group)]
    names = {vif.number: vif.name for vif in family.vifs(network.router)}
    assert names[route.parent] == end[1]
    assert {names[number] for number in route.outgoing} == {"eth1"} | ({"eth0"} if end[1] != "eth0" else set())


def test_source_that_moves_to_and_fro(three_links):
    """Each time within the limit; the links of the entry follow."""
    network = three_links
    IPV4.daemon(network, "", LINKS)
    receiver = IPV4.receiver(network.host).join(IPV4.group)
    source = RovingSource(IPV4, IPV4.sources[0], place(network.source))
    receiver.wait_for(10)
    for namespace in (network.hosts[1], network.source):
        expect_from(receiver, *source.move(place(namespace)))


@both_families
def test_source_without_members_that_moves_is_where_it_is_when_one_joins(three_links, family):
    """The entry of an unwanted stream follows as well."""
    network = three_links
    family.daemon(network, "", LINKS)
    key = (family.sources[0], family.group)
    source = RovingSource(family, family.sources[0], place(network.source))
    wait_until(lambda: key in family.routes(network.router), what="the negative entry")
    source.move(place(network.hosts[1]))
    wait_until(lambda: tables.outgoing_devices(network.router, *key) == {"eth0"}, AT_MOST, "the stream upstream")
    receiver = family.receiver(network.host).join(family.group)
    receiver.wait_for(10, timeout=2)


@both_families
def test_a_source_that_stays_is_not_taken_for_one_that_moves(three_links, family):
    """A downstream source whose group has members on other links goes upstream too, where the router itself has joined: what
    the kernel loops back there is no move. Every packet arrives, once."""
    network = three_links
    daemon = family.daemon(network, "", LINKS)
    above = family.receiver(network.source).join(family.group)
    member = family.receiver(network.hosts[1]).join(family.group)
    wait_until(lambda: family.group in family.joined(network), what="the join upstream")
    Sender(network.host, "eth0", family.group).start(pps=50)
    member.wait_for(250, timeout=8)  # longer than the kernel keeps silent between two of its messages
    above.wait_for(1)
    for receiver in (member, above):
        assert receiver.begins_with_the_first()
    assert "arrives here now" not in daemon.stderr


@pytest.mark.parametrize("hop_limit", [7, 8, 9])
def test_move_upstream_is_seen_whatever_the_hop_limit(three_links, hop_limit):
    """From a downstream link to the upstream one, where the kernel loops the stream's own packets back with one hop less."""
    network = three_links
    IPV6.daemon(network, "", LINKS)
    receiver = IPV6.receiver(network.host).join(IPV6.group)
    source = RovingSource(IPV6, IPV6.sources[0], place(network.hosts[1]), hop_limit=8)
    receiver.wait_for(100)
    expect_from(receiver, *source.move(place(network.source), hop_limit))


@pytest.mark.parametrize("journey", ["upstream to downstream", "downstream to upstream", "downstream to downstream"])
def test_source_that_reports_before_it_sends_from_its_new_link(three_links, journey):
    """Its report is the first packet there, after which the kernel says nothing for 3 s: the stream follows all the same."""
    network = three_links
    IPV4.daemon(network, "", LINKS)
    start, end = {"upstream to downstream": (network.source, network.hosts[1]),
                  "downstream to upstream": (network.hosts[1], network.source),
                  "downstream to downstream": (network.hosts[1], network.hosts[2])}[journey]
    receiver = IPV4.receiver(network.host).join(IPV4.group)
    source = RovingSource(IPV4, IPV4.sources[0], place(start), pps=20)
    receiver.wait_for(20)
    report = wire.igmp_simple(wire.IGMP_V2_REPORT, IPV4.group)
    send_packet(end, "eth0", wire.ipv4_packet(IPV4.sources[0], IPV4.group, report))
    expect_from(receiver, *source.move(place(end)))
