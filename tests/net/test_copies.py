# SPDX-License-Identifier: BSD-2-Clause
"""Streams that arrive on two links: another router puts a copy on a second link, or a host there sends packets with the source's
address. The route keeps its input while packets arrive there."""

import collections
import dataclasses
import time

import pytest
from ctl import ask, mcproxyctl, socket_path
from diagnosis import doctor
from families import FAMILIES, IPV4, IPV6
from mroute import MulticastRouting, MulticastRouting6
from namespaces import Namespace
from netlab import Membership, Sender, make_router, wait_until
from plugs import StreamWatch
from test_wrongvif import RovingSource

both_families = pytest.mark.parametrize("family", FAMILIES, ids=str)
LINKS = ("eth0", "eth1", "eth2")


@dataclasses.dataclass
class TwoRouters:
    """Two routers between the upstream link, where `source` is, and the link of `lan`; `host` is behind the first one alone.

    source br0 -- eth0 router eth1 -- br0 lan, router eth2 -- eth0 host; source br0 -- eth0 second eth1 -- br0 lan
    """

    router: Namespace
    second: Namespace
    source: Namespace
    lan: Namespace
    host: Namespace


@pytest.fixture
def two_routers(lab):
    router, second, source, lan, host = (lab.namespace(role) for role in ("router", "second", "source", "lan", "host"))
    for device, end, number in (("eth0", source, 0), ("eth1", lan, 1)):
        prefix6 = "fd00::" if number == 0 else f"fd00:{number}::"
        lab.link(router, device, end, "port1", (f"10.0.{number}.1/24", f"{prefix6}1/64"))
        lab.link(second, device, end, "port2", (f"10.0.{number}.2/24", f"{prefix6}2/64"))
        end.bridge("br0", "port1", "port2", snooping=False, addresses=(f"10.0.{number}.10/24", f"{prefix6}10/64"))
        end.ip(f"route add default via 10.0.{number}.1", f"route add default via {prefix6}1")
    lab.link(router, "eth2", host, "eth0", ("10.0.2.1/24", "fd00:2::1/64"), ("10.0.2.10/24", "fd00:2::10/64"))
    return TwoRouters(router, second, source, lan, host)


def second_router(network, family, source, input_device, output_device):
    """The other router forwards the stream from one of the links to the other."""
    routing = (MulticastRouting if family is IPV4 else MulticastRouting6)(network.second)
    vifs = {device: routing.add_vif(device) for device in ("eth0", "eth1")}
    routing.add_route(source, family.group, vifs[input_device], [vifs[output_device]])
    return routing


def addresses(family):
    return ("10.0.0.10", "10.0.1.10") if family is IPV4 else ("fd00::10", "fd00:1::10")


def each_once(receiver, sender):
    """Every packet, but for those within the first moment that the kernel has no room for."""
    sequences = receiver.sequences()
    return sequences[:receiver.KEPT_PACKETS] == list(range(receiver.KEPT_PACKETS)) and \
        sequences == sequences[:1] + [s for s in sequences[1:] if s > sequences[0]] and \
        sequences[receiver.KEPT_PACKETS:] == list(range(sequences[receiver.KEPT_PACKETS], sender.sequence))


def wait_for_last(receiver, sender):
    wait_until(lambda: sender.sequence - 1 in receiver.sequences(), 10, "the last packet")


def entry_input(network, family, source):
    names = {vif.number: vif.name for vif in family.vifs(network.router)}
    route = family.routes(network.router).get((source, family.group))
    return names.get(route.parent) if route else None


def settings_of(case):
    return "forward_without_querier = true;" if case == "forward_without_querier" else ""


@both_families
@pytest.mark.parametrize("case", ["members", "forward_without_querier", "another querier", "no members on the link"])
def test_copy_of_an_upstream_stream_on_a_downstream_link(two_routers, family, case):
    """Nothing is sent back, and no host gets more than each router's own packets."""
    network = two_routers
    source = addresses(family)[0]
    daemon = family.daemon(network, settings_of(case), LINKS)
    host = family.receiver(network.host).join(family.group)
    lan = family.receiver(network.lan, "br0")
    if case == "another querier":
        family.guest(network.lan, "10.0.1.0" if family is IPV4 else "fe80::1", "br0").query()
        daemon.wait_for_output("eth1: querier: another router")
    if case != "no members on the link":
        lan.join(family.group)
    wait_until(lambda: family.group in family.joined(network), what="the join upstream")
    second_router(network, family, source, "eth0", "eth1")
    upstream = StreamWatch(network.source)
    sender = Sender(network.source, "br0", family.group)
    sender.start(pps=100, count=500)
    wait_until(lambda: sender.sequence == 500, 15, "the stream")
    wait_for_last(host, sender)
    assert each_once(host, sender)
    assert upstream.count() == 0
    assert entry_input(network, family, source) == "eth0"
    copies = collections.Counter(lan.sequences())
    assert not copies or max(copies.values()) <= 2


@both_families
def test_lan_source_beside_a_second_router(two_routers, family):
    """Both forward it upstream; what the other one has sent there does not come back."""
    network = two_routers
    source = addresses(family)[1]
    daemon = family.daemon(network, "", LINKS)
    host = family.receiver(network.host).join(family.group)
    upstream = family.receiver(network.source, "br0").join(family.group)
    lan = family.receiver(network.lan, "br0").join(family.group)
    wait_until(lambda: {g["link"] for g in ask(daemon, "show", what="groups")["groups"] if g["group"] == family.group}
               == {"eth1", "eth2"} and family.group in family.joined(network), what="the members, and the join upstream")
    second_router(network, family, source, "eth1", "eth0")
    sender = Sender(network.lan, "br0", family.group)
    sender.start(pps=100, count=500)
    wait_until(lambda: sender.sequence == 500, 15, "the stream")
    wait_for_last(host, sender)
    assert each_once(host, sender)
    wait_until(lambda: set(collections.Counter(upstream.sequences()[20:]).values()) == {2}
               and len(set(upstream.sequences())) >= 495, what="each packet upstream, from both routers")
    assert not lan.sequences()
    assert entry_input(network, family, source) == "eth1"


OFF_SUBNET = {IPV4: "10.9.9.9", IPV6: "fd00:9::9"}  # only a default route leads there


@both_families
@pytest.mark.parametrize("pps", [10, 50])
def test_lan_source_without_a_unicast_route_keeps_its_input(three_links, family, pps):
    """Packets with its address arrive upstream, where the default route leads: every packet from the LAN is still forwarded."""
    network = three_links
    daemon = family.daemon(network, "", ("eth0", "eth1", "eth2", "eth3"))
    source = OFF_SUBNET[family]
    receiver = family.receiver(network.host).join(family.group)
    real = RovingSource(family, source, (network.hosts[1], "eth0"), pps=50)
    receiver.wait_for(20)
    first = real.sequence
    RovingSource(family, source, (network.source, "eth0"), pps=pps)

    def copied():
        return next(r for r in ask(daemon, "show", what="routes")["routes"] if r["source"] == source)["copy_input"]
    wait_until(lambda: copied() == "eth0", 10, "the copy")
    wait_until(lambda: real.sequence >= first + 150, 10, "more of the stream")
    assert entry_input(network, family, source) == "eth2"
    real.close()
    wait_until(lambda: real.sequence - 1 in receiver.sequences(), what="the last packet")
    assert set(receiver.sequences()) >= set(range(first, real.sequence))


@both_families
def test_lan_source_without_a_unicast_route_does_not_loop(two_routers, family):
    """A second router sends it upstream too, and nothing of it comes back to the LAN."""
    network = two_routers
    daemon = family.daemon(network, "", LINKS)
    source = OFF_SUBNET[family]
    host = family.receiver(network.host).join(family.group)
    upstream = family.receiver(network.source, "br0").join(family.group)
    lan = family.receiver(network.lan, "br0").join(family.group)
    wait_until(lambda: {g["link"] for g in ask(daemon, "show", what="groups")["groups"] if g["group"] == family.group}
               == {"eth1", "eth2"} and family.group in family.joined(network), what="the members, and the join upstream")
    second_router(network, family, source, "eth1", "eth0")
    sender = RovingSource(family, source, (network.lan, "br0"), pps=50)
    host.wait_for(200, timeout=20)
    sender.close()
    wait_until(lambda: sender.sequence - 1 in host.sequences(), what="the last packet")
    assert max(collections.Counter(host.sequences()).values()) == 1
    assert len(set(upstream.sequences())) >= 190
    assert not lan.sequences()
    assert entry_input(network, family, source) == "eth1"


@both_families
@pytest.mark.parametrize("origin", ["eth0", "eth1"])
def test_copy_that_comes_first_gives_way(two_routers, family, origin):
    """While the stream's own link is down the copy is forwarded; once it is up again, nothing goes round."""
    network = two_routers
    other = "eth1" if origin == "eth0" else "eth0"
    source = addresses(family)[origin == "eth1"]
    # What goes round looks like IPv6 packets that are looped back where the kernel is a member upstream.
    daemon = family.daemon(network, 'upstream_membership = "user";', LINKS)
    host = family.receiver(network.host).join(family.group)
    wait_until(lambda: ask(daemon, "show", what="uplinks")["upstream"][0]["groups"] == 1, what="the join upstream")
    second_router(network, family, source, origin, other)
    end = network.source if origin == "eth0" else network.lan
    sender = Sender(end, "br0", family.group).start(pps=50)
    host.wait_for(10)
    network.router.ip(f"link set {origin} down")
    wait_until(lambda: entry_input(network, family, source) == other, 10, "the copy's link as input")
    host.wait_for(20)
    network.router.ip(f"link set {origin} up")
    if family is IPV6:  # a link that was down has lost its addresses
        network.router.add_addresses(origin, "fd00::1/64" if origin == "eth0" else "fd00:1::1/64")
    wait_until(lambda: entry_input(network, family, source) == origin, 15, "the stream's own link as input")
    sent_back = StreamWatch(end)
    host.wait_for(100)
    after = host.sequences()[-80:]
    assert after == list(range(after[0], after[0] + 80))
    back = sent_back.count()
    host.wait_for(50)
    assert sent_back.count() == back
    sender.stop()


@both_families
def test_copies_are_shown_counted_and_explained(two_routers, family):
    """In the log once, in `show routes` while they arrive, and by doctor with both links."""
    network = two_routers
    source = addresses(family)[0]
    daemon = family.daemon(network, "", LINKS)
    receiver = family.receiver(network.host).join(family.group)
    wait_until(lambda: family.group in family.joined(network), what="the join upstream")
    sender = Sender(network.source, "br0", family.group).start(pps=50)
    receiver.wait_for(20)

    def route():
        return next(r for r in ask(daemon, "show", what="routes")["routes"] if r["source"] == source)

    def table():
        return next(t for t in ask(daemon, "show", what="status")["tables"] if t["family"] == str(family))
    assert route()["copy_input"] is None
    routing = second_router(network, family, source, "eth0", "eth1")
    wait_until(lambda: route()["copy_input"] == "eth1", what="the copy")
    assert (route()["input"], table()["routes_with_copies"], table()["copies_found"]) == ("eth0", 1, 1)
    assert "a copy arrives on eth1, and is not forwarded" in mcproxyctl(daemon, "show", "routes")
    assert f'mcproxy_table_copies_found_total{{table="0",family="{family}"}} 1' in mcproxyctl(daemon, "metrics")
    findings, _ = doctor(network.router, socket_path(daemon))
    finding, = findings["copies"]
    assert finding["subject"] == "eth1"
    assert f"1 stream arrives on eth0 and on eth1, such as ({source}, {family.group}): a second router" in finding["what"]
    assert f"({source}, {family.group}) arrives on eth0, and a copy of it on eth1" in daemon.stderr

    routing.delete_route(source, family.group)
    wait_until(lambda: route()["copy_input"] is None and table()["routes_with_copies"] == 0, 10, "the end of the copies")
    routing.add_route(source, family.group, 0, [1])
    wait_until(lambda: route()["copy_input"] == "eth1", 10, what="the copies again")
    assert daemon.stderr.count("and a copy of it on") == 1
    sender.stop()
    assert receiver.begins_with_the_first()


@pytest.mark.parametrize("where", ["upstream, by the daemon", "downstream, by a program", "both"])
def test_looped_packets_are_no_copies(three_links, where):
    """The kernel loops back IPv6 packets on links where this machine is a member; a real copy beside them is noticed."""
    network = three_links
    kept_by = "user" if where == "downstream, by a program" else "kernel"
    daemon = IPV6.daemon(network, f'upstream_membership = "{kept_by}";', ("eth0", "eth1", "eth2", "eth3"))
    source = IPV6.host
    IPV6.receiver(network.hosts[1]).join(IPV6.group)
    wait_until(lambda: ask(daemon, "show", what="uplinks")["upstream"][0]["groups"] == 1, what="the join upstream")
    if where != "upstream, by the daemon":
        Membership(network.router, "eth2", IPV6.socket_family).join(IPV6.group)
    sender = Sender(network.host, "eth0", IPV6.group).start(pps=50)
    wait_until(lambda: (source, IPV6.group) in IPV6.routes(network.router), what="the entry")

    def route():
        return next(r for r in ask(daemon, "show", what="routes")["routes"] if r["source"] == source)
    wait_until(lambda: route()["wrong_interface"] > 200, 15, "looped packets")
    assert route()["copy_input"] is None
    assert "a copy of it" not in daemon.stderr
    RovingSource(IPV6, source, (network.source, "eth0"), pps=50)
    wait_until(lambda: route()["copy_input"] is not None, 10, "the copy")
    assert route()["input"] == "eth1"
    sender.stop()


@pytest.fixture
def three_links(lab):
    return make_router(lab, downstreams=3)


def spoof(network, family, number=1, count=1, pps=100):
    """Packets with the upstream source's address, from a host on a downstream link."""
    rogue = RovingSource(family, addresses(family)[0], (network.hosts[number], "eth0"), pps=pps)
    wait_until(lambda: rogue.sequence >= count, what="the spoofed packets")
    rogue.close()


@both_families
@pytest.mark.parametrize("stream", ["50 packets/s", "1 packet/s", "bursts", "short pause"])
@pytest.mark.parametrize("filtered", [False, True], ids=["", "-r"])
def test_one_spoofed_packet_never_interrupts_a_stream(three_links, family, stream, filtered):
    network = three_links
    if filtered:
        for device in ("eth0", "eth1", "eth2", "eth3"):
            network.router.sysctl(f"net/ipv4/conf/{device}/rp_filter", 1)
    family.daemon(network, "", ("eth0", "eth1", "eth2", "eth3"), flags="-dr" if filtered else "-d")
    receiver = family.receiver(network.host).join(family.group)
    wait_until(lambda: family.group in family.joined(network), what="the join upstream")
    sender = Sender(network.source, "eth0", family.group)
    if stream == "50 packets/s":
        sender.start(pps=50, count=150)
        receiver.wait_for(20)
        spoof(network, family)
        wait_until(lambda: sender.sequence == 150, what="the stream")
    elif stream == "1 packet/s":
        sender.start(pps=1, count=6)
        receiver.wait_for(2)
        spoof(network, family)
        wait_until(lambda: sender.sequence == 6, 10, "the stream")
    else:
        for _ in range(3):
            sender.send(4)
            wait_for_last(receiver, sender)
            spoof(network, family)
            receiver.assert_silent(1.0 if stream == "bursts" else 0.2)
        sender.send(4)
    wait_for_last(receiver, sender)
    assert receiver.sequences() == list(range(sender.sequence))


@both_families
def test_copies_faster_than_a_slow_stream_do_not_take_it_over(three_links, family):
    """The stream's own packet interval counts, not the other's."""
    network = three_links
    family.daemon(network, "", ("eth0", "eth1", "eth2", "eth3"))
    receiver = family.receiver(network.host).join(family.group)
    wait_until(lambda: family.group in family.joined(network), what="the join upstream")
    sender = Sender(network.source, "eth0", family.group).start(pps=2, count=16)
    receiver.wait_for(4)
    RovingSource(family, addresses(family)[0], (network.hosts[1], "eth0"), pps=100)
    wait_until(lambda: sender.sequence == 16, 15, "the stream")
    wait_for_last(receiver, sender)
    assert receiver.sequences() == list(range(16))
    assert entry_input(network, family, addresses(family)[0]) == "eth0"


@both_families
def test_source_moves_while_it_is_watched(three_links, family):
    """Shortly after a spoofed packet the kernel gives no upcall: the counters show the move in time, the kernel where to."""
    network = three_links
    family.daemon(network, "", ("eth0", "eth1", "eth2", "eth3"))
    receiver = family.receiver(network.host).join(family.group)
    source = RovingSource(family, addresses(family)[0], (network.source, "eth0"), pps=20)
    receiver.wait_for(20)
    spoof(network, family, number=1)
    receiver.wait_for(10)
    first, since = source.move((network.hosts[2], "eth0"))
    wait_until(lambda: [a for a in receiver.arrivals if a.sequence >= first and a.time > since], 3, "packets from there")
    begin = next(a for a in receiver.arrivals if a.sequence >= first and a.time > since)
    assert begin.time - since < 1.0
    assert entry_input(network, family, addresses(family)[0]) == "eth3"
    assert time.time() - since < 3


@both_families
@pytest.mark.parametrize("place", ["upstream", "downstream"])
@pytest.mark.parametrize("pause", [0.5, 1.0])
def test_stream_returns_after_a_pause(three_links, family, place, pause):
    """A host on another link sends faster, with the source's address, and gets the stream in the pause. The vif to which the
    unicast route leads wins soon after the pause."""
    network = three_links
    family.daemon(network, "", LINKS + ("eth3",))
    real, rogue = (network.source, network.hosts[1]) if place == "upstream" else (network.hosts[1], network.source)
    source = addresses(family)[0] if place == "upstream" else "10.0.2.10" if family is IPV4 else "fd00:2::10"
    receiver = family.receiver(network.host).join(family.group)
    wait_until(lambda: family.group in family.joined(network), what="the join upstream")
    stream = RovingSource(family, source, (real, "eth0"), pps=10)
    receiver.wait_for(10)
    other = RovingSource(family, source, (rogue, "eth0"), pps=100)
    wait_until(lambda: other.sequence > 100, what="the other's packets")
    stream.close()
    time.sleep(pause)
    begin = time.time()
    stream = RovingSource(family, source, (real, "eth0"), pps=10)
    origin = "eth0" if place == "upstream" else "eth2"
    wait_until(lambda: entry_input(network, family, source) == origin and stream.sequence > 1, 5, "the stream's own link as input")
    assert time.time() - begin < 2
    first = stream.sequence
    other_first = other.sequence
    wait_until(lambda: other.sequence > other_first + 200, 20, "more of the other's packets")
    assert entry_input(network, family, source) == origin
    assert stream.sequence > first
