# SPDX-License-Identifier: BSD-2-Clause
"""forward_without_querier = "auto": a router that lost the querier election still forwards, but leaves each stream that it sees
arrive from another router to that one."""

import collections
import dataclasses
import time

import pytest
from ctl import ask
from families import FAMILIES, IPV4, IPV6
from mcproxy_daemon import Daemon
from namespaces import Namespace
from netlab import Membership, Sender, make_router, wait_until
from test_wrongvif import RovingSource

both_families = pytest.mark.parametrize("family", FAMILIES, ids=str)
LINKS = ("eth0", "eth1", "eth2")
FROM_SOURCE = {IPV4: "10.0.0.10", IPV6: "fd00::10"}
FROM_LAN = {IPV4: "10.0.1.10", IPV6: "fd00:1::10"}
SWITCH = {IPV4: "10.0.1.20", IPV6: "fe80::1"}
SWITCH2 = {IPV4: "10.0.2.20", IPV6: "fe80::1"}


@dataclasses.dataclass
class Pair:
    """Two proxies between the same three networks: both have `source` upstream, and `lan` and `lan2` downstream.

    source br0 -- eth0 router eth1 -- br0 lan, router eth2 -- br0 lan2, and the same for `second`
    """

    router: Namespace
    second: Namespace
    source: Namespace
    lan: Namespace
    lan2: Namespace


@pytest.fixture
def pair(lab):
    router, second, *ends = (lab.namespace(role) for role in ("router", "second", "source", "lan", "lan2"))
    for number, end in enumerate(ends):
        prefix6 = f"fd00:{number or ''}::".replace("fd00:::", "fd00::")
        for namespace, host, port in ((router, 50, "port1"), (second, 60, "port2")):
            lab.link(namespace, f"eth{number}", end, port, (f"10.0.{number}.{host}/24", f"{prefix6}{host}/64"))
        end.bridge("br0", "port1", "port2", snooping=False, addresses=(f"10.0.{number}.10/24", f"{prefix6}10/64"))
        end.ip(f"route add default via 10.0.{number}.50", f"route add default via {prefix6}50")
    return Pair(router, second, *ends)


def start(namespace, family, settings="", links=LINKS):
    ready = {"vifs": links} if family is IPV4 else {"vifs6": links}
    daemon = Daemon(namespace, f'protocol = "{family.protocol}"; {settings}\n'
                               f'instances = ("{links[0]} ==> {" ".join(links[1:])}");\n', "-d", **ready)
    for link in links:
        daemon.wait_for_output(f" {link}: {'upstream' if link == links[0] else 'downstream'} link in use")
    return daemon


def lose_elections(network, family, *daemons, lans=("lan", "lan2")):
    """A switch asks with a lower address, and forwards nothing."""
    for lan in lans:
        address = (SWITCH if lan == "lan" else SWITCH2)[family]
        family.guest(getattr(network, lan), address, "br0").query()
        for daemon in daemons:
            daemon.wait_for_output(f"{'eth1' if lan == 'lan' else 'eth2'}: querier: another router")


def members(daemon, family, group=None):
    return {g["link"] for g in ask(daemon, "show", what="groups")["groups"] if g["group"] == (group or family.group)}


def routes(daemon, source):
    return [r for r in ask(daemon, "show", what="routes")["routes"] if r["source"] == source]


def yielded(daemon, source):
    return {link for route in routes(daemon, source) for link in route["yielded"]}


def duplicates(receiver):
    return sum(count - 1 for count in collections.Counter(receiver.sequences()).values())


def missing(receiver, first, end):
    return sorted(set(range(first, end)) - set(receiver.sequences()))


@both_families
def test_a_switch_that_wins_the_election_never_interrupts_a_stream(router, family):
    """It forwards nothing. One forged query has the same effect."""
    daemon = family.daemon(router)
    receiver = family.receiver(router.host).join(family.group)
    wait_until(lambda: family.group in family.joined(router), what="the join upstream")
    sender = Sender(router.source, "eth0", family.group).start(pps=100)
    receiver.wait_for(20)
    router.router.run("ip address del 10.0.1.1/24 dev eth1")
    router.router.add_addresses("eth1", "10.0.1.50/24")
    family.guest(router.host, SWITCH[family]).query(robustness=7, query_interval=31744)
    daemon.wait_for_output("eth1: querier: another router")
    before = sender.sequence
    receiver.wait_for(200)
    sender.stop()
    wait_until(lambda: sender.sequence - 1 in receiver.sequences(), what="the last packet")
    assert not missing(receiver, before - 20, sender.sequence)
    # A member that joins now is served as well.
    late = family.receiver(router.host).join(family.other_group)
    Sender(router.source, "eth0", family.other_group).start(pps=50)
    late.wait_for(5, group=family.other_group)
    assert not yielded(daemon, FROM_SOURCE[family])


SETTLED = 0.6  # the longest wait, and some time for a busy machine
LOST = 3       # packets that may be lost when two routers yield after the same packet


@both_families
@pytest.mark.parametrize("pps", [100, 1000])
def test_two_proxies_that_lost_to_a_switch_settle(pair, family, pps):
    """One of them yields, on each link. When the other one ends, it forwards again."""
    daemons = [start(pair.router, family), start(pair.second, family)]
    lose_elections(pair, family, *daemons)
    receivers = [family.receiver(lan, "br0").join(family.group) for lan in (pair.lan, pair.lan2)]
    for daemon in daemons:
        wait_until(lambda: members(daemon, family) == {"eth1", "eth2"}, what="the members")  # pylint: disable=cell-var-from-loop
    sender = Sender(pair.source, "br0", family.group).start(pps=pps)
    source = FROM_SOURCE[family]
    for link in ("eth1", "eth2"):
        wait_until(lambda: [link in yielded(d, source) for d in daemons].count(True) == 1, 5,  # pylint: disable=cell-var-from-loop
                   "one of them yields")
    time.sleep(1)  # not proof: the counts below are
    for receiver in receivers:
        print(f"{duplicates(receiver)} packets twice at {pps} packets/s")
        assert duplicates(receiver) <= SETTLED * pps
    counts = [duplicates(receiver) for receiver in receivers]
    sent = sender.sequence
    wait_until(lambda: sender.sequence > sent + 2 * pps, 10, "more of the stream")
    for receiver, count in zip(receivers, counts):
        assert duplicates(receiver) == count
        assert len(missing(receiver, 20, sent)) <= LOST
    # The proxy that forwards to eth1 dies.
    dies, stays = daemons if "eth1" in yielded(daemons[1], source) else daemons[::-1]
    dies.kill()
    died = time.time()
    last = receivers[0].sequences()[-1]
    wait_until(lambda: receivers[0].sequences()[-1] > last + 5, 5, "the stream from the other one")
    print(f"forwards again after {next(a.time for a in receivers[0].arrivals if a.sequence > last + 3) - died:.2f} s")
    assert time.time() - died < 2.5
    wait_until(lambda: not yielded(stays, source), 5, "no stream left to the other")
    stays.wait_for_output("forwarded again")
