# SPDX-License-Identifier: BSD-2-Clause
"""mcproxyctl explain: address translation gives a stream another source, or another group."""

import shutil

import pytest
from diagnosis import Answer, explain_until, run_command
from families import FAMILIES
from netlab import Sender

REWRITTEN = {4: "10.0.1.1", 6: "fd00:1::1"}
SOURCE_RULES = {
    "masquerade": "nft 'table inet own {{ chain post {{ type nat hook postrouting priority 100; oifname \"eth1\" masquerade; }}; }}'",
    "snat": "nft 'table {table} own {{ chain post {{ type nat hook postrouting priority 100; {table} daddr {range} "
            "snat to {rewritten}; }}; }}'",
    "iptables": "{iptables} -t nat -A POSTROUTING -o eth1 -j MASQUERADE",
    "legacy": "{iptables}-legacy -t nat -A POSTROUTING -s {source} -j SNAT --to-source {rewritten}",
}


def rule(router, family, rules, name):
    four = family.number == 4
    text = rules[name].format(table="ip" if four else "ip6", iptables="iptables" if four else "ip6tables", group=family.group,
                              range="224.0.0.0/4" if four else "ff00::/8", rewritten=REWRITTEN[family.number],
                              source=family.sources[0], other=family.other_group)
    if "iptables" in text and not shutil.which(text.split()[0]):
        pytest.skip(f"there is no {text.split()[0]}")
    run_command(router.router, text)


@pytest.mark.parametrize("name", SOURCE_RULES)
@pytest.mark.parametrize("family", FAMILIES, ids=str)
def test_another_source(router, family, name):
    """Members of any source get the stream from there; members that name the source get nothing until NAT leaves it out.

    The router itself is no member: the first packet that reaches a local member confirms its connection without a rewrite, and
    then the kernel forwards the others as they are."""
    rule(router, family, SOURCE_RULES, name)
    daemon = family.daemon(router, 'upstream_membership = "user";')
    anyone = family.receiver(router.host).join(family.group)
    Sender(router.source, "eth0", family.group).start(pps=50)
    anyone.wait_for(5, source=REWRITTEN[family.number])
    answer = explain_until(daemon, None, family.group, family.sources[0])
    assert f"have left by eth1, from {REWRITTEN[family.number]}: NAT rewrites the source (" in answer.steps["forwarded"]["text"]
    anyone.close()
    explain_until(daemon, "member", family.group)
    named = family.receiver(router.host).join_source(family.group, family.sources[0])
    answer = explain_until(daemon, "nat", family.group, family.sources[0])
    assert answer.text.startswith(f"the packets leave by eth1 from {REWRITTEN[family.number]}, which its members do not want: "
                                  "NAT rewrites the source (")
    assert "POSTROUTING" in answer.text or "chain post in table" in answer.text
    run_command(router.router, answer.remedy)
    named.wait_for(5, source=family.sources[0])
    answer = explain_until(daemon, None, family.group, family.sources[0])
    assert "NAT" not in answer.steps["forwarded"]["text"]


GROUP_RULES = {
    "dnat": "nft 'table {table} own {{ chain pre {{ type nat hook prerouting priority -100; {table} daddr {group} "
            "dnat to {other}; }}; }}'",
    "iptables": "{iptables} -t nat -A PREROUTING -d {group} -j DNAT --to-destination {other}",
}


@pytest.mark.parametrize("name", GROUP_RULES)
@pytest.mark.parametrize("family", FAMILIES, ids=str)
def test_another_group(router, family, name):
    rule(router, family, GROUP_RULES, name)
    daemon = family.daemon(router)
    receiver = family.receiver(router.host).join(family.group)
    Sender(router.source, "eth0", family.group).start(pps=50)
    answer = explain_until(daemon, "nat", family.group, family.sources[0])
    assert answer.text.startswith(f"NAT rewrites the group {family.group} before it is routed: ")
    run_command(router.router, answer.remedy)
    receiver.wait_for(5)
    explain_until(daemon, None, family.group, family.sources[0])


@pytest.mark.parametrize("family", FAMILIES, ids=str)
def test_translation_of_other_packets(router, family):
    """The usual rules of a router, which do not concern the stream."""
    rule(router, family, {"x": "nft 'table inet own {{ chain post {{ type nat hook postrouting priority 100; oifname \"eth0\" "
                               "masquerade; }}; chain pre {{ type nat hook prerouting priority -100; tcp dport 80 dnat {table} "
                               "to {source}; }}; }}'"}, "x")
    daemon = family.daemon(router)
    receiver = family.receiver(router.host).join(family.group)
    Sender(router.source, "eth0", family.group).start(pps=50)
    receiver.wait_for(5, source=family.sources[0])
    answer = explain_until(daemon, None, family.group, family.sources[0])
    assert not [step for step in answer.stream["steps"] if "NAT" in step["text"]]


def test_a_sender_on_the_router_itself_is_no_translation(router):
    """Packets of the router's own leave by the link, and so do none of the stream: a firewall drops them."""
    family = FAMILIES[0]
    router.router.run("nft", 'table ip own { chain post { type filter hook postrouting priority 0; '
                      'meta mark 0 ip saddr 10.0.0.10 limit rate 1000/second drop; }; }')
    daemon = family.daemon(router)
    family.receiver(router.host).join(family.group)
    Sender(router.source, "eth0", family.group).start(pps=50)
    Sender(router.router, "eth1", family.group).start(pps=50)
    answer = explain_until(daemon, "firewall", family.group, family.sources[0])
    assert "of chain post in table ip own (" in answer.text
    assert Answer(daemon, family.group, family.sources[0]).failed == "firewall"
