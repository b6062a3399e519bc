# SPDX-License-Identifier: BSD-2-Clause
"""One hostile host on a link: forged queries and reports. It never takes a stream away from a link for long."""

import pytest
from ctl import ask, mcproxyctl
from diagnosis import wait_for_finding
from families import FAMILIES, IPV4, IPV6
from netlab import CraftedHost, Record, Sender, assert_stays, wait_until

both_families = pytest.mark.parametrize("family", FAMILIES, ids=str)

QUICK = "last_member_query_interval = 0.2; "
FORGED = {"robustness": 7, "query_interval": 31744}
ANOTHER = "querier: another router"


@pytest.fixture
def network(router):
    return router.raise_address()


def lower(family, network):
    return family.guest(network.host, "10.0.1.20" if family is IPV4 else "fe80::1")


def link(daemon, family=IPV4):
    links = ask(daemon, "show", what="links", link="eth1")["links"]
    return next(entry for entry in links if entry["family"] == str(family))


def own_address(family, network):
    return "10.0.1.50" if family is IPV4 else network.router.link_local("eth1")


def own_queries(family, network, capture, group, after=0.0):
    source = own_address(family, network)
    return [m for m in capture.select("query", after=after) if m.source == source and m.group == group]


def watched_stream(family, network):
    receiver = family.receiver(network.host).join(family.group)
    Sender(network.source, "eth0", family.group).start(pps=50)
    receiver.wait_for(5)
    return receiver


@both_families
def test_a_forged_query_is_bounded_to_ten_minutes(network, family):
    """Robustness 7 and an interval of 31,744 s would be 61 hours without forwarding."""
    daemon = family.daemon(network)
    lower(family, network).query(**FORGED)
    daemon.wait_for_output(ANOTHER)
    state = link(daemon, family)
    assert 590 < state["other_querier_left"] <= 600
    assert state["timers"]["other_querier_present_interval"] == 600
    assert state["timers"]["group_membership_interval"] == 615  # time to answer the router that takes over
    assert state["timers"]["older_host_present_interval"] == 605


@both_families
def test_the_bound_is_twice_the_own_time_where_that_is_more(network, family):
    daemon = family.daemon(network, "robustness = 4; query_interval = 300; query_response_interval = 10;")
    lower(family, network).query(**FORGED)
    daemon.wait_for_output(ANOTHER)
    assert link(daemon, family)["timers"]["other_querier_present_interval"] == 2 * (4 * 300 + 5)


@both_families
def test_a_reload_forgets_the_other_querier(network, family):
    daemon = family.daemon(network, "forward_without_querier = false;")
    receiver = watched_stream(family, network)
    capture = family.capture(network.host)
    other = lower(family, network)
    other.query(**FORGED)
    daemon.wait_for_output(ANOTHER)
    receiver.wait_for_silence()
    mcproxyctl(daemon, "reload")
    receiver.wait_for(5)
    capture.wait_for(lambda m: m.kind == "query" and m.source == own_address(family, network), "a general query")
    assert link(daemon, family)["this_router_is_querier"]
    # A router that is there wins again.
    other.query()
    wait_until(lambda: not link(daemon, family)["this_router_is_querier"], what="the other querier again")


@both_families
def test_without_an_election_a_lower_address_changes_nothing(network, family):
    daemon = family.daemon(network, "querier_election = false; forward_without_querier = false;")
    receiver = watched_stream(family, network)
    other = lower(family, network)
    for _ in range(5):
        other.query(**FORGED)
    wait_until(lambda: link(daemon, family)["counters"]["queries_heard"] == 5, what="the queries")
    receiver.wait_for(50)
    assert not receiver.gaps()
    assert link(daemon, family)["this_router_is_querier"]
    assert ANOTHER not in daemon.stderr


def test_a_querier_from_outside_the_subnet_is_ignored(network):
    daemon = IPV4.daemon(network, "forward_without_querier = false;")
    receiver = watched_stream(IPV4, network)
    for address in ("1.0.0.1", "10.0.0.200", "1.0.0.1"):
        IPV4.guest(network.host, address).query(**FORGED)
    daemon.wait_for_output("eth1: querier 1.0.0.1 is outside the link's subnets")
    daemon.wait_for_output("eth1: querier 10.0.0.200 is outside the link's subnets")
    receiver.wait_for(50)
    assert not receiver.gaps()
    state = link(daemon)
    assert state["this_router_is_querier"] and state["foreign_querier"] == "1.0.0.1"
    assert state["drops"]["querier outside the subnet"] == 3
    assert daemon.stderr.count("querier 1.0.0.1 is outside") == 1
    finding = wait_for_finding(daemon, "querier-downstream", "eth1", "outside the subnets of the link is ignored: 1.0.0.1")
    assert "add an address of its subnet to eth1" in finding["remedy"]
    # From each subnet of the link a querier takes part, also from one that is added later.
    network.router.ip("address add 10.0.0.77/24 dev eth1")
    wait_until(lambda: IPV4.guest(network.host, "10.0.0.20").query() or not link(daemon)["this_router_is_querier"],
               what="a querier of the second subnet", interval=0.2)
    network.router.ip("address del 10.0.0.77/24 dev eth1")
    mcproxyctl(daemon, "reload")
    wait_until(lambda: link(daemon)["this_router_is_querier"], what="the own election")
    IPV4.guest(network.host, "10.0.0.21").query()
    daemon.wait_for_output("eth1: querier 10.0.0.21 is outside the link's subnets")


@pytest.mark.parametrize("addresses", [["10.0.1.50/32"], ["10.0.1.50 peer 10.9.9.9/32"], [],
                                       [f"10.{n}.1.50/24" for n in range(1, 25)]],
                         ids=["/32", "peer", "unnumbered", "24 subnets"])
def test_a_link_without_known_subnets_accepts_any_querier(network, addresses):
    """Tunnels and point-to-point links; and more subnets than a link passes on."""
    network.router.ip("address flush dev eth1 scope global", *(f"address add {text} dev eth1" for text in addresses))
    daemon = IPV4.daemon(network)
    wait_until(lambda: bool(addresses) == (link(daemon)["address"] is not None), what=lambda: str(link(daemon)))
    IPV4.guest(network.host, "1.0.0.1").query()
    daemon.wait_for_output(ANOTHER)


def test_a_virtual_address_does_not_remove_the_subnet(network):
    """keepalived adds /32 addresses to a link."""
    network.router.ip("address add 10.0.1.7/32 dev eth1")
    daemon = IPV4.daemon(network)
    IPV4.guest(network.host, "1.0.0.1").query()
    daemon.wait_for_output("outside the link's subnets")
    assert ANOTHER not in daemon.stderr


@pytest.mark.smoke
@both_families
def test_the_router_asks_after_a_leave_where_the_elected_switch_does_not(network, family):
    """Many switches never send specific queries: the last member must not keep the stream for minutes."""
    daemon = family.daemon(network, QUICK + "forward_without_querier = true;")
    capture = family.capture(network.host)
    guest = family.guest(network.host)
    guest.report(Record("TO_EX", family.group))
    wait_until(lambda: family.group in family.joined(network), what="the join upstream")
    lower(family, network).query(**FORGED)
    daemon.wait_for_output(ANOTHER)
    guest.report(Record("TO_IN", family.group))
    leave = capture.wait_for(lambda m: m.kind == "report" and m.records and m.records[0].type == "TO_IN", "the leave")
    wait_until(lambda: family.group not in family.joined(network), 5, "the end of the membership")
    queries = own_queries(family, network, capture, family.group)
    assert len(queries) == 7  # the robustness that the querier announces
    assert 0.19 < queries[0].time - leave.time < 0.5  # one last member query interval


@both_families
def test_a_member_that_remains_keeps_its_stream(network, family):
    daemon = family.daemon(network, QUICK + "forward_without_querier = true;")
    receiver = watched_stream(family, network)
    lower(family, network).query()
    daemon.wait_for_output(ANOTHER)
    capture = family.capture(network.host)
    # A repetition of the receiver's join may settle the first leave.
    wait_until(lambda: family.guest(network.host).report(Record("TO_IN", family.group)) or
               len(own_queries(family, network, capture, family.group)) >= 2, what="the queries", interval=0.5)
    receiver.wait_for(50)
    assert not receiver.gaps()


@both_families
def test_a_querier_that_asks_is_left_to_it(network, family):
    daemon = family.daemon(network, "last_member_query_interval = 1; forward_without_querier = true;")
    capture = family.capture(network.host)
    guest, other = family.guest(network.host), lower(family, network)
    guest.report(Record("TO_EX", family.group))
    wait_until(lambda: family.group in family.joined(network), what="the join upstream")
    other.query()
    daemon.wait_for_output(ANOTHER)
    guest.report(Record("TO_IN", family.group))
    other.query(group=family.group, max_response=1.0)
    wait_until(lambda: family.group not in family.joined(network), 5, "the end of the membership")
    assert not own_queries(family, network, capture, family.group)


@both_families
def test_a_leave_in_the_older_version_is_asked_about_too(network, family):
    daemon = family.daemon(network, QUICK + "forward_without_querier = true;", protocol=family.older)
    capture = family.capture(network.host)
    guest = family.guest(network.host)
    guest.join(family.group)
    wait_until(lambda: family.group in family.joined(network), what="the join upstream")
    lower(family, network).query(version=family.older_version)
    daemon.wait_for_output(ANOTHER)
    guest.leave(family.group)
    wait_until(lambda: family.group not in family.joined(network), 5, "the end of the membership")
    assert own_queries(family, network, capture, family.group)


@both_families
def test_doctor_names_a_querier_that_has_stopped(network, family):
    daemon = family.daemon(network, "query_response_interval = 0.5; query_interval = 1;")
    lower(family, network).query(robustness=7, query_interval=1)
    daemon.wait_for_output(ANOTHER)
    finding = wait_for_finding(daemon, "querier-downstream", "eth1", "has stopped")
    assert "mcproxyctl reload" in finding["remedy"]


def own(network, capture, kind, group):
    return [m for m in capture.select(kind) if m.source == "10.0.0.1" and
            (m.group == group or any(record.group == group for record in m.records))]


@pytest.mark.parametrize("membership", ["kernel", "user", "auto"])
def test_a_version_1_query_upstream_does_not_suppress_leaves(router, membership):
    network = router
    daemon = IPV4.daemon(network, f'upstream_membership = "{membership}"; {QUICK}', flags="")
    upstream = IPV4.capture(network.source)
    guest = IPV4.guest(network.host)
    guest.report(Record("TO_EX", IPV4.group))
    upstream.wait_for(lambda m: any(r.group == IPV4.group for r in m.records), "the join")
    CraftedHost(network.source, "eth0", "10.0.0.66").query(version=1)
    daemon.wait_for_output("eth0: mcproxy ignores an IGMPv1 query")
    guest.report(Record("TO_IN", IPV4.group))

    def leaves():
        return [m for m in own(network, upstream, "report", IPV4.group)
                if any(r.type == "TO_IN" and r.group == IPV4.group for r in m.records)]
    wait_until(lambda: len(leaves()) >= 2, 5, "the leave and its repetition")
    guest.report(Record("TO_EX", IPV4.other_group))
    upstream.wait_for(lambda m: any(r.type == "TO_EX" and r.group == IPV4.other_group for r in m.records), "a join")
    if membership != "kernel":  # the kernel reports what it keeps in version 1
        assert_stays(lambda: not [m for m in own(network, upstream, "report", IPV4.other_group) if m.version == 1], 1,
                     "no version 1 report")
    # Version 2 is still followed.
    CraftedHost(network.source, "eth0", "10.0.0.66").query(version=2, max_response=0.2)
    guest.report(Record("TO_EX", "239.1.2.9"))
    upstream.wait_for(lambda m: m.version == 2 and m.group == "239.1.2.9", "a version 2 join")


def test_version_1_is_followed_where_it_is_configured(router):
    network = router
    IPV4.daemon(network, 'upstream_version = "IGMPv1";' + QUICK)
    upstream = IPV4.capture(network.source)
    IPV4.guest(network.host).report(Record("TO_EX", IPV4.group))
    upstream.wait_for(lambda m: m.version == 1 and m.group == IPV4.group, "a version 1 join")


@pytest.mark.parametrize("family, oldest, dropped", [(IPV4, "IGMPv2", (1,)), (IPV4, "IGMPv3", (1, 2)),
                                                     (IPV6, "MLDv2", (1,))], ids=["IGMPv2", "IGMPv3", "MLDv2"])
def test_older_hosts_and_queriers_are_ignored(network, family, oldest, dropped):
    """One version 1 report would make the group ignore leaves for minutes."""
    daemon = family.daemon(network, f'oldest_version = "{oldest}"; {QUICK}')
    guest = family.guest(network.host)
    guest.report(Record("TO_EX", family.group))
    wait_until(lambda: family.group in family.joined(network), what="the join upstream")
    for version in dropped:
        older = {"version": version} if family is IPV4 else {}
        guest.join(family.group, **older)
        guest.join(family.other_group, **older)
        lower(family, network).query(version=version)
    wait_until(lambda: link(daemon, family)["drops"].get("older than oldest_version") == 3 * len(dropped), what="the drops")
    assert family.other_group not in family.joined(network)
    assert ANOTHER not in daemon.stderr
    guest.report(Record("TO_IN", family.group))
    wait_until(lambda: family.group not in family.joined(network), 5, "the end of the membership")


@both_families
def test_reports_from_impossible_hosts_have_no_effect(network, family):
    """Multicast, loopback and broadcast addresses, and the router's own."""
    network.router.ip("address add 10.0.1.51/24 dev eth1")  # a secondary address
    daemon = family.daemon(network, QUICK)
    own_addresses = ("10.0.1.50", "10.0.1.51") if family is IPV4 else (own_address(family, network),)
    others = ("224.0.0.1", "127.0.0.1", "255.255.255.255", "10.0.1.255") if family is IPV4 else ("ff02::1", "::1")
    provider = family.guest(network.host)
    provider.report(Record("TO_EX", family.group))
    wait_until(lambda: family.group in family.joined(network), what="the join upstream")
    before = dict(link(daemon, family)["drops"])
    for address in own_addresses + others:
        forged = family.guest(network.host, address)
        forged.report(Record("TO_EX", family.ssm_group))
        forged.join(family.ssm_group)
        forged.leave(family.group)
    cause = "source no host address" if family is IPV4 else "source not link-local"

    def grown(name):
        return link(daemon, family)["drops"].get(name, 0) - before.get(name, 0)
    wait_until(lambda: grown("source is this router") == 3 * len(own_addresses), what=lambda: str(link(daemon, family)["drops"]))
    wait_until(lambda: grown(cause) == 3 * len(others), what=lambda: str(link(daemon, family)["drops"]))
    assert_stays(lambda: family.group in family.joined(network), 0.7, "the group, which nobody has left")
    assert family.ssm_group not in family.joined(network)
