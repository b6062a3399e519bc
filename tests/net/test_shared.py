# SPDX-License-Identifier: BSD-2-Clause
"""Instances that share a kernel table, where it matters to one of them what the other does."""

import socket

import pytest
import wire
from families import FAMILIES, IPV4
from netlab import Daemon, Sender, assert_stays, tables, wait_until
from test_instances import QUICK, TWO, Network, start


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
    # The kernel tells of it every 3 s.
    assert_stays(lambda: daemon.stderr.count("share a kernel table") == 1, 3.5, "saying it once")
    sender.stop()
    wait_until(lambda: receiver.sequences()[-1] == sender.sequence - 1, what="the last packet")
    sequences = receiver.sequences()[settled:]
    assert sequences == list(range(sequences[0], sender.sequence))
    assert receiver2.count() == 0


def burst(network, sources):
    packets = [wire.ipv4_packet(source, IPV4.group, bytes(8), protocol=socket.IPPROTO_UDP, ttl=8)
               for source in sources]
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
        burst(network, sources)  # those about which nobody could be told are asked about anew
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
    assert "patterns of instances eth0 and eth2 match it: eth0, the first, has it" in daemon.stderr
    assert daemon.stderr.count("patterns of instances") == 1
    assert receivers
