# SPDX-License-Identifier: BSD-2-Clause
"""Interfaces with dots, and with characters that a shell or sysctl reads in another way: each command that explain,
doctor and the log print works when it is pasted."""

import re

import pytest
from diagnosis import explain_until, run_command, wait_for_finding, wait_until_clean
from families import FAMILIES, IPV4
from netlab import Daemon, Receiver, Sender, make_router

NAMES = {"dots": ("eth0.35", "eth1.36.x"), "odd": ("a'$x.1", 'b"`;|\\'), "words": ("up", "#~!")}


def rename(namespace, device, name):
    addresses = [f"{entry['local']}/{entry['prefixlen']}" for entry in namespace.ip_json(f"address show dev {device}")[0]["addr_info"]
                 if entry["scope"] == "global"]
    namespace.ip(f"link set dev {device} down")
    for words in (("name", name), ("up",)):
        namespace.run("ip", "link", "set", "dev", device if words[0] == "name" else name, *words)
    for address in addresses:
        namespace.run("ip", "address", "replace", address, "dev", name, *(("nodad",) if ":" in address else ()))


@pytest.fixture(params=NAMES)
def named(router, request):
    """The usual router, whose links have other names: (network, upstream, downstream)."""
    for device, name in zip(("eth0", "eth1"), NAMES[request.param]):
        rename(router.router, device, name)
    return (router, *NAMES[request.param])


def daemon_of(network, upstream, downstream, protocol='"IGMPv3", "MLDv2"', settings="query_response_interval = 1;"):
    words = [re.sub(r"""['";\\\\]""", "?", name) for name in (upstream, downstream)]  # which only a pattern can match
    return Daemon(network.router, f"protocol = [{protocol}]; {settings} instances = ("
                  f'{{ name = "tv"; upstream = "{words[0]}"; downstream = "{words[1]}"; }});', "-d",
                  vifs=(upstream, downstream) if "IGMP" in protocol else (),
                  vifs6=(upstream, downstream) if "MLD" in protocol else ())


@pytest.mark.parametrize("asked", ("explain", "doctor", "log"))
def test_reverse_path_filter(named, asked):
    network, upstream, downstream = named
    network.source.add_addresses("eth0", "10.9.9.9/24")
    network.router.run("ip", "route", "add", "10.9.9.0/24", "dev", downstream)
    network.router.sysctl(f"net/ipv4/conf/{upstream}/rp_filter", 1)
    daemon = daemon_of(network, upstream, downstream, '"IGMPv3"')
    receiver = Receiver(network.host, "eth0").join(IPV4.group)
    Sender(network.source, "eth0", IPV4.group, address="10.9.9.9").start(pps=50)
    answer = explain_until(daemon, "rp_filter", IPV4.group, "10.9.9.9")
    if asked == "explain":
        run_command(network.router, answer.remedy)
    elif asked == "doctor":
        run_command(network.router, wait_for_finding(daemon, "rp-filter", upstream, "rp_filter is 1")["remedy"])
    else:
        run_command(network.router, re.search("sysctl -w .*rp_filter=0.*", daemon.stderr)[0])
    receiver.wait_for(5)
    explain_until(daemon, None, IPV4.group, "10.9.9.9")
    if asked == "doctor":
        wait_until_clean(daemon)


def flow(network, family):
    """A stream that a host has joined; returns its receiver."""
    receiver = family.receiver(network.host).join(family.group)
    Sender(network.source, "eth0", family.group).start(pps=50)
    return receiver


@pytest.mark.parametrize("what, text", (("down", "the link is down"), ("multicast off", "the MULTICAST flag is missing")))
def test_link(named, what, text):
    network, upstream, downstream = named
    daemon = daemon_of(network, upstream, downstream, '"IGMPv3"')
    wait_until_clean(daemon)
    receiver = flow(network, IPV4)
    network.router.run("ip", "link", "set", "dev", downstream, *what.split())
    finding = wait_for_finding(daemon, "links", downstream, text)
    if what == "multicast off":
        daemon.wait_for_output("has no MULTICAST flag")
        assert finding["remedy"] in daemon.stderr
    run_command(network.router, finding["remedy"])
    wait_until_clean(daemon)
    receiver.wait_for(receiver.count() + 5)


def test_link_without_ipv6(named):
    network, upstream, downstream = named
    daemon = daemon_of(network, upstream, downstream, '"MLDv2"')
    network.router.sysctl(f"net/ipv6/conf/{downstream}/disable_ipv6", 1)
    finding = wait_for_finding(daemon, "links", downstream, "no IPv6 link-local address")
    daemon.wait_for_output("disable_ipv6 is 1")
    assert finding["remedy"].split(", or ")[0] in daemon.stderr
    run_command(network.router, finding["remedy"])
    wait_until_clean(daemon)
    flow(network, FAMILIES[1]).wait_for(5)


@pytest.mark.parametrize("family", FAMILIES, ids=str)
def test_ttl_of_one(named, family):
    network, upstream, downstream = named
    daemon = daemon_of(network, upstream, downstream, f'"{family.protocol}"')
    receiver = family.receiver(network.host).join(family.group)
    Sender(network.source, "eth0", family.group, ttl=1).start(pps=50)
    run_command(network.router, explain_until(daemon, "ttl", family.group, family.sources[0]).remedy.split(" or here: ")[1])
    receiver.wait_for(5)


def test_packets_larger_than_the_link_takes(named):
    network, upstream, downstream = named
    network.router.run("ip", "link", "set", "dev", downstream, "mtu", "1300")
    daemon = daemon_of(network, upstream, downstream, '"IGMPv3"')
    receiver = Receiver(network.host, "eth0").join(IPV4.group)
    Sender(network.source, "eth0", IPV4.group, size=1400).start(pps=50)
    remedy = explain_until(daemon, "forwarded", IPV4.group, IPV4.sources[0]).remedy
    run_command(network.router, re.search(r"\((ip link.*)\)", remedy)[1])
    receiver.wait_for(5)


@pytest.mark.parametrize("names", NAMES)
def test_bridge(lab, names):
    """Snooping and the querier of a bridge, whose name is odd."""
    network, (bridge, downstream) = make_router(lab), NAMES[names]
    neighbour = lab.namespace("neighbour")
    lab.link(network.router, "port", neighbour, "eth0")
    network.router.ip("address flush dev eth0")
    network.router.bridge("br0", "eth0", "port", snooping=False, addresses=("10.0.0.1/24",))
    rename(network.router, "br0", bridge)
    rename(network.router, "eth1", downstream)
    daemon = daemon_of(network, bridge, downstream, '"IGMPv3"')
    for text in ("the bridge does not snoop", "the bridge snoops, but no IGMP querier is present"):
        run_command(network.router, wait_for_finding(daemon, "bridge", bridge, text)["remedy"])
    wait_until_clean(daemon)
    flow(network, IPV4).wait_for(5)


@pytest.mark.parametrize("family", FAMILIES, ids=str)
def test_reports_from_elsewhere(named, family):
    """The remedy is a look at the packets."""
    network, upstream, downstream = named
    daemon = daemon_of(network, upstream, downstream, f'"{family.protocol}"')
    guest = family.guest(network.host)
    far = {"ttl": 8} if family.number == 4 else {"hop_limit": 8}
    guest.join(family.group, **far)
    remedy = wait_for_finding(daemon, "reports", downstream, "TTL or hop limit not 1")["remedy"]
    command = remedy.removeprefix("look for the sender with ")  # MLD comes behind another header
    assert command.startswith("tcpdump -vi ")
    watch = network.router.start("sh", "-c", "exec " + command.replace("tcpdump", "tcpdump -l -n"))
    watch.wait_for_output("listening on")
    guest.join(family.group, **far)
    watch.wait_for_output(family.group)
