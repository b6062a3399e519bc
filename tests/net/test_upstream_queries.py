# SPDX-License-Identifier: BSD-2-Clause
"""Every query upstream is answered, however many come at once; and of its own messages the router sends only those that
are sooner than the kernel's."""

import time

import pytest
import wire
from capture import send_packets
from families import IPV4, IPV6
from netlab import Record, wait_until
from test_upstream import both_families, own, records

MEMBERSHIPS = ("user", "kernel", "auto")
memberships = pytest.mark.parametrize("membership", MEMBERSHIPS)
COUNT = 100


def groups_of(family, count=COUNT, base=1):
    pattern = "239.88.0.%d" if family is IPV4 else "ff1e::88:%x"
    return [pattern % number for number in range(base, base + count)]


def settings(membership, more=""):
    # In `auto` mode half of the groups are the kernel's.
    return f'upstream_membership = "{membership}"; kernel_groups_max = {COUNT // 2}; robustness = 1; {more}'


def joined(family, network, membership, *all_records, version=None, top=""):
    """The daemon with members of all these groups, and a capture upstream; no report is under way any more."""
    forced = f'upstream_version = "{family.older}";' if version == family.older_version else ""
    family.daemon(network, settings(membership, forced + top), flags="")
    upstream = family.capture(network.source)
    guest = family.guest(network.host)
    for at in range(0, len(all_records), 20):
        guest.report(*all_records[at:at + 20])
    wanted = {record.group for record in all_records}

    def reported():
        return {r.group for r in upstream.records()} | {m.group for m in upstream.select("report")}
    wait_until(lambda: reported() >= wanted, 10, lambda: f"joins upstream; missing: {sorted(wanted - reported())}")
    calm(upstream)
    return upstream


def calm(upstream):
    """Waits until nothing has been sent for longer than the pause between the kernel's repetitions."""
    state = {"count": -1, "at": 0.0}

    def is_calm():
        if len(upstream.messages) != state["count"]:
            state.update(count=len(upstream.messages), at=time.monotonic())
        return time.monotonic() - state["at"] > 1.2
    wait_until(is_calm, 30, "the end of the repetitions", interval=0.05)


def burst(family, network, upstream, *queries):
    """Sends these queries back to back; returns when the first one passed."""
    before = len(upstream.messages)
    querier, packets = family.querier(network), []
    build = wire.ipv4_packet if family is IPV4 else wire.ipv6_packet
    querier.send = lambda payload, destination: packets.append(build(querier.address, destination, payload))
    for query in queries:
        querier.query(**query)
    send_packets(querier.namespace, querier.device, packets)

    def seen():
        return [m for m in upstream.messages[before:] if m.kind == "query"]
    wait_until(lambda: len(seen()) == len(queries), 5, "all queries on the link")
    assert not upstream.undecoded
    return seen()[0].time


def answered(upstream, after):
    return {r.group for r in records(upstream, after) if r.type in ("IS_IN", "IS_EX")} | {
        m.group for m in upstream.select("report", after=after) if not m.records}


def wait_for_answers(upstream, after, groups, timeout=4.0):
    wait_until(lambda: answered(upstream, after) >= set(groups), timeout,
               lambda: f"all answers; missing {len(set(groups) - answered(upstream, after))}: "
                       f"{sorted(set(groups) - answered(upstream, after))}")


@pytest.mark.smoke
@memberships
@both_families
def test_a_burst_of_group_specific_queries_is_answered_whole(router, family, membership):
    groups = groups_of(family)
    upstream = joined(family, router, membership, *(Record("TO_EX", group) for group in groups))
    asked = burst(family, router, upstream, *({"group": group, "max_response": 1.0} for group in groups))
    wait_for_answers(upstream, asked, groups)


@memberships
@both_families
def test_a_burst_of_group_and_source_specific_queries_is_answered_whole(router, family, membership):
    groups = groups_of(family)
    first, second = family.sources[:2]
    upstream = joined(family, router, membership, *(Record("ALLOW", group, (first, second)) for group in groups))
    asked = burst(family, router, upstream,
                  *({"group": group, "sources": (second,), "max_response": 1.0} for group in groups))
    wait_for_answers(upstream, asked, groups)
    assert set(records(upstream, asked)) == {Record("IS_IN", group, (second,)) for group in groups}


@memberships
@both_families
def test_a_burst_of_older_queries_is_answered_whole(router, family, membership):
    groups = groups_of(family)
    version = family.older_version
    upstream = joined(family, router, membership, *(Record("TO_EX", group) for group in groups), version=version)
    asked = burst(family, router, upstream,
                  *({"version": version, "group": group, "max_response": 1.0} for group in groups))
    wait_for_answers(upstream, asked, groups)
    assert not [m for m in own(family, router, upstream, after=asked) if m.records]


@pytest.mark.parametrize("count", [20, 200])
@memberships
@both_families
def test_a_general_query_among_specific_ones_is_answered(router, family, membership, count):
    """The specific ones are about groups that no host wants."""
    groups = groups_of(family, 60)
    upstream = joined(family, router, membership, *(Record("TO_EX", group) for group in groups))
    pattern = "239.89.0.%d" if family is IPV4 else "ff1e::89:%x"
    others = [{"group": pattern % number, "max_response": 1.0} for number in range(count)]
    half = len(others) // 2
    asked = burst(family, router, upstream, *others[:half], {"max_response": 1.0}, *others[half:])
    wait_for_answers(upstream, asked, groups)
    assert answered(upstream, asked) == set(groups)


@both_families
def test_the_kernel_answers_few_queries_alone(router, family):
    """As many as it has room for: nothing is said twice."""
    groups = groups_of(family, 30)
    upstream = joined(family, router, "kernel", *(Record("TO_EX", group) for group in groups))
    asked = burst(family, router, upstream, *({"group": group, "max_response": 1.0} for group in groups))
    wait_for_answers(upstream, asked, groups)
    calm(upstream)
    assert sorted(r.group for r in records(upstream, asked)) == sorted(groups)


@both_families
def test_answers_wait_for_the_lane_to_the_owner_and_none_is_lost(router, family):
    """With room for a handful of requests, queries wait in the socket; reports of members downstream are still handled."""
    groups = groups_of(family)
    upstream = joined(family, router, "user", *(Record("TO_EX", group) for group in groups), top="ring_size = 4;")
    queries = [{"group": group, "max_response": 1.0} for group in groups] * 10
    asked = burst(family, router, upstream, *queries)
    family.guest(router.host).report(Record("TO_EX", family.group))
    upstream.wait_for_record("TO_EX", family.group, timeout=1.0, after=asked)
    wait_for_answers(upstream, asked, groups)


@pytest.fixture
def shared(lab):
    """source eth0 -- eth0 querier eth1 -- bridge -- eth0 proxy eth1 -- eth0 host, the proxy twice."""
    source, querier, switch = (lab.namespace(role) for role in ("source", "querier", "switch"))
    proxies, hosts = [], []
    lab.link(source, "eth0", querier, "eth0", ("10.0.0.10/24", "fd00::10/64"), ("10.0.0.1/24", "fd00::1/64"))
    lab.link(querier, "eth1", switch, "p0", ("10.0.1.1/24", "fd00:1::1/64"))
    for number in (1, 2):
        proxy, host = lab.namespace(f"proxy{number}"), lab.namespace(f"host{number}")
        lab.link(switch, f"p{number}", proxy, "eth0", (), (f"10.0.1.{number + 1}/24", f"fd00:1::{number + 1}/64"))
        lab.link(proxy, "eth1", host, "eth0", (f"10.0.{number + 1}.1/24", f"fd00:{number + 1}::1/64"),
                 (f"10.0.{number + 1}.10/24", f"fd00:{number + 1}::10/64"))
        proxies.append(proxy)
        hosts.append(host)
    switch.bridge("br0", "p0", "p1", "p2", snooping=False)
    return querier, proxies, hosts


class Place:
    """What family.daemon needs of a network."""

    def __init__(self, router):
        self.router = router


@pytest.mark.parametrize("membership", ("user", "kernel"))
@both_families
def test_a_proxy_that_stops_takes_no_group_of_another_with_it(shared, family, membership):
    """The querier asks about 100 groups at once, which the other proxy on the link still wants."""
    querier, proxies, hosts = shared
    groups = groups_of(family)
    family.daemon(Place(querier), "last_member_query_interval = 0.5; query_response_interval = 2;", flags="")
    daemons = [family.daemon(Place(proxy), f'upstream_membership = "{membership}";', flags="") for proxy in proxies]
    link = family.capture(querier, "eth1")
    for namespace in hosts:
        guest = family.guest(namespace)
        for at in range(0, COUNT, 20):
            guest.report(*(Record("TO_EX", group) for group in groups[at:at + 20]))

    def wanted():
        return set(family.groups(querier, "eth0")) & set(groups)
    wait_until(lambda: len(wanted()) == COUNT, 10, lambda: f"all groups at the querier: {len(wanted())}")
    calm(link)
    before = len(link.messages)
    daemons[1].terminate()

    def asked():
        return {m.group for m in link.messages[before:] if m.kind == "query" and m.group in groups}
    wait_until(lambda: asked() == set(groups), 5, lambda: f"queries about all groups: {len(asked())}")
    calm(link)
    assert len(wanted()) == COUNT, f"{COUNT - len(wanted())} groups are forgotten"


NAMES = {(4, 1): "IGMPv1", (4, 2): "IGMPv2", (4, 3): "IGMPv3", (6, 1): "MLDv1", (6, 2): "MLDv2"}
CASES = [(IPV4, 1), (IPV4, 2), (IPV4, 3), (IPV6, 1), (IPV6, 2)]
# What goes out for a join and a leave where the kernel keeps the group: ours first, then the kernel's.
KERNEL = {"IGMPv1": (("report", "report"), ()), "IGMPv2": (("report", "report"), ("leave",)),
          "MLDv1": (("report",), ("leave",))}
USER = {"IGMPv1": (("report",), ()), "IGMPv2": (("report",), ("leave",)), "MLDv1": (("report",), ("leave",))}


def speaking(family, version, network, membership, forced):
    """The daemon, speaking that version upstream; the kernel repeats none of its reports in the time of a test."""
    if family is IPV4:
        network.router.sysctl("net/ipv4/igmp_qrv", 1)
    else:
        network.router.sysctl("net/ipv6/conf/eth0/mldv1_unsolicited_report_interval", 10_000_000)
    name = NAMES[family.number, version]
    option = f'upstream_version = "{name}";' if forced else ""
    daemon = family.daemon(network, settings(membership, option + "fast_leave = true;"))
    upstream = family.capture(network.source)
    family.querier(network).query(version=family.version if forced else version, max_response=0.1, robustness=1)
    if version < family.version and not forced:
        daemon.wait_for_output(f"the querier upstream uses {name}")
    calm(upstream)
    return upstream


class Steps:
    """Changes of members downstream, and what the router says upstream of each until it says something else. kernel: the kernel
    keeps the groups."""

    def __init__(self, family, network, upstream, kernel):
        self.family, self.network, self.upstream = family, network, upstream
        self.kernel_repeats = kernel and family is IPV6  # Linux repeats an MLDv2 leave with its next report
        self.guest = family.guest(network.host)
        self.markers = iter(groups_of(family, 100, 101))

    def about(self, group, first):
        found = []
        for message in own(self.family, self.network, self.upstream):
            if message in self.upstream.messages[:first]:
                continue
            found += [(message, r.type) for r in message.records if r.group == group]
            found += [(message, message.kind)] if message.group == group else []
        return found

    def take(self, expected, *all_records):
        """What follows these changes; all are about one group."""
        first, group, marker = len(self.upstream.messages), all_records[0].group, next(self.markers)
        for record in all_records:
            self.guest.report(record)
            time.sleep(0.03)  # one batch of the worker would be one change
        wait_until(lambda: len(self.about(group, first)) >= len(expected), 2,
                   lambda: f"{expected}; seen: {self.about(group, first)}")
        asked_at = time.time()
        self.guest.report(Record("TO_EX", marker))
        end = wait_until(lambda: self.about(marker, first), what="the marker")[0][0]
        # A leave right behind a join is another story, told below.
        wait_until(lambda: time.time() > end.time + 0.15, what="a moment later")
        end_at = asked_at if self.kernel_repeats else end.time
        return tuple(what for message, what in self.about(group, first) if message.time < end_at)


# A querier of version 1 is followed only where that version is configured.
@pytest.mark.parametrize("membership", ("user", "kernel"))
@pytest.mark.parametrize("family, version, forced", [(*case, forced) for case in CASES for forced in (False, True)
                                                     if case != (IPV4, 1) or forced])
def test_each_change_is_sent_as_often_as_it_is_of_use(router, family, version, forced, membership):
    steps = Steps(family, router, speaking(family, version, router, membership, forced), membership == "kernel")
    group, other, (first, second) = family.group, family.other_group, family.sources[:2]
    name = NAMES[family.number, version]
    if version < family.version:
        join, leave = (KERNEL if membership == "kernel" else USER)[name]
        changes = [(join, Record("TO_EX", group)), (leave, Record("TO_IN", group)), (join, Record("TO_EX", group)),
                   (join, Record("ALLOW", other, (first,))), ((), Record("ALLOW", other, (second,))),
                   ((), Record("BLOCK", other, (first,))), ((), Record("TO_EX", other, (second,))),
                   (leave, Record("TO_IN", other))]
    else:
        times = 2 if membership == "kernel" else 1
        changes = [(("TO_EX",) * times, Record("TO_EX", group)), (("TO_IN",) * times, Record("TO_IN", group)),
                   (("ALLOW",) * times, Record("ALLOW", other, (first,))),
                   (("ALLOW",) * times, Record("ALLOW", other, (second,))),
                   (("BLOCK",) * times, Record("BLOCK", other, (first,))),
                   (("TO_EX",) * times, Record("TO_EX", other, (second,))),
                   (("ALLOW",) * times, Record("ALLOW", other, (second,))),
                   (("TO_IN",) * times, Record("TO_IN", other))]
    for expected, record in changes:
        assert (record, steps.take(expected, record)) == (record, expected)


def test_a_leave_before_the_kernels_own_report_is_sent(router):
    """Linux sends no IGMPv2 leave of a group that it has not reported yet, but we have."""
    steps = Steps(IPV4, router, speaking(IPV4, 2, router, "kernel", True), True)
    found = steps.take(("report", "leave"), Record("TO_EX", IPV4.group), Record("TO_IN", IPV4.group))
    assert (found[0], found[-1]) == ("report", "leave")
