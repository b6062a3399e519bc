# SPDX-License-Identifier: BSD-2-Clause
"""Several routers on a downstream link: which one sends queries, which one forwards, and what the others do."""

import pytest
from ctl import ask
from families import FAMILIES, IPV4, IPV6
from netlab import Daemon, Record, Sender, assert_stays, tables, wait_until

both_families = pytest.mark.parametrize("family", FAMILIES, ids=str)

# Quick to ask, slow to forget: no state ends by itself during a test.
QUICK = "query_interval = 1; query_response_interval = 0.5; robustness = 7; last_member_query_interval = 0.2; "
SLOW = "query_interval = 60; query_response_interval = 2; last_member_query_interval = 0.2; "


@pytest.fixture
def link(router):
    return router.raise_address()


def own_address(family, network):
    return "10.0.1.50" if family is IPV4 else network.router.link_local("eth1")


def lower(family, network):
    return family.guest(network.host, "10.0.1.20" if family is IPV4 else "fe80::1")


def higher(family, network):
    return family.guest(network.host, "10.0.1.200" if family is IPV4 else "fe80::ffff:ffff:ffff:ffff")


def own_queries(family, network, capture, after=0.0):
    source = own_address(family, network)
    return [m for m in capture.select("query", after=after) if m.source == source]


def wait_for_own_query(family, network, capture, after=0.0, timeout=5.0):
    source = own_address(family, network)
    return capture.wait_for(lambda m: m.kind == "query" and m.source == source, "a query of the router", timeout, after)


def last(capture):
    wait_until(lambda: capture.messages, what="a packet in the capture")
    return capture.messages[-1].time


def test_a_lost_election_is_told_without_debug(link):
    """It ends the streams on a link, so it must not need a debug log to be seen."""
    network = link
    daemon = IPV4.daemon(network, QUICK, flags="-r")
    lower(IPV4, network).query()
    daemon.wait_for_output("eth1: querier: another router (10.0.1.20); forward_without_querier decides what is forwarded there")
    assert "querier: this router" not in daemon.stderr
    # Queries from many addresses do not fill the log.
    for number in range(1, 20):
        IPV4.guest(network.host, f"10.0.1.{number}").query()
    wait_until(lambda: ask(daemon, "show", what="links", link="eth1")["links"][0]["counters"]["queries_heard"] == 20,
               what="all queries")
    assert daemon.stderr.count("querier: another router") == 1


@pytest.mark.smoke
@both_families
def test_lower_address_silences_the_router_and_higher_does_not(link, family):
    network = link
    capture = family.capture(network.host)
    daemon = family.daemon(network, QUICK)
    first = wait_for_own_query(family, network, capture)

    higher(family, network).query()
    second = wait_for_own_query(family, network, capture, after=first.time + 0.1)
    wait_for_own_query(family, network, capture, after=second.time + 0.1)
    assert "querier: another router" not in daemon.stderr

    lower(family, network).query()
    daemon.wait_for_output("querier: another router")
    silent_from = last(capture)
    assert_stays(lambda: not own_queries(family, network, capture, silent_from), 2.5, "no queries while not querier")


def test_queries_from_0_0_0_0_do_not_win(link):
    """Snooping switches ask that way."""
    network = link
    capture = IPV4.capture(network.host)
    daemon = IPV4.daemon(network, QUICK)
    first = wait_for_own_query(IPV4, network, capture)
    switch = IPV4.guest(network.host, "0.0.0.0")
    switch.query()
    switch.query(version=2)
    wait_for_own_query(IPV4, network, capture, after=first.time + 1.5)
    assert "querier: another router" not in daemon.stderr


@pytest.mark.smoke
@both_families
def test_only_the_querier_forwards(link, family):
    network = link
    daemon = family.daemon(network, QUICK + "forward_without_querier = false;")
    receiver = family.receiver(network.host).join(family.group)
    Sender(network.source, "eth0", family.group).start(pps=50)
    receiver.wait_for(5)
    lower(family, network).query()
    daemon.wait_for_output("querier: another router")
    receiver.wait_for_silence()
    source = family.sources[0]
    assert tables.outgoing_devices(network.router, source, family.group) == set()


@both_families
def test_a_router_that_is_not_querier_may_be_told_to_forward(link, family):
    network = link
    daemon = family.daemon(network, QUICK + "forward_without_querier = true;")
    receiver = family.receiver(network.host).join(family.group)
    Sender(network.source, "eth0", family.group).start(pps=50)
    receiver.wait_for(5)
    lower(family, network).query()
    daemon.wait_for_output("querier: another router")
    receiver.wait_for(50)
    # Members that join now are served as well.
    late = family.receiver(network.host).join(family.other_group)
    Sender(network.source, "eth0", family.other_group).start(pps=50)
    late.wait_for(5, group=family.other_group)


def test_streams_of_downstream_hosts_go_upstream_whoever_is_querier(link):
    """RFC 4605 section 4.2: being querier decides only what is forwarded to a downstream link."""
    network = link
    daemon = IPV4.daemon(network, QUICK)
    above = IPV4.receiver(network.source).join(IPV4.group)
    Sender(network.host, "eth0", IPV4.group).start(pps=50)
    above.wait_for(5)
    lower(IPV4, network).query()
    daemon.wait_for_output("querier: another router")
    above.wait_for(25)


@pytest.mark.smoke
@both_families
def test_router_takes_over_when_the_querier_goes_silent(link, family):
    """After the querier's robustness x interval and half of the response interval; members known before are still served."""
    network = link
    capture = family.capture(network.host)
    daemon = family.daemon(network, SLOW)
    guest = family.guest(network.host)
    wait_for_own_query(family, network, capture)
    guest.report(Record("TO_EX", family.group))
    wait_until(lambda: family.group in family.joined(network), what="the join upstream")
    lower(family, network).query(robustness=2, query_interval=1, max_response=2.0)
    daemon.wait_for_output("querier: another router")
    heard = last(capture)
    query = wait_for_own_query(family, network, capture, after=heard)
    assert 2.8 < query.time - heard < 3.4  # 2 x 1 s + 2 s / 2, which are the other's values; its own would be 121 s
    assert query.group == family.unspecified
    daemon.wait_for_output("querier: this router")


def test_router_that_takes_over_forwards_again(link):
    network = link
    daemon = IPV4.daemon(network, SLOW + "forward_without_querier = false;")
    receiver = IPV4.receiver(network.host).join(IPV4.group)
    Sender(network.source, "eth0", IPV4.group).start(pps=50)
    receiver.wait_for(5)
    lower(IPV4, network).query(robustness=1, query_interval=1, max_response=0.5)
    daemon.wait_for_output("querier: another router")
    receiver.wait_for_silence()
    daemon.wait_for_output("querier: this router")
    receiver.wait_for(5)


@both_families
def test_members_last_as_long_as_the_querier_says(link, family):
    """The group membership interval is made of the querier's robustness and interval."""
    network = link
    capture = family.capture(network.host)
    daemon = family.daemon(network, SLOW + "forward_without_querier = true;")
    wait_for_own_query(family, network, capture)
    other = lower(family, network)
    other.query(robustness=1, query_interval=1, max_response=0.5)
    daemon.wait_for_output("querier: another router")
    family.guest(network.host).report(Record("TO_EX", family.group))
    wait_until(lambda: family.group in family.joined(network), what="the join upstream")
    other.query(robustness=1, query_interval=1, max_response=0.5)
    # 1 x 1 s and twice the response interval, the router's own 2 s: not two minutes.
    wait_until(lambda: family.group not in family.joined(network), 8, "the end of the membership")


@both_families
def test_zero_robustness_and_interval_of_the_querier_leave_the_configured_values(link, family):
    """RFC 9776 sections 4.1.6 and 4.1.7: the router's own values are used then."""
    network = link
    capture = family.capture(network.host)
    daemon = family.daemon(network, "query_interval = 2; query_response_interval = 1; robustness = 1; ")
    wait_for_own_query(family, network, capture)
    lower(family, network).query(robustness=0, query_interval=0, max_response=1.0)
    daemon.wait_for_output("querier: another router")
    heard = last(capture)
    query = wait_for_own_query(family, network, capture, after=heard)
    assert 2.3 < query.time - heard < 2.9


@both_families
def test_a_robustness_above_7_is_told_as_0_and_kept(link, family):
    """RFC 9776 section 4.1.6, RFC 9777 section 5.1.8: that of a querier which tells 0, too."""
    network = link
    capture = family.capture(network.host)
    daemon = family.daemon(network, "query_interval = 2; query_response_interval = 1; robustness = 255; "
                                    "startup_query_count = 1; ")
    assert wait_for_own_query(family, network, capture).robustness == 0

    def timers():
        return ask(daemon, "show", what="links", link="eth1")["links"][0]["timers"]
    assert timers()["robustness"] == 255 and timers()["group_membership_interval"] == 255 * 2 + 2
    lower(family, network).query(robustness=0, query_interval=4, max_response=1.0)
    daemon.wait_for_output("querier: another router")
    wait_until(lambda: timers()["query_interval"] == 4, what="the querier's interval")
    assert timers()["robustness"] == 255 and timers()["group_membership_interval"] == 255 * 4 + 2


def tracked_group(family, network, record="TO_EX", sources=()):
    """The router is not querier and knows of a member that answers nothing; returns the querier."""
    daemon = family.daemon(network, SLOW + "forward_without_querier = true;")
    other = lower(family, network)
    family.guest(network.host).report(Record(record, family.group, sources))
    wait_until(lambda: family.group in family.joined(network), what="the join upstream")
    other.query(query_interval=60)
    daemon.wait_for_output("querier: another router")
    return other


@pytest.mark.smoke
@both_families
def test_timers_are_lowered_by_the_queriers_question_about_a_group(link, family):
    network = link
    other = tracked_group(family, network)
    capture = family.capture(network.host)
    other.query(group=family.group, max_response=0.2, suppress=True)
    assert_stays(lambda: family.group in family.joined(network), 1.0, "the group, as the S flag was set")
    other.query(group=family.group, max_response=0.2)
    wait_until(lambda: family.group not in family.joined(network), 2, "the end of the membership")
    assert not own_queries(family, network, capture)


@both_families
def test_timers_are_lowered_by_the_queriers_question_about_sources(link, family):
    network = link
    kept, dropped = family.sources[:2]
    other = tracked_group(family, network, "ALLOW", (kept, dropped))

    def filtered():
        return set(family.filters(network.router, "eth0").get(family.group, {}))
    wait_until(lambda: filtered() == {kept, dropped}, what="both sources upstream")
    other.query(group=family.group, sources=(dropped,), max_response=0.2, suppress=True)
    assert_stays(lambda: filtered() == {kept, dropped}, 1.0, "the sources, as the S flag was set")
    other.query(group=family.group, sources=(dropped,), max_response=0.2)
    wait_until(lambda: filtered() == {kept}, 2, "the end of one source")


@both_families
def test_a_question_about_sources_that_cannot_send_is_not_one_about_the_group(link, family):
    """RFC 9776 section 6.6.1: it lowers timers of sources, never the group's."""
    network = link
    other = tracked_group(family, network)
    impossible = ("224.1.1.1", "240.0.0.1") if family is IPV4 else ("::1", "ff02::1")
    other.query(group=family.group, sources=impossible, max_response=0.2)
    assert_stays(lambda: family.group in family.joined(network), 1.0, "the group")
    other.query(group=family.group, max_response=0.2)
    wait_until(lambda: family.group not in family.joined(network), 2, "the end of the membership")


@both_families
def test_a_router_that_loses_the_election_finishes_asking(link, family):
    """RFC 2236 section 3, RFC 2710 section 4: on links of the older versions."""
    network = link
    capture = family.capture(network.host)
    daemon = family.daemon(network, "query_interval = 60; last_member_query_interval = 0.5; last_member_query_count = 4;",
                           protocol=family.older)
    guest = family.guest(network.host)
    guest.join(family.group)
    wait_until(lambda: family.group in family.joined(network), what="the join upstream")
    guest.leave(family.group)
    wait_until(lambda: len(group_queries(family, network, capture)) == 1, what="the first question about the group")
    lower(family, network).query(version=family.older_version)
    daemon.wait_for_output("querier: another router")
    wait_until(lambda: family.group not in family.joined(network), what="the end of the group")
    assert len(group_queries(family, network, capture)) == 4


def group_queries(family, network, capture):
    return [m for m in own_queries(family, network, capture) if m.group == family.group]


@both_families
def test_a_querier_of_an_older_version_is_logged_once_and_the_own_version_kept(link, family):
    network = link
    capture = family.capture(network.host)
    daemon = family.daemon(network, QUICK, flags="")
    first = wait_for_own_query(family, network, capture)
    old = higher(family, network)
    for _ in range(3):
        old.query(version=family.older_version)
    daemon.wait_for_output(f"{family.older} querier {old.address}")
    after = wait_for_own_query(family, network, capture, after=first.time + 1.2)
    assert after.version == family.version
    assert daemon.stderr.count(f"{family.older} querier") == 1


def test_a_lower_querier_of_an_older_version_wins_as_well(link):
    network = link
    daemon = IPV4.daemon(network, QUICK)
    capture = IPV4.capture(network.host)
    lower(IPV4, network).query(version=2)
    daemon.wait_for_output("querier: another router")
    silent_from = last(capture)
    assert_stays(lambda: not own_queries(IPV4, network, capture, silent_from), 2, "no queries while not querier")


def test_families_have_their_own_queriers(link):
    network = link
    daemon = Daemon(network.router, f"{QUICK} instances = (\"eth0 ==> eth1\");", "-d", vifs=("eth0", "eth1"),
                    vifs6=("eth0", "eth1"))
    capture4, capture6 = IPV4.capture(network.host), IPV6.capture(network.host)
    lower(IPV6, network).query()
    daemon.wait_for_output("querier: another router")
    silent_from = last(capture6)
    first = wait_for_own_query(IPV4, network, capture4, after=silent_from)
    wait_for_own_query(IPV4, network, capture4, after=first.time + 0.1)
    assert not own_queries(IPV6, network, capture6, silent_from)


def test_a_link_whose_address_changes_takes_part_with_the_new_one(link):
    network = link
    capture = IPV4.capture(network.host)
    daemon = IPV4.daemon(network, QUICK)
    wait_for_own_query(IPV4, network, capture)
    network.router.ip("address add 10.0.1.5/24 dev eth1", "address del 10.0.1.50/24 dev eth1",
                      "address replace 10.0.1.5/24 dev eth1")
    capture.wait_for(lambda m: m.kind == "query" and m.source == "10.0.1.5", "a query from the new address")
    lower(IPV4, network).query()  # 10.0.1.20 is higher now
    capture.wait_for(lambda m: m.kind == "query" and m.source == "10.0.1.5", "another one", after=last(capture))
    assert "querier: another router" not in daemon.stderr
