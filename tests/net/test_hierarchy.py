# SPDX-License-Identifier: BSD-2-Clause
"""The startup guide's third scenario: proxies in a chain. What is wanted at the bottom travels up to the source."""

import dataclasses
import time

import pytest
from families import FAMILIES
from netlab import Daemon, Namespace, Sender, tables, wait_until

DEPTH = 3
QUICK = "query_interval = 5; query_response_interval = 0.2; last_member_query_interval = 0.2;"


@dataclasses.dataclass
class Chain:
    """source eth0 -- eth0 proxies[0] eth1 -- eth0 proxies[1] eth1 -- ... -- eth0 host

    Link n is 10.0.n.0/24 and fd00:n::/64 (the first fd00::/64): the upper end has .1, the lower one .10. The source
    is at the upper end of link 0, which is .10 there as in all networks; the first proxy is .1.
    """

    source: Namespace
    proxies: list
    host: Namespace

    source_address = "10.0.0.10"
    source_address6 = "fd00::10"
    host_address = f"10.0.{DEPTH}.10"
    host_address6 = f"fd00:{DEPTH}::10"


@pytest.fixture
def chain(lab):
    source, host = lab.namespace("source"), lab.namespace("host")
    proxies = [lab.namespace(f"proxy{number}") for number in range(1, DEPTH + 1)]
    nodes = [source, *proxies, host]
    for number in range(DEPTH + 1):
        prefix6 = f"fd00:{number}::" if number else "fd00::"
        upper, lower = (10, 1) if number == 0 else (1, 10)
        lab.link(nodes[number], "eth1" if number else "eth0", nodes[number + 1], "eth0",
                 (f"10.0.{number}.{upper}/24", f"{prefix6}{upper}/64"),
                 (f"10.0.{number}.{lower}/24", f"{prefix6}{lower}/64"))
    for number, node in enumerate([*proxies, host]):
        node.ip("route add default dev eth0", "route add ::/0 dev eth0")
    return Chain(source, proxies, host)


def start(chain, family, settings="", protocol=None):
    daemons = []
    for proxy in chain.proxies:
        text = f'protocol = "{protocol or family.protocol}"; {QUICK} {settings} instances = ("eth0 ==> eth1");'
        ready = {"vifs": ("eth0", "eth1")} if family.number == 4 else {"vifs6": ("eth0", "eth1")}
        daemon = Daemon(proxy, text, "-d", **ready)
        daemon.wait_for_output("upstream eth0: in use")
        daemon.wait_for_output("downstream eth1: in use")
        daemons.append(daemon)
    return daemons


def wants(message, group):
    """A report that asks for any source of the group."""
    return message.kind == "report" and (message.group == group or any(
        record.group == group and record.type in ("TO_EX", "IS_EX") for record in message.records))


def leaves(message, group):
    return (message.kind == "leave" and message.group == group) or any(
        record.group == group and record.type == "TO_IN" for record in message.records)


@pytest.mark.smoke
@pytest.mark.parametrize("membership", ["kernel", "user"])
@pytest.mark.parametrize("family", FAMILIES, ids=str)
def test_join_stream_and_leave_pass_three_proxies(chain, family, membership):
    start(chain, family, f'upstream_membership = "{membership}";')
    capture = family.capture(chain.source)
    receiver = family.receiver(chain.host)
    sender = Sender(chain.source, "eth0", family.group).start(pps=200)

    receiver.join(family.group)
    capture.wait_for(lambda m: wants(m, family.group), "the join at the source")
    receiver.wait_for(20)
    assert not receiver.gaps()

    receiver.leave(family.group)
    capture.wait_for(lambda m: leaves(m, family.group), "the leave at the source")
    wait_until(lambda: not any(family.group in family.groups(proxy, "eth0") for proxy in chain.proxies),
               what="nobody in the group")
    at = sender.sequence
    wait_until(lambda: sender.sequence > at + 20, what="some more of the stream")
    assert all(tables.outgoing_devices(chain.proxies[0], source, group) == set()
               for source, group in family.routes(chain.proxies[0]))


@pytest.mark.timing
@pytest.mark.parametrize("membership", ["kernel", "user"])
@pytest.mark.parametrize("family", FAMILIES, ids=str)
def test_join_travels_up_three_proxies_within_a_tenth_of_a_second(chain, family, membership):
    start(chain, family, f'upstream_membership = "{membership}";')
    capture = family.capture(chain.source)
    guest = family.guest(chain.host)
    delays = []
    for number in range(1, 6):
        group = f"239.1.7.{number}" if family.number == 4 else f"ff1e::7:{number}"
        at = time.time()
        guest.join(group)
        seen = capture.wait_for(lambda m, wanted=group: wants(m, wanted), f"the join of {group}")
        delays.append(seen.time - at)
    print("milliseconds from the bottom to the top:", [round(1000 * delay, 2) for delay in delays])
    assert sorted(delays)[2] < 0.1, delays


@pytest.mark.parametrize("family", FAMILIES, ids=str)
def test_older_protocol_passes_three_proxies(chain, family):
    start(chain, family, protocol=family.older)
    family.force_version(chain.host, family.older_version)
    receiver = family.receiver(chain.host).join(family.group)
    sender = Sender(chain.source, "eth0", family.group).start(pps=200)
    receiver.wait_for(20)

    receiver.leave(family.group)
    wait_until(lambda: not any(family.group in family.groups(proxy, "eth0") for proxy in chain.proxies), 10,
               "nobody in the group")
    receiver.assert_silent(0.2)
    sender.stop()


@pytest.mark.parametrize("family", FAMILIES, ids=str)
def test_join_of_a_source_passes_three_proxies_as_one(chain, family):
    address, other = family.sources[:2]
    chain.source.add_addresses("eth0", other + ("/24" if family.number == 4 else "/64"))
    start(chain, family)
    capture = family.capture(chain.source)
    receiver = family.receiver(chain.host).join_source(family.ssm_group, address)
    capture.wait_for_record("ALLOW", family.ssm_group, address)
    Sender(chain.source, "eth0", family.ssm_group, address=other).start(pps=100)
    Sender(chain.source, "eth0", family.ssm_group, address=address).start(pps=100)
    receiver.wait_for(20)
    assert set(receiver.per_source()) == {address}
    assert not tables.outgoing_devices(chain.proxies[0], other, family.ssm_group)


@pytest.mark.parametrize("family", FAMILIES, ids=str)
def test_source_at_the_bottom_reaches_the_top_and_every_member_between(chain, lab, family):
    branch = lab.namespace("branch")
    lab.link(chain.proxies[0], "eth2", branch, "eth0", ("10.9.0.1/24", "fd00:9::1/64"),
             ("10.9.0.10/24", "fd00:9::10/64"))
    branch.ip("route add default dev eth0", "route add ::/0 dev eth0")
    for proxy in chain.proxies:
        links = ("eth0", "eth1", "eth2") if proxy is chain.proxies[0] else ("eth0", "eth1")
        ready = {"vifs": links} if family.number == 4 else {"vifs6": links}
        Daemon(proxy, f'protocol = "{family.protocol}"; {QUICK} instances = ("eth0 ==> {" ".join(links[1:])}");', "-d",
               **ready).wait_for_output(f"downstream {links[-1]}: in use")
    top = family.receiver(chain.source).join(family.group)
    member = family.receiver(branch).join(family.group)
    wait_until(lambda: family.group in family.groups(chain.proxies[0], "eth0"), what="the member's join")

    Sender(chain.host, "eth0", family.group).start(pps=200)
    top.wait_for(20)
    member.wait_for(20)
    for receiver in (top, member):
        assert receiver.begins_with_the_first()  # each packet once, from the first on


@pytest.mark.smoke
def test_reset_option_lets_pass_what_does_not_come_by_the_path_back(chain):
    """rp_filter in the middle drops a source whose way back is another link, unless -r turns it off."""
    family = FAMILIES[0]
    middle = chain.proxies[1]
    middle.ip("link add back0 type veth peer name back1", "link set back0 up", "link set back1 up",
              "address add 10.8.0.1/24 dev back0", "route add 10.0.0.0/24 via 10.8.0.2")
    for name in ("all", "eth0"):
        middle.sysctl(f"net/ipv4/conf/{name}/rp_filter", 1)
    text = f'protocol = "{family.protocol}"; {QUICK} instances = ("eth0 ==> eth1");'
    for proxy in (chain.proxies[0], chain.proxies[2]):
        Daemon(proxy, text, vifs=("eth0", "eth1"))
    receiver = family.receiver(chain.host)
    Sender(chain.source, "eth0", family.group).start(pps=200)

    without = Daemon(middle, text, vifs=("eth0", "eth1"))
    receiver.join(family.group)
    arrived = middle.packets_received("eth0")
    wait_until(lambda: middle.packets_received("eth0") > arrived + 50, what="the stream at the middle proxy")
    assert receiver.count() == 0
    assert family.routes(middle) == {}
    without.wait_for_output("eth0: rp_filter is 1")
    without.terminate()

    with_reset = Daemon(middle, text, "-r", vifs=("eth0", "eth1"))
    receiver.wait_for(20, timeout=8)
    assert middle.sysctl("net/ipv4/conf/eth0/rp_filter") == "0"
    with_reset.terminate()
    assert [middle.sysctl(f"net/ipv4/conf/{name}/rp_filter") for name in ("all", "eth0")] == ["1", "1"]
