# SPDX-License-Identifier: BSD-2-Clause
"""forward_without_querier = "auto": a router that lost the querier election still forwards, but leaves each stream that it sees
arrive from another router to that one."""

import collections
import dataclasses
import time

import pytest
from ctl import ask, mcproxyctl
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
        daemon.wait_for_output(f"{'upstream' if link == links[0] else 'downstream'} {link}: in use")
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
    router.raise_address()
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


def lost_at_most(pps):
    """If two routers yield after the same packet, two packets are lost, or those of some 15 ms; a busy machine takes longer."""
    return 3 + pps * 0.04


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
        assert len(missing(receiver, 20, sent)) <= lost_at_most(pps)
    left = next(d for d in daemons if "eth1" in yielded(d, source))
    assert "another router forwards it to " in mcproxyctl(left, "show", "routes")
    assert f'mcproxy_table_routes_yielded{{table="0",family="{family}"}} 1' in mcproxyctl(left, "metrics") or \
        len(yielded(left, source)) == 2
    assert "another router forwards the stream to eth1" in mcproxyctl(left, "explain", family.group, source)
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


@both_families
def test_the_querier_never_yields(pair, family):
    """Of two proxies alone, the one that lost yields on both links."""
    settings = "query_interval = 2; query_response_interval = 1; robustness = 7;"
    daemons = [start(pair.router, family, settings), start(pair.second, family, settings)]
    wait_until(lambda: sum(d.stderr.count(": querier: another router") for d in daemons) >= 2, 10, "the elections")
    receivers = [family.receiver(lan, "br0").join(family.group) for lan in (pair.lan, pair.lan2)]
    for daemon in daemons:
        wait_until(lambda: members(daemon, family) == {"eth1", "eth2"}, what="the members")  # pylint: disable=cell-var-from-loop
    sender = Sender(pair.source, "br0", family.group).start(pps=100)
    source = FROM_SOURCE[family]

    def is_querier(daemon):
        return {link["link"] for link in ask(daemon, "show", what="links")["links"]
                if link["role"] == "downstream" and link["this_router_is_querier"]}
    wait_until(lambda: sum(len(yielded(d, source)) for d in daemons) == 2, 10, "each link has one router")
    for daemon in daemons:
        assert not yielded(daemon, source) & is_querier(daemon)
    sent = sender.sequence
    wait_until(lambda: sender.sequence > sent + 200, what="more of the stream")
    for receiver in receivers:
        assert not missing(receiver, 20, sent)
        assert duplicates(receiver) <= SETTLED * 100


@both_families
def test_lan_source_is_sent_upstream_by_one_of_two_proxies(pair, family):
    daemons = [start(pair.router, family), start(pair.second, family)]
    lose_elections(pair, family, *daemons)
    above = family.receiver(pair.source, "br0").join(family.group)
    sender = Sender(pair.lan, "br0", family.group).start(pps=100)
    source = FROM_LAN[family]
    wait_until(lambda: sorted(map(sorted, (yielded(d, source) for d in daemons))) == [[], ["eth0"]], 10, "one of them yields")
    sent = sender.sequence
    wait_until(lambda: sender.sequence > sent + 200, what="the time in which they settle")
    count, settled = duplicates(above), sender.sequence
    wait_until(lambda: sender.sequence > settled + 100, what="more of the stream")
    print(f"{count} packets twice upstream at 100 packets/s")
    assert duplicates(above) == count <= SETTLED * 100
    assert len(missing(above, 20, sent)) <= lost_at_most(100)
    dies = next(d for d in daemons if not yielded(d, source))
    stays = next(d for d in daemons if d is not dies)
    dies.kill()
    wait_until(lambda: not yielded(stays, source), 3, "the other one forwards upstream")
    above.wait_for(sender.sequence - len(above.arrivals) + 20, timeout=5)


@pytest.fixture
def three_links(lab):
    return make_router(lab, downstreams=3)


def test_looped_packets_are_no_evidence(three_links):
    """The kernel loops IPv6 packets back where this machine is a member: upstream by the daemon, downstream by a program."""
    network = three_links
    daemon = IPV6.daemon(network, "", ("eth0", "eth1", "eth2", "eth3"))
    Membership(network.router, "eth2", IPV6.socket_family).join(IPV6.group)
    for host in network.hosts[:2]:
        IPV6.guest(host, "fe80::1").query()
    daemon.wait_for_output("eth1: querier: another router")
    daemon.wait_for_output("eth2: querier: another router")
    receiver = IPV6.receiver(network.hosts[1]).join(IPV6.group)
    above = IPV6.receiver(network.source).join(IPV6.group)
    wait_until(lambda: IPV6.group in IPV6.joined(network), what="the join upstream")
    sender = Sender(network.host, "eth0", IPV6.group).start(pps=50)
    wait_until(lambda: sender.sequence > 300, 15, "the stream")
    assert routes(daemon, IPV6.host)[0]["wrong_interface"] > 200
    assert not ask(daemon, "show", what="status")["tables"][-1]["yields"]
    for end in (receiver, above):
        assert not missing(end, 20, 290)


@both_families
@pytest.mark.parametrize("policy", ["true", "false"])
def test_other_policies_are_unchanged(pair, family, policy):
    """true forwards beside another router; false forwards nothing."""
    daemons = [start(pair.router, family, f"forward_without_querier = {policy};"),
               start(pair.second, family, "forward_without_querier = true;")]
    lose_elections(pair, family, *daemons)
    receiver = family.receiver(pair.lan, "br0").join(family.group)
    wait_until(lambda: "eth1" in members(daemons[0], family) & members(daemons[1], family), what="the members")
    sender = Sender(pair.source, "br0", family.group).start(pps=100)
    wait_until(lambda: sender.sequence > 300, 10, "the stream")
    twice = len([s for s, count in collections.Counter(receiver.sequences()).items() if s > 20 and count == 2])
    assert twice > 250 if policy == "true" else twice == 0
    assert not missing(receiver, 20, 290)
    assert not any(yielded(d, FROM_SOURCE[family]) for d in daemons)


@both_families
@pytest.mark.parametrize("pps", [50, 1000])
def test_a_hostile_host_affects_its_own_link_alone(three_links, family, pps):
    """It wins the election on its link and sends copies of the stream; the other links lose nothing, also where the router is not
    the querier."""
    network = three_links
    daemon = family.daemon(network, "", ("eth0", "eth1", "eth2", "eth3"))
    receivers = [family.receiver(host).join(family.group) for host in network.hosts]
    for number, host in enumerate(network.hosts[:2], start=1):
        network.router.run(f"ip address del 10.0.{number}.1/24 dev eth{number}")
        network.router.add_addresses(f"eth{number}", f"10.0.{number}.50/24")
        family.guest(host, {IPV4: f"10.0.{number}.20", IPV6: "fe80::1"}[family]).query()
        daemon.wait_for_output(f"eth{number}: querier: another router")
    wait_until(lambda: family.group in family.joined(network), what="the join upstream")
    sender = Sender(network.source, "eth0", family.group).start(pps=100)
    receivers[1].wait_for(20)
    forgers = [RovingSource(family, FROM_SOURCE[family], (network.hosts[0], "eth0"), pps=pps / max(1, pps // 250))
               for _ in range(max(1, pps // 250))]
    wait_until(lambda: yielded(daemon, FROM_SOURCE[family]) == {"eth1"}, 10, "the forger's own link yields")
    sent = sender.sequence
    wait_until(lambda: sender.sequence > sent + 400, 15, "more of the stream")
    assert yielded(daemon, FROM_SOURCE[family]) == {"eth1"}
    sender.stop()
    wait_until(lambda: sender.sequence - 1 in receivers[2].sequences(), what="the last packet")
    for receiver in receivers[1:]:
        assert not missing(receiver, 20, sender.sequence)
        assert not duplicates(receiver)
    for forger in forgers:
        forger.close()
