# SPDX-License-Identifier: BSD-2-Clause
"""Part 4 of docs/guide.md, played with its own commands: Docker's bridge and chains, Kubernetes, VPN sites, and the files for
systemd-networkd and NetworkManager."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from families import FAMILIES
from netlab import Daemon, Receiver, Sender, wait_until

TOP = Path(__file__).resolve().parents[2]
PART = re.search(r"^## Part 4: .*?(?=^## )", (TOP / "docs/guide.md").read_text(), re.M | re.S)[0]
NETWORKD = Path("/lib/systemd/systemd-networkd")
GROUP = "239.1.1.1"


def block(containing):
    """The indented lines of the guide around the one that contains this text, without their indentation."""
    blocks = [found[0] for found in re.finditer(r"(?:^    .*\n|^\n(?=    ))+", PART, re.M)]
    found = [text for text in blocks if containing in text]
    assert len(found) == 1, f"{len(found)} blocks of the guide contain {containing!r}"
    return re.sub(r"^    ", "", found[0], flags=re.M).strip("\n")


# What Docker does to a machine: the bridge, and the chains of iptables.
DOCKER_CHAINS = """
{tables} -P FORWARD DROP
{tables} -N DOCKER
{tables} -N DOCKER-USER
{tables} -A DOCKER-USER -j RETURN
{tables} -A FORWARD -j DOCKER-USER
{tables} -A FORWARD -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
{tables} -A FORWARD -o docker0 -j DOCKER
{tables} -A FORWARD -i docker0 ! -o docker0 -j ACCEPT
{tables} -A FORWARD -i docker0 -o docker0 -j ACCEPT
"""


def make_bridge_of_containers(lab, name):
    """A source at eth0 of the router, and a container at a bridge of it."""
    source, router, container = (lab.namespace(role) for role in ("source", "router", "container"))
    lab.link(router, "eth0", source, "eth0", ("10.0.0.1/24", "fd00::1/64"), ("10.0.0.10/24", "fd00::10/64"))
    source.ip("route add default via 10.0.0.1", "route add default via fd00::1")
    router.ip("link add veth0 type veth peer name eth0 netns " + container.name)
    router.bridge(name, "veth0", addresses=("172.17.0.1/16", "fd17::1/64"))
    container.ip("link set eth0 up", "link set lo up")
    container.add_addresses("eth0", "172.17.0.2/16", "fd17::2/64")
    container.ip("route add default via 172.17.0.1", "route add default via fd17::1")
    return source, router, container


def test_docker_bridge_behind_its_chains(lab):
    source, router, container = make_bridge_of_containers(lab, "docker0")
    for tables in ("iptables", "ip6tables"):
        router.run("sh", "-c", "set -e\n" + DOCKER_CHAINS.format(tables=tables))
    daemon = Daemon(router, block("@172.16.0.0/12"), vifs=("eth0", "docker0"))
    receivers = {}
    for family in FAMILIES:
        receivers[family] = family.receiver(container).join(family.group)
        Sender(source, "eth0", family.group).start(pps=50)
    for family in FAMILIES:
        wait_until(lambda f=family: f.routes(router), what="the route")
        receivers[family].wait_for_silence(quiet=0.3)

    command = block("DOCKER-USER -i")
    router.run(command)
    receivers[FAMILIES[0]].wait_for(10, timeout=8)
    router.run(command.replace("iptables", "ip6tables").replace("224.0.0.0/4", "ff00::/8"))
    receivers[FAMILIES[1]].wait_for(10, timeout=8)
    daemon.terminate()


def test_daemon_set_of_kubernetes(lab):
    manifest = yaml.safe_load(block("kind: DaemonSet"))
    pod = manifest["spec"]["template"]["spec"]
    container = pod["containers"][0]
    assert pod["hostNetwork"] and container["securityContext"]["readOnlyRootFilesystem"]
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"], "add": ["NET_ADMIN", "NET_RAW"]}
    assert {mount["name"] for mount in container["volumeMounts"]} == {volume["name"] for volume in pod["volumes"]}
    assert manifest["spec"]["selector"]["matchLabels"] == manifest["spec"]["template"]["metadata"]["labels"]

    source, router, host = make_bridge_of_containers(lab, "cni0")
    Daemon(router, re.search(r'`(instances = \( "eth0 ==> cni0" \);)`', PART)[1], vifs=("eth0", "cni0"))
    Sender(source, "eth0", GROUP).start(pps=50)
    Receiver(host, "eth0").join(GROUP).wait_for(10, timeout=8)


class Sites:
    """source -- centre == internet == site -- host; the tunnel ends are 10.8.0.1 and 10.8.0.2."""

    def __init__(self, lab):
        self.source, self.centre, self.site, self.host = (lab.namespace(role) for role in ("source", "centre", "site", "host"))
        lab.link(self.centre, "eth0", self.source, "eth0", "10.0.0.1/24", "10.0.0.10/24")
        lab.link(self.centre, "inet", self.site, "inet", "192.0.2.1/24", "192.0.2.2/24")
        lab.link(self.site, "br-site", self.host, "eth0", "172.20.0.1/24", "172.20.0.10/24")
        self.source.ip("route add default via 10.0.0.1")
        self.host.ip("route add default via 172.20.0.1")

    def play(self, tunnel):
        """A host of the site gets a stream of the centre, and the leave arrives there."""
        self.site.ip(f"route add 10.0.0.0/24 dev {tunnel}")
        self.centre.ip(f"route add 172.20.0.0/16 dev {tunnel}")
        centre = Daemon(self.centre, f'protocol = "IGMPv3"; last_member_query_interval = 0.2; instances = ("eth0 ==> {tunnel}");',
                        vifs=("eth0", tunnel))
        Daemon(self.site, f'protocol = "IGMPv3"; last_member_query_interval = 0.2; instances = ("{tunnel} ==> @172.20.0.0/16");',
               vifs=(tunnel, "br-site"))
        centre.wait_for_output(f"{tunnel}: in use")
        Sender(self.source, "eth0", GROUP).start(pps=50)
        receiver = Receiver(self.host, "eth0").join(GROUP)
        receiver.wait_for(10, timeout=8)
        upstream = FAMILIES[0].groups
        receiver.leave(GROUP)
        wait_until(lambda: GROUP not in upstream(self.centre, "eth0"), 8, "the leave at the centre")


@pytest.mark.skipif(shutil.which("wireguard-go") is None, reason="wireguard-go is not installed")
def test_wireguard_site(lab):
    sites = Sites(lab)
    keys = {role: subprocess.run(["wg", "genkey"], capture_output=True, text=True, check=True).stdout for role in ("centre", "site")}
    public = {role: subprocess.run(["wg", "pubkey"], input=key, capture_output=True, text=True, check=True).stdout for role, key in keys.items()}
    # As the guide says, with the addresses of the tunnel.
    allowed = {"centre": "224.0.0.0/4, 172.20.0.0/16, 10.8.0.2/32", "site": "224.0.0.0/4, 10.0.0.0/24, 10.8.0.1/32"}
    for number, (own, namespace, other) in enumerate((("centre", sites.centre, "site"), ("site", sites.site, "centre")), 1):
        namespace.start("wireguard-go", "-f", "wg0", private_run=True)
        wait_until(lambda n=namespace: Path(n.directory, "run/wireguard/wg0.sock").exists(), what="WireGuard's socket")
        configuration = namespace.directory / "wg0.conf"
        configuration.write_text(f"[Interface]\nPrivateKey = {keys[own]}\nListenPort = 51820\n"
                                 f"[Peer]\nPublicKey = {public[other]}\nAllowedIPs = {allowed[own]}\nEndpoint = 192.0.2.{3 - number}:51820\n")
        namespace.run("unshare", "--mount", "sh", "-c", 'mount --bind "$1" /run && wg setconf wg0 "$2"', "sh", namespace.directory / "run", configuration)
        namespace.add_addresses("wg0", f"10.8.0.{number}/30")
        namespace.ip("link set wg0 up")
        namespace.run(block("dev wg0 multicast on"))
    sites.play("wg0")


def test_gre_site(lab):
    sites = Sites(lab)
    commands = block("mode gre").replace("198.51.100.1", "192.0.2.2").replace("10.8.1.1/30", "10.8.0.1/30").splitlines()
    if sites.centre.run(commands[0], check=False).returncode != 0:
        pytest.skip("this kernel has no GRE")
    for command in commands[1:]:
        sites.centre.run(command)
    for command in commands:
        for near, far in (("192.0.2.1", "x"), ("192.0.2.2", "192.0.2.1"), ("x", "192.0.2.2"), ("10.8.0.1", "10.8.0.2")):
            command = command.replace(near, far)
        sites.site.run(command)
    sites.play("gre1")


def files_of(text):
    """The files of systemd-networkd that the guide shows: name -> content."""
    names = re.findall(r"`/etc/systemd/network/(\S+\.d/\S+)`", text)
    return {name: block("MulticastSnooping" if "netdev" in name else "IPv4ReversePathFilter") + "\n" for name in names}


@pytest.mark.skipif(not NETWORKD.exists(), reason="systemd-networkd is not installed")
def test_files_of_networkd(lab, tmp_path):
    router, other = lab.namespace("router"), lab.namespace("other")
    lab.link(router, "eth0", other, "eth0")
    router.ip("link set eth0 multicast off")
    files = {"br-lan.netdev": "[NetDev]\nName=br-lan\nKind=bridge\n", "eth0.network": "[Match]\nName=eth0\n", **files_of(PART)}
    assert len(files) == 4
    for name, text in files.items():
        path = tmp_path / "network" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    networkd = router.start("unshare", "--mount", "sh", "-c",
                            f"mount --bind {tmp_path}/network /etc/systemd/network && mount -t tmpfs none /run && mount -t sysfs -o ro none /sys &&"
                            f" mkdir /run/systemd && exec {NETWORKD}",  # with a /sys to read only, it does not wait for udev
                            environment={"SYSTEMD_LOG_TARGET": "console"})

    def bridge():
        links = router.run("ip -j -d link show br-lan", check=False).stdout
        return links and json.loads(links)[0]["linkinfo"]["info_data"]
    wait_until(bridge, 10, lambda: f"the bridge; {networkd.stderr}")
    assert bridge()["mcast_snooping"] == 1 and bridge()["mcast_querier"] == 0
    wait_until(lambda: "MULTICAST" in router.ip_json("link show eth0")[0]["flags"], 10, lambda: f"the flag; {networkd.stderr}")
    # Any key that it does not know is in its log. The guide names the version that knows this one.
    unknown = set(re.findall(r"Unknown key(?: name)? '(\w+)'", networkd.stderr))
    assert unknown <= {"IPv4ReversePathFilter"}, networkd.stderr


@pytest.mark.skipif(shutil.which("nmcli") is None, reason="NetworkManager is not installed")
def test_properties_of_network_manager():
    def nmcli(*words, profile=None):
        return subprocess.run(["nmcli", "--offline", "connection", *words], input=profile, capture_output=True, text=True, check=False)
    properties = block("nmcli connection modify br-lan").splitlines()[0].split("br-lan ")[1].split()
    profile = nmcli("add", "type", "bridge", "con-name", "br-lan", "ifname", "br-lan", "bridge.multicast-querier", "yes").stdout
    assert "multicast-querier=true" in profile
    changed = nmcli("modify", *properties, profile=profile)
    assert changed.returncode == 0, changed.stderr
    assert "multicast-querier" not in changed.stdout and "multicast-snooping" not in changed.stdout  # both have their defaults
