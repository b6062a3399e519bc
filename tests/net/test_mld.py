# SPDX-License-Identifier: BSD-2-Clause
"""The easiest scenario of the startup guide in IPv6, MLD messages on the wire, and both families in one instance."""

import re

import pytest
from families import IPV6
from netlab import Capture, CraftedHost6, Daemon, Receiver, Record, Sender, make_router, tables, wait_until

GROUP = "ff1e::9999"
SSM_GROUP = "ff3e::4321"
GUIDE = {1: "protocol MLDv1\neth0 ==> eth1\n", 2: "protocol MLDv2\neth0 ==> eth1\n"}
QUICK = 'protocol = "MLDv2"; last_member_query_interval = 0.2; instances = ("eth0 ==> eth1");'


@pytest.mark.smoke
@pytest.mark.parametrize("version", [1, 2])
def test_stream_comes_with_the_join_and_goes_with_the_leave(router, version):
    network = router
    network.host.force_mld_version("eth0", version)
    daemon = Daemon(network.router, GUIDE[version], "-svv", vifs6=("eth0", "eth1"))
    Sender(network.source, "eth0", GROUP).start(pps=100)
    wait_until(lambda: tables.routes6(network.router), what="the negative entry of the unwanted stream")
    assert tables.outgoing_devices(network.router, network.source_address6, GROUP) == set()

    receiver = IPV6.receiver(network.host).join(GROUP)
    receiver.wait_for(10)

    # The kernel tables, as the guide describes them.
    assert [(vif.number, vif.name) for vif in tables.vifs6(network.router)] == [(0, "eth0"), (1, "eth1")]
    assert GROUP in tables.mld_groups(network.router, "eth0")
    assert tables.outgoing_devices(network.router, network.source_address6, GROUP) == {"eth1"}
    assert tables.vifs(network.router) == []  # the guide's protocol line serves one family

    # The status, as the guide shows it.
    expected = (
        "##-- instance upstream eth0 [vif=0] --##\n"
        "\tgroup addr\n"
        f"\t[0] {GROUP}\n"
        "\t\tsrc addr | robustness_counter | flag\n"
        f"\t\t[0] {network.source_address6}\t2\tCACHED_SRC\n")
    wait_until(lambda: expected in daemon.stdout, 10, lambda: f"the status of the guide in {daemon.stdout}")
    assert re.search(rf"-- downstream eth1 \[vif=1\] --\n(.*\n)*?\t\t\[\d\] {GROUP}\t2\tRUNNING\n", daemon.stdout)

    receiver.leave(GROUP)
    wait_until(lambda: tables.outgoing_devices(network.router, network.source_address6, GROUP) == set(), 10,
               "the end of the stream after the leave")
    wait_until(lambda: GROUP not in tables.mld_groups(network.router, "eth0"), what="the leave upstream")
    daemon.terminate()
    assert tables.vifs6(network.router) == [] and tables.routes6(network.router) == {}


def test_a_host_is_served_once_its_address_is_ready(router):
    """RFC 3590 section 4: until then it reports from ::, which a router discards, and afterwards again."""
    network = router
    daemon = Daemon(network.router, QUICK, "-d", vifs6=("eth0", "eth1"))
    Sender(network.source, "eth0", GROUP).start(pps=50)
    capture = Capture(network.router, "eth1", 6)
    for name in ("all", "eth0"):
        network.host.sysctl(f"net/ipv6/conf/{name}/accept_dad", 1)
    network.host.sysctl("net/ipv6/conf/eth0/dad_transmits", 2)
    network.host.ip("link set eth0 down", "link set eth0 up")
    receiver = IPV6.receiver(network.host).join(GROUP)
    capture.wait_for(lambda m: m.kind == "report" and m.source == "::", "a report from ::")
    daemon.wait_for_output("eth1: dropped: report from ::")
    receiver.wait_for(10, timeout=10)


def test_iperf_stream(router):
    network = router
    Daemon(network.router, GUIDE[2], vifs6=("eth0", "eth1"))
    network.source.start("iperf", "-V", "-c", GROUP + "%eth0", "-u", "-b", "400K", "-l", "400", "-T", "8", "-t", "60")
    receiver = network.host.start("iperf", "-V", "-s", "-u", "-i", "1", "-B", f"{GROUP}%eth0")
    wait_until(lambda: tables.outgoing_devices(network.router, network.source_address6, GROUP) == {"eth1"},
               what="the route")
    wait_until(lambda: network.host.packets_received("eth0") > 50, what="the stream at the host")
    receiver.close()
    wait_until(lambda: tables.outgoing_devices(network.router, network.source_address6, GROUP) == set(), 10,
               "the end of the stream after the leave")


def test_ssm_join_forwards_only_that_source(router):
    network = router
    wanted, unwanted = IPV6.sources[:2]
    network.source.add_addresses("eth0", f"{unwanted}/64")
    Daemon(network.router, GUIDE[2], vifs6=("eth0", "eth1"))
    upstream = Capture(network.source, "eth0", family=6)
    receiver = IPV6.receiver(network.host).join_source(SSM_GROUP, wanted)
    upstream.wait_for_record("ALLOW", SSM_GROUP, wanted)

    for address in (wanted, unwanted):
        Sender(network.source, "eth0", SSM_GROUP, address=address).start(pps=100)
    receiver.wait_for(20)
    wait_until(lambda: tables.outgoing_devices(network.router, unwanted, SSM_GROUP) == set(),
               what="the negative entry of the other source")
    assert tables.outgoing_devices(network.router, wanted, SSM_GROUP) == {"eth1"}
    assert tables.source_filters6(network.router, "eth0") == {SSM_GROUP: {wanted: (1, 0)}}

    receiver.leave_source(SSM_GROUP, wanted)
    upstream.wait_for_record("BLOCK", SSM_GROUP, wanted)
    wait_until(lambda: tables.outgoing_devices(network.router, wanted, SSM_GROUP) == set(), what="the end of the stream")


def test_exclude_filter_blocks_only_that_source(router):
    network = router
    kept, blocked = IPV6.sources[:2]
    network.source.add_addresses("eth0", f"{blocked}/64")
    Daemon(network.router, QUICK, vifs6=("eth0", "eth1"))
    receiver = IPV6.receiver(network.host).join(GROUP)
    for address in (kept, blocked):
        Sender(network.source, "eth0", GROUP, address=address).start(pps=50)
    receiver.wait_for(5, source=kept)
    receiver.wait_for(5, source=blocked)
    receiver.exclude(GROUP, [blocked])
    wait_until(lambda: tables.outgoing_devices(network.router, blocked, GROUP) == set(), what="the blocked source's route")
    receiver.wait_for(5, source=kept)
    assert tables.outgoing_devices(network.router, kept, GROUP) == {"eth1"}


def test_source_on_a_downstream_link_reaches_upstream_and_other_members(router_two_hosts):
    network = router_two_hosts
    Daemon(network.router, "protocol MLDv2\neth0 ==> eth1 eth2\n", "-d", vifs6=("eth0", "eth1", "eth2"))
    above = IPV6.receiver(network.source).join(GROUP)
    member = IPV6.receiver(network.host2).join(GROUP)
    wait_until(lambda: GROUP in tables.mld_groups(network.router, "eth0"), what="the join upstream")
    sender = Sender(network.host, "eth0", GROUP).start(pps=100)
    above.wait_for(20)
    member.wait_for(20)
    sender.stop()
    # Each packet once, from the first on, and none comes back to where it came from.
    assert above.begins_with_the_first()
    assert len(set(member.sequences())) == member.count()
    assert tables.outgoing_devices(network.router, network.host_address6, GROUP) == {"eth0", "eth2"}


@pytest.mark.parametrize("version", [1, 2])
def test_general_queries_are_as_the_standard_says(router, version):
    network = router
    downstream = Capture(network.host, "eth0", family=6)
    Daemon(network.router, f'protocol = "MLDv{version}"; query_interval = 4; query_response_interval = 2;'
           'instances = ("eth0 ==> eth1");', vifs6=("eth0", "eth1"))

    def query(after, what):
        return downstream.wait_for(lambda m: m.kind == "query", what, 10, after=after)
    first = query(0, "the first query")
    assert (first.version, first.group, first.destination) == (version, "::", "ff02::1")
    assert first.source == network.router.link_local("eth1")
    assert (first.ttl, first.router_alert, first.checksum_good, first.max_response) == (1, True, True, 2.0)
    if version == 2:
        assert (first.robustness, first.query_interval, first.suppress, first.sources) == (2, 4, False, ())
    second = query(first.time + 0.1, "the second startup query")
    assert 0.9 < second.time - first.time < 1.3  # a quarter of the query interval
    third = query(second.time + 0.1, "the third query")
    assert 3.9 < third.time - second.time < 4.3


def test_done_is_followed_by_queries_of_that_address(router):
    network = router
    Daemon(network.router, 'protocol = "MLDv1"; last_member_query_interval = 0.3; instances = ("eth0 ==> eth1");',
           vifs6=("eth0", "eth1"))
    network.host.force_mld_version("eth0", 1)
    downstream = Capture(network.host, "eth0", family=6)
    receiver = IPV6.receiver(network.host).join(GROUP)
    wait_until(lambda: GROUP in tables.mld_groups(network.router, "eth0"), what="the join upstream")
    receiver.leave(GROUP)
    done = downstream.wait_for(lambda m: m.kind == "leave" and m.group == GROUP, "the done")
    assert done.destination == "ff02::2"
    wait_until(lambda: GROUP not in tables.mld_groups(network.router, "eth0"), what="the leave upstream")
    queries = downstream.select("query", group=GROUP)
    assert len(queries) == 2
    assert {(q.version, q.destination, q.ttl, q.router_alert, q.checksum_good, q.max_response) for q in queries} == {
        (1, GROUP, 1, True, True, 0.3)}
    assert {q.source for q in queries} == {network.router.link_local("eth1")}
    assert 0.25 < queries[1].time - queries[0].time < 0.5


def test_a_source_that_leaves_is_asked_for_by_name(router):
    network = router
    IPV6.daemon(network, "last_member_query_interval = 0.2;")
    downstream = Capture(network.host, "eth0", family=6)
    guest = CraftedHost6(network.host, "eth0", "fe80::77")
    guest.report(Record("ALLOW", GROUP, ("fd00::10", "fd00::11")))
    wait_until(lambda: GROUP in tables.mld_groups(network.router, "eth0"), what="the join upstream")
    guest.report(Record("BLOCK", GROUP, ("fd00::11",)))
    query = downstream.wait_for(lambda m: m.kind == "query" and m.group == GROUP, "a query of the source")
    assert (query.version, query.sources, query.suppress) == (2, ("fd00::11",), False)
    assert (query.destination, query.ttl, query.router_alert, query.checksum_good) == (GROUP, 1, True, True)
    wait_until(lambda: tables.source_filters6(network.router, "eth0").get(GROUP) == {"fd00::10": (1, 0)},
               what="the narrower filter upstream")


@pytest.mark.smoke
def test_groups_of_interface_and_link_scope_are_never_proxied(router):
    """The scope is the fourth hexadecimal digit, whatever the flags before it are."""
    network = router
    IPV6.daemon(network, "last_member_query_interval = 0.2;")
    upstream = Capture(network.source, "eth0", family=6)
    guest = CraftedHost6(network.host, "eth0", "fe80::77")
    narrow = ["ff00::99", "ff01::99", "ff02::99", "ff10::99", "ff11::99", "ff12::99", "ff31::99", "ff32::99", "ff02::fb"]
    wide = ["ff03::99", "ff04::99", "ff05::99", "ff08::99", "ff0e::99", "ff15::99", "ff1e::99"]
    for group in narrow:
        guest.join(group)
    guest.report(*[Record("TO_EX", group) for group in narrow])
    guest.report(*[Record("ALLOW", group, ("fd00::10",)) for group in narrow])
    guest.report(*[Record("TO_EX", group) for group in wide])
    wait_until(lambda: set(wide) <= set(tables.mld_groups(network.router, "eth0")), what="the groups of wider scope")
    assert not set(narrow) & (set(tables.mld_groups(network.router, "eth0")) - {"ff02::fb"})
    assert not {record.group for record in upstream.records()} & set(narrow)
    # Nor is their traffic forwarded.
    Sender(network.source, "eth0", "ff12::99").send(3)
    Sender(network.source, "eth0", "ff15::99").send(3)
    wait_until(lambda: (network.source_address6, "ff15::99") in tables.routes6(network.router), what="a wider route")
    assert not [route for route in tables.routes6(network.router).values() if route.group == "ff12::99" and route.outgoing]


def test_upstream_reports_are_as_the_standard_says(router):
    network = router
    Daemon(network.router, QUICK, vifs6=("eth0", "eth1"))
    upstream = Capture(network.source, "eth0", family=6)
    IPV6.receiver(network.host).join(GROUP)
    report = upstream.wait_for_record("TO_EX", GROUP)
    assert (report.version, report.destination, report.ttl, report.router_alert, report.checksum_good) == (
        2, "ff02::16", 1, True, True)
    assert report.source == network.router.link_local("eth0")


def test_a_v1_querier_upstream_is_answered_in_version_1(router):
    network = router
    Daemon(network.router, QUICK, vifs6=("eth0", "eth1"))
    upstream = Capture(network.source, "eth0", family=6)
    CraftedHost6(network.source, "eth0", "fe80::1").query(version=1, max_response=1.0)
    upstream.wait_for(lambda m: m.kind == "report" and m.version == 1 and m.source == network.router.link_local("eth0"),
                      "the kernel's reports in the older version")
    receiver = IPV6.receiver(network.host).join(GROUP)
    report = upstream.wait_for(lambda m: m.kind == "report" and m.group == GROUP, "a v1 report")
    assert (report.version, report.destination) == (1, GROUP)
    receiver.leave(GROUP)
    upstream.wait_for(lambda m: m.kind == "leave" and m.group == GROUP, "a done", 10)


def make_mixed_router(lab):
    """Downstream: eth1 has both families, eth2 IPv4 only, eth3 IPv6 only."""
    network = make_router(lab, downstreams=3)
    for end in ((network.router, "eth2"), (network.hosts[1], "eth0")):
        end[0].sysctl(f"net/ipv6/conf/{end[1]}/disable_ipv6", 1)
    for end in ((network.router, "eth3"), (network.hosts[2], "eth0")):
        end[0].run(f"ip -4 address flush dev {end[1]}")
    return network


@pytest.mark.smoke
def test_one_instance_serves_both_families_on_links_that_have_both_or_one(lab):
    network = make_mixed_router(lab)
    Daemon(network.router, 'protocol = [ "IGMPv3", "MLDv2" ]; instances = ("eth0 ==> eth1 eth2 eth3");',
           vifs=("eth0", "eth1", "eth2"), vifs6=("eth0", "eth1", "eth3"))
    both, ipv4_only, ipv6_only = network.hosts
    receivers4 = [Receiver(host, "eth0").join("239.1.1.1") for host in (both, ipv4_only)]
    receivers6 = [IPV6.receiver(host).join(GROUP) for host in (both, ipv6_only)]
    Sender(network.source, "eth0", "239.1.1.1").start(pps=50)
    Sender(network.source, "eth0", GROUP).start(pps=50)
    for receiver in receivers4 + receivers6:
        receiver.wait_for(10)
    assert tables.outgoing_devices(network.router, network.source_address, "239.1.1.1") == {"eth1", "eth2"}
    assert tables.outgoing_devices(network.router, network.source_address6, GROUP) == {"eth1", "eth3"}


def test_families_are_independent(router):
    """A leave in one family does nothing to the other, and IPv6 works on when IPv4 goes from the link."""
    network = router
    Daemon(network.router, 'last_member_query_interval = 0.2; instances = ("eth0 ==> eth1");', vifs=("eth0", "eth1"),
           vifs6=("eth0", "eth1"))  # both families are the default
    receiver4 = Receiver(network.host, "eth0").join("239.1.1.1")
    receiver6 = IPV6.receiver(network.host).join(GROUP)
    Sender(network.source, "eth0", "239.1.1.1").start(pps=50)
    Sender(network.source, "eth0", GROUP).start(pps=50)
    receiver4.wait_for(5)
    receiver6.wait_for(5)
    receiver4.leave("239.1.1.1")
    wait_until(lambda: "239.1.1.1" not in tables.igmp_groups(network.router, "eth0"), what="the leave of IPv4")
    network.router.ip("address del 10.0.1.1/24 dev eth1")
    receiver6.wait_for(20)
    assert not receiver6.gaps()
