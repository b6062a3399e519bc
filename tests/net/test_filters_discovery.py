# SPDX-License-Identifier: BSD-2-Clause
"""Discovery traffic of all hosts stays in the house, with the default filters.

The senders are minissdpd, gssdp (GUPnP's SSDP library, by its Python binding) and avahi-daemon where they are installed. All that they
do not send, and what the hosts of older versions send, is crafted: SSDP, mDNS, SLP and WS-Discovery, of both families.

See providers.py for the network."""

import os
import shutil
import time

import pytest
from families import FAMILIES, IPV4
from netlab import Record, Sender, assert_stays, wait_until
from providers import PROVIDERS, Providers

LONG = os.environ.get("MCPROXY_LONG") == "1"
SECONDS = 10 if LONG else 4
SSDP, SLP, MDNS, WSD = "239.255.255.250", "239.255.255.253", "224.0.0.251", 3702
# Of the scopes that a router could forward, and of the link.
GROUPS = {4: ((SSDP, 1900), (SSDP, WSD), (SLP, 427), ("224.0.1.22", 427), ("239.255.255.246", 1900), (MDNS, 5353), ("224.0.1.60", 1),
              ("224.0.1.187", 5683)),
          6: (("ff05::c", 1900), ("ff08::c", 1900), ("ff0e::c", 1900), ("ff05::c", WSD), ("ff05::fb", 5353), ("ff08::fb", 5353),
              ("ff05::116", 427), ("ff05::1:1000", 427), ("ff02::c", 1900), ("ff02::fb", 5353), ("ff05::fd", 5683))}
GSSDP = """
import gi
gi.require_version("GSSDP", "1.6")
from gi.repository import GLib, GSSDP
client = GSSDP.Client.new_for_address(None, 1900, GSSDP.UDAVersion(0))
browser = GSSDP.ResourceBrowser.new(client, "ssdp:all")
browser.set_active(True)
group = GSSDP.ResourceGroup.new(client)
group.add_resource_simple("upnp:rootdevice", "uuid:1::upnp:rootdevice", "http://%s/" % client.get_host_ip())
group.set_max_age(4)
group.set_available(True)
print("ready", flush=True)
GLib.MainLoop().run()
"""
AVAHI = """[server]
allow-interfaces=eth0
use-ipv4=yes
use-ipv6=yes
enable-dbus=no
[rlimits]
"""


@pytest.fixture
def network(lab):
    return Providers(lab)


def is_installed(program):
    return shutil.which(program, path="/usr/sbin:/usr/bin") is not None


def has_gssdp():
    return os.path.exists("/usr/lib/python3/dist-packages/gi/__init__.py") and any(
        name.startswith("GSSDP-1.6") for directory in ("/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib")
        for name in (os.listdir(directory + "/girepository-1.0") if os.path.isdir(directory + "/girepository-1.0") else ()))


def start_programs(namespace):
    """The discovery daemons that this machine has; their names."""
    started = []
    if is_installed("minissdpd"):
        namespace.start("minissdpd", "-d", "-i", "eth0", "-6", "-p", namespace.directory / "minissdpd.pid",
                        "-s", namespace.directory / "minissdpd.sock")
        started.append("minissdpd")
    if has_gssdp():
        (namespace.directory / "gssdp.py").write_text(GSSDP)
        namespace.start("/usr/bin/python3", namespace.directory / "gssdp.py", environment={"G_MESSAGES_DEBUG": ""})
        started.append("gssdp")
    if is_installed("avahi-daemon"):
        (namespace.directory / "avahi.conf").write_text(AVAHI)
        namespace.start("avahi-daemon", "--no-drop-root", "--no-chroot", "--no-rlimits", "--debug", "-f",
                        namespace.directory / "avahi.conf", private_run=True)
        started.append("avahi-daemon")
    return started


def crafted_hosts(family, network):
    """A host of each version on the third LAN that joins all discovery groups."""
    guest = family.guest(network.lans[2])
    for group, _ in GROUPS[family.number]:
        guest.join(group)  # IGMPv2, MLDv1
        guest.report(Record("TO_EX", group))
        guest.report(Record("TO_IN", group, (family.guest_address.replace("fe80::77", "fd00:3::77"),)))
        if family is IPV4:
            guest.join(group, version=1)


@pytest.mark.timing
@pytest.mark.parametrize("version", ("newest", "older"))
def test_nothing_of_discovery_leaves_the_house(network, version):
    families = FAMILIES
    text = network.text(IPV4).replace('"IGMPv3"', '[ "IGMPv3", "MLDv2" ]')
    network.run(IPV4, text)
    captures = {(link, family): family.capture(network.router, link) for link in PROVIDERS for family in families}
    strangers = {link: network.first if link == "eth0" else network.second for link in PROVIDERS}
    for family in families:
        for lan in network.lans:
            family.force_version(lan, family.older_version if version == "older" else family.version)
    wires = [namespace.start("tcpdump", "-i", "eth0", "-n", "-l", "-Q", "in",
                             "udp and (port 1900 or port 5353 or port 427 or port 3702 or port 5683)")
             for namespace in strangers.values()]
    for wire in wires:
        wire.wait_for_output("listening on eth0")
    at_home = network.lans[0].start("tcpdump", "-i", "eth0", "-n", "-l", "-A", "-Q", "out",
                                    "src port 5353 or src port 1900 or port 1900")
    at_home.wait_for_output("listening on eth0")
    programs = start_programs(network.lans[0])
    for family in families:
        neighbour = family.receiver(network.lans[1]).join(family.group)
        for group in {group for group, _ in GROUPS[family.number]}:
            neighbour.join(group)
    for family in families:
        crafted_hosts(family, network)
    senders = [Sender(lan, "eth0", group, port=port) for family in families for lan in network.lans
               for group, port in GROUPS[family.number]]
    for sender in senders:
        sender.start(pps=5)
    started = time.time()
    for family in families:  # what is no discovery does leave
        wait_until(lambda f=family: f.group in f.joined(network, "eth0"), what="the join of another group")
    assert_stays(lambda: True, SECONDS, "the traffic")
    for family in families:
        groups = {group for group, _ in GROUPS[family.number]}
        for link in PROVIDERS:
            assert not groups & set(family.joined(network, link)) - {MDNS, "ff02::c", "ff02::fb"}
            reported = [record.group for message in captures[link, family].select() if message.kind != "query"
                        for record in message.records] + [message.group for message in captures[link, family].select()
                                                          if message.kind == "report"]
            assert not groups & set(reported), (link, reported)
    for wire in wires:
        assert wire.stdout == "", wire.stdout
    print(f"senders: {programs}, and crafted packets; {time.time() - started:.0f} s")
    # The programs really send.
    for program, text in (("minissdpd", "M-SEARCH"), ("gssdp", "NOTIFY"), ("avahi-daemon", ".5353 > 224.0.0.251.5353")):
        assert program not in programs or text in at_home.stdout, program
    for sender in senders:
        sender.stop()


@pytest.mark.parametrize("family", FAMILIES, ids=str)
def test_discovery_programs_hear_each_other_in_the_house(network, family):
    """Not even between LANs, with a rule for it."""
    network.start(family, top='filter_out = [ "deny discovery" ];')
    ssdp = SSDP if family.number == 4 else "ff05::c"
    neighbour = family.receiver(network.lans[1]).join(ssdp).join(family.group)
    wait_until(lambda: family.group in family.joined(network, "eth0"), what="the join upstream")
    sender, other = Sender(network.lans[0], "eth0", ssdp), Sender(network.lans[0], "eth0", family.group)
    sender.start(pps=50)
    other.start(pps=50)
    neighbour.wait_for(30, group=family.group)
    assert neighbour.count(group=ssdp) == 0
    sender.stop()
    other.stop()
