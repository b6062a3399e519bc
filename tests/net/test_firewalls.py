# SPDX-License-Identifier: BSD-2-Clause
"""Firewalls that drop a stream, of every structure: explain names the rule that the kernel's trace shows, and the remedy lets
the stream pass. Each broken network has a healthy twin, whose rules nobody names."""

import os
import re
import shlex
import signal
import subprocess

import pytest
from ctl import MCPROXYCTL, socket_path
from families import FAMILIES, IPV4
from netlab import Sender, wait_until
from test_doctor import examine, wait_for_finding, wait_until_clean
from test_explain import Answer, explain_until

PASSES = "no firewall rule drops them, as the kernel's trace shows"
# Each: the program, its rules, what makes them broken, what makes them healthy, and the name of the rule.
# {ip} is ip or ip6, {group} the group, {all} all groups, {tables} the program of iptables.
UFW = """*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
:fw-before-logging-forward - [0:0]
:fw-before-forward - [0:0]
:fw-user-forward - [0:0]
:fw-after-forward - [0:0]
:fw-after-logging-forward - [0:0]
:fw-before-input - [0:0]
:fw-not-local - [0:0]
-A INPUT -j fw-before-input
-A FORWARD -j fw-before-logging-forward
-A FORWARD -j fw-before-forward
-A FORWARD -j fw-after-forward
-A FORWARD -j fw-after-logging-forward
-A fw-before-input -i lo -j ACCEPT
-A fw-before-input -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A fw-before-input -m conntrack --ctstate INVALID -j DROP
-A fw-before-input -p {icmp} -j ACCEPT
-A fw-before-input -j fw-not-local
-A fw-not-local -m addrtype --dst-type LOCAL -j RETURN
-A fw-not-local -m addrtype --dst-type MULTICAST -j RETURN
-A fw-not-local -j DROP
-A fw-before-forward -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A fw-before-forward -p {icmp} -j ACCEPT
-A fw-before-forward -j fw-user-forward
{change}
-A fw-after-logging-forward -m limit --limit 3/min --limit-burst 10 -j LOG --log-prefix "[FW BLOCK] "
COMMIT
"""
ZONES = """table inet zones {{
    chain mangle_PREROUTING {{ type filter hook prerouting priority mangle + 10; policy accept; jump mangle_PREROUTING_ZONES; }}
    chain mangle_PREROUTING_ZONES {{ iifname "eth0" goto mangle_PRE_wan; }}
    chain mangle_PRE_wan {{ }}
    chain filter_INPUT {{ type filter hook input priority filter + 10; policy accept;
        ct state {{ established, related }} accept; ct status dnat accept; iifname "lo" accept; ct state invalid drop;
        jump filter_INPUT_ZONES; reject with icmpx admin-prohibited; }}
    chain filter_INPUT_ZONES {{ meta l4proto {{ igmp, icmpv6 }} accept; }}
    chain filter_FORWARD {{ type filter hook forward priority filter + 10; policy accept;
        ct state {{ established, related }} accept; ct status dnat accept; iifname "lo" accept; ct state invalid drop;
        ip6 daddr {{ ::/96, 2002:e000::/19 }} reject with icmpv6 addr-unreachable;
        jump filter_FORWARD_POLICIES; reject with icmpx admin-prohibited; }}
    chain filter_FORWARD_POLICIES {{ iifname "eth0" oifname "eth1" jump filter_FWD_tv; iifname "eth0" return; accept; }}
    chain filter_FWD_tv {{ jump filter_FWD_tv_deny; jump filter_FWD_tv_allow; }}
    chain filter_FWD_tv_deny {{ {ip} daddr {other} drop; }}
    chain filter_FWD_tv_allow {{ {change} }}
}}"""
BASE = "chain forward {{ type filter hook forward priority 0; policy accept;"
CASES = {
    "policy and conntrack": (
        "tables", "*filter\n:INPUT ACCEPT [0:0]\n:FORWARD DROP [0:0]\n:OUTPUT ACCEPT [0:0]\n"
        "-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\n{change}\nCOMMIT\n",
        "", "-A FORWARD -i eth0 -d {all} -j ACCEPT", "{tables}: the policy of FORWARD in table filter"),
    "ufw": ("tables", UFW, "", "-A fw-user-forward -i eth0 -o eth1 -d {all} -j ACCEPT",
            "{tables}: the policy of FORWARD in table filter"),
    "marks": ("tables", "*mangle\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -i {change} -j MARK --set-xmark 0x7/0xff\nCOMMIT\n"
              "*filter\n:FORWARD ACCEPT [0:0]\n:tv - [0:0]\n-A FORWARD -m mark --mark 0x7/0xff -j tv\n-A tv -i eth1 -j DROP\n"
              "-A tv -m pkttype --pkt-type multicast -m comment --comment \"no TV\" -j REJECT\nCOMMIT\n", "eth0", "eth1",
              "{tables}: rule 2 of tv in table filter (-A tv -m pkttype --pkt-type multicast -m comment --comment \"no TV\" "
              "-j REJECT"),
    "raw": ("tables", "*raw\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -i {change} -d {group} -j DROP\nCOMMIT\n", "eth0", "eth1",
            "{tables}: rule 1 of PREROUTING in table raw (-A PREROUTING -d {group}/"),
    "postrouting": ("tables", "*mangle\n:POSTROUTING ACCEPT [0:0]\n-A POSTROUTING -o eth1 -p udp -m multiport --dports "
                    "{change} -j DROP\nCOMMIT\n", "1,5001", "1,5002",
                    "{tables}: rule 1 of POSTROUTING in table mangle (-A POSTROUTING -o eth1 -p udp"),
    "zones": ("nft", ZONES, "", "{ip} daddr {group} accept;",
              "of chain filter_FORWARD in table inet zones (reject with icmpx admin-prohibited)"),
    "reverse path": (
        "nft", "table inet zones {{ chain pre {{ type filter hook prerouting priority raw + 10; "
        "iifname \"{change}\" fib saddr oif != \"eth1\" drop; }}; }}", "eth0", "eth1",
        "of chain pre in table inet zones (iifname \"eth0\" fib saddr oif != "),
    "verdict map and goto": (
        "nft", "table inet fw {{ set tv {{ type ipv{number}_addr; flags interval; elements = {{ {change} }}; }};"
        "map from {{ type ifname : verdict; elements = {{ \"eth0\" : jump wan, \"eth1\" : accept }}; }};"
        "chain no {{ limit rate 1/minute log prefix \"no \"; counter drop; }};"
        "chain wan {{ {ip} daddr @tv goto no; }}; " + BASE + "iifname vmap @from; }}; }}",
        "{all}", "{other}", "of chain no in table inet fw (counter drop)"),
    "map of states": (
        "nft", "table inet fw {{ " + BASE + "ct state vmap {{ established : accept, related : accept, new : {change} }}; }}; }}",
        "drop", "accept", "of chain forward in table inet fw (ct state vmap { established : accept, related : accept, new : drop })"),
    "wildcards": ("nft", "table {ip} fw {{ " + BASE + "iifname \"eth*\" oifname \"{change}*\" drop; }}; }}", "eth1", "eth2",
                  "of chain forward in table {ip} fw (iifname \"eth*\" oifname \"eth1*\" drop)"),
    "a chain without a name": ("nft", "table inet fw {{ " + BASE + "iifname \"eth0\" jump {{ {ip} daddr {change} drop; }}; }}; }}",
                               "{group}", "{other}", "of chain __chain"),
    "prerouting": ("nft", "table {ip} early {{ chain pre {{ type filter hook prerouting priority -300; {ip} daddr {change} "
                   "drop; }}; }}", "{group}", "{other}", "of chain pre in table {ip} early ({ip} daddr {group} drop)"),
    "nft's postrouting": ("nft", "table inet late {{ chain post {{ type filter hook postrouting priority 300; oifname "
                          "{change} udp dport 5001 drop; }}; }}", "eth1", "eth2", "of chain post in table inet late (oifname"),
    "ingress": ("nft", "table netdev early {{ chain in {{ type filter hook ingress device eth0 priority 0; {ip} daddr {change} "
                "drop; }}; }}", "{group}", "{other}", "of chain in in table netdev early ({ip} daddr {group} drop)"),
    "egress": ("nft", "table netdev late {{ chain out {{ type filter hook egress device {change} priority 0; {ip} daddr {group} "
               "drop; }}; }}", "eth1", "eth0", "of chain out in table netdev late ({ip} daddr {group} drop)"),
}


def fill(text, family, change=""):
    names = {"ip": "ip" if family.number == 4 else "ip6", "group": family.group, "other": family.other_group,
             "all": "224.0.0.0/4" if family.number == 4 else "ff00::/8", "number": family.number, "source": family.sources[0],
             "tables": "iptables" if family.number == 4 else "ip6tables", "icmp": "icmp" if family.number == 4 else "ipv6-icmp"}
    return text.format(change=change.format(**names), **names)


def load(namespace, family, program, rules):
    if program == "nft":
        namespace.run("nft", rules)
    else:
        restore = f"{'ip' if family.number == 4 else 'ip6'}tables-nft-restore"
        namespace.run("sh", "-c", f"printf %s {shlex.quote(rules)} | {restore}")


def tables_of(namespace):
    return namespace.run("nft list tables")


def start(network, family, links=("eth0", "eth1")):
    daemon = family.daemon(network, links=links)
    receiver = family.receiver(network.host).join(family.group)
    Sender(network.source, "eth0", family.group).start(pps=50)
    return daemon, receiver


def repair(network, family, daemon, receiver, name):
    """explain names the rule; its remedy lets the stream pass."""
    answer = explain_until(daemon, "firewall", family.group, family.sources[0])
    assert name in answer.text, answer
    network.router.run("sh", "-c", answer.remedy)
    receiver.wait_for(5)
    answer = explain_until(daemon, None, family.group, family.sources[0])
    assert answer.steps["firewall"]["text"] == PASSES


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("family", FAMILIES, ids=str)
def test_broken(router, family, case):
    program, rules, broken, _, name = CASES[case]
    load(router.router, family, program, fill(rules, family, broken))
    before = tables_of(router.router)
    daemon, receiver = start(router, family)
    repair(router, family, daemon, receiver, fill(name, family) if "{ " not in name else name)
    assert tables_of(router.router) == before


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("family", FAMILIES, ids=str)
def test_healthy(router, family, case):
    program, rules, _, healthy, _ = CASES[case]
    load(router.router, family, program, fill(rules, family, healthy))
    daemon, receiver = start(router, family)
    receiver.wait_for(5)
    answer = explain_until(daemon, None, family.group, family.sources[0])
    assert answer.steps["firewall"] == {"step": "firewall", "result": "ok", "remedy": None,
                                        "text": PASSES}


# Rules of bridges: where the stream enters by a bridge, and where it leaves by one.
BRIDGES = {
    "upstream, prerouting": "chain c {{ type filter hook prerouting priority -300; iifname \"{change}\" {ip} daddr {group} drop; }};",
    "upstream, input": "chain c {{ type filter hook input priority 0; iifname \"{change}\" {ip} daddr {group} drop; }};",
    "downstream, output": "chain c {{ type filter hook output priority 0; oifname \"{change}\" {ip} daddr {group} drop; }};",
    "downstream, postrouting": "chain c {{ type filter hook postrouting priority 0; oifname \"{change}\" udp dport 5001 drop; }};",
}


def make_bridges(network):
    for number in range(2):
        network.router.run(f"ip address flush dev eth{number}")
        prefix6 = f"fd00:{number}::" if number else "fd00::"
        network.router.bridge(f"br{number}", f"eth{number}", addresses=(f"10.0.{number}.1/24", f"{prefix6}1/64"))
    return network


@pytest.mark.parametrize("healthy", (False, True), ids=("broken", "healthy"))
@pytest.mark.parametrize("case", BRIDGES)
@pytest.mark.parametrize("family", FAMILIES, ids=str)
def test_bridges(router, family, case, healthy):
    port = "eth0" if case.startswith("upstream") else "eth1"
    rules = fill(BRIDGES[case], family, "eth9" if healthy else port)
    # Packets from port to port never reach the router.
    router.router.run("nft", f"table bridge b {{ {rules} chain f {{ type filter hook forward priority 0; policy drop; }}; }}")
    daemon, receiver = start(make_bridges(router), family, ("br0", "br1"))
    if not healthy:
        answer = explain_until(daemon, "firewall", family.group)
        assert re.search(r"rule with handle \d+ of chain c in table bridge b \([io]ifname", answer.text), answer
        assert (f"packets arrive on {port}, but the firewall" if port == "eth0" else "on the way to br1") in answer.text, answer
        router.router.run("sh", "-c", answer.remedy)
    receiver.wait_for(5)
    explain_until(daemon, None, family.group, family.sources[0])


@pytest.mark.parametrize("family", FAMILIES, ids=str)
def test_a_bridge_with_ebtables(router, family):
    ip, destination = ("IPv4", "--ip-dst") if family.number == 4 else ("IPv6", "--ip6-dst")
    router.router.run("ebtables-nft", "-A", "OUTPUT", "-p", ip, destination, family.group, "-o", "eth1", "-j", "DROP")
    daemon, receiver = start(make_bridges(router), family, ("br0", "br1"))
    answer = explain_until(daemon, "firewall", family.group)
    assert re.search(r"rule with handle \d+ of chain OUTPUT in table bridge filter \(", answer.text), answer
    router.router.run("sh", "-c", answer.remedy)
    receiver.wait_for(5)


@pytest.mark.parametrize("family", FAMILIES, ids=str)
def test_rules_that_do_not_concern_the_stream(router, family):
    """The router itself receives a copy, which its input drops. The cause is another one, and is named."""
    load(router.router, family, "tables", "*filter\n:INPUT DROP [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n"
         "-A OUTPUT -p udp -j DROP\nCOMMIT\n")
    router.router.run("nft", "table inet other { chain in { type filter hook input priority 0; policy drop; }; "
                      "chain out { type filter hook output priority 0; meta l4proto udp drop; }; "
                      "chain forward { type filter hook forward priority 0; oifname != \"eth1\" drop; }; }")
    router.router.ip("link set eth1 mtu 1300")
    daemon = family.daemon(router)
    receiver = family.receiver(router.host).join(family.group)
    Sender(router.source, "eth0", family.group, size=1400).start(pps=50)
    answer = explain_until(daemon, "forwarded", family.group, family.sources[0])
    assert answer.steps["firewall"]["text"] == PASSES and "more than its MTU" in answer.text
    router.router.ip("link set eth1 mtu 1500")
    receiver.wait_for(5)
    explain_until(daemon, None, family.group, family.sources[0])


@pytest.mark.parametrize("case", ("policy and conntrack", "ufw", "zones", "map of states", "wildcards"))
@pytest.mark.parametrize("family", FAMILIES, ids=str)
def test_doctor(router, family, case):
    """Without packets, by the rules alone."""
    program, rules, broken, _, name = CASES[case]
    daemon = family.daemon(router)
    wait_until_clean(daemon)
    load(router.router, family, program, fill(rules, family, broken))
    finding = wait_for_finding(daemon, "firewall", "eth1", fill(name, family) if "{ " not in name else name)
    assert finding["what"].endswith(f" drops {family} streams from eth0 to eth1")
    for finding in examine(daemon)["firewall"]:
        router.router.run("sh", "-c", finding["remedy"])
    wait_until_clean(daemon)


@pytest.mark.parametrize("case", ("policy and conntrack", "zones", "map of states", "wildcards", "ingress", "egress"))
@pytest.mark.parametrize("family", FAMILIES, ids=str)
def test_doctor_without_findings(router, family, case):
    program, rules, _, healthy, _ = CASES[case]
    load(router.router, family, program, fill(rules, family, healthy.replace("{group}", "{all}")))
    router.router.run("nft", "table bridge b { chain f { type filter hook forward priority 0; policy drop; }; }")
    wait_until_clean(family.daemon(router))


@pytest.mark.parametrize("family", FAMILIES, ids=str)
def test_rules_of_iptables_legacy(router, family):
    """The kernel does not trace them: they are read."""
    program = "iptables-legacy" if family.number == 4 else "ip6tables-legacy"
    router.router.run(program, "-A", "FORWARD", "-i", "lo", "-j", "ACCEPT")
    router.router.run(program, "-A", "FORWARD", "-p", "udp", "-m", "udp", "--dport", "5001", "-j", "DROP")
    daemon, receiver = start(router, family)
    repair(router, family, daemon, receiver, f"{program}: rule 2 of FORWARD in table filter (-A FORWARD -p udp")


@pytest.mark.parametrize("family", FAMILIES, ids=str)
def test_one_source_of_two(router, family):
    ip = "ip" if family.number == 4 else "ip6"
    router.source.add_addresses("eth0", f"{family.sources[1]}/{24 if family.number == 4 else 64}")
    router.router.run("nft", f"table inet fw {{ {BASE} {ip} saddr {family.sources[1]} drop; }}; }}".replace("{{", "{"))
    daemon = family.daemon(router)
    receiver = family.receiver(router.host).join(family.group)
    for source in family.sources[:2]:
        Sender(router.source, "eth0", family.group, address=source).start(pps=50)
    receiver.wait_for(5)

    def explained():
        answer = Answer(daemon, family.group)
        return {stream["source"]: stream["failed"] for stream in answer.streams} == {
            family.sources[0]: None, family.sources[1]: "firewall"}
    wait_until(explained, 10, "one source dropped", interval=0.1)


@pytest.mark.parametrize("number", (signal.SIGKILL, signal.SIGTERM, signal.SIGINT), ids=lambda number: number.name)
def test_the_table_goes_with_the_process(router, number):
    """Two at once, each with a table of its own. Nothing stays, however they end, and no rule has changed."""
    router.router.run("iptables-nft", "-A", "FORWARD", "-d", "239.9.9.9", "-j", "DROP")
    before = router.router.run("nft list ruleset")
    daemon, _ = start(router, IPV4)
    with router.router.entered():
        runs = [subprocess.Popen([MCPROXYCTL, "--socket", socket_path(daemon), "explain", IPV4.group, "--seconds", "60"])
                for _ in range(2)]
    wait_until(lambda: router.router.run("nft list tables").count("table inet mcproxyctl_") == 2, 10, "two tables")
    for run in runs:
        os.kill(run.pid, number)
        run.wait()
    wait_until(lambda: router.router.run("nft list ruleset") == before, 5, "the rules as before")


def test_without_the_right_to_trace(router):
    daemon, receiver = start(router, IPV4)
    receiver.wait_for(5)
    answer = Answer(daemon, IPV4.group, IPV4.sources[0], command=("setpriv", "--bounding-set", "-net_admin",
                                                                  "--inh-caps", "-net_admin"))
    assert answer.failed is None
    assert answer.steps["firewall"]["text"] == "the firewall was not examined: only root may trace packets (CAP_NET_ADMIN)"


def without(*programs):
    """A prefix for a command: these programs do not work for it."""
    script = "".join(f"mount --bind /bin/false $(command -v {program}); " for program in programs)
    return ("unshare", "--mount", "sh", "-c", f'{script} exec "$@"', "sh")


@pytest.mark.parametrize("missing", (("nft",), ("iptables-save", "ip6tables-save"), ("nft", "iptables-save", "ip6tables-save")),
                         ids=("nft", "iptables", "both"))
@pytest.mark.parametrize("family", FAMILIES, ids=str)
def test_without_the_programs(router, family, missing):
    """The kernel names the rule. The programs only know its text, and its number."""
    program, rules, broken, _, name = CASES["marks"]
    load(router.router, family, program, fill(rules, family, broken))
    load(router.router, family, "tables", "*raw\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -i lo -j ACCEPT\nCOMMIT\n")
    daemon, receiver = start(router, family)
    explain_until(daemon, "firewall", family.group)
    answer = Answer(daemon, family.group, command=without(*missing))
    if "iptables-save" not in missing:
        assert fill(name, family) in answer.text, answer
    else:
        assert re.search(rf"rule with handle \d+ of chain tv in table {fill('{ip}', family)} filter", answer.text), answer
    router.router.run("sh", "-c", answer.remedy)
    receiver.wait_for(5)


@pytest.mark.parametrize("family", FAMILIES, ids=str)
def test_two_firewalls_one_after_the_other(router, family):
    """As of Docker and of the administrator: each answer names one of them, and the last remedy lets the stream pass."""
    load(router.router, family, "tables", fill(CASES["policy and conntrack"][1], family))
    load(router.router, family, "nft", fill(CASES["zones"][1], family))
    daemon, receiver = start(router, family)
    for _ in range(2):
        answer = explain_until(daemon, "firewall", family.group)
        router.router.run("sh", "-c", answer.remedy)
    receiver.wait_for(5)
    explain_until(daemon, None, family.group)


@pytest.mark.parametrize("family", FAMILIES, ids=str)
def test_local_rules_without_nft(router, family):
    """The kernel knows at which hook a chain is, also where the program nft is missing."""
    router.router.run("nft", "table inet fw { chain a { type filter hook input priority 0; policy drop; }; }")
    router.router.ip("link set eth1 mtu 1300")
    daemon = family.daemon(router)
    family.receiver(router.host).join(family.group)
    Sender(router.source, "eth0", family.group, size=1400).start(pps=50)
    explain_until(daemon, "forwarded", family.group, family.sources[0])
    answer = Answer(daemon, family.group, command=without("nft"))
    assert answer.failed == "forwarded", answer
