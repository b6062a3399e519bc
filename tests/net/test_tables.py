# SPDX-License-Identifier: BSD-2-Clause
"""Instances with kernel tables of their own, and what leads packets there."""

import socket

import pytest
from ctl import ask, mcproxyctl
from families import FAMILIES, IPV4
from netlab import Daemon, Membership, Sender, tables, wait_until
from plugs import StreamWatch
from test_instances import Network

QUICK = "query_interval = 5; query_response_interval = 0.2; last_member_query_interval = 0.2;"
OWN = 'table = "own"; instances = ("eth0 ==> eth1", "eth2 ==> eth3");'
LINKS = ("eth0", "eth1", "eth2", "eth3")
FIRST_TABLE = 46050


@pytest.fixture
def network(lab):
    return Network(lab)


def start(network, family, text, links=LINKS):
    daemon = Daemon(network.router, f'protocol = "{family.protocol}"; {QUICK} {text}', "-d")
    for link in links:
        daemon.wait_for_output(f" {link}: link usable")
    return daemon


def rules(namespace, family):
    """{(direction, device, table)} of the rules that are ours: by priority and protocol."""
    return {(key, rule[key], int(rule["table"])) for rule in namespace.ip_json(f"-{family.number} mrule")
            for key in ("iif", "oif") if rule["priority"] == 4605 and key in rule}


def wanted_rules(table_of):
    return {(kind, device, table) for device, table in table_of.items() for kind in ("iif", "oif")}


OWN_RULES = {"eth0": FIRST_TABLE, "eth1": FIRST_TABLE, "eth2": FIRST_TABLE + 1, "eth3": FIRST_TABLE + 1}


def assert_gapless(receiver, begin=10):
    """After the first packets: while the entry is being made, the kernel keeps only four."""
    sequences = receiver.sequences()[begin:]
    assert sequences == list(range(sequences[0], sequences[0] + len(sequences)))


@pytest.mark.smoke
@pytest.mark.parametrize("family", FAMILIES, ids=str)
def test_same_stream_on_two_upstream_links(network, family):
    """The same source and group: each instance forwards what comes by its own upstream link, packet for packet."""
    source = "10.9.9.9" if family is IPV4 else "fd00:9::9"
    for end in (network.source, network.source2):
        end.add_addresses("eth0", source + ("/32" if family is IPV4 else "/128"))
    start(network, family, OWN)
    receiver, receiver2 = (family.receiver(host).join(family.group) for host in (network.host, network.host2))
    sender, sender2 = (Sender(end, "eth0", family.group, address=source) for end in (network.source, network.source2))
    sender2.sequence = 1_000_000
    sender.start(pps=300)
    receiver.wait_for(20)
    sender2.start(pps=300)
    receiver2.wait_for(20)
    receiver.wait_for(100)
    receiver2.wait_for(100)
    for stream in (sender, sender2):
        stream.stop()
    wait_until(lambda: receiver.sequences()[-1] == sender.sequence - 1, what="the first stream's last packet")
    wait_until(lambda: receiver2.sequences()[-1] == sender2.sequence - 1, what="the second stream's last packet")
    assert_gapless(receiver)
    assert_gapless(receiver2)
    assert receiver.sequences()[-1] < 1_000_000 <= receiver2.sequences()[0]
    # The default table has nothing to do with it.
    assert family.vifs(network.router) == []


@pytest.mark.parametrize("family", FAMILIES, ids=str)
def test_rules_follow_the_links_and_go_at_the_end(network, family):
    daemon = start(network, family, OWN)
    assert rules(network.router, family) == wanted_rules(OWN_RULES)

    # One that is gone, one that gets another name and another back.
    network.router.ip("link set eth3 down", "link set eth3 name lan9", "link set lan9 up")
    missing = {device: table for device, table in OWN_RULES.items() if device != "eth3"}
    wait_until(lambda: rules(network.router, family) == wanted_rules(missing), what="the rules without eth3")
    network.router.ip("link set lan9 down", "link set lan9 name eth3", "link set eth3 up")
    wait_until(lambda: rules(network.router, family) == wanted_rules(OWN_RULES), what="eth3 again")
    network.router.ip("link delete eth1")
    missing = {device: table for device, table in OWN_RULES.items() if device != "eth1"}
    wait_until(lambda: rules(network.router, family) == wanted_rules(missing), what="the rules without eth1")
    daemon.terminate()
    assert rules(network.router, family) == set()


@pytest.mark.parametrize("family", FAMILIES, ids=str)
@pytest.mark.parametrize("then", [OWN, 'instances = ("eth0 ==> eth1", "eth2 ==> eth3");'], ids=["own", "default"])
def test_rules_of_a_killed_run_are_removed(network, family, then):
    """They would lead the packets to a table that no daemon serves."""
    daemon = start(network, family, OWN)
    daemon.kill()
    assert rules(network.router, family) == wanted_rules(OWN_RULES)
    # Not those of other programs.
    network.router.run(f"ip -{family.number} mrule add iif eth9 table 77 priority 4605")
    daemon = start(network, family, then)
    daemon.wait_for_output("8 policy rules of a run that was killed are removed")
    kept = {("iif", "eth9", 77)}
    assert rules(network.router, family) == kept | (wanted_rules(OWN_RULES) if then == OWN else set())
    Sender(network.source2, "eth0", family.group).start(pps=200)
    family.receiver(network.host2).join(family.group).wait_for(20)


@pytest.mark.parametrize("family", FAMILIES, ids=str)
def test_two_daemons_with_tables_of_their_own_leave_each_other_alone(network, family):
    one = 'instances = ({{ upstream = "{}"; downstream = "{}"; table = "own"; }});'
    start(network, family, one.format("eth0", "eth1"), ("eth0", "eth1"))
    network.router.directory.joinpath("second").mkdir()
    second = start(network, family, one.format("eth2", "eth3"), ("eth2", "eth3"))
    assert rules(network.router, family) == wanted_rules(OWN_RULES)
    assert "was killed" not in second.stderr
    second.terminate()
    assert rules(network.router, family) == wanted_rules({device: FIRST_TABLE for device in ("eth0", "eth1")})


def test_tables_are_shown(network):
    daemon = start(network, IPV4, 'instances = ("eth0 ==> eth1", '
                                  '{ upstream = "eth2"; downstream = "eth3"; table = 77; });')
    assert "eth2: IPv4 in kernel table 77" in daemon.stderr
    Sender(network.source, "eth0", IPV4.group).send()
    Sender(network.source2, "eth0", IPV4.group).send()
    wait_until(lambda: tables.routes(network.router), what="the entry of the default table")
    wait_until(lambda: {row["table"]: row["routes"] for row in ask(daemon, "show", what="status")["tables"]}
               == {0: 1, 77: 1}, what="a stream in each table")
    assert "IPv4 77" in mcproxyctl(daemon, "show", "status")


def test_numbered_tables_are_shared_and_families_have_the_same_number(network):
    daemon = Daemon(network.router, 'protocol = ["IGMPv3", "MLDv2"]; table = 100;'
                                    'instances = ("eth0 ==> eth1", "eth0 ==> eth3");', "-d")
    for family in FAMILIES:
        wanted = wanted_rules({device: 100 for device in ("eth0", "eth1", "eth3")})
        wait_until(lambda: rules(network.router, family) == wanted, what="the rules")
    for family in FAMILIES:
        receiver, receiver2 = (family.receiver(host).join(family.group) for host in (network.host, network.host2))
        Sender(network.source, "eth0", family.group).start(pps=200)
        receiver.wait_for(20)
        receiver2.wait_for(20)
    assert daemon.running


@pytest.mark.parametrize("family", FAMILIES, ids=str)
def test_table_changes_by_a_reload(network, family):
    """The instance moves, with its links and rules; the other one does not notice."""
    text = ('instances = ({{ upstream = "eth0"; downstream = "eth1"; }},'
            ' {{ upstream = "eth2"; downstream = "eth3"; table = {}; }});')
    daemon = start(network, family, text.format('"default"'))
    receiver, receiver2 = (family.receiver(host).join(family.group) for host in (network.host, network.host2))
    sender, sender2 = (Sender(end, "eth0", family.group).start(pps=300) for end in (network.source, network.source2))
    for table, number in (('"own"', FIRST_TABLE), ("77", 77), ('"default"', None)):
        receiver.wait_for(20)
        receiver2.wait_for(20)
        daemon.reconfigure(f'protocol = "{family.protocol}"; {QUICK} {text.format(table)}')
        wanted = wanted_rules({device: number for device in ("eth2", "eth3")}) if number else set()
        wait_until(lambda: rules(network.router, family) == wanted, what=f"the rules of {table}")
        names = {"eth0", "eth1"} | (set() if number else {"eth2", "eth3"})
        wait_until(lambda: {vif.name for vif in family.vifs(network.router)} == names, what="the default table")
    receiver2.wait_for(20)
    sender2.stop()
    sender.stop()
    wait_until(lambda: receiver.sequences()[-1] == sender.sequence - 1, what="the last packet")
    assert_gapless(receiver)
    assert "another process" not in daemon.stderr


def test_taken_table_is_named(network):
    from mroute import MulticastRouting
    MulticastRouting(network.router, table=100)
    daemon = Daemon(network.router, 'protocol = "IGMPv3"; table = 100; instances = ("eth0 ==> eth1");')
    daemon.wait_for_output("IPv4, table 100: another multicast router is running")


@pytest.mark.parametrize("family", FAMILIES, ids=str)
def test_stream_of_this_machine_in_a_table_of_its_own(network, family):
    """What the router itself sends on a downstream link goes upstream, as it does in the default table."""
    start(network, family, OWN)
    above = StreamWatch(network.source, "eth0")
    sender = Sender(network.router, "eth1", family.group)
    level, option = ((socket.IPPROTO_IP, socket.IP_MULTICAST_LOOP) if family is IPV4
                     else (socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_LOOP))
    sender.socket.setsockopt(level, option, 1)  # otherwise multicast routing never sees it
    sender.start(pps=200)
    wait_until(lambda: above.count() > 20, what="the router's own stream upstream")


def test_forty_downstream_links_over_tables_of_their_own(lab):
    """More than a kernel table has room for: 20 links in each of two, and a stream that loses no packet."""
    router, hosts = lab.namespace("router"), lab.namespace("hosts")
    sources = [lab.namespace("source1"), lab.namespace("source2")]
    for number, source in enumerate(sources):
        lab.link(router, f"up{number}", source, "eth0", f"10.1.{number}.1/24", f"10.1.{number}.10/24")
        source.ip("route add default dev eth0")
    names = [f"d{number}" for number in range(40)]
    router.ip(*(f"link add {name} type veth peer name {name} netns {hosts.name}" for name in names))
    for namespace, last in ((router, 1), (hosts, 10)):
        namespace.ip(*(f"address add 10.2.{number}.{last}/24 dev {name}" for number, name in enumerate(names)))
        namespace.ip(*(f"link set {name} up" for name in names))
    halves = (names[:20], names[20:])
    start_text = ", ".join(f'"up{number} ==> {" ".join(half)}"' for number, half in enumerate(halves))
    short = Daemon(router, f'protocol = "IGMPv3"; instances = ({start_text});')
    short.wait_for_output("the kernel accepts at most 32 IPv4 links in a table")
    wait_until(lambda: len(tables.vifs(router)) == 32, what="as many as there is room for")
    short.terminate()

    daemon = Daemon(router, f'protocol = "IGMPv3"; {QUICK} table = "own"; instances = ({start_text});', "-d")
    for name in names:
        daemon.wait_for_output(f" {name}: link usable")
    for name in names:
        Membership(hosts, name).join(IPV4.group)
    watches = [StreamWatch(hosts, name) for name in names]
    senders = [Sender(source, "eth0", IPV4.group) for source in sources]

    def everybody_has_it():
        for sender in senders:
            sender.send()
        return all(watch.count() > 0 for watch in watches)
    wait_until(everybody_has_it, 10, "the stream on each of the 40 links", interval=0.05)
    before = None

    def at_rest():
        nonlocal before
        last, before = before, [watch.count() for watch in watches]
        return last == before
    wait_until(at_rest, what="the last of these packets", interval=0.1)
    for sender in senders:
        sender.send(100)
    wait_until(lambda: [watch.count() for watch in watches] == [count + 100 for count in before],
               what=lambda: f"100 packets on each link: {[w.count() - b for w, b in zip(watches, before)]}")
    assert tables.vifs(router) == []
