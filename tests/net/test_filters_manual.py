# SPDX-License-Identifier: BSD-2-Clause
"""The examples of filters in mcproxy.conf(5), played: the links have other names here, and the rest is as in the manual.

See providers.py for the network."""

from contextlib import closing
from pathlib import Path

import pytest
from families import IPV4
from netlab import Daemon, Record, Sender, make_router, wait_until
from providers import Providers

MANUAL = Path(__file__).resolve().parents[2] / "docs" / "mcproxy.conf.5"
TV, OTHER = "239.35.1.1", "239.1.2.3"
SSDP = "239.255.255.250"


@pytest.fixture
def network(lab):
    return Providers(lab)


def example(words, links, number=0, **changes):
    """The number-th example after the words, with other names of links; changes: further texts to replace."""
    text = MANUAL.read_text()
    text = text[text.index(".Sh EXAMPLES"):].split(words, 1)[1]
    for _ in range(number + 1):
        text = text[text.index(".Bd"):]
        block, text = text.split("\n", 1)[1].split(".Ed", 1)
    for name, link in links.items():
        assert name in block
        block = block.replace(f'"{name}"', f'"{link}"').replace(f'in {name}"', f'in {link}"')
        block = block.replace(f'{name} ', f'{link} ').replace(f' {name}"', f' {link}"')
    for before, after in changes.values():
        assert before in block
        block = block.replace(before, after)
    return 'protocol = "IGMPv3";\n' + block


def start(network, text, vifs):
    return Daemon(network.router, text, "-d", vifs=vifs)


def joined(network, link="eth0"):
    return set(IPV4.joined(network, link))


def join_all(namespace, *groups):
    receiver = IPV4.receiver(namespace)
    for group in groups:
        receiver.join(group)
    return receiver


def test_television_from_one_provider(network):
    start(network, example("Television from one provider", {"iptv0": "eth0", "wan0": "eth4", "lan0": "eth1"}),
          ("eth0", "eth1", "eth4"))
    receiver = join_all(network.lans[0], TV, OTHER, SSDP)
    wait_until(lambda: TV in joined(network) and OTHER in joined(network, "eth4"), what="the joins")
    assert OTHER not in joined(network) and not {TV, SSDP} & joined(network, "eth4")
    with network.stream(TV), network.stream(OTHER):
        receiver.wait_for(30, group=TV)
        receiver.wait_for(30, group=OTHER)
    assert {arrival.source for arrival in receiver.of(group=TV)} == {"10.0.0.10"}
    assert {arrival.source for arrival in receiver.of(group=OTHER)} == {"10.0.4.10"}


def test_guests_without_television(network):
    start(network, example("Guests without television", {"wan0": "eth0", "lan0": "eth1", "guest0": "eth2"},
                           guests=("192.168.9.0/24", "10.0.1.64/26")), ("eth0", "eth1", "eth2"))
    IPV4.guest(network.lans[0], "10.0.1.77").report(Record("TO_EX", TV))
    guest = join_all(network.lans[1], TV, OTHER)
    wait_until(lambda: OTHER in joined(network), what="the other group")
    assert TV not in joined(network)
    receiver = join_all(network.lans[0], TV)
    with network.stream(TV, network.first), network.stream(OTHER, network.first):
        receiver.wait_for(30, group=TV)
        guest.wait_for(30, group=OTHER)
    assert guest.count(group=TV) == 0


def test_television_for_one_box(network):
    box = network.lans[0].ip_json("link show dev eth0")[0]["address"]
    start(network, example("one set-top box only", {"wan0": "eth0", "lan0": "eth1", "lan1": "eth2"},
                           box=("52:54:00:11:22:33", box)), ("eth0", "eth1", "eth2"))
    other = join_all(network.lans[1], TV, OTHER)
    wait_until(lambda: OTHER in joined(network), what="the other group")
    assert TV not in joined(network)
    receiver = join_all(network.lans[0], TV)
    with network.stream(TV, network.first), network.stream(OTHER, network.first):
        receiver.wait_for(30, group=TV)
        other.wait_for(30, group=OTHER)
    assert other.count(group=TV) == 0


def test_ssdp_between_two_lans(network):
    start(network, example("SSDP between two LANs", {"wan0": "eth0", "lan0": "eth1", "lan1": "eth2", "lan2": "eth3"}),
          ("eth0", "eth1", "eth2", "eth3"))
    second, third = join_all(network.lans[1], SSDP), join_all(network.lans[2], SSDP, OTHER)
    upstream = join_all(network.first, SSDP, OTHER)
    wait_until(lambda: OTHER in joined(network), what="the join upstream")
    with closing(Sender(network.lans[0], "eth0", SSDP).start()), closing(Sender(network.lans[0], "eth0", OTHER).start()):
        second.wait_for(30, group=SSDP)
        upstream.wait_for(30, group=OTHER)
        third.wait_for(30, group=OTHER)
    assert third.count(group=SSDP) == upstream.count(group=SSDP) == 0
    assert SSDP not in joined(network)


def test_a_hierarchy_inside_a_site(lab):
    """wan -- border -- inside -- two LANs; a site's group goes from a LAN of the border to one inside, and not to the WAN."""
    border = make_router(lab, downstreams=1)
    inside = lab.namespace("inside")
    ends = []
    lab.link(border.router, "site0", inside, "site0", ("10.0.7.1/24",), ("10.0.7.2/24",))
    for number in (1, 2):
        end = lab.namespace(f"deep{number}")
        lab.link(inside, f"lan{number - 1}", end, "eth0", (f"10.0.{number + 7}.1/24",), (f"10.0.{number + 7}.10/24",))
        end.ip(f"route add default via 10.0.{number + 7}.1")
        ends.append(end)
    inside.ip("route add default via 10.0.7.1")
    border.router.ip("route add 10.0.8.0/22 via 10.0.7.2")
    Daemon(border.router, example("A hierarchy inside a site", {"wan0": "eth0", "lan0": "eth1"}), "-d",
           vifs=("eth0", "site0", "eth1"))
    Daemon(inside, example("A hierarchy inside a site", {}, 1), "-d", vifs=("site0", "lan0", "lan1"))
    site = "239.255.1.1"
    deep = join_all(ends[0], site, SSDP, OTHER)
    wan = join_all(border.source, site, SSDP, OTHER)
    wait_until(lambda: OTHER in IPV4.groups(border.router, "eth0"), what="the join at the provider")
    assert not {site, SSDP} & set(IPV4.groups(border.router, "eth0"))
    senders = [Sender(border.host, "eth0", group).start() for group in (site, SSDP, OTHER)]
    for group in (site, SSDP, OTHER):
        deep.wait_for(30, group=group)
    wan.wait_for(10, group=OTHER)
    assert wan.count(group=site) == wan.count(group=SSDP) == 0
    for sender in senders:
        sender.stop()
