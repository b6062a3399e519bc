# SPDX-License-Identifier: BSD-2-Clause
"""mcproxyctl explain: broken networks. It names the first step that fails in each, and the remedy helps."""

import re
import subprocess

import pytest
from ctl import MCPROXYCTL, mcproxyctl
from diagnosis import SECONDS, Answer, explain_until, run_command
from families import FAMILIES, IPV4
from netlab import CraftedHost, Daemon, Membership, Receiver, Sender, make_router, wait_until


@pytest.mark.parametrize("family", FAMILIES, ids=str)
def test_a_healthy_stream(router, family):
    daemon = family.daemon(router)
    receiver = family.receiver(router.host).join(family.group)
    Sender(router.source, "eth0", family.group).start(pps=50)
    receiver.wait_for(5)
    answer = explain_until(daemon, None, family.group, family.sources[0])
    steps = [step["step"] for step in answer.stream["steps"]]
    filters = ["rp_filter"] if family.number == 4 else []
    assert steps == ["group", "member", "filter", "upstream", "arrival", "ttl", *filters, "firewall", "route", "forwarded"]
    assert "check the host" in answer.steps["forwarded"]["text"]
    assert {step["result"] for step in answer.stream["steps"]} == {"ok"}
    # The same without a source, as lines for people.
    lines = mcproxyctl(daemon, "explain", family.group, *SECONDS).splitlines()
    assert lines[0] == f"{family.group} from {family.sources[0]}"
    assert lines[1].startswith("  1. ok      group: ")
    assert lines[-1] == "All well up to eth1"
    assert max(map(len, lines)) <= 80 and any(line.startswith(" " * 13) for line in lines)


def test_every_source_is_explained(router):
    """Without a source: all that are known, and those that are only seen."""
    router.source.add_addresses("eth0", "10.0.0.11/24")
    daemon = IPV4.daemon(router)
    Membership(router.host, "eth0").join_source(IPV4.group, "10.0.0.10")
    for address in ("10.0.0.10", "10.0.0.11"):
        Sender(router.source, "eth0", IPV4.group, address=address).start(pps=50)

    def explained():
        answer = Answer(daemon, IPV4.group)
        return {stream["source"]: stream["failed"] for stream in answer.streams} == {"10.0.0.10": None, "10.0.0.11": "filter"}
    wait_until(explained, 10, "both sources", interval=0.1)


def test_instances_with_tables_of_their_own(lab):
    """The same group reaches two instances from two providers; each is explained with its own source."""
    network = make_router(lab, downstreams=3)
    daemon = Daemon(network.router, """protocol = "IGMPv3"; instances = (
        { name = "first"; upstream = "eth0"; downstream = "eth1"; table = "own"; },
        { name = "second"; upstream = "eth2"; downstream = "eth3"; table = "own"; });""", "-d")
    Receiver(network.hosts[0], "eth0").join(IPV4.group)
    Receiver(network.hosts[2], "eth0").join(IPV4.group)
    Sender(network.source, "eth0", IPV4.group).start(pps=50)
    Sender(network.hosts[1], "eth0", IPV4.group).start(pps=50)

    def explained():
        answer = Answer(daemon, IPV4.group)
        return [(stream["instance"], stream["source"], stream["failed"]) for stream in answer.streams] == [
            ("first", "10.0.0.10", None), ("second", "10.0.2.10", None)]
    wait_until(explained, 10, "both instances", interval=0.1)


@pytest.mark.parametrize("family", FAMILIES, ids=str)
def test_no_member(router, family):
    daemon = family.daemon(router)
    Sender(router.source, "eth0", family.group).start(pps=50)
    answer = explain_until(daemon, "member", family.group)
    assert answer.text == f"no member of {family.group} on any downstream link"
    assert "has the host joined" in answer.remedy


def test_no_member_on_the_link_that_is_asked_about(router_two_hosts):
    network = router_two_hosts
    daemon = IPV4.daemon(network, links=("eth0", "eth1", "eth2"))
    Receiver(network.host, "eth0").join(IPV4.group)
    Sender(network.source, "eth0", IPV4.group).start(pps=50)
    explain_until(daemon, None, IPV4.group, IPV4.sources[0], "--link", "eth1")
    answer = Answer(daemon, IPV4.group, IPV4.sources[0], "--link", "eth2")
    assert answer.failed == "member" and answer.text == f"no member of {IPV4.group} on eth2"
    assert Answer(daemon, IPV4.group, "--link", "eth0").failed == "link"
    assert Answer(daemon, IPV4.group, "--link", "eth9").failed == "link"


@pytest.mark.parametrize("family", FAMILIES, ids=str)
def test_member_of_other_sources(router, family):
    daemon = family.daemon(router)
    family.receiver(router.host).join_source(family.group, family.sources[1])
    Sender(router.source, "eth0", family.group).start(pps=50)
    answer = explain_until(daemon, "filter", family.group, family.sources[0])
    assert answer.text == f"the members do not want source {family.sources[0]}"


@pytest.mark.parametrize("family", FAMILIES, ids=str)
def test_upstream_not_joined(router, family):
    daemon = family.daemon(router)
    family.receiver(router.host).join(family.group)
    router.router.ip("link set eth0 down")
    answer = explain_until(daemon, "upstream", family.group)
    assert answer.text == "the group is not joined upstream: eth0 is down or has no carrier"


def test_upstream_that_is_not_there(router):
    daemon = Daemon(router.router, 'protocol = "IGMPv3"; instances = ("ppp0 ==> eth1");', vifs=("eth1",))
    Receiver(router.host, "eth0").join(IPV4.group)
    assert explain_until(daemon, "upstream", IPV4.group).text == "the group is not joined upstream: ppp0 does not exist"


@pytest.mark.parametrize("membership", ("kernel", "user"))
@pytest.mark.parametrize("family", FAMILIES, ids=str)
def test_nothing_arrives(router, family, membership):
    daemon = family.daemon(router, f'upstream_membership = "{membership}";')
    family.receiver(router.host).join(family.group)
    answer = explain_until(daemon, "arrival", family.group, family.sources[0])
    assert answer.text == f"the group is joined, but no packet of {family.group} arrived on any link in 0.4 s"
    assert "look beyond eth0" in answer.remedy and f'upstream_version = "{family.older}"' in answer.remedy


@pytest.mark.parametrize("family", FAMILIES, ids=str)
def test_stream_on_another_link(router_two_hosts, family):
    """The source network is behind eth2, and the instance expects it behind eth0."""
    network = router_two_hosts
    daemon = family.daemon(network)
    family.receiver(network.host).join(family.group)
    Sender(network.host2, "eth0", family.group).start(pps=50)
    answer = explain_until(daemon, "arrival", family.group)
    assert answer.text == "the stream arrives on eth2, which is not a link of instance eth0; expected: eth0"
    daemon.terminate()
    daemon = family.daemon(network, "query_response_interval = 1;", links=("eth2", "eth1"))  # the host answers soon
    explain_until(daemon, None, family.group)


@pytest.mark.parametrize("family", FAMILIES, ids=str)
def test_ttl_of_one(router, family):
    daemon = family.daemon(router)
    receiver = family.receiver(router.host).join(family.group)
    Sender(router.source, "eth0", family.group, ttl=1).start(pps=50)
    answer = explain_until(daemon, "ttl", family.group, family.sources[0])
    assert "no router may forward them" in answer.text
    run_command(router.router, answer.remedy.split(" or here: ")[1])
    receiver.wait_for(5)
    explain_until(daemon, None, family.group, family.sources[0])


@pytest.mark.parametrize("filter_value", (1, 2))
def test_reverse_path_filter(router, filter_value):
    """The source has an address that the router knows no way back to (or, strict, one by another link)."""
    router.source.add_addresses("eth0", "10.9.9.9/24")
    if filter_value == 1:
        router.router.ip("route add 10.9.9.0/24 dev eth1")
    router.router.sysctl("net/ipv4/conf/eth0/rp_filter", filter_value)
    daemon = IPV4.daemon(router)
    receiver = Receiver(router.host, "eth0").join(IPV4.group)
    Sender(router.source, "eth0", IPV4.group, address="10.9.9.9").start(pps=50)
    answer = explain_until(daemon, "rp_filter", IPV4.group)
    assert answer.stream["source"] == "10.9.9.9"
    assert answer.text.startswith(f"rp_filter ({filter_value}) drops them: " + (
        "they arrive on eth0, but the route back to 10.9.9.9 leaves by eth1" if filter_value == 1 else
        "there is no route back to 10.9.9.9"))
    run_command(router.router, answer.remedy)
    receiver.wait_for(5)
    explain_until(daemon, None, IPV4.group)


FIREWALLS = {
    "policy": "table inet fw {{ chain forward {{ type filter hook forward priority 0; policy drop; "
              "ct state vmap {{ established : accept, related : accept, invalid : drop }}; }}; }}",
    "rule": "table inet fw {{ chain forward {{ type filter hook forward priority 0; "
            "iifname \"eth0\" meta l4proto udp counter drop; }}; }}",
    "set": "table inet fw {{ set lan {{ type ifname; elements = {{ eth1, eth2 }}; }}; chain no {{ reject; }}; "
           "chain forward {{ type filter hook forward priority 0; oifname @lan meta nfproto {nfproto} jump no; }}; }}",
    "prerouting": "table {table} raw {{ chain pre {{ type filter hook prerouting priority -300; "
                  "{table} daddr {group} drop; }}; }}",
}


@pytest.mark.parametrize("rules", FIREWALLS)
@pytest.mark.parametrize("family", FAMILIES, ids=str)
def test_firewall(router, family, rules):
    text = FIREWALLS[rules].format(nfproto=f"ipv{family.number}", table="ip" if family.number == 4 else "ip6",
                                   group=family.group)
    router.router.run("nft", text)
    daemon = family.daemon(router)
    receiver = family.receiver(router.host).join(family.group)
    Sender(router.source, "eth0", family.group).start(pps=50)
    answer = explain_until(daemon, "firewall", family.group, family.sources[0])
    assert answer.text.startswith("the firewall drops them on the way to eth1: ")
    assert ("the policy of chain forward in table inet fw" in answer.text) == (rules == "policy")
    run_command(router.router, answer.remedy)
    receiver.wait_for(5)
    explain_until(daemon, None, family.group, family.sources[0])


def test_link_missing_from_the_route(router_two_hosts):
    """Another router is the querier on eth2: this one does not forward there."""
    network = router_two_hosts
    daemon = IPV4.daemon(network, "forward_without_querier = false;", ("eth0", "eth1", "eth2"))
    CraftedHost(network.host2, "eth0", "10.0.2.0").query(3)
    for host in network.hosts:
        Receiver(host, "eth0").join(IPV4.group)
    Sender(network.source, "eth0", IPV4.group).start(pps=50)
    answer = explain_until(daemon, "route", IPV4.group, IPV4.sources[0])
    assert answer.text == "the forwarding entry lacks eth2, which has a member"
    assert "another router (10.0.2.0) is the querier on eth2" in answer.remedy
    explain_until(daemon, None, IPV4.group, IPV4.sources[0], "--link", "eth1")


def test_packets_larger_than_the_link_takes(router):
    """As into a tunnel; packets of IPv4 that must not be fragmented, as most are."""
    router.router.ip("link set eth1 mtu 1300")
    daemon = IPV4.daemon(router)
    receiver = Receiver(router.host, "eth0").join(IPV4.group)
    Sender(router.source, "eth0", IPV4.group, size=1400).start(pps=50)
    answer = explain_until(daemon, "forwarded", IPV4.group, IPV4.sources[0])
    assert answer.text == "the entry is right, but no packet leaves by eth1: they have 1428 bytes, which is more than its MTU"
    run_command(router.router, re.search(r"\((ip link.*)\)", answer.remedy)[1])
    receiver.wait_for(5)
    explain_until(daemon, None, IPV4.group, IPV4.sources[0])


def test_forwarded_but_the_host_drops_it(router):
    """Everything is right up to the host, and explain reports that."""
    router.host.run("nft", "table inet fw { chain input { type filter hook input priority 0; policy drop; }; }")
    daemon = IPV4.daemon(router)
    receiver = Receiver(router.host, "eth0").join(IPV4.group)
    Sender(router.source, "eth0", IPV4.group).start(pps=50)
    answer = explain_until(daemon, None, IPV4.group, IPV4.sources[0])
    assert "packets have left by eth1: if the picture is still missing, check the host" in answer.steps["forwarded"]["text"]
    receiver.assert_silent(0.1)


def test_without_the_right_to_look_at_packets(router):
    """Steps that need root are skipped; the kernel's counters replace them."""
    daemon = IPV4.daemon(router)
    receiver = Receiver(router.host, "eth0").join(IPV4.group)
    sender = Sender(router.source, "eth0", IPV4.group).start(pps=50)
    receiver.wait_for(5)
    unprivileged = ("setpriv", "--bounding-set", "-net_raw", "--inh-caps", "-net_raw")
    answer = Answer(daemon, IPV4.group, IPV4.sources[0], command=unprivileged)
    assert answer.failed is None, answer
    assert answer.steps["capture"] == {"step": "capture", "result": "skipped", "remedy": None,
                                       "text": "no packets were captured: only root may capture them (CAP_NET_RAW)"}
    sender.stop()
    receiver.wait_for_silence()
    answer = Answer(daemon, IPV4.group, IPV4.sources[0], command=unprivileged)
    assert answer.failed == "arrival" and answer.remedy == "run this command as root: it then captures the packets"


def test_discovery_stays_on_its_link(router):
    daemon = IPV4.daemon(router)
    answer = Answer(daemon, "224.0.0.251")
    assert answer.failed == "group" and answer.text == "224.0.0.251 has link-local scope: no router forwards it"


def test_a_source_on_the_members_own_link(lab):
    """Sender and receiver on one switch: the stream needs no router."""
    network = make_router(lab, downstreams=0)
    switch, sender, receiver = lab.namespace("switch"), lab.namespace("sender"), lab.namespace("receiver")
    lab.link(network.router, "eth1", switch, "port0", ("10.0.1.1/24",))
    lab.link(switch, "port1", sender, "eth0", (), ("10.0.1.10/24",))
    lab.link(switch, "port2", receiver, "eth0", (), ("10.0.1.11/24",))
    switch.bridge("br0", "port0", "port1", "port2", snooping=False)
    daemon = IPV4.daemon(network)
    Receiver(receiver, "eth0").join(IPV4.group)
    Sender(sender, "eth0", IPV4.group).start(pps=50)
    explain_until(daemon, None, IPV4.group)
    # Before the report is heard, the stream has no member and goes upstream alone.
    wait_until(lambda: "the members are on eth1, where the stream arrives: no router is needed" in
               Answer(daemon, IPV4.group).steps["forwarded"]["text"], what="explain to see the members on eth1")


@pytest.mark.parametrize("arguments", ((), ("10.0.0.1",), ("239.1.1.1", "239.1.1.2"), ("239.1.1.1", "fd00::1"), ("x",),
                                       ("239.1.1.1", "--seconds", "0"), ("239.1.1.1", "--seconds", "x"),
                                       ("239.1.1.1", "--colour")), ids=" ".join)
def test_wrong_questions(router, arguments):
    daemon = IPV4.daemon(router)
    assert "usage: mcproxyctl explain" in mcproxyctl(daemon, "explain", *arguments, status=2)


def test_without_a_daemon(router):
    with router.router.entered():
        result = subprocess.run([MCPROXYCTL, "--socket", "/nowhere", "explain", IPV4.group], capture_output=True, text=True,
                                check=False, timeout=60)
    assert result.returncode == 2 and "mcproxyctl doctor checks that" in result.stderr
