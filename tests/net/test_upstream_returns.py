# SPDX-License-Identifier: BSD-2-Clause
"""An upstream link that comes back, or is attached to another place: all groups are reported at once."""

import time

import pytest
from families import FAMILIES, IPV4, IPV6
from netlab import Capture, Record, Sender, wait_until

both_families = pytest.mark.parametrize("family", FAMILIES, ids=str)
every_mode = pytest.mark.parametrize("mode", ("kernel", "user", "auto"))
QUICK = ('upstream_membership = "%s"; last_member_query_interval = 0.2; unsolicited_report_interval = 0.4; '
         "repeat_without_querier = false; kernel_groups_max = 1;")
AT_ONCE = 1.0
CARRIER = 1.0  # the kernel looks at changes of a carrier once a second


def reports(capture, group, after):
    """What the router has said of a group, by its kernel or by the daemon, to make it known."""
    return [m for m in capture.select(after=after) if m.kind != "query" and (
        (m.kind == "report" and m.group == group) or
        any(r.group == group and (r.type in ("IS_EX", "TO_EX") or r.sources) for r in m.records))]


def wait_for_reports(capture, groups, since, what, limit=AT_ONCE):
    """All groups are reported within a second of that time."""
    def all_reported():
        return all(reports(capture, group, since) for group in groups)
    wait_until(all_reported, 3, lambda: f"{what}: {groups}; seen: "
               f"{[(round(m.time - since, 3), m.kind, m.records) for m in capture.select(after=since)]}")
    took = max(reports(capture, group, since)[0].time for group in groups) - since
    print(f"{what}: reported after {took * 1000:.0f} ms")
    assert took < limit


def settle(capture, groups, since):
    """Returns when no report has come for longer than the kernel's interval of repetitions, 1 s: they have ended."""
    def quiet():
        return time.time() - max(reports(capture, group, since)[-1].time for group in groups) > 1.3
    wait_until(quiet, 10, "an end of the repetitions")


def wait_for_repetition(capture, group, since):
    """A port that still learns may lose one: it is repeated, but not without end."""
    wait_until(lambda: len(reports(capture, group, since)) >= 2, 3, lambda: f"a repetition: {capture.records(group)}")
    settle(capture, (group,), since)
    seen = reports(capture, group, since)
    assert len(seen) <= 6, [(round(m.time - since, 3), m.records) for m in seen]


def start(family, network, mode, version=None, where=None):
    """Two groups are wanted, one of them from two sources; everything about them is said. In the mode "auto" one of
    them is kept by the kernel, the other one by the daemon."""
    # A querier of IGMPv1 is not followed.
    forced = family is IPV4 and version == 1
    daemon = family.daemon(network, QUICK % mode + ('upstream_version = "IGMPv1";' if forced else ""))
    capture = family.capture(where or network.router)
    if version is not None and not forced:
        family.querier(network).query(version=version, max_response=0.1)
        daemon.wait_for_output("the querier upstream uses")
    groups = (family.group, family.ssm_group)
    guest = family.guest(network.host)
    since = time.time()
    guest.report(Record("TO_EX", groups[0]), Record("ALLOW", groups[1], family.sources[:2]))
    for group in groups:
        wait_until(lambda group=group: reports(capture, group, since), 5, lambda: f"reports: {capture.records()}")
    settle(capture, groups, since)
    return capture, groups


def lose_carrier(network):
    network.source.ip("link set eth0 down")
    wait_until(lambda: "NO-CARRIER" in network.router.ip_json("link show dev eth0")[0]["flags"], what="the loss of the carrier")


@both_families
@every_mode
def test_all_groups_are_reported_when_the_carrier_returns(router, family, mode):
    network = router
    capture, groups = start(family, network, mode)
    for _ in range(2):
        lose_carrier(network)
        since = time.time()
        network.source.ip("link set eth0 up")
        wait_for_reports(capture, groups, since, f"carrier, {family}, {mode}", AT_ONCE + CARRIER)
        wait_for_repetition(capture, groups[0], since)


@pytest.mark.parametrize("family, version", ((IPV4, 2), (IPV4, 1), (IPV6, 1)), ids=("IGMPv2", "IGMPv1", "MLDv1"))
@every_mode
def test_all_groups_are_reported_in_the_version_of_an_older_querier(router, family, version, mode):
    network = router
    capture, groups = start(family, network, mode, version)
    lose_carrier(network)
    since = time.time()
    network.source.ip("link set eth0 up")
    wait_for_reports(capture, groups, since, f"carrier, {family} version {version}, {mode}", AT_ONCE + CARRIER)
    wait_until(lambda: all(any(m.version == version for m in reports(capture, group, since)) for group in groups), 3,
               lambda: f"reports of version {version}: {[m.version for m in reports(capture, groups[0], since)]}")


@both_families
@every_mode
def test_all_groups_are_reported_when_the_link_is_set_up_again(router, family, mode):
    network = router
    capture, groups = start(family, network, mode, where=network.source)  # a capture ends with its interface
    network.router.ip("link set eth0 down")
    wait_until(lambda: "UP" not in network.router.ip_json("link show dev eth0")[0]["flags"], what="the link down")
    since = time.time()
    network.router.ip("link set eth0 up")
    wait_for_reports(capture, groups, since, f"admin up, {family}, {mode}", AT_ONCE + CARRIER)
    wait_for_repetition(capture, groups[0], since)


@both_families
@every_mode
def test_all_groups_are_reported_from_a_new_address(router, family, mode):
    network = router
    capture, groups = start(family, network, mode)
    since = time.time()
    if family is IPV4:
        network.router.ip("address add 10.0.9.1/24 dev eth0", "address del 10.0.0.1/24 dev eth0")
    else:
        network.router.ip("address add fe80::5/64 dev eth0 nodad")
    wait_for_reports(capture, groups, since, f"address, {family}, {mode}")
    wait_for_repetition(capture, groups[0], since)


@both_families
@every_mode
def test_all_groups_are_reported_from_a_new_mac_address(router, family, mode):
    network = router
    capture, groups = start(family, network, mode)
    since = time.time()
    network.router.ip("link set eth0 address 02:00:00:00:12:34")
    wait_for_reports(capture, groups, since, f"MAC address, {family}, {mode}")
    wait_for_repetition(capture, groups[0], since)


@pytest.mark.parametrize("family, mode", ((IPV4, "kernel"), (IPV4, "user"), (IPV4, "auto"), (IPV6, "user")), ids=str)
def test_other_changes_of_the_link_cause_no_report(router, family, mode):
    """... of ours: in IPv6 the kernel reports what it keeps after many of them."""
    network = router
    capture, groups = start(family, network, mode)
    since = time.time()
    for change in ("txqueuelen 500", "alias upstream", "promisc on", "promisc off", "allmulticast off", "mtu 1400", "group 3"):
        network.router.ip(f"link set eth0 {change}")
    # The marker: a group that is reported behind them.
    family.guest(network.host).report(Record("TO_EX", family.other_group))
    wait_until(lambda: reports(capture, family.other_group, since), 3, "the marker")
    assert not [m for group in groups for m in reports(capture, group, since)]


@both_families
@every_mode
def test_the_stream_flows_again_behind_a_snooping_switch(lab, family, mode):
    """source -- switch (snooping bridge) -- router: the switch forgets the router's port when that loses its carrier."""
    switch, source, router, host = (lab.namespace(role) for role in ("switch", "source", "router", "host"))
    lab.link(switch, "port1", source, "eth0", (), ("10.0.0.10/24", "fd00::10/64"))
    lab.link(switch, "port2", router, "eth0", (), ("10.0.0.1/24", "fd00::1/64"))
    lab.link(router, "eth1", host, "eth0", ("10.0.1.1/24", "fd00:1::1/64"), ("10.0.1.10/24", "fd00:1::10/64"))
    host.ip("route add default via 10.0.1.1", "route add default via fd00:1::1")
    switch.bridge("br0", "port1", "port2")
    network = type("Network", (), {"router": router, "source": source, "host": host})
    family.daemon(network, QUICK % mode)
    # The bridge snoops while it knows of a querier. This one asks once.
    family.querier(network).query(max_response=0.1)
    receiver = family.receiver(host).join(family.group)
    wait_until(lambda: ("port2", family.group) in switch.bridge_members("br0"), 5, "the router's port in the switch's table")
    Sender(source, "eth0", family.group).start(pps=100)
    receiver.wait_for(20)

    switch.ip("link set port2 down")
    wait_until(lambda: ("port2", family.group) not in switch.bridge_members("br0"), 5, "the switch forgets the port")
    receiver.wait_for_silence()
    before, since = receiver.count(), time.monotonic()
    switch.ip("link set port2 up")
    wait_until(lambda: receiver.count() >= before + 20, 5, lambda: f"the stream; members: {switch.bridge_members('br0')}")
    took = time.monotonic() - since
    print(f"switch, {family}, {mode}: 20 packets after {took * 1000:.0f} ms")
    assert took < AT_ONCE + CARRIER


@every_mode
def test_many_groups_are_reported_in_full_packets(router, mode):
    network = router
    family = IPV4
    family.daemon(network, 'upstream_membership = "%s"; kernel_groups_max = 300; repeat_without_querier = false;' % mode)
    capture = Capture(network.router, "eth0", 4)
    groups = [f"239.9.{n // 250}.{n % 250 + 1}" for n in range(600)]
    guest = family.guest(network.host)
    for first in range(0, len(groups), 100):
        guest.report(*[Record("TO_EX", group) for group in groups[first:first + 100]])
    wait_until(lambda: {r.group for r in capture.records(outgoing=True)} >= set(groups), 10, "the joins")
    settle(capture, groups[-1:], 0)
    lose_carrier(network)
    since = time.time()
    network.source.ip("link set eth0 up")

    def reported():
        return {r.group for r in capture.records(outgoing=True, after=since)} >= set(groups)
    wait_until(reported, 5, "all groups")
    begin = min(m.time for m in capture.select("report", outgoing=True, after=since))
    first = [m for m in capture.select("report", outgoing=True, after=since) if m.time < begin + 0.9]
    assert {r.group for m in first for r in m.records} >= set(groups)
    assert len(first) <= 12, len(first)
