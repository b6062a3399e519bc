# SPDX-License-Identifier: BSD-2-Clause
"""One host on one LAN never takes what another LAN needs: the routes of an instance, and the memory for its state.

source eth0 -- eth0 router eth1 -- eth0 attacker; router eth2 -- eth0 neighbour."""

import socket
import struct
import sys
import time

import pytest
from ctl import ask
from diagnosis import wait_for_finding
from families import FAMILIES
from netlab import Daemon, Record, Sender, wait_until, wire

both_families = pytest.mark.parametrize("family", FAMILIES, ids=str)
LINKS = ("eth0", "eth1", "eth2")
ROUTES_MAX = 1000

# What any user may run: one socket, a packet to each of many groups, again and again.
FLOOD = """
import ipaddress, socket, sys, time
first, address, rate = int(ipaddress.ip_address(sys.argv[1])), sys.argv[2], int(sys.argv[3])
v6 = ":" in address
flood = socket.socket(socket.AF_INET6 if v6 else socket.AF_INET, socket.SOCK_DGRAM)
flood.setsockopt(41 if v6 else 0, 18 if v6 else 33, 8)
flood.bind((address, 0))
begun, sent = time.monotonic(), 0
print("flood", flush=True)
while True:
    try:
        flood.sendto(b"x", (str(ipaddress.ip_address(first + sent % 60000)), 5000))
    except OSError:
        pass
    sent += 1
    time.sleep(max(0, begun + sent / rate - time.monotonic()))
"""


def flood(network, family, rate):
    first = "239.200.0.0" if family.number == 4 else "ff1e::200:0:0"
    process = network.host.start("setpriv", "--reuid", "65534", "--clear-groups", sys.executable, "-c", FLOOD, first,
                                 family.host, rate)
    process.wait_for_output("flood")


def entries(network, family):
    return [route for route in family.routes(network.router).values() if route.parent is not None]


def links(daemon, family):
    return {link["link"]: link for link in ask(daemon, "show", what="links")["links"] if link["family"] == str(family)}


def seconds_until_first(receiver, group, begin):
    begun = time.monotonic()
    begin()
    receiver.wait_for(1, group=group)
    return time.monotonic() - begun


def groups_of(family, byte, count):
    return [f"239.9.{byte}.{n}" if family.number == 4 else f"ff1e::9:{byte:x}:{n + 1:x}" for n in range(count)]


@both_families
def test_a_flood_of_streams_leaves_routes_for_other_links(router_two_hosts, family):
    """New streams from another LAN, and new streams for its members, begin as usual while the flood lasts."""
    network = router_two_hosts
    text = f'protocol = ["IGMPv3", "MLDv2"]; routes_max = {ROUTES_MAX}; instances = ("eth0 ==> eth1 eth2");'
    daemon = Daemon(network.router, text, vifs=LINKS, vifs6=LINKS)
    other = next(member for member in FAMILIES if member is not family)
    flood(network, family, 3000)
    wait_until(lambda: len(entries(network, family)) >= ROUTES_MAX * 9 // 10, 20, "the flood fills the table")
    begun, cpu = time.monotonic(), sum(cpu_times(daemon))
    upstream, neighbour = family.receiver(network.source), family.receiver(network.host2)
    latencies = []
    for sent, wanted in zip(groups_of(family, 1, 10), groups_of(family, 2, 10)):
        upstream.join(sent)
        sender = Sender(network.host2, "eth0", sent, address=address_of(family, 2))
        latencies.append(seconds_until_first(upstream, sent, lambda: sender.start(pps=50)))  # noqa: B023
        neighbour.join(wanted)
        sender = Sender(network.source, "eth0", wanted, address=address_of(family, 0))
        latencies.append(seconds_until_first(neighbour, wanted, lambda: sender.start(pps=50)))  # noqa: B023
    used = (sum(cpu_times(daemon)) - cpu) / (time.monotonic() - begun)
    print(f"{family}: latencies {sorted(latencies)[len(latencies) // 2]:.4f} {max(latencies):.4f} s, CPU {used:.3f}")
    assert max(latencies) < 1
    # They keep their routes.
    for group in groups_of(family, 2, 10):
        assert not neighbour.gaps(group=group)
    wait_until(lambda: len(entries(network, family)) <= ROUTES_MAX * 9 // 8 + 256, what="few entries")
    shown = links(daemon, family)
    assert shown["eth2"]["routes"] >= 10 and shown["eth0"]["routes"] >= 10
    assert shown["eth1"]["routes"] <= ROUTES_MAX - 20
    assert "routes_max reached" not in shown["eth2"]["drops"] | shown["eth0"]["drops"]
    # The other family shares the limit.
    receiver = other.receiver(network.host2).join(other.group)
    sender = Sender(network.source, "eth0", other.group, address=address_of(other, 0))
    assert seconds_until_first(receiver, other.group, lambda: sender.start(pps=50)) < 1


def address_of(family, link):
    return f"10.0.{link}.10" if family.number == 4 else f"fd00:{link}::10" if link else "fd00::10"


def cpu_times(daemon):
    fields = daemon.namespace.read(f"/proc/{daemon.pid}/stat").rsplit(")")[1].split()
    return int(fields[11]) / 100, int(fields[12]) / 100


def list_of_sources(family, count):
    return tuple(f"10.9.{n // 250}.{n % 250 + 1}" if family.number == 4 else f"2001:db8::{n + 1:x}" for n in range(count))


def members_on(daemon, link):
    return {group["group"] for group in ask(daemon, "show", what="groups")["groups"] if group["link"] == link}


@both_families
def test_reports_of_one_host_leave_memory_for_other_links(router_two_hosts, family):
    """Lists of sources fill what the link may have. Other links keep theirs; joins without sources work everywhere."""
    network = router_two_hosts
    settings = 'memory_max = "2M"; upstream_membership = "user"; track_hosts = true; report_rate_max = 0;'
    daemon = family.daemon(network, settings, LINKS, flags="")
    attacker, member, neighbour = (family.guest(host, address) for host, address in (
        (network.host, None), (network.host, "10.0.1.78" if family.number == 4 else "fe80::78"),
        (network.host2, "10.0.2.77" if family.number == 4 else None)))
    sources = list_of_sources(family, 80)
    groups = iter(groups_of(family, 3, 250) + groups_of(family, 4, 250) + groups_of(family, 5, 250))

    def is_full():
        for _ in range(20):
            attacker.report(Record("ALLOW", next(groups), sources))
        return "memory_max reached" in links(daemon, family)["eth1"]["drops"]
    wait_until(is_full, 60, "the link's memory is full")
    daemon.wait_for_output("eth1: dropped: memory_max reached (1 so far), host " + attacker.address)
    listed, open_groups, local = groups_of(family, 6, 20), groups_of(family, 7, 20), groups_of(family, 8, 20)
    for group in listed:
        neighbour.report(Record("ALLOW", group, sources[:5]))
    neighbour.report(*(Record("TO_EX", group) for group in open_groups))
    member.report(*(Record("TO_EX", group) for group in local))
    wait_until(lambda: members_on(daemon, "eth2") == {*listed, *open_groups}, what="the joins on the other link")
    wait_until(lambda: members_on(daemon, "eth1") >= {*local}, what="the joins without sources")
    shown = links(daemon, family)
    assert shown["eth1"]["memory"] > shown["eth1"]["memory_share"] > shown["eth2"]["memory"] > 0
    assert "memory_max reached" not in shown["eth2"]["drops"]
    # A stream for each of them begins.
    wires = [family.receiver(network.host2).join(open_groups[0]), family.receiver(network.host).join(local[0])]
    for receiver, group in zip(wires, (open_groups[0], local[0])):
        Sender(network.source, "eth0", group, address=address_of(family, 0)).start(pps=50)
        receiver.wait_for(5, group=group)
    finding = wait_for_finding(daemon, "limits", "eth1", "memory_max")
    assert "its share" in finding["what"]


def long_report(source, group, first, count):
    """A packet with a frame header; built by hand, because there are many."""
    body = struct.pack("!BBHHHBBHI", wire.IGMP_V3_REPORT, 0, 0, 0, 1, 5, 0, count, group)
    body += struct.pack(f"!{count}I", *range(first, first + count))
    body = body[:2] + struct.pack("!H", wire.checksum(body)) + body[4:]
    frame = bytes.fromhex("01005e000016 020000000066 0800")
    return frame + wire.ipv4_packet(source, "224.0.0.22", body)


def test_a_large_memory_of_one_link_leaves_memory_for_memberships_upstream(router_two_hosts):
    """What one host makes the instance keep also takes memory on the host side upstream, where the other links need it."""
    network = router_two_hosts
    family = FAMILIES[0]
    daemon = family.daemon(network, 'memory_max = "512M"; upstream_membership = "user"; report_rate_max = 0;', LINKS, flags="")
    attacker = network.host.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    with network.host.entered():
        attacker.bind(("eth0", 0))
    group, sent = 0xEF180000, 0

    def is_full():
        nonlocal sent
        for _ in range(100):
            attacker.send(long_report("10.0.1.77", group + sent // 3, 0x0B000000 + sent % 3 * 340, 340))
            sent += 1
        return "memory_max reached" in links(daemon, family)["eth1"]["drops"]
    wait_until(is_full, 60, "the link's memory is full")
    upstream = family.capture(network.source)
    neighbour = family.guest(network.host2, "10.0.2.77")
    sources = list_of_sources(family, 340)
    for wanted in groups_of(family, 9, 3):
        neighbour.report(Record("ALLOW", wanted, sources))
        upstream.wait_for_record("ALLOW", wanted, *sources, timeout=10)
    assert "out of memory" not in daemon.stderr
