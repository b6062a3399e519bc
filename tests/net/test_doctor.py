# SPDX-License-Identifier: BSD-2-Clause
"""mcproxyctl doctor: broken machines and networks. It names the cause of each, and the remedy helps."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile

import pytest
from ctl import MCPROXYCTL, mcproxyctl, socket_path
from diagnosis import doctor, examine, run_command, wait_for_finding, wait_until_clean
from families import FAMILIES, IPV4
from netlab import Capture, CraftedHost, Daemon, Record, Sender, make_router, send_packet, wait_until, wire
from scapy.layers.inet import IP, UDP


class Flood:
    """Many reports as fast as can be."""

    def __init__(self, namespace, device, address):
        packet = wire.ipv4_packet(address, "224.0.0.22", wire.igmp_v3_report(Record("TO_EX", "239.1.1.1")))
        self._packet = packet.ljust(1400, b"\0")
        self._socket = namespace.socket(socket.AF_PACKET, socket.SOCK_DGRAM, 0)
        namespace.lab.defer(self._socket.close)
        with namespace.entered():
            self._to = (device, 0x0800, 0, 0, bytes.fromhex("01005e000016"))

    def send(self, count):
        for _ in range(count):
            self._socket.sendto(self._packet, self._to)


def daemon_of(network, settings="", instances='"eth0 ==> eth1"', protocol='"IGMPv3", "MLDv2"', vifs=("eth0", "eth1")):
    return Daemon(network.router, f"protocol = [{protocol}]; {settings}\ninstances = ({instances});\n", "-d", vifs=vifs,
                  vifs6=vifs if "MLD" in protocol else ())


def test_a_healthy_network(router):
    daemon = daemon_of(router)
    for family in FAMILIES:
        family.receiver(router.host).join(family.group)
        Sender(router.source, "eth0", family.group).start(pps=20)
    wait_until_clean(daemon)
    findings, answer = doctor(router.router, socket_path(daemon))
    assert answer == {"version": 1, "command": "doctor", "checks": 14, "findings": [], "skipped": []}
    assert mcproxyctl(daemon, "doctor") == "All is well (14 checks)\n"
    assert mcproxyctl(daemon, "doctor", "--quick") == ""
    router.router.ip("link set eth1 down")
    wait_until(lambda: examine(daemon), what="a finding")
    assert mcproxyctl(daemon, "doctor", "--quick", status=1) == ""


def test_another_router_has_the_kernel(router):
    process = router.router.start("smcrouted", "-n", "-I", f"doctor{os.getpid()}", "-f", "/dev/null",
                                  "-P", router.router.directory / "smcroute.pid")

    def named():
        findings, _ = doctor(router.router, "/nowhere")
        return [f for f in findings["owner"] if f["subject"] == "IPv4" and "smcrouted" in f["what"]]
    finding = wait_until(named, 10, "smcroute to be named", interval=0.1)[0]
    assert finding["remedy"] == "stop smcrouted, keep it from starting at boot, then start mcproxy"
    process.close()
    findings, answer = doctor(router.router, "/nowhere")
    assert "the daemon does not answer" in findings["owner"][0]["what"]
    assert {skipped["check"] for skipped in answer["skipped"]} >= {"links", "firewall", "queues"}


def test_daemon_that_answers_elsewhere(router):
    daemon = daemon_of(router)
    findings, _ = doctor(router.router, "/nowhere")
    assert findings["owner"][0]["what"] == f"the daemon runs (pid {daemon.pid}), but does not answer"


def test_daemon_in_another_namespace(router):
    """doctor ignores the links and rules of its own namespace if the daemon runs in another one."""
    daemon = daemon_of(router)
    findings, answer = doctor(router.source, socket_path(daemon))
    assert [f["what"] for f in findings["owner"]] == [f"the daemon (pid {daemon.pid}) runs in another network namespace"]
    assert len(findings) == 1 and {"check": "links", "why": "mcproxy does not answer"} in answer["skipped"]
    with router.source.entered():
        result = subprocess.run([MCPROXYCTL, "--socket", socket_path(daemon), "explain", "239.1.1.1"],
                                capture_output=True, text=True, check=False)
    assert result.returncode == 2 and f"nsenter -t {daemon.pid} -n mcproxyctl explain 239.1.1.1" in result.stderr


def test_without_rights(router):
    """A user without rights learns what only root can see; with access to the socket, everything else."""
    directory = tempfile.mkdtemp(prefix="mcproxy-test-")  # which every user may enter, like /run
    router.router.lab.defer(shutil.rmtree, directory)
    os.chmod(directory, 0o755)
    nobody = ("setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", shutil.copy(MCPROXYCTL, directory))
    path = f"{directory}/control.sock"
    daemon_of(router, f'control_socket = "{path}"; control_mode = "0600";')
    findings, _ = doctor(router.router, path, nobody)
    assert {f["what"] for f in findings["owner"]} == {"Permission denied: only root may connect"}
    os.chmod(path, 0o666)
    findings, answer = doctor(router.router, path, nobody)
    assert findings == {}
    assert {"check": "firewall", "why": "only root may read the rules"} in answer["skipped"]


def test_reverse_path_filter(router):
    router.router.ip("route add default via 10.0.1.10")
    router.router.sysctl("net/ipv4/conf/eth0/rp_filter", 1)
    daemon = daemon_of(router)
    finding = wait_for_finding(daemon, "rp-filter", "eth0", "rp_filter is 1, and the default route leaves by eth1")
    run_command(daemon.namespace, finding["remedy"])
    wait_until_clean(daemon)
    # Loose: any route will do, but there must be one.
    router.router.sysctl("net/ipv4/conf/eth0/rp_filter", 2)
    wait_until_clean(daemon)
    router.router.ip("route del default")
    wait_for_finding(daemon, "rp-filter", "eth0", "rp_filter is 2, and there is no default route")


def test_strict_filter_where_the_default_route_is_upstream(router):
    """As on most machines: nothing to find, unless a known source is routed elsewhere."""
    router.router.ip("route add default via 10.0.0.10")
    router.router.sysctl("net/ipv4/conf/eth0/rp_filter", 1)
    daemon = daemon_of(router)
    wait_until_clean(daemon)


LINKS = {
    "down": ("link set eth1 down", "the link is down", "ip link set dev eth1 up"),
    "MULTICAST": ("link set eth1 multicast off", "the MULTICAST flag is missing", "ip link set dev eth1 multicast on"),
    "address": ("address flush dev eth1", "the link has no IPv4 address", None),
}


@pytest.mark.parametrize("what", LINKS)
def test_link(router, what):
    command, text, remedy = LINKS[what]
    daemon = daemon_of(router, protocol='"IGMPv3"')
    wait_until_clean(daemon)
    router.router.ip(command)
    finding = wait_for_finding(daemon, "links", "eth1", text)
    if remedy is None:
        router.router.add_addresses("eth1", "10.0.1.1/24")
    else:
        assert finding["remedy"] == remedy
        run_command(daemon.namespace, remedy)
    wait_until_clean(daemon)


def test_link_without_carrier(router):
    daemon = daemon_of(router)
    router.source.ip("link set eth0 down")
    wait_for_finding(daemon, "links", "eth0", "the link has no carrier")
    router.source.ip("link set eth0 up")
    wait_until_clean(daemon)


def test_link_that_is_not_there(router):
    daemon = daemon_of(router, instances='"eth0 ==> eth1 tun7"')
    wait_for_finding(daemon, "links", "tun7", "the downstream link of instance eth0 does not exist")


def test_link_without_ipv6(router):
    daemon = daemon_of(router)
    router.router.sysctl("net/ipv6/conf/eth1/disable_ipv6", 1)
    finding = wait_for_finding(daemon, "links", "eth1", "no IPv6 link-local address")
    run_command(daemon.namespace, finding["remedy"])
    wait_until_clean(daemon)


@pytest.mark.parametrize("family", FAMILIES, ids=str)
def test_no_querier_upstream(router, family):
    daemon = family.daemon(router, "query_interval = 1; query_response_interval = 0.5; robustness = 1;")
    finding = wait_for_finding(daemon, "querier-upstream", "eth0", "querier is present upstream")
    assert f'upstream_version = "{family.older}"' in finding["remedy"]
    family.querier(router).query(family.version, query_interval=125)
    wait_until_clean(daemon)


def test_foreign_querier_downstream(router):
    daemon = daemon_of(router)
    CraftedHost(router.host, "eth0", "10.0.1.0").query(3)
    wait_for_finding(daemon, "querier-downstream", "eth1", "another router is the querier: 10.0.1.0")


def test_older_querier_downstream(router):
    daemon = daemon_of(router)
    CraftedHost(router.host, "eth0", "10.0.1.99").query(2)
    wait_for_finding(daemon, "querier-downstream", "eth1", "10.0.1.99 sends IGMPv2 queries; hosts return to IGMPv3 in 2")


def bridged(lab):
    """source eth0 -- br0 of the router (ports eth0, eth5) ==> eth1 -- host."""
    network = make_router(lab)
    end = lab.namespace("neighbour")
    lab.link(network.router, "eth5", end, "eth0")
    network.router.ip("address flush dev eth0")
    network.router.bridge("br0", "eth0", "eth5", addresses=("10.0.0.1/24",))
    return network


def test_bridge_without_querier(lab):
    network = bridged(lab)
    daemon = daemon_of(network, instances='"br0 ==> eth1"', vifs=("br0", "eth1"), protocol='"IGMPv3"')
    finding = wait_for_finding(daemon, "bridge", "br0", "the bridge snoops, but no IGMP querier is present on it")
    run_command(daemon.namespace, finding["remedy"])
    wait_until_clean(daemon)


def test_bridge_that_does_not_snoop(lab):
    network = bridged(lab)
    network.router.ip("link set br0 type bridge mcast_snooping 0")
    daemon = daemon_of(network, instances='"eth1 ==> br0"', vifs=("br0", "eth1"), protocol='"IGMPv3"')
    finding = wait_for_finding(daemon, "bridge", "br0", "the bridge does not snoop")
    run_command(daemon.namespace, finding["remedy"])
    wait_until_clean(daemon)


FIREWALLS = {
    "IGMP in": ("table inet fw { chain input { type filter hook input priority 0; policy drop; iif lo accept; "
                "meta l4proto icmpv6 accept; }; }", "the policy of chain input in table inet fw drops IGMP queries"),
    "IGMP out": ("table ip fw { chain output { type filter hook output priority 0; ip protocol igmp drop; }; }",
                 "rule with handle 2 of chain output in table ip fw (ip protocol igmp drop) drops IGMP reports"),
    "MLD in": ("table ip6 fw { chain input { type filter hook input priority 0; policy drop; "
               "icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept; }; }",
               "the policy of chain input in table ip6 fw drops MLD queries"),
    "streams": ("table inet fw { chain forward { type filter hook forward priority 0; policy drop; "
                "ct state established,related accept; ip6 daddr ff00::/8 accept; }; }",
                "the policy of chain forward in table inet fw drops IPv4 streams from eth0 to eth1"),
}


@pytest.mark.parametrize("what", FIREWALLS)
def test_firewall(router, what):
    rules, text = FIREWALLS[what]
    daemon = daemon_of(router)
    wait_until_clean(daemon)
    router.router.run("nft", rules)
    before = router.router.run("nft list ruleset")
    finding = wait_for_finding(daemon, "firewall", "eth1" if what == "streams" else "eth0", text)
    assert router.router.run("nft list ruleset") == before
    run_command(daemon.namespace, finding["remedy"])
    wait_until_clean(daemon)


def test_why_igmp_has_to_pass_the_firewall(router):
    """A query that is dropped is not answered, and so the picture freezes after minutes."""
    daemon = daemon_of(router, protocol='"IGMPv3"')
    IPV4.guest(router.host).report(Record("TO_EX", IPV4.group))
    wait_until(lambda: IPV4.group in IPV4.joined(router), what="the join upstream")
    router.router.run("nft", FIREWALLS["IGMP in"][0])
    upstream, querier = Capture(router.source, "eth0"), IPV4.querier(router)

    def is_answer(message):
        return any(record.group == IPV4.group and record.type == "IS_EX" for record in message.records)
    querier.query(3, max_response=0.5)
    upstream.assert_none(is_answer, 1.0, "an answer")
    run_command(daemon.namespace, examine(daemon)["firewall"][0]["remedy"])
    querier.query(3, max_response=0.5)
    upstream.wait_for(is_answer, "an answer")


@pytest.mark.parametrize("program", ("iptables-nft", "iptables-legacy"))
def test_firewall_of_iptables(router, program):
    daemon = daemon_of(router)
    wait_until_clean(daemon)
    router.router.run(program, "-A", "FORWARD", "-m", "pkttype", "--pkt-type", "multicast", "-j", "REJECT")
    name = "iptables-legacy" if program == "iptables-legacy" else "iptables"
    finding = wait_for_finding(daemon, "firewall", "eth1", f"{name}: rule 1 of FORWARD in table filter (-A FORWARD -m pkttype "
                               "--pkt-type multicast -j REJECT ")
    run_command(daemon.namespace, finding["remedy"])
    wait_until_clean(daemon)


def test_firewall_that_lets_everything_needed_pass(router):
    """The usual default-deny firewall with the three rules that multicast needs."""
    router.router.run("nft", """table inet fw {
        chain input { type filter hook input priority 0; policy drop;
            ct state vmap { established : accept, related : accept, invalid : drop };
            iif lo accept;
            meta l4proto igmp accept;
            icmpv6 type { mld-listener-query, nd-neighbor-solicit } accept;
        }
        chain forward { type filter hook forward priority 0; policy drop;
            ct state established,related accept;
            iifname "eth0" ip daddr 224.0.0.0/4 udp dport 1024-65535 accept;
            iifname "eth0" ip6 daddr ff00::/8 accept;
        }
    }""")
    daemon = daemon_of(router)
    wait_until_clean(daemon)


def test_limit_of_groups(router):
    daemon = daemon_of(router, "groups_max = 1;")
    CraftedHost(router.host, "eth0", "10.0.1.77").report(Record("TO_EX", "239.1.1.1"), Record("TO_EX", "239.1.1.2"))
    finding = wait_for_finding(daemon, "limits", "eth1", "groups_max was reached")
    assert finding["remedy"] == "raise groups_max in the configuration, for this link or for all"


def test_limit_of_routes(router):
    daemon = daemon_of(router, "routes_max = 1;")
    CraftedHost(router.host, "eth0", "10.0.1.77").report(Record("TO_EX", "239.1.1.1"), Record("TO_EX", "239.1.1.2"))
    for group in ("239.1.1.1", "239.1.1.2"):
        Sender(router.source, "eth0", group).start(pps=50)
    wait_for_finding(daemon, "limits", "eth0", "routes_max was reached")


def test_limit_of_the_kernel(router):
    """A list of excluded sources that is longer than the kernel takes."""
    router.router.sysctl("net/ipv4/igmp_max_msf", 3)
    daemon = daemon_of(router)
    blocked = tuple(f"10.0.9.{n}" for n in range(5))
    CraftedHost(router.host, "eth0", "10.0.1.77").report(Record("TO_EX", "239.1.1.1", blocked))
    finding = wait_for_finding(daemon, "limits", "eth0", "1 group is joined from all sources")
    assert "net.ipv4.igmp_max_msf=64 (now 3)" in finding["remedy"]


@pytest.mark.parametrize("key, settings, whose", [
    ("report_rate_max", "report_rate_max = 10; host_report_rate_max = 0;", "the link"),
    ("host_report_rate_max", "host_report_rate_max = 10;", "their source address"),
], ids=["link", "host"])
def test_more_reports_than_the_link_or_a_host_may_bring(router, key, settings, whose):
    daemon = daemon_of(router, settings)
    guest = CraftedHost(router.host, "eth0", "10.0.1.77")
    for number in range(100):
        guest.report(Record("TO_EX", f"239.1.1.{number}"))
    finding = wait_for_finding(daemon, "queues", "eth1", f"packets exceeded the {key} of {whose}")
    assert f"raise {key}" in finding["remedy"]


@pytest.mark.timing
def test_new_streams_that_have_to_wait(router):
    """The kernel keeps ten new streams while the daemon stands still. The worker may take them as fast as they come then, so
    there are several bursts."""
    daemon = daemon_of(router, "ring_size = 4;", protocol='"IGMPv3"')
    wait_until_clean(daemon)
    for burst in range(20):
        daemon.signal(signal.SIGSTOP)
        try:
            for number in range(20):
                send_packet(router.source, "eth0", IP(src=f"10.0.0.{number + 20}", dst=f"239.1.{burst}.1", ttl=8) / UDP(dport=5001))
        finally:
            daemon.signal(signal.SIGCONT)
        if "queues" in examine(daemon):
            break
    finding = wait_for_finding(daemon, "queues", "IPv4", "new streams had to wait because the queue was full")
    assert finding["remedy"] == "raise ring_size in the configuration"


@pytest.mark.timing
def test_queue_that_overflows(router):
    """The daemon stands still while more comes in than its socket holds."""
    daemon = daemon_of(router, protocol='"IGMPv3"')
    wait_until_clean(daemon)
    flood = Flood(router.host, "eth0", "10.0.1.77")
    daemon.signal(signal.SIGSTOP)
    try:
        flood.send(20000)
    finally:
        daemon.signal(signal.SIGCONT)
    wait_for_finding(daemon, "queues", "eth1", "packets were lost because the socket's buffer was full")


def test_reports_that_are_refused(router):
    """Version 2 knows no sources, which a group of the SSM range needs."""
    daemon = daemon_of(router)
    CraftedHost(router.host, "eth0", "10.0.1.77").join("232.1.1.1", version=2)
    finding = wait_for_finding(daemon, "reports", "eth1", "not allowed in SSM range")
    assert 'ssm_range = "none"' in finding["remedy"]


def test_configuration_that_is_not_what_runs(router):
    daemon = daemon_of(router)
    wait_until_clean(daemon)
    daemon.configuration_path.write_text(daemon.configuration_path.read_text() + "fast_leave = true;\n")
    finding = wait_for_finding(daemon, "configuration", str(daemon.configuration_path)[:63], "after the daemon read it")
    assert finding["remedy"] == f"mcproxyctl reload (mcproxy -t -c {daemon.configuration_path} checks the file first)"
    assert "failed" not in finding["what"]
    mcproxyctl(daemon, "reload")
    wait_until_clean(daemon)
    valid = daemon.configuration_path.read_text()
    daemon.configuration_path.write_text(valid + "no_such_key = 1;\n")
    mcproxyctl(daemon, "reload", status=1)
    wait_for_finding(daemon, "configuration", str(daemon.configuration_path)[:63], "and the last reload failed")
    daemon.configuration_path.write_text(valid)
    mcproxyctl(daemon, "reload")
    wait_until_clean(daemon)
    assert mcproxyctl(daemon, "doctor", "now", status=2).startswith("mcproxyctl: doctor: only the options --config FILE and --quick are expected")
