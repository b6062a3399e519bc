# SPDX-License-Identifier: BSD-2-Clause
"""Another process deletes or changes what the daemon keeps in the kernel: it comes back within two seconds."""

import contextlib
import os
import random
import signal
import socket
import time

import pytest
import wire
from families import FAMILIES, IPV4
from mroute import MulticastRouting, MulticastRouting6
from netlab import Sender, assert_stays, dump_multicast_routes, tables, wait_until
from test_instances import Network
from test_tables import OWN, OWN_RULES, QUICK, rules, start, wanted_rules

RESTORED = "another process"


def vandal_of(namespace, family, table=None):
    return (MulticastRouting if family is IPV4 else MulticastRouting6)(namespace, table, owner=False)


def begin(net, family):
    daemon = family.daemon(net, "query_interval = 5; query_response_interval = 0.2;", links=("eth0", "eth1", "eth2"))
    sender = Sender(net.source, "eth0", family.group).start(pps=500)
    receiver = family.receiver(net.host).join(family.group)
    receiver.wait_for(20)
    return daemon, sender, receiver, vandal_of(net.router, family)


def missing(receiver, sender):
    """How many packets of the stream the receiver has lost since it ran: at first, while the entry is being made, the
    kernel keeps only four."""
    sender.stop()
    wait_until(lambda: receiver.sequences()[-1] == sender.sequence - 1, what="the last packet")
    sequences = receiver.sequences()[10:]
    return sequences[-1] - sequences[0] + 1 - len(sequences)


def outgoing(net, family):
    return tables.outgoing_devices(net.router, family.sources[0], family.group)


@pytest.mark.smoke
@pytest.mark.parametrize("family", FAMILIES, ids=str)
def test_deleted_entry_comes_back(router_two_hosts, family):
    net = router_two_hosts
    daemon, sender, receiver, vandal = begin(net, family)
    for _ in range(20):
        vandal.delete_route(family.sources[0], family.group)
        receiver.wait_for(5, timeout=2)
    lost = missing(receiver, sender)
    print(f"{lost} packets lost at 500/s by 20 deletions")
    assert lost <= 20
    assert daemon.stderr.count(RESTORED) == 1
    assert f"forwarding entries, such as ({family.sources[0]}, {family.group}): restored" in daemon.stderr


@pytest.mark.timing
@pytest.mark.parametrize("family", FAMILIES, ids=str)
def test_changed_entry_is_put_right(router_two_hosts, family):
    net = router_two_hosts
    daemon, sender, receiver, vandal = begin(net, family)
    number = {vif.name: vif.number for vif in family.vifs(net.router)}
    for parent, outputs in (("eth0", ["eth2"]), ("eth0", ["eth1", "eth2"]), ("eth0", []), ("eth2", ["eth1"])):
        vandal.add_route(family.sources[0], family.group, number[parent], [number[name] for name in outputs])
        wait_until(lambda: outgoing(net, family) == {"eth1"}, 2, "the entry as it was")
        receiver.wait_for(5, timeout=2)
    wait_until(lambda: RESTORED in daemon.stderr, what="a word in the log")
    lost = missing(receiver, sender)
    print(f"{lost} packets lost at 500/s by 4 changes")
    assert lost <= 20
    assert daemon.stderr.count(RESTORED) == 1


@pytest.mark.parametrize("family", FAMILIES, ids=str)
def test_entry_of_another_process_is_deleted(router_two_hosts, family):
    """It would keep the stream from those who want it: the kernel asks only about what it has no entry for."""
    net = router_two_hosts
    daemon, _, _, vandal = begin(net, family)
    vandal.add_route("10.0.0.99" if family is IPV4 else "fd00::99", family.other_group, 0, [1])
    wait_until(lambda: "made an entry for" in daemon.stderr, 2, "a word in the log")
    assert len(family.routes(net.router)) == 1


@pytest.mark.timing
@pytest.mark.parametrize("family", FAMILIES, ids=str)
def test_deleted_vifs_come_back(router_two_hosts, family):
    net = router_two_hosts
    daemon, sender, receiver, vandal = begin(net, family)
    vifs = {vif.name: vif.number for vif in family.vifs(net.router)}
    for name in ("eth1", "eth0", "eth2"):
        vandal.delete_vif(vifs[name])
        wait_until(lambda: {vif.name: vif.number for vif in family.vifs(net.router)} == vifs, 2, f"the vif of {name}")
        receiver.wait_for(5, timeout=2)
    lost = missing(receiver, sender)
    print(f"{lost} packets lost at 500/s by 3 deletions")
    assert lost <= 20
    assert daemon.stderr.count(RESTORED) == 1


@pytest.mark.timing
@pytest.mark.parametrize("family", FAMILIES, ids=str)
def test_deleted_rules_come_back(lab, family):
    network = Network(lab)
    daemon = start(network, family, OWN)
    sender = Sender(network.source2, "eth0", family.group).start(pps=500)
    receiver = family.receiver(network.host2).join(family.group)
    receiver.wait_for(20)
    for selector in ("iif eth2", "oif eth2", "iif eth3"):
        table = OWN_RULES[selector.split()[1]]
        network.router.run(f"ip -{family.number} mrule del {selector} table {table} priority 4605")
        wait_until(lambda: rules(network.router, family) == wanted_rules(OWN_RULES), 2, f"the rule {selector}")
    lost = missing(receiver, sender)
    print(f"{lost} packets lost at 500/s by 3 deletions")
    assert lost <= 20
    wait_until(lambda: RESTORED in daemon.stderr, what="a word in the log")
    assert daemon.stderr.count(RESTORED) == 1


@pytest.mark.timing
@pytest.mark.parametrize("family", FAMILIES, ids=str)
def test_everything_is_flushed(lab, family):
    """Entries and vifs of a table of its own, at once."""
    network = Network(lab)
    start(network, family, OWN)
    sender = Sender(network.source, "eth0", family.group).start(pps=500)
    receiver = family.receiver(network.host).join(family.group)
    receiver.wait_for(20)
    vandal_of(network.router, family, OWN_RULES["eth0"]).flush()
    receiver.wait_for(20, timeout=2)
    lost = missing(receiver, sender)
    print(f"{lost} packets lost at 500/s by a flush of everything")
    assert lost <= 20


@pytest.mark.parametrize("family", FAMILIES, ids=str)
def test_changes_that_could_not_be_told(lab, family):
    """So many changes that the news of the last ones is lost: an audit finds them."""
    network = Network(lab)
    daemon = start(network, family, OWN)
    Sender(network.source, "eth0", family.group).start(pps=500)
    Sender(network.source2, "eth0", family.group).start(pps=500)
    receiver, receiver2 = (family.receiver(host).join(family.group) for host in (network.host, network.host2))
    receiver.wait_for(20)
    receiver2.wait_for(20)
    vandal = vandal_of(network.router, family, OWN_RULES["eth0"])
    vandal2 = vandal_of(network.router, family, OWN_RULES["eth2"])
    strange = ("10.0.0.99" if family is IPV4 else "fd00::99", family.other_group)
    daemon.signal(signal.SIGSTOP)
    for _ in range(50_000):
        vandal.add_route(*strange, 0, [1])
    vandal.add_route(family.sources[0], family.group, 0, [])
    vandal2.delete_vif(1)
    network.router.run(f"ip -{family.number} mrule del iif eth2 table {OWN_RULES['eth2']} priority 4605")
    daemon.signal(signal.SIGCONT)
    receiver.wait_for(20, timeout=2)
    receiver2.wait_for(20, timeout=2)
    wait_until(lambda: rules(network.router, family) == wanted_rules(OWN_RULES), 2, "the rules")
    wait_until(lambda: strange not in dump_multicast_routes(network.router, family.number), 2,
               "the end of the strange entry")


@pytest.mark.parametrize("family", FAMILIES, ids=str)
def test_what_the_daemon_does_itself_does_not_alarm_it(router_two_hosts, family):
    """Streams and members that come and go, a link that vanishes: no change is reported as another program's."""
    net = router_two_hosts
    daemon, sender, receiver, _ = begin(net, family)
    receiver2 = family.receiver(net.host2)
    streams = [Sender(net.source, "eth0", f"{family.group[:-1]}{number}") for number in range(5, 10)]
    for number in range(20):
        (receiver2.leave if number % 2 else receiver2.join)(family.group)
        for stream in streams:
            stream.send()
        receiver.wait_for(5)
    net.router.ip("link delete eth2")
    receiver.wait_for(20)
    assert missing(receiver, sender) == 0
    assert RESTORED not in daemon.stderr
    assert_stays(lambda: RESTORED not in daemon.stderr, 0.3, "silence in the log")


@pytest.mark.skipif(os.environ.get("MCPROXY_LONG") != "1", reason="makes 30,000 streams")
def test_more_damage_than_can_be_told(router):
    """A flush of so many entries overruns the news of it: an audit finds what is missing."""
    count = 30_000
    daemon = IPV4.daemon(router, "routes_max = 100000; route_timeout = 86400;")
    # From many sources to one group, which a host wants.
    IPV4.receiver(router.host).join(IPV4.group)
    wait_until(lambda: IPV4.group in IPV4.joined(router), what="the join")
    with router.source.entered(), socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, 0) as sock:
        address = b"\x01\x00\x5e\x01\x02\x03"
        for number in range(count):
            source = f"10.{100 + number // 65536}.{number // 256 % 256}.{number % 256}"
            packet = wire.ipv4_packet(source, IPV4.group, bytes(8), protocol=socket.IPPROTO_UDP, ttl=8, router_alert=False)
            sock.sendto(packet, ("eth0", 0x0800, 0, 0, address))
            if number % 500 == 0:
                wait_until(lambda: len(dump_multicast_routes(router.router)) > number - 5000, 20, "the entries")
    wait_until(lambda: len(dump_multicast_routes(router.router)) >= count, 30, "all entries")
    MulticastRouting(router.router, owner=False).flush()
    begun = time.monotonic()
    wait_until(lambda: len(dump_multicast_routes(router.router)) >= count, 10, "all entries again")
    print(f"{count} entries are back after {time.monotonic() - begun:.2f} s")
    assert daemon.stderr.count("forwarding entries, such as") == 1


@pytest.mark.skipif(os.environ.get("MCPROXY_LONG") != "1", reason="takes a minute")
@pytest.mark.parametrize("family", FAMILIES, ids=str)
def test_everything_at_once(lab, family):
    """Others delete and change things while links come and go and the configuration changes: in the end all is well."""
    network = Network(lab)
    text = ('instances = ({{ upstream = "eth0"; downstream = "eth1"; table = {}; }},'
            ' {{ upstream = "eth2"; downstream = "eth3"; table = {}; }});')
    daemon = start(network, family, text.format('"own"', 77))
    receivers = [family.receiver(host).join(family.group) for host in (network.host, network.host2)]
    for source in (network.source, network.source2):
        Sender(source, "eth0", family.group).start(pps=200)
    dice = random.Random(1)
    router, source = network.router, family.sources[0]

    def rule():
        router.run(f"ip -{family.number} mrule del {dice.choice(['iif', 'oif'])} eth{dice.randrange(4)} priority 4605",
                   check=False)

    def link():
        device = f"eth{dice.choice([1, 3])}"
        router.ip(f"link set {device} down")
        if dice.randrange(2):
            router.ip(f"link set {device} name other", f"link set other name {device}")
        router.ip(f"link set {device} up")

    def reload():
        daemon.reconfigure(f'protocol = "{family.protocol}"; {QUICK} '
                           + text.format(*dice.sample(['"own"', '"default"', "77", "78"], 2)))

    def entries():
        for table in (OWN_RULES["eth0"], OWN_RULES["eth2"], 77, 78, None):
            vandal = vandal_of(router, family, table)
            for action in (lambda: vandal.delete_route(source, family.group), vandal.flush,
                           lambda: vandal.add_route(source, family.group, dice.randrange(2), [dice.randrange(2)]),
                           lambda: vandal.delete_vif(dice.randrange(2))):
                with contextlib.suppress(OSError):
                    if dice.randrange(2):
                        action()
            vandal.close()
    end = time.monotonic() + 30
    while time.monotonic() < end:
        for _ in range(dice.randrange(4)):
            dice.choice([rule, link, reload, entries, entries, rule])()
        time.sleep(dice.random() / 20)
    for receiver in receivers:
        receiver.wait_for(20, timeout=10)
    daemon.terminate()
    assert rules(router, family) == set()
