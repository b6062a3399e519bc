# SPDX-License-Identifier: BSD-2-Clause
"""docs/recipes.md, played: each example as shipped, behind a firewall with the rules that the recipe has."""

import dataclasses
import re
import shutil
from pathlib import Path

import pytest
from ctl import mcproxyctl
from diagnosis import wait_until_clean
from netlab import Daemon, Receiver, Sender, tables, wait_until

TOP = Path(__file__).resolve().parents[2]
TEXT = (TOP / "docs" / "recipes.md").read_text()
EXAMPLES = TOP / "config" / "examples"


@dataclasses.dataclass
class Recipe:
    """The first link is where the streams arrive; `refused` is a link that must not get them."""

    upstream: tuple
    downstream: tuple
    group: str = "239.35.1.1"
    refused: str = ""
    other: tuple = ()  # (upstream link, group) that comes another way
    older: bool = False  # hosts speak IGMPv2


RECIPES = {
    "iptv-vlan": Recipe(("eth0.10",), ("br-lan",)),
    "bridged-wifi": Recipe(("eth0",), ("br0",)),
    "guests": Recipe(("eth0",), ("lan0", "guest0"), refused="guest0"),
    "two-providers": Recipe(("iptv0", "wan0"), ("lan0",), other=("wan0", "233.1.1.1")),
    "ssm-lab": Recipe(("eth0",), ("eth1",), group="232.1.1.1", older=True),
    "av-network": Recipe(("eth1",), ("eth2",), group="239.69.1.1"),
    "hierarchy": Recipe(("eth0",), ("eth1",)),
    "vpn-site": Recipe(("wg0",), ("br-site",)),
}


def section(name):
    return next(part for part in re.split(r"^## ", TEXT, flags=re.M) if f"`{name}.conf`" in part)


def commands(name, firewall):
    return re.search(rf"^{firewall}:\n\n```sh\n(.*?)```", section(name), re.M | re.S)[1].splitlines()


def cable(lab, router, devices):
    """A host at the other end of each of the router's links, number n in 10.0.n.0/24; VPN sites in 172.20.0.0/16."""
    ends = {}
    for number, device in enumerate(devices):
        net = f"172.20.{number}" if device == "br-site" else f"10.0.{number}"
        ends[device] = lab.namespace(f"end{number}")
        lab.link(router, device, ends[device], "eth0", f"{net}.1/24", f"{net}.10/24")
        ends[device].ip(f"route add default via {net}.1")
    return ends


def raise_firewalls(router, name):
    router.run("nft", "table inet fw { chain forward { type filter hook forward priority 0; policy drop; };"
                      "chain input { type filter hook input priority 0; policy drop; iif lo accept; meta l4proto ipv6-icmp accept; }; }")
    for chain in ("INPUT", "FORWARD"):
        router.run("iptables", "-P", chain, "DROP")
    router.run("ip6tables", "-P", "FORWARD", "DROP")
    router.run("iptables", "-A", "INPUT", "-i", "lo", "-j", "ACCEPT")
    for command in commands(name, "nftables") + commands(name, "iptables"):
        router.run("sh", "-c", command)


def assert_stream(ends, source, hosts, group, older=False):
    Sender(ends[source], "eth0", group).start(pps=50)
    receivers = []
    for host in hosts:
        if older:
            ends[host].force_igmp_version("eth0", 2)
        receivers.append(Receiver(ends[host], "eth0").join(group))
    for receiver in receivers:
        receiver.wait_for(10, timeout=8)


# Its files are copies, and its lock is in a /run of its own.
UFW = """set -e
directory=$1; shift
for path in etc/ufw lib/ufw etc/default; do
	mkdir -p $directory/$path
	cp -a /$path/. $directory/$path
	mount --bind $directory/$path /$path
done
mount -t tmpfs none /run
ufw default deny routed
ufw --force enable
for command; do eval "$command"; done
"""


def raise_ufw(router, *rules):
    router.run("unshare", "--mount", "sh", "-c", UFW, "sh", router.directory / "ufw", *rules)


@pytest.mark.skipif(shutil.which("ufw") is None, reason="ufw is not installed")
@pytest.mark.parametrize("name", RECIPES)
def test_rules_of_ufw(lab, name):
    recipe = RECIPES[name]
    router = lab.namespace("router")
    ends = cable(lab, router, recipe.upstream + recipe.downstream)
    raise_ufw(router, *commands(name, "ufw"))
    Daemon(router, (EXAMPLES / f"{name}.conf").read_text(), vifs=recipe.upstream + recipe.downstream)
    hosts = [link for link in recipe.downstream if link != recipe.refused]
    assert_stream(ends, recipe.upstream[0], hosts, recipe.group, recipe.older)
    if recipe.other:
        assert_stream(ends, recipe.other[0], hosts, recipe.other[1])


@pytest.mark.skipif(shutil.which("ufw") is None, reason="ufw is not installed")
def test_ufw_without_the_rules_stops_the_stream(lab):
    router = lab.namespace("router")
    ends = cable(lab, router, ("eth0", "eth1"))
    raise_ufw(router)
    Daemon(router, (EXAMPLES / "hierarchy.conf").read_text(), vifs=("eth0", "eth1"))
    receiver = Receiver(ends["eth1"], "eth0").join(RECIPES["hierarchy"].group)
    Sender(ends["eth0"], "eth0", RECIPES["hierarchy"].group).start(pps=50)
    wait_until(lambda: tables.routes(router), what="the route")
    receiver.wait_for_silence(quiet=0.3)
    assert receiver.count() == 0


@pytest.mark.parametrize("name", RECIPES)
def test_recipe(lab, name):
    recipe = RECIPES[name]
    router = lab.namespace("router")
    ends = cable(lab, router, recipe.upstream + recipe.downstream)
    raise_firewalls(router, name)
    daemon = Daemon(router, (EXAMPLES / f"{name}.conf").read_text(), vifs=recipe.upstream + recipe.downstream)

    hosts = [link for link in recipe.downstream if link != recipe.refused]
    refused = Receiver(ends[recipe.refused], "eth0").join(recipe.group) if recipe.refused else None
    assert_stream(ends, recipe.upstream[0], hosts, recipe.group, recipe.older)
    if recipe.other:
        assert_stream(ends, recipe.other[0], hosts, recipe.other[1])
    if refused:
        assert refused.count() == 0
        wait_until(lambda: "deny television" in mcproxyctl(daemon, "show", "filters"), what="the rule in show filters")
    wait_until_clean(daemon)
    assert f"\n    {mcproxyctl(daemon, 'doctor')}" in TEXT


def test_all_examples_have_a_recipe_with_their_text():
    assert {path.stem for path in EXAMPLES.glob("*.conf")} == set(RECIPES)
    for name in RECIPES:
        body = (EXAMPLES / f"{name}.conf").read_text().split("\n\n", 1)[1]
        assert f"```\n{body}```" in section(name), name
        assert f"diagrams/{name}.svg" in section(name)
        served = {prefix for prefix, protocol in (("224.0.0.0/4", "IGMP"), ("ff00::/8", "MLD")) if f'"{protocol}' in body}
        for firewall in ("nftables", "iptables", "ufw", "OpenWrt"):
            rules = "\n".join(commands(name, firewall))
            assert {prefix for prefix in ("224.0.0.0/4", "ff00::/8") if prefix in rules} == served, (name, firewall)
