# SPDX-License-Identifier: BSD-2-Clause
"""IGMP and MLD messages to a group of which the router itself is a member: the kernel makes upcalls for them as for data.
They never become streams, and real data from the same address is forwarded at once."""

import contextlib
import json
import socket
import threading
import time

import pytest
import wire
from ctl import ask, mcproxyctl
from diagnosis import Answer
from families import FAMILIES, IPV4, IPV6
from netlab import Membership, Record, Sender, make_router, send_packet, wait_until

both_families = pytest.mark.parametrize("family", FAMILIES, ids=str)
MEMBERSHIPS = ("kernel", "user", "auto")


class LocalSender(Sender):
    """A program on the router: its packets come back to the router's multicast routing."""

    def __init__(self, namespace, device, group, **options):
        super().__init__(namespace, device, group, **options)
        level, loop = ((socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_LOOP) if ":" in group
                       else (socket.IPPROTO_IP, socket.IP_MULTICAST_LOOP))
        self.socket.setsockopt(level, loop, 1)


def neighbours(family, link):
    """Addresses of neighbours of the router on a link, which all lose an election."""
    return (f"10.0.{link}.{number}" if family is IPV4 else f"fe80::ffff:ffff:ffff:{number}" for number in range(100, 200))


def send_messages(family, namespace, link, group):
    """Every message that goes to the group itself, each from an address of its own; returns these addresses."""
    addresses = neighbours(family, link)
    used = []
    for router_alert in (True, False):
        for version in (1, 2) if family is IPV4 else (1,):
            used.append(next(addresses))
            options = {"version": version} if family is IPV4 else {}
            family.guest(namespace, used[-1]).join(group, router_alert=router_alert, **options)
        for version in family.versions:
            for sources in ((), family.sources[:2]) if version == family.version else ((),):
                used.append(next(addresses))
                family.guest(namespace, used[-1]).query(version=version, group=group, sources=sources,
                                                        router_alert=router_alert)
    return used


def listed(daemon):
    """The streams that `show routes` lists."""
    lines = mcproxyctl(daemon, "--json", "show", "routes")
    return {(route["source"], route["group"]) for route in json.loads(lines)["routes"]}


def prepare(network, family, membership, end):
    """A daemon, and a group that the router itself has joined on the link of that end, unless the membership is "user"."""
    daemon = family.daemon(network, f'upstream_membership = "{membership}"; ')
    capture = family.capture(network.source)
    receiver = family.receiver(network.host).join(family.group)
    capture.wait_for(lambda m: m.kind == "report" and any(r.group == family.group for r in m.records), "the join upstream")
    if membership == "kernel":
        wait_until(lambda: family.group in family.joined(network), what="the membership of the kernel")
    if end == "downstream":
        Membership(network.router, "eth1", family.socket_family).join(family.group)
    return daemon, receiver


@both_families
@pytest.mark.parametrize("membership", MEMBERSHIPS)
@pytest.mark.parametrize("end", ["upstream", "downstream"])
def test_messages_of_neighbours_are_no_streams(router, family, membership, end):
    network = router
    daemon, receiver = prepare(network, family, membership, end)
    namespace = network.source if end == "upstream" else network.host
    used = send_messages(family, namespace, 0 if end == "upstream" else 1, family.group)
    # The marker: what came before it has been dealt with when it has its route.
    Sender(network.source, "eth0", family.group).start(pps=50)
    receiver.wait_for(5)
    wait_until(lambda: listed(daemon), what="the stream to be listed")
    assert listed(daemon) == {(family.sources[0], family.group)}
    assert {key for key, route in family.routes(network.router).items()
            if route.parent is not None} == {(family.sources[0], family.group)}
    answer = Answer(daemon, family.group)
    assert [stream["source"] for stream in answer.streams] == [family.sources[0]] and answer.failed is None, answer
    lines = [line for line in daemon.stderr.splitlines() if "stream" in line or "route" in line]
    assert not [line for line in lines for address in used if f"({address}, " in line or f" {address} " in line]


@pytest.mark.parametrize("membership", MEMBERSHIPS)
def test_own_reports_to_an_older_querier_are_no_streams(router, membership):
    """Fifty groups without data, upstream a querier of IGMPv2: the router's own reports go to the groups."""
    network, family = router, IPV4
    groups = [f"239.9.9.{number}" for number in range(50)]
    daemon = family.daemon(network, f'upstream_membership = "{membership}"; ')
    capture = family.capture(network.source)
    family.querier(network).query(version=2, max_response=1.0)
    family.guest(network.host).report(*(Record("TO_EX", group) for group in groups))
    for group in groups:
        capture.wait_for(lambda m: m.kind == "report" and m.version == 2 and m.group == group,  # noqa: B023
                         f"the report of {group}")
    since = time.time()
    family.querier(network).query(version=2, max_response=1.0)
    for group in groups:
        capture.wait_for(lambda m: m.kind == "report" and m.version == 2 and m.group == group,  # noqa: B023
                         f"the answer for {group}", after=since)
    # A program on the router that does send, from the address of these reports.
    receiver = family.receiver(network.host).join(groups[0])
    sender = LocalSender(network.router, "eth0", groups[0]).start(pps=50)
    receiver.wait_for(10)
    wait_until(lambda: ("10.0.0.1", groups[0]) in listed(daemon), what="the program's stream")
    assert listed(daemon) == {("10.0.0.1", groups[0])}
    assert set(family.routes(network.router)) == {("10.0.0.1", groups[0])}
    answer = Answer(daemon, groups[0])
    assert [stream["source"] for stream in answer.streams] == ["10.0.0.1"] and answer.failed is None, answer
    sender.stop()


def test_own_reports_of_mld_are_no_streams(router):
    network, family = router, IPV6
    daemon = family.daemon(network, 'upstream_membership = "kernel"; ')
    capture = family.capture(network.source)
    family.querier(network).query(version=1, max_response=1.0)
    family.guest(network.host).report(Record("TO_EX", family.group))
    capture.wait_for(lambda m: m.kind == "report" and m.version == 1 and m.group == family.group, "the report")
    receiver = family.receiver(network.host).join(family.group)
    Sender(network.source, "eth0", family.group).start(pps=50)
    receiver.wait_for(5)
    wait_until(lambda: listed(daemon), what="the stream to be listed")
    assert set(family.routes(network.router)) == listed(daemon) == {(family.sources[0], family.group)}


@pytest.mark.parametrize("message", ["report", "report without router alert", "query", "query without router alert"])
def test_data_from_the_sender_of_a_message_is_forwarded_at_once(router, message):
    """The kernel does not ask about a stream again for 10 s, unless it is answered."""
    network, family = router, IPV4
    _, receiver = prepare(network, family, "kernel", "upstream")
    guest = family.guest(network.source, family.sources[0])
    key = (family.sources[0], family.group)
    sender = Sender(network.source, "eth0", family.group)
    alert = "without" not in message
    if message.startswith("report"):
        guest.join(family.group, router_alert=alert)
    else:
        guest.query(version=2, group=family.group, router_alert=alert)
    # Another stream's route is a marker: the message before it has been dealt with.
    marker = "10.0.0.99"
    network.source.add_addresses("eth0", f"{marker}/24")
    Sender(network.source, "eth0", family.group, address=marker).send()
    wait_until(lambda: (marker, family.group) in family.routes(network.router), what="the marker's route")
    assert key not in family.routes(network.router)
    sender.send(4)
    # A packet that arrives while the kernel sends those that wait may overtake them.
    wait_until(lambda: sorted(receiver.sequences(source=family.sources[0])) == list(range(4)), 1,
               lambda: f"all packets; there are {receiver.sequences()}")


@pytest.mark.parametrize("router_alert", [True, False])
def test_messages_do_not_disturb_a_stream_of_their_sender(router, router_alert):
    """A querier that sends data too: its route stays, and no packet is lost."""
    network, family = router, IPV4
    daemon, receiver = prepare(network, family, "kernel", "upstream")
    guest = family.guest(network.source, family.sources[0])
    guest.query(version=2, group=family.group, router_alert=router_alert)
    wait_until(lambda: not family.routes(network.router), what="no entry for the message")
    sender = Sender(network.source, "eth0", family.group).start(pps=200)
    receiver.wait_for(5)
    for _ in range(20):
        guest.query(version=2, group=family.group, router_alert=router_alert)
        guest.join(family.group, router_alert=router_alert)
        receiver.wait_for(1)
    count = sender.stop()
    wait_until(lambda: receiver.sequences()[-1] == count - 1, what="the last packet")
    assert not receiver.gaps()
    assert listed(daemon) == {(family.sources[0], family.group)}


def test_a_message_on_another_link_is_no_move(lab):
    """The address of a stream's source sends a report on another link where the router is a member: the route stays."""
    network, family = make_router(lab, downstreams=2), IPV4
    daemon = family.daemon(network, "", ("eth0", "eth1", "eth2"))
    receiver = family.receiver(network.host).join(family.group)
    Membership(network.router, "eth2").join(family.group)
    wait_until(lambda: family.group in family.joined(network), what="the join upstream")
    sender = Sender(network.source, "eth0", family.group).start(pps=200)
    receiver.wait_for(5)
    family.guest(network.host2, family.sources[0]).join(family.group)
    receiver.wait_for(50)
    count = sender.stop()
    wait_until(lambda: receiver.sequences()[-1] == count - 1, what="the last packet")
    assert not receiver.gaps()
    assert "arrives here now" not in daemon.stderr


def test_many_reports_without_router_alert_in_a_row(router):
    """The MRT socket has the message and the upcall for it, one after the other, however they are read."""
    network, family = router, IPV4
    groups = [f"239.9.8.{number}" for number in range(20)]
    daemon = family.daemon(network, 'upstream_membership = "kernel"; ')
    family.guest(network.host).report(*(Record("TO_EX", group) for group in groups))
    wait_until(lambda: set(groups) <= family.joined(network).keys(), what="the joins upstream")
    payloads = {group: wire.igmp_simple(wire.IGMP_V1_REPORT, group) for group in groups}
    for number in range(50):
        for group in groups:
            send_packet(network.source, "eth0", wire.ipv4_packet(f"10.0.0.{100 + number}", group, payloads[group],
                                                                 router_alert=False))
    receiver = family.receiver(network.host).join(groups[0])
    Sender(network.source, "eth0", groups[0]).start(pps=50)
    receiver.wait_for(5)
    wait_until(lambda: listed(daemon), what="the stream to be listed")
    assert listed(daemon) == {(family.sources[0], groups[0])}
    # What the daemon did to the kernel's entries was its own doing.
    assert [table["routes_restored"] for table in ask(daemon, "show", what="status")["tables"] if table["family"] == "IPv4"] == [0]


def report_from(address, group, options=b""):
    return wire.ipv4_packet(address, group, wire.igmp_simple(wire.IGMP_V2_REPORT, group), router_alert=False, options=options)


@contextlib.contextmanager
def repeated(namespace, packet, rate):
    """Sends the packet again and again, meanwhile."""
    end = threading.Event()

    def send():
        while not end.wait(1 / rate):
            send_packet(namespace, "eth0", packet)

    thread = threading.Thread(target=send)
    thread.start()
    try:
        yield
    finally:
        end.set()
        thread.join()


@pytest.mark.parametrize("membership, link", [("kernel", "other"), ("user", "other"), ("user", "same")])
def test_forged_reports_do_not_delay_a_stream(lab, membership, link):
    """With the source's address and without Router Alert, where the router is no member: the kernel makes no upcalls for them."""
    network, family = make_router(lab, downstreams=2), IPV4
    daemon = family.daemon(network, f'upstream_membership = "{membership}"; ', ("eth0", "eth1", "eth2"))
    receiver = family.receiver(network.host).join(family.group)
    wait_until(lambda: ask(daemon, "show", what="uplinks")["upstream"][0]["groups"] == 1, what="the join")
    namespace = network.source if link == "same" else network.host2
    for number in range(5):
        address = f"10.0.0.{50 + number}"
        network.source.add_addresses("eth0", f"{address}/24")
        sender = Sender(network.source, "eth0", family.group, address=address)
        with repeated(namespace, report_from(address, family.group), 200):
            time.sleep(0.05)  # the first packet comes between reports
            sender.start(pps=50)
            wait_until(lambda: 0 in receiver.sequences(source=address), 2, f"the first packet of {address}")  # noqa: B023
        sender.stop()


@pytest.mark.parametrize("options", [b"", b"\1\1\1\0"], ids=["no options", "other options"])
def test_hosts_that_report_and_then_send_lose_no_packet(lab, options):
    """On a link where the router is no member. The reports come without Router Alert."""
    network, family = make_router(lab, downstreams=2), IPV4
    family.daemon(network, "", ("eth0", "eth1", "eth2"))
    receiver = family.receiver(network.host).join(family.group)
    wait_until(lambda: family.group in family.joined(network), what="the join upstream")
    for number in range(10):
        address = f"10.0.2.{50 + number}"
        network.host2.add_addresses("eth0", f"{address}/24")
        sender = Sender(network.host2, "eth0", family.group, address=address)
        send_packet(network.host2, "eth0", report_from(address, family.group, options))
        sender.send()
        wait_until(lambda: receiver.sequences(source=address) == [0], 1, f"the packet of {address}")  # noqa: B023


@pytest.mark.parametrize("options", [b"\1\1\1\0", b"\1" * 8, b"\x44\x08\5\0\0\0\0\0"], ids=["nop", "two words", "timestamp"])
def test_messages_with_other_options_are_no_streams(router, options):
    network, family = router, IPV4
    daemon, receiver = prepare(network, family, "kernel", "upstream")
    for address in list(neighbours(family, 0))[:10]:
        send_packet(network.source, "eth0", report_from(address, family.group, options))
    Sender(network.source, "eth0", family.group).start(pps=50)
    receiver.wait_for(5)
    wait_until(lambda: listed(daemon), what="the stream to be listed")
    assert set(family.routes(network.router)) == listed(daemon) == {(family.sources[0], family.group)}
