# SPDX-License-Identifier: BSD-2-Clause
"""Multicast Router Discovery (RFC 4286): switches learn the port of a router that is not the querier."""

import json
import time

import pytest
import wire
from capture import send_packets
from ctl import ask
from families import FAMILIES, IPV4
from netlab import Sender, assert_stays, make_router, wait_until

both_families = pytest.mark.parametrize("family", FAMILIES, ids=str)
SNOOPERS = {4: "224.0.0.106", 6: "ff02::6a"}
ROUTERS = {4: "224.0.0.2", 6: "ff02::2"}
QUICK = "query_interval = 1; query_response_interval = 0.5; "


@pytest.fixture
def link(router):
    return router.raise_address()


def lower(family, network):
    return family.guest(network.host, "10.0.1.20" if family is IPV4 else "fe80::1")


def message(family, kind, source):
    """A message of router discovery as a packet."""
    destination = (ROUTERS if kind == "solicitation" else SNOOPERS)[family.number]
    if family is IPV4:
        return wire.ipv4_packet(source, destination, wire.igmp_discovery(kind))
    return wire.ipv6_packet(source, destination, wire.discovery(wire.MLD_DISCOVERY, kind))


def wait_for_advertisements(capture, count, timeout):
    wait_until(lambda: len(capture.select("advertisement")) >= count, timeout, f"{count} advertisements")
    return capture.select("advertisement")


def drops(daemon, family):
    for entry in ask(daemon, "show", what="links", link="eth1")["links"]:
        if entry["family"] == f"IPv{family.number}":
            return entry["drops"].get("needless router discovery", 0)
    return 0


def elect_another(family, network, daemon, **fields):
    lower(family, network).query(**fields)
    daemon.wait_for_output("querier: another router")


@both_families
def test_a_router_that_lost_the_election_advertises(link, family):
    """Three at the start, then the interval; an answer to a solicitation; a termination at the exit."""
    network = link
    capture = family.capture(network.host)
    daemon = family.daemon(network)
    elect_another(family, network, daemon, query_interval=60, robustness=3)
    lost_at = time.time()

    first = wait_for_advertisements(capture, 3, 8)
    times = [lost_at] + [m.time for m in first]
    assert all(later - earlier < 2.1 for earlier, later in zip(times, times[1:]))
    for m in first:
        source = "10.0.1.50" if family is IPV4 else network.router.link_local("eth1")
        assert (m.source, m.destination, m.ttl) == (source, SNOOPERS[family.number], 1)
        assert m.router_alert and m.checksum_good and (family is not IPV4 or m.tos == 0xC0)
        # The fields have the variables in force, which are the querier's.
        assert (m.advertisement_interval, m.query_interval, m.robustness) == (20, 60, 3)
    fourth = wait_for_advertisements(capture, 4, 22)[3]
    assert 19.4 < fourth.time - first[2].time < 20.7

    # Solicitations: one answer for both, within two seconds, after a delay.
    asked_at = time.time()
    send_packets(network.host, "eth0", [message(family, "solicitation", "0.0.0.0" if family is IPV4 else "fe80::99")] * 2)
    answer = wait_for_advertisements(capture, 5, 3)[4]
    assert 0.05 < answer.time - asked_at < 2.2
    assert_stays(lambda: len(capture.select("advertisement")) == 5, 2.5, "one answer")
    assert drops(daemon, family) == 1

    assert not capture.select("termination")
    begun = time.monotonic()
    daemon.terminate()
    assert time.monotonic() - begun < 2
    end = capture.wait_for(lambda m: m.kind == "termination", "a termination")
    assert (end.destination, end.ttl, end.checksum_good, end.router_alert) == (SNOOPERS[family.number], 1, True, True)
    assert len(capture.select("termination")) == 1


@both_families
def test_the_querier_is_silent_unless_told_otherwise(link, family):
    """By its queries, switches know its port. A reload starts and ends advertisements."""
    network = link
    capture = family.capture(network.host)
    daemon = family.daemon(network, QUICK)
    text = daemon.configuration_path.read_text()
    send_packets(network.host, "eth0", [message(family, "solicitation", "10.0.1.9" if family is IPV4 else "fe80::9")])
    wait_until(lambda: drops(daemon, family) == 1, what="the solicitation")
    assert_stays(lambda: not capture.select("advertisement"), 3, "silence while querier")

    daemon.reconfigure("router_discovery = true; " + text)
    wait_for_advertisements(capture, 3, 8)
    daemon.reconfigure("router_discovery = false; " + text)
    capture.wait_for(lambda m: m.kind == "termination", "a termination")
    elect_another(family, network, daemon)
    count = len(capture.select("advertisement"))
    assert_stays(lambda: len(capture.select("advertisement")) == count, 3, "silence when switched off")
    daemon.terminate()
    assert len(capture.select("termination")) == 1


@both_families
def test_a_router_that_takes_over_ends_its_advertisements(link, family):
    network = link
    capture = family.capture(network.host)
    daemon = family.daemon(network)
    elect_another(family, network, daemon, robustness=2, query_interval=2, max_response=1.0)
    wait_for_advertisements(capture, 1, 4)
    daemon.wait_for_output("querier: this router", 15)  # 9 s after the query
    capture.wait_for(lambda m: m.kind == "termination", "a termination")
    ended_at = capture.select("termination")[0].time
    assert_stays(lambda: not capture.select("advertisement", after=ended_at), 2.5, "no advertisement after it")


def router_ports(switch, bridge):
    return {port["port"] for table in json.loads(switch.run("bridge -j -d mdb show"))
            for port in table.get("router", {}).get(bridge, [])}


@both_families
def test_streams_reach_a_router_through_a_snooping_switch_that_is_querier(lab, family):
    """host -- switch (bridge: snooping, querier with the lower address) -- router: the stream has a member at the switch,
    so the switch sends it to that member and to the ports of routers only."""
    network = make_router(lab, downstreams=0)
    switch, sender, member = lab.namespace("switch"), lab.namespace("sender"), lab.namespace("member")
    lab.link(network.router, "eth1", switch, "uplink", ("10.0.1.50/24", "fd00:1::50/64"))
    lab.link(switch, "port1", sender, "eth0", (), ("10.0.1.10/24", "fd00:1::10/64"))
    lab.link(switch, "port2", member, "eth0", (), ("10.0.1.11/24", "fd00:1::11/64"))
    switch.bridge("br0", "uplink", "port1", "port2", addresses=("10.0.1.2/24", "fe80::1/64"))
    switch.ip("link set br0 type bridge mcast_query_use_ifaddr 1 mcast_query_interval 200 "
              "mcast_startup_query_interval 200",
              "link set br0 type bridge mcast_querier 1")
    for host in (sender, member):
        host.ip("route add default via 10.0.1.50", "route add default via fd00:1::50")
    # The switch's queries are of the older version; nobody else must become querier.
    daemon = family.daemon(network)
    daemon.wait_for_output("querier: another router", 15)

    family.receiver(member).join(family.group)
    wait_until(lambda: ("port2", family.group) in switch.bridge_members("br0"), 10, "the member in the switch's table")
    above = family.receiver(network.source).join(family.group)
    Sender(sender, "eth0", family.group).start(pps=50)
    wait_until(lambda: "uplink" in router_ports(switch, "br0"), 10, "the router's port in the switch's table")
    above.wait_for(50)


@both_families
def test_forged_messages_cost_a_counter(link, family):
    """A flood of all three messages: one answer at a time, no change of anything, and joins still work."""
    network = link
    daemon = family.daemon(network)
    elect_another(family, network, daemon)
    capture = family.capture(network.host)
    wait_for_advertisements(capture, 2, 8)
    begun, before = time.time(), len(capture.select("advertisement"))
    packets = [message(family, kind, "10.0.1.9" if family is IPV4 else "fe80::9") for kind in wire.DISCOVERY_KINDS]
    for _ in range(20):
        send_packets(network.host, "eth0", packets * 200)
    # The packet filter lets only solicitations of MLD pass; IGMP messages are all counted.
    expected = 20 * 200 * (3 if family is IPV4 else 1) - 20
    wait_until(lambda: drops(daemon, family) >= expected, what=lambda: drops(daemon, family))
    elapsed = time.time() - begun
    sent = [m for m in capture.select("advertisement", outgoing=False)][before:]
    assert len(sent) <= 3 + 2 * elapsed
    family.guest(network.host).join(family.group)
    wait_until(lambda: family.group in family.joined(network), what="the join upstream")
