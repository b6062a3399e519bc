# SPDX-License-Identifier: BSD-2-Clause
"""Hosts of all versions on one link: group compatibility modes (RFC 9776 section 7.3, RFC 9777 section 8.3)."""

import time

import pytest
from families import FAMILIES, IPV4, IPV6
from netlab import Capture, Record, Sender, assert_stays, make_router, tables, wait_until

both_families = pytest.mark.parametrize("family", FAMILIES, ids=str)
QUICK = "query_interval = 60; last_member_query_interval = 0.2; "
BRIEF = QUICK + "older_host_present_interval = 1; "  # back to the newest mode after a second


def group_queries(capture, group, after=0.0):
    return capture.select("query", group=group, after=after)


def is_joined(family, network, group=None):
    return (group or family.group) in family.joined(network)


def join(family, network, group=None):
    """A host of the older version (IGMPv2, MLDv1) joins."""
    guest = family.guest(network.host)
    guest.join(group or family.group)
    wait_until(lambda: is_joined(family, network, group), what="the join upstream")
    return guest


def marked(family, network, guest):
    """Returns when the router has taken in all that the guest sent."""
    marker = {4: "239.255.0.%d", 6: "ff1e::ff:%d"}[family.number] % (len(family.joined(network)) + 1)
    guest.report(Record("TO_EX", marker))
    wait_until(lambda: is_joined(family, network, marker), what="the marker")


@pytest.mark.smoke
def test_leaves_are_ignored_while_a_v1_host_is_present(router):
    """A v1 host would not be heard leaving, nor would it answer a question about one group."""
    network = router
    IPV4.daemon(network, BRIEF)
    capture = IPV4.capture(network.host)
    guest = IPV4.guest(network.host)
    guest.join(IPV4.group, version=1)
    wait_until(lambda: is_joined(IPV4, network), what="the join upstream")
    guest.leave(IPV4.group)
    guest.report(Record("TO_IN", IPV4.group))
    guest.report(Record("BLOCK", IPV4.group, IPV4.sources[:1]))
    assert_stays(lambda: not group_queries(capture, IPV4.group) and is_joined(IPV4, network), 0.6, "the group of a v1 host")

    # The timer ends, and the group is in the newest mode again: a leave is asked about.
    def leave_counts():
        guest.leave(IPV4.group)
        return group_queries(capture, IPV4.group)
    wait_until(leave_counts, 2, "a question after a leave", interval=0.1)
    wait_until(lambda: not is_joined(IPV4, network), what="the end of the group")


def test_each_v1_report_prolongs_the_v1_mode(router):
    network = router
    IPV4.daemon(network, BRIEF)
    capture = IPV4.capture(network.host)
    guest = IPV4.guest(network.host)

    def refreshed():
        guest.join(IPV4.group, version=1)
        guest.leave(IPV4.group)
        return not group_queries(capture, IPV4.group)
    assert_stays(refreshed, 1.6, "the v1 mode", interval=0.2)


def test_v1_mode_wins_over_v2_mode(router):
    network = router
    IPV4.daemon(network, QUICK)
    capture = IPV4.capture(network.host)
    guest = IPV4.guest(network.host)
    guest.join(IPV4.group, version=1)
    guest.join(IPV4.group, version=2)
    wait_until(lambda: is_joined(IPV4, network), what="the join upstream")
    guest.leave(IPV4.group)
    assert_stays(lambda: not group_queries(capture, IPV4.group), 0.6, "no question while a v1 host is present")


def test_modes_are_per_group(router):
    network = router
    IPV4.daemon(network, QUICK)
    capture = IPV4.capture(network.host)
    guest = IPV4.guest(network.host)
    guest.join(IPV4.group, version=1)
    guest.join(IPV4.other_group)
    wait_until(lambda: is_joined(IPV4, network) and is_joined(IPV4, network, IPV4.other_group), what="both joins upstream")
    guest.leave(IPV4.group)
    guest.leave(IPV4.other_group)
    wait_until(lambda: not is_joined(IPV4, network, IPV4.other_group), what="the end of the group without v1 host")
    assert is_joined(IPV4, network)
    assert not group_queries(capture, IPV4.group)


@pytest.mark.smoke
@both_families
def test_block_and_exclude_lists_are_ignored_while_an_older_host_is_present(router, family):
    """It wants every source and cannot report that."""
    network = router
    family.daemon(network, BRIEF)
    capture, upstream = family.capture(network.host), family.capture(network.source)
    guest = join(family, network)
    unwanted = family.sources[:2]
    network.source.add_addresses("eth0", unwanted[1] + ("/24" if family is IPV4 else "/64"))
    guest.report(Record("BLOCK", family.group, unwanted))
    guest.report(Record("TO_EX", family.group, unwanted))
    marked(family, network, guest)
    assert not group_queries(capture, family.group)
    for source in unwanted:
        Sender(network.source, "eth0", family.group, address=source).start(pps=20)
        wait_until(lambda: tables.outgoing_devices(network.router, source, family.group) == {"eth1"}, what="the stream")
    assert {r for r in upstream.records(family.group) if r.type in ("BLOCK", "TO_EX")} == {Record("TO_EX", family.group)}

    # The timer ends, and lists count again.
    def list_counts():
        guest.report(Record("TO_EX", family.group, unwanted))
        return Record("BLOCK", family.group, unwanted) in upstream.records(family.group)
    wait_until(list_counts, 3, lambda: f"the list upstream in {upstream.records(family.group)}", interval=0.1)
    for source in unwanted:
        wait_until(lambda: tables.outgoing_devices(network.router, source, family.group) == set(), what="the stream's end")


@both_families
def test_leaves_are_asked_about_in_the_older_mode(router, family):
    """Leaves and TO_IN count as ever; the question is in the version that is configured."""
    network = router
    family.daemon(network, QUICK)
    capture = family.capture(network.host)
    guest = join(family, network)
    guest.leave(family.group)
    query = capture.wait_for(lambda m: m.kind == "query" and m.group == family.group, "a question about the group")
    assert (query.version, query.sources) == (family.version, ())
    wait_until(lambda: not is_joined(family, network), what="the end of the group")


@both_families
def test_to_in_of_a_newer_host_is_asked_about_in_the_older_mode(router, family):
    network = router
    family.daemon(network, QUICK)
    capture = family.capture(network.host)
    guest = join(family, network)
    guest.report(Record("TO_IN", family.group))
    capture.wait_for(lambda m: m.kind == "query" and m.group == family.group, "a question about the group")
    # The older host answers, and stays.
    guest.join(family.group)
    assert_stays(lambda: is_joined(family, network), 0.8, "the group of the older host")


@both_families
def test_an_older_report_turns_an_include_list_into_all_sources(router, family):
    network = router
    family.daemon(network, QUICK)
    upstream = family.capture(network.source)
    guest = family.guest(network.host)
    guest.report(Record("ALLOW", family.group, family.sources[:1]))
    upstream.wait_for_record("ALLOW", family.group, family.sources[0])
    guest.join(family.group)
    upstream.wait_for_record("TO_EX", family.group)


def test_linux_hosts_of_all_versions_share_a_link(lab):
    """router eth1 -- switch -- three hosts with IGMPv1, v2 and v3; they leave one after the other."""
    network = make_router(lab, downstreams=0)
    switch = lab.namespace("switch")
    lab.link(network.router, "eth1", switch, "uplink", ("10.0.1.1/24",))
    hosts = []
    for version in (1, 2, 3):
        host = lab.namespace(f"host-v{version}")
        lab.link(switch, f"port{version}", host, "eth0", (), (f"10.0.1.{10 + version}/24",))
        host.force_igmp_version("eth0", version)
        hosts.append(host)
    switch.bridge("br0", "uplink", "port1", "port2", "port3", snooping=False)
    IPV4.daemon(network, QUICK)
    first, second, third = (IPV4.receiver(host).join(IPV4.group) for host in hosts)
    Sender(network.source, "eth0", IPV4.group).start(pps=50)
    for receiver in (first, second, third):
        receiver.wait_for(5)
    second.leave(IPV4.group)
    third.leave(IPV4.group)
    first.wait_for(40)
    assert not first.gaps()


@pytest.mark.parametrize("version", [1, 2, 3])
def test_linux_host_of_each_version_on_a_v3_link(router, version):
    network = router
    network.host.force_igmp_version("eth0", version)
    IPV4.daemon(network, QUICK + "older_host_present_interval = 1;")
    downstream = IPV4.capture(network.host)
    receiver = IPV4.receiver(network.host).join(IPV4.group)
    Sender(network.source, "eth0", IPV4.group).start(pps=50)
    receiver.wait_for(5)
    report = downstream.wait_for_report(IPV4.group)
    assert report.version == version
    receiver.leave(IPV4.group)
    if version == 1:  # says nothing; the router only finds out when no report comes for long
        assert_stays(lambda: is_joined(IPV4, network), 0.6, "the group of a v1 host")
    else:
        wait_until(lambda: not is_joined(IPV4, network), what="the leave upstream")


@pytest.mark.parametrize("version", [1, 2])
def test_linux_host_of_each_version_on_an_mldv2_link(router, version):
    network = router
    network.host.force_mld_version("eth0", version)
    IPV6.daemon(network, QUICK)
    downstream = IPV6.capture(network.host)
    receiver = IPV6.receiver(network.host).join(IPV6.group)
    Sender(network.source, "eth0", IPV6.group).start(pps=50)
    receiver.wait_for(5)
    report = downstream.wait_for_report(IPV6.group)
    assert report.version == version
    receiver.leave(IPV6.group)
    wait_until(lambda: not is_joined(IPV6, network), what="the leave upstream")


def test_a_v1_link_asks_in_v1_and_ignores_leaves(router):
    network = router
    IPV4.daemon(network, "query_interval = 1; query_response_interval = 0.5; last_member_query_interval = 0.2; ",
                protocol="IGMPv1")
    capture = Capture(network.host, "eth0")
    guest = IPV4.guest(network.host)
    guest.join(IPV4.group, version=1)
    wait_until(lambda: is_joined(IPV4, network), what="the join upstream")
    guest.leave(IPV4.group)
    query = capture.wait_for(lambda m: m.kind == "query", "a query")
    assert (query.version, query.group, query.raw[-7]) == (1, "0.0.0.0", 0)
    assert_stays(lambda: is_joined(IPV4, network) and not group_queries(capture, IPV4.group), 0.8, "the group after a leave")


def test_a_silent_v1_host_is_forgotten_in_time(router):
    """robustness x query_interval + 2 x query_response_interval after its last report, with no question about it."""
    network = router
    IPV4.daemon(network, "query_interval = 1; query_response_interval = 0.5; older_host_present_interval = 1;")
    capture = IPV4.capture(network.host)
    guest = IPV4.guest(network.host)
    guest.join(IPV4.group, version=1)
    report = capture.wait_for(lambda m: m.kind == "report" and m.group == IPV4.group, "the report")
    wait_until(lambda: is_joined(IPV4, network), what="the join upstream")
    wait_until(lambda: not is_joined(IPV4, network), 4, "the end of the group")
    assert 2.8 < time.time() - report.time < 3.5
    assert not group_queries(capture, IPV4.group)
