# SPDX-License-Identifier: BSD-2-Clause
"""Reports, leaves and queries on the wire, in the versions of the protocol."""

import pytest
from netlab import Capture, CraftedHost, Daemon, Receiver, Record, Sender, tables, wait_until

GROUP = "239.1.2.3"
QUICK = 'protocol = "IGMPv3"; last_member_query_interval = 0.2; instances = ("eth0 ==> eth1");'


@pytest.mark.smoke
def test_v3_reports_and_v2_leaves_are_received_though_nothing_else_listens(router):
    network = router
    Daemon(network.router, 'protocol = "IGMPv2"; last_member_query_interval = 0.2; instances = ("eth0 ==> eth1");',
           vifs=("eth0", "eth1"))
    crafted = CraftedHost(network.host, "eth0", "10.0.1.77")
    crafted.report(Record("TO_EX", GROUP))  # to 224.0.0.22
    wait_until(lambda: GROUP in tables.igmp_groups(network.router, "eth0"), what="the join of a v3 report")
    crafted.leave(GROUP)  # to 224.0.0.2
    wait_until(lambda: GROUP not in tables.igmp_groups(network.router, "eth0"), what="the leave")


def test_v3_report_on_a_v2_link_counts_as_join_and_leave(router):
    network = router
    Daemon(network.router, 'protocol = "IGMPv2"; last_member_query_interval = 0.2; instances = ("eth0 ==> eth1");',
           vifs=("eth0", "eth1"))
    crafted = CraftedHost(network.host, "eth0", "10.0.1.77")
    downstream = Capture(network.host, "eth0")
    crafted.report(Record("ALLOW", GROUP, ("10.0.0.10",)))
    wait_until(lambda: GROUP in tables.igmp_groups(network.router, "eth0"), what="the join")
    crafted.report(Record("TO_IN", GROUP))
    query = downstream.wait_for(lambda m: m.kind == "query" and m.group == GROUP, "a group-specific query")
    assert query.version == 2
    wait_until(lambda: GROUP not in tables.igmp_groups(network.router, "eth0"), what="the leave")


def test_general_queries_are_as_the_standard_says(router):
    network = router
    downstream = Capture(network.host, "eth0")
    Daemon(network.router, 'protocol = "IGMPv3"; query_interval = 8; query_response_interval = 2;'
           'instances = ("eth0 ==> eth1");', vifs=("eth0", "eth1"))
    first = downstream.wait_for(lambda m: m.kind == "query", "the first query")
    assert (first.version, first.group, first.destination) == (3, "0.0.0.0", "224.0.0.1")
    assert (first.ttl, first.tos, first.router_alert, first.checksum_good) == (1, 0xC0, True, True)
    assert (first.source, first.max_response, first.robustness, first.query_interval) == ("10.0.1.1", 2.0, 2, 8)
    second = downstream.wait_for(lambda m: m.kind == "query", "the second startup query", after=first.time + 0.1)
    assert 1.9 < second.time - first.time < 2.3  # a quarter of the query interval
    third = downstream.wait_for(lambda m: m.kind == "query", "the third query", 10, after=second.time + 0.1)
    assert 7.9 < third.time - second.time < 8.3


@pytest.mark.parametrize("version", [1, 2])
def test_general_queries_of_older_versions(router, version):
    downstream = Capture(router.host, "eth0")
    Daemon(router.router, f"protocol IGMPv{version}\neth0 ==> eth1\n", vifs=("eth0", "eth1"))
    query = downstream.wait_for(lambda m: m.kind == "query", "the first query")
    assert query.version == version
    wait_until(lambda: tables.igmp_version(router.host, "eth0") == f"V{version}", what="the host's older version")


def test_a_link_without_address_queries_from_0_0_0_0(router):
    network = router
    network.router.ip("addr flush dev eth1")
    downstream = Capture(network.host, "eth0")
    Daemon(network.router, QUICK, vifs=("eth0", "eth1"))
    query = downstream.wait_for(lambda m: m.kind == "query", "the first query")
    assert query.source == "0.0.0.0"
    receiver = Receiver(network.host, "eth0").join(GROUP)
    Sender(network.source, "eth0", GROUP).start(pps=50)
    receiver.wait_for(5)


def test_leave_asks_the_others_before_the_stream_stops(router):
    network = router
    Daemon(network.router, QUICK, vifs=("eth0", "eth1"))
    downstream = Capture(network.host, "eth0")
    receiver = Receiver(network.host, "eth0").join(GROUP)
    Sender(network.source, "eth0", GROUP).start(pps=100)
    receiver.wait_for(5)
    # Another host leaves: the one that stays answers the queries, and loses nothing.
    other = CraftedHost(network.host, "eth0", "10.0.1.88")
    other.report(Record("TO_IN", GROUP))
    downstream.wait_for(lambda m: m.kind == "query" and m.group == GROUP, "a group-specific query")
    downstream.wait_for(lambda m: m.kind == "report" and m.group == GROUP or
                        any(r.group == GROUP and r.type == "IS_EX" for r in m.records), "the answer")
    receiver.wait_for(60)
    assert not receiver.gaps()

    receiver.leave(GROUP)
    queries = wait_until(lambda: [m for m in downstream.select("query", group=GROUP)][2:], what="two more queries")
    assert queries[0].max_response == 0.2
    wait_until(lambda: tables.outgoing_devices(network.router, network.source_address, GROUP) == set(), what="the end")


def test_upstream_changes_are_reported_at_once_and_not_as_leave_and_join(router):
    network = router
    Daemon(network.router, QUICK, vifs=("eth0", "eth1"))
    upstream = Capture(network.source, "eth0")
    crafted = CraftedHost(network.host, "eth0", "10.0.1.77")
    crafted.report(Record("ALLOW", GROUP, ("10.0.0.10",)))
    upstream.wait_for_record("ALLOW", GROUP, "10.0.0.10")
    crafted.report(Record("TO_EX", GROUP))
    upstream.wait_for_record("TO_EX", GROUP)
    assert not [r for r in upstream.records(GROUP) if r.type in ("BLOCK", "TO_IN")]


@pytest.mark.smoke
def test_a_v2_querier_upstream_is_answered_in_version_2(router):
    network = router
    Daemon(network.router, QUICK, vifs=("eth0", "eth1"))
    upstream = Capture(network.source, "eth0")
    querier = CraftedHost(network.source, "eth0", "10.0.0.10")
    querier.query(version=2, max_response=1.0)
    wait_until(lambda: tables.igmp_version(network.router, "eth0") == "V2", what="the kernel's older version")
    receiver = Receiver(network.host, "eth0").join(GROUP)
    report = upstream.wait_for(lambda m: m.kind == "report" and m.group == GROUP, "a v2 report")
    assert report.version == 2
    receiver.leave(GROUP)
    upstream.wait_for(lambda m: m.kind == "leave" and m.group == GROUP, "a v2 leave", 10)


def test_malformed_packets_change_nothing(router):
    network = router
    daemon = Daemon(network.router, QUICK, "-d", vifs=("eth0", "eth1"))
    receiver = Receiver(network.host, "eth0").join(GROUP)
    Sender(network.source, "eth0", GROUP).start(pps=50)
    receiver.wait_for(5)
    crafted = CraftedHost(network.host, "eth0", "10.0.1.77")
    crafted.send(b"\x22\x00\x00\x00\x00\x00\x00\x01", "224.0.0.22")  # bad checksum, and a record that is not there
    crafted.send(b"\x16", "239.9.9.9")
    crafted.join("239.9.9.9", ttl=5)
    for cause in ("bad checksum", "bad length", "TTL or hop limit not 1"):
        daemon.wait_for_output(f"dropped: {cause}")
    receiver.wait_for(5)
    assert "239.9.9.9" not in tables.igmp_groups(network.router, "eth0")


def test_status_counts_drops_by_cause(router):
    import signal
    daemon = Daemon(router.router, QUICK, vifs=("eth0", "eth1"))
    crafted = CraftedHost(router.host, "eth0", "10.0.1.77")
    crafted.join(GROUP, ttl=5)
    crafted.join("10.1.2.3")

    def status():
        before = len(daemon.stdout)
        daemon.signal(signal.SIGUSR1)
        wait_until(lambda: "-- protocol eth1" in daemon.stdout[before:], what="a status")
        return daemon.stdout[before:]
    wait_until(lambda: "dropped\t1, TTL or hop limit not 1\n" in status(), what="the packet with a large TTL")
    wait_until(lambda: "dropped\t1, group not multicast\n" in status(), what="the group that is none")
