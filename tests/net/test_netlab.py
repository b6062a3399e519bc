# SPDX-License-Identifier: BSD-2-Clause
"""The laboratory itself: it must be trustworthy before the tests that use it are."""

import ipaddress
import shutil
import socket
from pathlib import Path

import pytest
from scapy.contrib.igmp import IGMP
from scapy.contrib.igmpv3 import IGMPv3, IGMPv3gr, IGMPv3mr
from scapy.layers.inet import IP
from scapy.utils import rdpcap

import mcproxy_daemon
from netlab import (Capture, CraftedHost, CraftedHost6, Daemon, Lab, Membership, MulticastRouting, Receiver, Record,
                    Sender, assert_stays, make_router, send_packet, tables, wait_until, wire)

GROUP, GROUP6 = "239.1.1.1", "ff1e::1:1"
SOURCES = ("10.0.0.10", "10.0.0.11")


@pytest.fixture
def wire_pair(lab):
    """Two hosts on one link, a and b, both eth0."""
    a, b = lab.namespace("a"), lab.namespace("b")
    lab.link(a, "eth0", b, "eth0", ("10.0.0.10/24", "10.0.0.11/24", "fd00::10/64"), ("10.0.0.20/24", "fd00::20/64"))
    return a, b


def test_clean_up_removes_namespaces_and_processes_after_a_failure(tmp_path):
    with pytest.raises(ZeroDivisionError), Lab(tmp_path) as lab:
        namespace = lab.namespace("a")
        process = namespace.start("sleep 60")
        assert Path("/run/netns", namespace.name).exists()
        raise ZeroDivisionError
    assert not process.running
    assert not Path("/run/netns", namespace.name).exists()


def test_wait_until_fails_with_what_was_awaited():
    with pytest.raises(AssertionError, match="the impossible"):
        wait_until(lambda: False, 0.05, "the impossible")
    with pytest.raises(AssertionError, match="calm"):
        assert_stays(lambda: False, 0.05, "calm")


def test_programs_run_in_the_namespace_with_output_in_files(lab):
    namespace = lab.namespace("a")
    process = namespace.start("ip -o link show")
    assert process.wait() == 0
    assert "lo:" in process.stdout and "eth" not in process.stdout


@pytest.mark.parametrize("group,source", [(GROUP, "10.0.0.10"), (GROUP6, "fd00::10")])
def test_receiver_counts_per_source_in_order(wire_pair, group, source):
    a, b = wire_pair
    receiver = Receiver(b, "eth0", family=socket.AF_INET6 if ":" in group else socket.AF_INET).join(group)
    Sender(a, "eth0", group, address=source).send(20)
    wait_until(lambda: receiver.count(source, group) == 20, what="20 packets")
    assert receiver.sequences() == list(range(20))
    assert 0 <= receiver.arrivals[0].time - receiver.arrivals[0].sent < 1
    receiver.leave(group)
    Sender(a, "eth0", group).send(5)
    receiver.assert_silent(0.1)


def test_receiver_filters_sources_as_joined(wire_pair):
    a, b = wire_pair
    only = Receiver(b, "eth0").join_source("232.1.1.1", SOURCES[0])
    others = Receiver(b, "eth0").join("232.1.1.1").exclude("232.1.1.1", [SOURCES[0]])
    for address in SOURCES:
        Sender(a, "eth0", "232.1.1.1", address=address).start(pps=200, count=10)
    only.wait_for(9, timeout=2)
    wait_until(lambda: others.count() == 10 and only.count() == 10, what="10 packets each")
    assert set(only.per_source()) == {SOURCES[0]} and set(others.per_source()) == {SOURCES[1]}


def test_stream_stops_and_silence_is_noticed(wire_pair):
    a, b = wire_pair
    receiver = Receiver(b, "eth0").join(GROUP)
    sender = Sender(a, "eth0", GROUP).start(pps=200)
    receiver.wait_for(10)
    receiver.leave(GROUP)
    receiver.wait_for_silence(quiet=0.1)
    assert sender.stop() > 10


@pytest.mark.parametrize("version", [1, 2, 3])
def test_kernel_reports_are_decoded(wire_pair, version):
    a, b = wire_pair
    b.force_igmp_version("eth0", version)
    capture = Capture(a, "eth0")
    Membership(b, "eth0").join(GROUP)
    report = capture.wait_for(lambda m: m.kind == "report" and (m.group == GROUP or m.records), "a report")
    assert report.version == version and report.source == "10.0.0.20" and report.ttl == 1
    assert report.checksum_good and not report.outgoing
    assert report.router_alert
    assert report.destination == ("224.0.0.22" if version == 3 else GROUP)
    if version == 3:
        assert Record("TO_EX", GROUP) in report.records


def test_capture_file_is_readable_by_scapy(wire_pair):
    a, b = wire_pair
    capture = Capture(b, "eth0")
    CraftedHost(a, "eth0", "10.0.0.99").join(GROUP)
    capture.wait_for(lambda m: m.group == GROUP, "the report")
    packets = rdpcap(str(capture.path))
    assert any(packet[IP].src == "10.0.0.99" and packet[IP].dst == GROUP for packet in packets if IP in packet)


CRAFTED = [
    (lambda h: h.join(GROUP, version=1), dict(kind="report", version=1, group=GROUP, destination=GROUP)),
    (lambda h: h.join(GROUP), dict(kind="report", version=2, group=GROUP, destination=GROUP, router_alert=True)),
    (lambda h: h.leave(GROUP), dict(kind="leave", version=2, group=GROUP, destination="224.0.0.2")),
    (lambda h: h.report(Record("ALLOW", GROUP, SOURCES), Record("TO_EX", "239.1.1.2")),
     dict(kind="report", version=3, records=(Record("ALLOW", GROUP, SOURCES), Record("TO_EX", "239.1.1.2")))),
    (lambda h: h.query(), dict(kind="query", version=3, group="0.0.0.0", max_response=10.0, query_interval=125,
                               destination="224.0.0.1")),
    (lambda h: h.query(group=GROUP, sources=SOURCES, suppress=True, robustness=3),
     dict(kind="query", version=3, group=GROUP, sources=SOURCES, suppress=True, robustness=3)),
    (lambda h: h.query(version=2, max_response=1.0), dict(kind="query", version=2, max_response=1.0)),
    (lambda h: h.query(version=1), dict(kind="query", version=1, max_response=10.0)),
    (lambda h: h.join(GROUP, ttl=7, tos=0, router_alert=False), dict(ttl=7, tos=0, router_alert=False)),
]


@pytest.mark.parametrize("send,expected", CRAFTED, ids=range(len(CRAFTED)))
def test_crafted_igmp_arrives_as_meant(wire_pair, send, expected):
    a, b = wire_pair
    capture = Capture(b, "eth0")
    send(CraftedHost(a, "eth0", "10.0.0.99"))
    message = capture.wait_for(lambda m: m.source == "10.0.0.99", "the message")
    assert {name: getattr(message, name) for name in expected} == expected
    assert message.checksum_good


CRAFTED6 = [
    (lambda h: h.join(GROUP6), dict(kind="report", version=1, group=GROUP6, destination=GROUP6, router_alert=True)),
    (lambda h: h.leave(GROUP6), dict(kind="leave", version=1, group=GROUP6, destination="ff02::2")),
    (lambda h: h.report(Record("BLOCK", GROUP6, ("fd00::1",))),
     dict(kind="report", version=2, records=(Record("BLOCK", GROUP6, ("fd00::1",)),), destination="ff02::16")),
    (lambda h: h.query(max_response=40.0), dict(kind="query", version=2, max_response=pytest.approx(40, rel=0.01))),
    (lambda h: h.query(version=1, group=GROUP6, max_response=1.0),
     dict(kind="query", version=1, group=GROUP6, max_response=1.0, destination=GROUP6)),
]


@pytest.mark.parametrize("send,expected", CRAFTED6, ids=range(len(CRAFTED6)))
def test_crafted_mld_arrives_as_meant(wire_pair, send, expected):
    a, b = wire_pair
    capture = Capture(b, "eth0", family=6)
    send(CraftedHost6(a, "eth0", "fe80::99"))
    message = capture.wait_for(lambda m: m.source == "fe80::99", "the message")
    assert {name: getattr(message, name) for name in expected} == expected
    assert message.checksum_good


def test_mld_reports_of_the_kernel_are_decoded(wire_pair):
    a, b = wire_pair
    tail = ipaddress.ip_address(b.link_local("eth0")).packed[-3:]
    solicited = str(ipaddress.ip_address(ipaddress.ip_address("ff02::1:ff00:0").packed[:13] + tail))
    wait_until(lambda: solicited in tables.mld_groups(b, "eth0"), what="the last group of the kernel's own")
    capture = Capture(a, "eth0", family=6)
    Membership(b, "eth0", socket.AF_INET6).join_source(GROUP6, "fd00::10")
    report = capture.wait_for_record("ALLOW", GROUP6, "fd00::10")
    assert report.checksum_good and report.router_alert and report.destination == "ff02::16"
    assert GROUP6 in tables.mld_groups(b, "eth0")
    assert tables.source_filters6(b, "eth0")[GROUP6] == {"fd00::10": (1, 0)}


def test_codec_agrees_with_scapy(wire_pair):
    a, b = wire_pair
    capture = Capture(b, "eth0")
    packet = IP(src="10.0.0.99", dst="224.0.0.22", ttl=1, proto=2) / IGMPv3(type=0x22) / IGMPv3mr(
        records=[IGMPv3gr(rtype=4, maddr=GROUP, srcaddrs=list(SOURCES))])
    send_packet(a, "eth0", packet)
    message = capture.wait_for(lambda m: m.source == "10.0.0.99", "scapy's report")
    assert message.records == (Record("TO_EX", GROUP, SOURCES),) and message.checksum_good

    ours = IP(wire.ipv4_packet("10.0.0.99", GROUP, wire.igmp_simple(wire.IGMP_V2_REPORT, GROUP)))
    assert ours.proto == 2 and ours.options and IGMP(bytes(ours.payload)).gaddr == GROUP


@pytest.mark.parametrize("bits,limit", [(8, 31744), (16, 8387584)])
def test_float_codes_round_down_to_what_is_representable(bits, limit):
    for value in [*range(0, 2000), limit // 3, limit]:
        assert value * (1 - 1 / 16) <= wire.decode_float(wire.encode_float(value, bits), bits) <= value


def test_truncated_packets_are_kept_apart(wire_pair):
    a, b = wire_pair
    capture = Capture(b, "eth0")
    CraftedHost(a, "eth0", "10.0.0.99").send(b"\x16\0", GROUP)
    wait_until(lambda: capture.undecoded, what="the broken packet")


def test_igmp_tables_show_versions_groups_and_filters(wire_pair):
    a, _ = wire_pair
    assert tables.igmp_version(a, "eth0") == "V3"
    a.force_igmp_version("eth0", 2)
    member = Membership(a, "eth0").join(GROUP)
    member.join_source("232.1.1.1", SOURCES[1])
    assert tables.igmp_groups(a, "eth0")[GROUP] == 1
    assert tables.source_filters(a, "eth0")["232.1.1.1"] == {SOURCES[1]: (1, 0)}
    assert tables.vifs(a) == [] and tables.routes(a) == {} and tables.vifs6(a) == [] and tables.routes6(a) == {}


def test_snooping_bridge_forwards_to_member_ports_only(lab):
    switch = lab.namespace("switch")
    hosts = [lab.namespace(f"h{number}") for number in range(3)]
    for number, host in enumerate(hosts):
        lab.link(switch, f"port{number}", host, "eth0", (), f"10.0.0.{number + 1}/24")
    switch.bridge("br0", "port0", "port1", "port2", querier=True)
    member = Receiver(hosts[1], "eth0").join(GROUP)
    wait_until(lambda: ("port1", GROUP) in switch.bridge_members("br0"), what="the snooping entry")
    Sender(hosts[0], "eth0", GROUP).start(pps=100)
    member.wait_for(5)

    def other_port_is_spared():
        before = switch.packets_sent("port2")
        member.wait_for(20)
        return switch.packets_sent("port2") - before < 5
    wait_until(other_port_is_spared, what="a stream at its member port only")


def test_tap_carries_frames_both_ways(lab):
    namespace = lab.namespace("a")
    tap = namespace.tap("tap0", "10.0.9.1/24")
    receiver = Receiver(namespace, "tap0").join(GROUP)
    wait_until(lambda: (tap.read() or b"")[23:24] == b"\x02", what="the IGMP report at the tap")
    from scapy.layers.inet import UDP
    from scapy.layers.l2 import Ether
    tap.write(bytes(Ether(dst="01:00:5e:01:01:01") / IP(src="10.0.9.2", dst=GROUP, ttl=4) / UDP(dport=5001) / b"x"))
    receiver.wait_for(0)
    wait_until(lambda: receiver.count("10.0.9.2") == 1, what="the packet from the tap")


def test_vxlan_carries_multicast(wire_pair):
    a, b = wire_pair
    a.vxlan("vx0", 7, "10.0.0.10", "10.0.0.20", "eth0", "10.7.0.1/24")
    b.vxlan("vx0", 7, "10.0.0.20", "10.0.0.10", "eth0", "10.7.0.2/24")
    receiver = Receiver(b, "vx0").join(GROUP)
    Sender(a, "vx0", GROUP).start(pps=50)
    receiver.wait_for(3, source="10.7.0.1")


def test_router_topology_has_the_documented_addresses(lab):
    net = make_router(lab, downstreams=2)
    for namespace, address in ((net.source, "10.0.0.1"), (net.host, "10.0.1.1"), (net.host2, "10.0.2.1")):
        assert namespace.ip_json("route show default")[0]["gateway"] == address
    assert net.router.ip_json("address show dev eth2")[0]["addr_info"][0]["local"] == "10.0.2.1"
    assert net.router.sysctl("net/ipv4/conf/all/rp_filter") == "0"


# A stand-in for the daemon, to test how Daemon judges one.
_STAND_IN = """#!/bin/sh
trap 'exit {status}' TERM
echo "{stderr}" >&2
touch /run/mine
while :; do sleep 0.05; done
"""


def _stand_in(tmp_path, monkeypatch, status=0, stderr=""):
    program = tmp_path / "stand-in"
    program.write_text(_STAND_IN.format(status=status, stderr=stderr))
    program.chmod(0o755)
    monkeypatch.setattr(mcproxy_daemon, "PROGRAM", program)


@pytest.mark.parametrize("status,stderr,complaint", [
    (0, "", None),
    (3, "", "exited with 3"),
    (0, "==1==ERROR: AddressSanitizer: heap-use-after-free", "AddressSanitizer"),
    (0, "src/core/base/pool.c:3: runtime error: shift", "runtime error"),
    (0, "mcproxy: pool.c:9: f: Assertion 'x' failed.", "Assertion"),
])
def test_daemon_is_judged_at_clean_up(tmp_path, monkeypatch, status, stderr, complaint):
    _stand_in(tmp_path, monkeypatch, status, stderr)
    lab = Lab(tmp_path)
    daemon = Daemon(lab.namespace("router"), "eth0 ==> eth1\n")
    wait_until(lambda: (daemon.namespace.directory / "run" / "mine").exists(), what="its file in its own /run")
    if complaint is None:
        lab.__exit__(None, None, None)
    else:
        with pytest.raises(AssertionError, match=complaint):
            lab.__exit__(None, None, None)
    assert not daemon.running
    assert not Path("/run/netns", daemon.namespace.name).exists()


def test_daemon_that_ends_early_is_noticed(tmp_path, monkeypatch, lab):
    monkeypatch.setattr(mcproxy_daemon, "PROGRAM", shutil.which("false"))
    daemon = Daemon(lab.namespace("router"), "nonsense")
    daemon.expect_exit(1)
    daemon2 = None
    with pytest.raises(RuntimeError, match="ended with 1"):
        daemon2 = Daemon(lab.namespace("router"), "nonsense", vifs=("eth0",))
    assert daemon2 is None


def test_daemon_is_ready_when_its_vifs_are_there(tmp_path, monkeypatch, lab):
    _stand_in(tmp_path, monkeypatch)
    namespace = lab.namespace("router")
    MulticastRouting(namespace).add_vif("lo")
    daemon = Daemon(namespace, "lo ==> eth1\n", vifs=("lo",))
    # The vif was there before: only then does it mind a signal.
    wait_until(lambda: (daemon.namespace.directory / "run" / "mine").exists(), what="its file in its own /run")
    daemon.terminate()
    assert daemon.returncode == 0
