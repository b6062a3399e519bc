# SPDX-License-Identifier: BSD-2-Clause
"""Instances that share a kernel table, where it matters to one of them what the other does."""

import socket

import pytest
import wire
from ctl import ask
from families import FAMILIES, IPV4
from netlab import Daemon, Sender, assert_stays, tables, wait_until
from test_instances import QUICK, TWO, Network, start
from test_reload import reload
from test_wrongvif import RovingSource


@pytest.fixture
def network(lab):
    return Network(lab)


@pytest.mark.parametrize("family", FAMILIES, ids=str)
def test_same_stream_of_two_instances_is_explained_once(network, family):
    """The table has one entry for it; the first instance goes on undisturbed."""
    source = "10.9.9.9" if family is IPV4 else "fd00:9::9"
    for end in (network.source, network.source2):
        end.add_addresses("eth0", source + ("/32" if family is IPV4 else "/128"))
    daemon = start(network, family, f'protocol = "{family.protocol}"; {QUICK} {TWO}')
    receiver, receiver2 = (family.receiver(host).join(family.group) for host in (network.host, network.host2))
    sender, sender2 = (Sender(end, "eth0", family.group, address=source) for end in (network.source, network.source2))
    sender.start(pps=300)
    receiver.wait_for(20)
    settled = receiver.count()
    sender2.start(pps=300)
    text = (f"({source}, {family.group}) reaches instance eth0 by eth0 and instance eth2 by eth2, and they share a "
            "kernel table, which has one entry for it: only eth0 forwards it; "
            'give each a table to itself: table = "own"')
    daemon.wait_for_output(text)
    # The kernel reports it every 3 s.
    assert_stays(lambda: daemon.stderr.count("share a kernel table") == 1, 3.5, "saying it once")
    sender.stop()
    wait_until(lambda: receiver.sequences()[-1] == sender.sequence - 1, what="the last packet")
    sequences = receiver.sequences()[settled:]
    assert sequences == list(range(sequences[0], sender.sequence))
    assert receiver2.count() == 0


def burst(network, sources):
    packets = [wire.ipv4_packet(source, IPV4.group, bytes(8), protocol=socket.IPPROTO_UDP, ttl=8,
                                router_alert=False) for source in sources]
    with network.source.entered(), socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, 0) as sock:
        for packet in packets:
            sock.sendto(packet, ("eth0", 0x0800, 0, 0, b"\x01\x00\x5e\x01\x02\x03"))


def test_instance_whose_channel_was_full_hears_of_every_stream(network):
    """Two instances on one upstream link: what one hears of, the kernel does not ask about again."""
    daemon = Daemon(network.router, f'protocol = "IGMPv3"; {QUICK} ring_size = 4; '
                                    'instances = ("eth0 ==> eth1", "eth0 ==> eth3");', "-d",
                    vifs=("eth0", "eth1", "eth3"))
    receivers = [IPV4.receiver(host).join(IPV4.group) for host in (network.host, network.host2)]
    Sender(network.source, "eth0", IPV4.group).start(pps=100)
    for receiver in receivers:
        receiver.wait_for(5)
    sources = [f"10.77.{number // 100}.{number % 100 + 1}" for number in range(500)]
    burst(network, sources)

    def all_have_both():
        burst(network, sources)  # the kernel makes upcalls again for those that no instance could be informed of
        routes = tables.routes(network.router)
        names = {vif.number: vif.name for vif in tables.vifs(network.router)}
        return all((source, IPV4.group) in routes and
                   {names[number] for number in routes[source, IPV4.group].outgoing} == {"eth1", "eth3"}
                   for source in sources)
    wait_until(all_have_both, 10, "entries to both instances' hosts", interval=0.1)
    assert daemon.running


@pytest.mark.parametrize("family", FAMILIES, ids=str)
def test_name_wins_over_a_pattern_of_another_instance(network, family):
    start(network, family, f'protocol = "{family.protocol}"; {QUICK} instances = ("eth0 ==> eth*", "eth2 ==> eth3");')
    receiver, receiver2 = family.receiver(network.host), family.receiver(network.host2)
    receiver.join(family.group)
    receiver2.join(family.other_group)
    wait_until(lambda: family.group in family.joined(network) and family.other_group in family.joined(network, "eth2"),
               what="each group upstream where its link belongs")
    assert family.other_group not in family.joined(network)


@pytest.mark.parametrize("family", FAMILIES, ids=str)
def test_first_of_two_patterns_counts_and_it_is_said_once(network, family):
    daemon = start(network, family,
                   f'protocol = "{family.protocol}"; {QUICK} instances = ("eth0 ==> eth[13]", "eth2 ==> eth*");')
    receivers = [family.receiver(host).join(group) for host, group in
                 ((network.host, family.group), (network.host2, family.other_group))]
    wait_until(lambda: {family.group, family.other_group} <= set(family.joined(network)), what="both groups upstream")
    assert not {family.group, family.other_group} & set(family.joined(network, "eth2"))
    assert "patterns of instances eth0 and eth2 match it: eth0, the first, uses it" in daemon.stderr
    assert daemon.stderr.count("patterns of instances") == 1
    assert receivers


# One upstream link of two instances: what one sends there arrives there for the other ---------------------------------


ONE_UPSTREAM = 'instances = ("eth0 ==> eth1", "eth0 ==> eth3");'
ONE_UPSTREAM_LINKS = ("eth0", "eth1", "eth3")


def start_one_upstream(network, family, settings="", instances=ONE_UPSTREAM, links=ONE_UPSTREAM_LINKS):
    return start(network, family, f'protocol = "{family.protocol}"; {QUICK} {settings} {instances}', links)


def host_address(family, number):
    return f"10.0.{number}.10" if family is IPV4 else f"fd00:{number}::10"


def outputs(network, family, number):
    return tables.outgoing_devices(network.router, host_address(family, number), family.group)


@pytest.mark.parametrize("family", FAMILIES, ids=str)
@pytest.mark.parametrize("source", [1, 3], ids=["first instance's source", "second instance's source"])
@pytest.mark.parametrize("first", ["member", "stream"])
def test_stream_from_below_one_instance_reaches_members_of_another(network, family, source, first):
    """As with two proxies on that upstream link: every packet once, upstream and at the member."""
    start_one_upstream(network, family)
    sending, receiving = (network.host, network.host2) if source == 1 else (network.host2, network.host)
    above = family.receiver(network.source).join(family.group)
    receiver = family.receiver(receiving)
    sender = Sender(sending, "eth0", family.group)
    if first == "stream":
        sender.start(pps=100)
        above.wait_for(10)
        assert outputs(network, family, source) == {"eth0"}
        receiver.join(family.group).wait_for(20)
    else:
        receiver.join(family.group)
        wait_until(lambda: family.group in family.joined(network), what="the join upstream")
        sender.start(pps=100)
        receiver.wait_for(100)
        assert receiver.begins_with_the_first()
    assert outputs(network, family, source) == {"eth0", "eth1" if source == 3 else "eth3"}
    receiver.leave(family.group)
    wait_until(lambda: outputs(network, family, source) == {"eth0"}, what="the end at the member's link")
    receiver.join(family.group).wait_for(20)
    sender.stop()
    wait_until(lambda: above.sequences()[-1] == sender.sequence - 1, what="the last packet upstream")
    assert not above.gaps()


@pytest.mark.parametrize("family", FAMILIES, ids=str)
def test_shared_stream_ends_with_its_source(network, family):
    """And begins again without delay."""
    start_one_upstream(network, family, "route_timeout = 10;")
    receiver = family.receiver(network.host2).join(family.group)
    wait_until(lambda: family.group in family.joined(network), what="the join upstream")
    sender = Sender(network.host, "eth0", family.group).send(4)
    wait_until(lambda: receiver.count() == 4, what="the packets")
    wait_until(lambda: not family.routes(network.router), 25, "no entry")
    sender.start(pps=100)
    receiver.wait_for(20, timeout=2)
    assert receiver.sequences()[4:8] == [4, 5, 6, 7]


@pytest.mark.parametrize("family", FAMILIES, ids=str)
def test_source_of_a_shared_stream_moves(network, family):
    """From below one instance to below the other, to the upstream link, and back."""
    start_one_upstream(network, family, links=ONE_UPSTREAM_LINKS)
    receivers = [family.receiver(host).join(family.group) for host in (network.host, network.host2)]
    address = "10.9.9.9" if family is IPV4 else "fd00:9::9"
    source = RovingSource(family, address, (network.host, "eth0"), pps=20)
    receivers[1].wait_for(20)
    for end, receiver in ((network.host2, receivers[0]), (network.source, receivers[1]), (network.host, receivers[1])):
        first, since = source.move((end, "eth0"))
        wait_until(lambda: [a for a in receiver.arrivals if a.sequence >= first and a.time > since], 1.5,  # noqa: B023
                   "packets from there")
        receiver.wait_for(30)
        after = receiver.sequences()[-25:]
        assert after == list(range(after[0], after[0] + 25))


@pytest.mark.parametrize("family", FAMILIES, ids=str)
@pytest.mark.parametrize("place", ["below", "upstream"])
def test_instance_that_begins_or_ends_beside_a_stream(network, family, place):
    """A reload adds an instance on the upstream link of a stream that is under way, and removes it again."""
    one = 'instances = ("eth0 ==> eth1");'
    daemon = start_one_upstream(network, family, instances=one, links=("eth0", "eth1"))
    end = network.host if place == "below" else network.source
    local = family.receiver(network.host if place == "upstream" else network.source).join(family.group)
    receiver = family.receiver(network.host2).join(family.group)
    if place == "upstream":
        wait_until(lambda: family.group in family.joined(network), what="the join upstream")
    Sender(end, "eth0", family.group).start(pps=100)
    local.wait_for(20)
    head = f'protocol = "{family.protocol}"; {QUICK} '
    reload(daemon, head + ONE_UPSTREAM)
    receiver.wait_for(20, timeout=8)
    reload(daemon, head + one)
    receiver.wait_for_silence()
    local.wait_for(20)
    assert not local.gaps()


@pytest.mark.parametrize("family", FAMILIES, ids=str)
def test_three_instances_on_one_upstream_link(network, family):
    daemon = start_one_upstream(network, family,
                                instances='instances = ("eth0 ==> eth1", "eth0 ==> eth2", "eth0 ==> eth3");',
                                links=("eth0", "eth1", "eth2", "eth3"))
    receivers = [family.receiver(host).join(family.group) for host in (network.source2, network.host2, network.source)]
    wait_until(lambda: {g["link"] for g in ask(daemon, "show", what="groups")["groups"] if g["group"] == family.group}
               == {"eth2", "eth3"}, what="the members")
    Sender(network.host, "eth0", family.group).start(pps=100)
    for receiver in receivers:
        receiver.wait_for(50)
        assert receiver.begins_with_the_first()
