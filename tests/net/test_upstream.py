# SPDX-License-Identifier: BSD-2-Clause
"""The router as a host on its upstream link: reports, answers, older queriers, and no querier at all."""

import signal
import time

import pytest
from families import FAMILIES, IPV4, IPV6
from netlab import Record, Sender, assert_stays, tables, wait_until

both_families = pytest.mark.parametrize("family", FAMILIES, ids=str)
USER = 'upstream_membership = "user"; last_member_query_interval = 0.2; unsolicited_report_interval = %s; '
QUICK = USER % 0.4
LEAVE = {4: "224.0.0.2", 6: "ff02::2"}
REPORT = {4: "224.0.0.22", 6: "ff02::16"}


def own(family, network, capture, kind=None, group=None, after=0.0):
    """What the router itself has said on the upstream link of groups that it proxies."""
    source = "10.0.0.1" if family is IPV4 else network.router.link_local("eth0")
    return [m for m in capture.select(kind, group=group, after=after) if m.source == source and m.kind != "query"
            and any(is_proxied(g) for g in (m.group, *(r.group for r in m.records)) if g)]


def is_proxied(group):
    """Not one of those that every kernel joins for itself."""
    return not group.startswith(("224.0.0.", "ff02::"))


def records(capture, after=0.0):
    return [r for r in capture.records(after=after) if is_proxied(r.group)]


def ask(family, network, capture, **query):
    """The querier asks; returns when that was."""
    before = len(capture.messages)
    family.querier(network).query(**query)
    return wait_until(lambda: next((m for m in capture.messages[before:] if m.kind == "query"), None), what="the query").time


def wait_for_own(family, network, capture, predicate, what, after=0.0, timeout=5.0):
    return wait_until(lambda: next((m for m in own(family, network, capture, after=after) if predicate(m)), None), timeout,
                      lambda: f"{what}; seen: {own(family, network, capture)[-6:]}")


def settle(family, network, capture, group, copies):
    """Waits for all copies of a state-change report, so that later ones are answers."""
    wait_until(lambda: len(own(family, network, capture, group=group)) >= copies, 6,
               lambda: f"{copies} reports of {group}; seen: {own(family, network, capture, group=group)}")


def answers(capture, group, types=("IS_IN", "IS_EX"), after=0.0):
    return [r for r in capture.records(group, after=after) if r.type in types]


@pytest.mark.smoke
@both_families
def test_user_membership_joins_nothing_in_the_kernel_and_the_stream_flows(router, family):
    network = router
    family.daemon(network, QUICK)
    upstream = family.capture(network.source)
    receiver = family.receiver(network.host).join(family.group)
    Sender(network.source, "eth0", family.group).start(pps=50)
    receiver.wait_for(5)
    report = upstream.wait_for_record("TO_EX", family.group)
    assert (report.destination, report.ttl, report.router_alert, report.checksum_good) == (
        REPORT[family.number], 1, True, True)
    assert report.source == ("10.0.0.1" if family is IPV4 else network.router.link_local("eth0"))
    assert family.group not in family.joined(network)
    receiver.leave(family.group)
    upstream.wait_for_record("TO_IN", family.group)


@both_families
def test_state_changes_are_told_robustness_times(router, family):
    network = router
    family.daemon(network, QUICK + "robustness = 3;")
    upstream = family.capture(network.source)
    guest = family.guest(network.host)
    for record, expected in ((Record("TO_EX", family.group), "TO_EX"), (Record("TO_IN", family.group), "TO_IN"),
                             (Record("ALLOW", family.ssm_group, family.sources[:1]), "ALLOW"),
                             (Record("BLOCK", family.ssm_group, family.sources[:1]), "BLOCK")):
        guest.report(record)
        wanted = Record(expected, record.group, record.sources)

        def times():
            return [m.time for m in upstream.select("report") if wanted in m.records]
        wait_until(lambda: len(times()) == 3, 4, lambda: f"three times {wanted}; seen: {upstream.records()}")
        assert all(later - earlier < 0.45 for earlier, later in zip(times(), times()[1:]))
    assert_stays(lambda: len(records(upstream)) == 12, 0.5, lambda: f"exactly three of each: {records(upstream)}")


@both_families
def test_the_queriers_robustness_is_adopted(router, family):
    """RFC 9776 section 4.1.6, RFC 9777 section 5.1.8: changes are reported as often as the latest query says, unless that is 0."""
    network = router
    family.daemon(network, QUICK + "robustness = 1;")
    upstream = family.capture(network.source)
    guest = family.guest(network.host)
    ask(family, network, upstream, robustness=4, max_response=0.1)
    guest.report(Record("TO_EX", family.group))
    settle(family, network, upstream, family.group, 4)
    ask(family, network, upstream, robustness=0, max_response=0.1)  # says nothing: the configured value
    guest.report(Record("TO_EX", family.other_group))

    def changes():
        return [r for r in upstream.records(family.other_group) if r.type == "TO_EX"]
    wait_until(changes, what="the join upstream")
    assert_stays(lambda: len(changes()) == 1, 0.9, lambda: f"one report: {upstream.records(family.other_group)}")


@both_families
def test_a_change_during_the_repetitions_is_merged_with_them(router, family):
    """ALLOW(A) is still to be repeated when B comes: both are reported until each was reported robustness times."""
    network = router
    family.daemon(network, USER % 1.0 + "robustness = 4;")
    upstream = family.capture(network.source)
    guest = family.guest(network.host)
    first, second = family.sources[:2]
    guest.report(Record("ALLOW", family.ssm_group, (first,)))
    guest.report(Record("ALLOW", family.ssm_group, (second,)))

    def told(source):
        return [r for r in upstream.records(family.ssm_group) if r.type == "ALLOW" and source in r.sources]
    wait_until(lambda: len(told(first)) == 4 and len(told(second)) == 4, 8,
               lambda: f"each source four times; seen: {upstream.records()}")
    assert [r for r in upstream.records(family.ssm_group) if len(r.sources) == 2]


@both_families
def test_a_change_of_mode_replaces_what_was_to_be_repeated(router, family):
    network = router
    family.daemon(network, QUICK + "robustness = 3;")
    upstream = family.capture(network.source)
    guest = family.guest(network.host)
    guest.report(Record("ALLOW", family.group, family.sources[:1]))
    upstream.wait_for_record("ALLOW", family.group, family.sources[0])
    guest.report(Record("TO_EX", family.group))
    first = upstream.wait_for_record("TO_EX", family.group)
    wait_until(lambda: len([r for r in upstream.records(family.group) if r.type == "TO_EX"]) == 3, what="three TO_EX")
    assert not [r for r in upstream.records(family.group, after=first.time) if r.type in ("ALLOW", "BLOCK", "TO_IN")]


@pytest.mark.smoke
@both_families
def test_general_query_is_answered_in_few_packets_within_the_response_time(router, family):
    network = router
    family.daemon(network, QUICK + "robustness = 1;")
    upstream = family.capture(network.source)
    guest = family.guest(network.host)
    groups = [f"{family.group[:-1]}{100 + number}" for number in range(40)]
    guest.report(*[Record("TO_EX", group) for group in groups[:20]])
    guest.report(*[Record("ALLOW", group, family.sources[:2]) for group in groups[20:]])
    wait_until(lambda: {r.group for r in upstream.records()} >= set(groups), what="the joins upstream")
    delays = []
    for _ in range(3):
        # General queries are followed once a second.
        wait_until(lambda: time.time() - upstream.messages[-1].time > 1, what="a second")
        asked = ask(family, network, upstream, max_response=0.8)

        def answered():
            return {r for r in records(upstream, asked) if r.type in ("IS_EX", "IS_IN")}
        wait_until(lambda: len(answered()) == 40, 2, lambda: f"answers; seen: {answered()}")
        reports = own(family, network, upstream, "report", after=asked)
        assert answered() == {Record("IS_EX", group) for group in groups[:20]} | {
            Record("IS_IN", group, family.sources[:2]) for group in groups[20:]}
        assert sum(len(m.records) for m in reports) == 40  # each group once
        assert len(reports) <= 2
        assert all(len(m.raw) <= 1500 for m in reports)
        delays.append(reports[0].time - asked)
    assert all(delay < 0.85 for delay in delays)
    assert max(delays) - min(delays) > 0.001, delays  # random


@both_families
def test_group_specific_query_is_answered_for_that_group_only(router, family):
    network = router
    family.daemon(network, QUICK + "robustness = 1;")
    upstream = family.capture(network.source)
    guest = family.guest(network.host)
    guest.report(Record("TO_EX", family.group), Record("ALLOW", family.other_group, family.sources[:2]))
    settle(family, network, upstream, family.group, 1)
    querier = family.querier(network)
    querier.query(group=family.group[:-1] + "99", max_response=0.3)  # a group that no host wants
    asked = ask(family, network, upstream, group=family.group, max_response=0.3)
    wait_until(lambda: answers(upstream, family.group), 1, lambda: f"the answer in {upstream.records()}")
    assert answers(upstream, family.group) == [Record("IS_EX", family.group)]
    assert own(family, network, upstream, "report", after=asked)[0].time - asked < 0.35
    querier.query(group=family.other_group, max_response=0.3)
    wait_until(lambda: answers(upstream, family.other_group), 1, "the answer of an INCLUDE group")
    assert answers(upstream, family.other_group) == [Record("IS_IN", family.other_group, family.sources[:2])]
    assert len(own(family, network, upstream, "report", after=asked)) == 2
    assert not answers(upstream, family.group[:-1] + "99")


@both_families
def test_group_and_source_query_is_answered_by_the_table(router, family):
    """RFC 9776 section 5.2: INCLUDE(A) asked for B answers IS_IN(A*B), EXCLUDE(A) answers IS_IN(B-A), nothing if empty."""
    network = router
    first, second, third, fourth = family.sources
    family.daemon(network, QUICK + "robustness = 1;")
    upstream = family.capture(network.source)
    guest = family.guest(network.host)
    guest.report(Record("ALLOW", family.group, (first, second)), Record("TO_EX", family.other_group, (first, second)))
    settle(family, network, upstream, family.group, 1)
    settle(family, network, upstream, family.other_group, 1)
    querier = family.querier(network)
    querier.query(group=family.group, sources=(third, fourth), max_response=0.3)  # no answer
    querier.query(group=family.other_group, sources=(first,), max_response=0.3)  # no answer
    querier.query(group=family.group, sources=(second, third), max_response=0.3)
    wait_until(lambda: answers(upstream, family.group), 1, lambda: f"an answer in {upstream.records()}")
    querier.query(group=family.other_group, sources=(second, third), max_response=0.3)
    wait_until(lambda: answers(upstream, family.other_group), 1, lambda: f"an answer in {upstream.records()}")
    assert answers(upstream, family.group) == [Record("IS_IN", family.group, (second,))]
    assert answers(upstream, family.other_group) == [Record("IS_IN", family.other_group, (third,))]


@both_families
def test_general_query_overtakes_a_later_answer_to_a_specific_one(router, family):
    """One answer is enough when both are waiting for the same group (RFC 9776 section 5.2, rules 1 to 5)."""
    network = router
    family.daemon(network, QUICK + "robustness = 1;")
    upstream = family.capture(network.source)
    family.guest(network.host).report(Record("ALLOW", family.group, family.sources[:3]))
    settle(family, network, upstream, family.group, 1)
    querier = family.querier(network)
    querier.query(group=family.group, sources=family.sources[:1], max_response=1.0)
    querier.query(group=family.group, sources=family.sources[1:2], max_response=1.0)
    querier.query(group=family.group, max_response=1.0)
    wait_until(lambda: answers(upstream, family.group), 2, "an answer")
    assert_stays(lambda: len(answers(upstream, family.group)) <= 2, 1.0, lambda: f"few answers: {upstream.records()}")
    assert answers(upstream, family.group)[0] in (
        Record("IS_IN", family.group, family.sources[:1]), Record("IS_IN", family.group, family.sources[:2]),
        Record("IS_IN", family.group, family.sources[:3]))
    assert Record("IS_IN", family.group, family.sources[:3]) in answers(upstream, family.group)


@pytest.mark.smoke
@both_families
def test_older_querier_is_answered_in_its_version_until_it_is_gone(router, family):
    """... robustness x query interval after its last query, and ten of its response times; MLD: the response interval."""
    network = router
    family.daemon(network, QUICK + "query_interval = 1; query_response_interval = 0.5; robustness = 2; "
                  "repeat_without_querier = false;")
    upstream = family.capture(network.source)
    guest = family.guest(network.host)
    guest.report(Record("TO_EX", family.group))
    settle(family, network, upstream, family.group, 2)
    querier = family.querier(network)
    querier.query(version=family.older_version, max_response=0.1)
    answer = wait_for_own(family, network, upstream, lambda m: m.version == family.older_version and m.group == family.group,
                          "the answer in the older version")
    assert (answer.kind, answer.destination, answer.ttl, answer.router_alert) == ("report", family.group, 1, True)

    guest.report(Record("TO_EX", family.other_group))
    settle(family, network, upstream, family.other_group, 2)
    assert {m.version for m in own(family, network, upstream, group=family.other_group)} == {family.older_version}
    guest.report(Record("TO_IN", family.other_group))
    leave = wait_for_own(family, network, upstream, lambda m: m.kind == "leave" and m.group == family.other_group, "a leave")
    assert leave.destination == LEAVE[family.number]

    def newest_again():
        guest.report(Record("IS_EX", family.group))  # no other member keeps it alive
        querier.query(max_response=0.1)
        return [m for m in own(family, network, upstream, group=family.group, after=answer.time + 0.4) if m.records]
    wait_until(newest_again, 5, "reports in the newest version again", interval=0.2)
    expected = 2 + (10 * 0.1 if family is IPV4 else 0.5)
    assert own(family, network, upstream, group=family.group)[-1].time - answer.time > expected - 0.2


def test_configured_v1_querier_is_answered_in_version_1_and_told_of_no_leave(router):
    network = router
    IPV4.daemon(network, QUICK + 'robustness = 1; upstream_version = "IGMPv1";')
    upstream = IPV4.capture(network.source)
    IPV4.querier(network).query(version=1)
    upstream.wait_for(lambda m: m.kind == "query", "the query")
    guest = IPV4.guest(network.host)
    guest.report(Record("TO_EX", IPV4.group))
    settle(IPV4, network, upstream, IPV4.group, 1)
    assert own(IPV4, network, upstream, group=IPV4.group)[0].version == 1
    guest.report(Record("TO_IN", IPV4.group))
    guest.report(Record("TO_EX", IPV4.other_group))
    settle(IPV4, network, upstream, IPV4.other_group, 1)
    assert_stays(lambda: not own(IPV4, network, upstream, "leave") and not records(upstream), 0.6, "no leave to a v1 router")


@pytest.mark.parametrize("family, version", [(IPV4, 2), (IPV6, 1)], ids=["IGMPv2", "MLDv1"])
def test_kernel_membership_falls_back_with_the_querier(router, family, version):
    """Both the kernel's reports and the crafted ones in front of them are in the version of the querier heard."""
    network = router
    daemon = family.daemon(network, "last_member_query_interval = 0.2;", flags="")
    upstream = family.capture(network.source)
    guest = family.guest(network.host)
    guest.report(Record("TO_EX", family.group))
    settle(family, network, upstream, family.group, 3)  # two of the kernel's and the crafted one
    assert all(m.records for m in own(family, network, upstream))

    asked = ask(family, network, upstream, version=version, max_response=0.2)
    guest.report(Record("TO_EX", family.other_group))
    first = wait_for_own(family, network, upstream, lambda m: m.group == family.other_group, "the join", after=asked)
    assert (first.kind, first.version, first.destination) == ("report", version, family.other_group)
    wait_until(lambda: family.other_group in family.joined(network), what="the join in the kernel")
    guest.report(Record("ALLOW", family.ssm_group, family.sources[:1]))
    # The older version has no sources: the whole group.
    wait_for_own(family, network, upstream, lambda m: m.group == family.ssm_group, "the join of the source", after=asked)

    guest.report(Record("TO_IN", family.other_group))
    wait_until(lambda: family.other_group not in family.joined(network), what="the leave in the kernel")
    wait_for_own(family, network, upstream, lambda m: m.kind == "leave" and m.group == family.other_group, "the leave")
    assert {m.version for m in own(family, network, upstream, "report", after=asked)} == {version}
    assert not records(upstream, after=asked)
    name = f"{'IGMP' if family is IPV4 else 'MLD'}v{version}"
    assert daemon.stderr.count(f"eth0: the querier upstream uses {name}: mcproxy joins whole groups there") == 1


def test_source_filters_become_whole_groups_for_an_older_querier(router):
    network = router
    IPV4.daemon(network, QUICK + "robustness = 1;")
    upstream = IPV4.capture(network.source)
    IPV4.querier(network).query(version=2, max_response=0.2)
    upstream.wait_for(lambda m: m.kind == "query", "the query")
    guest = IPV4.guest(network.host)
    guest.report(Record("ALLOW", IPV4.group, IPV4.sources[:1]))
    settle(IPV4, network, upstream, IPV4.group, 1)
    guest.report(Record("BLOCK", IPV4.group, IPV4.sources[:1]))
    wait_for_own(IPV4, network, upstream, lambda m: m.kind == "leave" and m.group == IPV4.group, "the leave")


@both_families
@pytest.mark.parametrize("membership", ["kernel", "user"])
def test_fixed_version_is_kept_whoever_asks_and_restored_at_exit(router, family, membership):
    network = router
    daemon = family.daemon(network, f'upstream_membership = "{membership}"; upstream_version = "{family.older}"; '
                           "unsolicited_report_interval = 0.4; last_member_query_interval = 0.2;")
    if membership == "kernel":
        assert family.forced_version(network.router) == family.older_version
    assert family.forced_version(network.router, "eth1") == 0
    upstream = family.capture(network.source)
    guest = family.guest(network.host)
    family.querier(network).query(max_response=0.2)
    guest.report(Record("TO_EX", family.group))
    joins = 1 if membership == "kernel" and family is IPV6 else 2  # Linux sends MLDv1 reports as soon as we could
    settle(family, network, upstream, family.group, joins)
    family.querier(network).query(max_response=0.2)
    settle(family, network, upstream, family.group, joins + 1)
    assert {m.version for m in own(family, network, upstream)} == {family.older_version}
    guest.report(Record("TO_IN", family.group))
    wait_for_own(family, network, upstream, lambda m: m.kind == "leave" and m.group == family.group, "the leave")
    assert not [m for m in own(family, network, upstream) if m.records]
    daemon.terminate()
    assert family.forced_version(network.router) == 0


@both_families
def test_fixed_newest_version_is_kept_under_an_older_querier(router, family):
    network = router
    family.daemon(network, QUICK + f'robustness = 1; upstream_version = "{family.protocol}";')
    upstream = family.capture(network.source)
    family.querier(network).query(version=family.older_version, max_response=0.2)
    upstream.wait_for(lambda m: m.kind == "query", "the query")
    family.guest(network.host).report(Record("ALLOW", family.group, family.sources[:1]))
    upstream.wait_for_record("ALLOW", family.group, family.sources[0])


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGKILL])
def test_what_the_administrator_forced_is_restored(router, ending):
    """After a kill, by the next run."""
    network = router
    network.router.force_igmp_version("eth0", 3)
    daemon = IPV4.daemon(network, 'upstream_version = "IGMPv2";')
    assert IPV4.forced_version(network.router) == 2
    if ending == signal.SIGTERM:
        daemon.terminate()
    else:
        daemon.kill()
        IPV4.daemon(network).terminate()
    assert IPV4.forced_version(network.router) == 3


@pytest.mark.smoke
@both_families
@pytest.mark.parametrize("membership", ["kernel", "user"])
def test_without_queries_the_state_is_told_again_and_again(router, family, membership):
    """A snooping switch without a querier would forget the members. Robustness x 1 s + 0.5 s is the membership interval."""
    network = router
    daemon = family.daemon(network, "query_interval = 1; query_response_interval = 0.5; unsolicited_report_interval = 0.3; "
                           f'upstream_membership = "{membership}"; ', flags="")
    upstream = family.capture(network.source)
    receiver = family.receiver(network.host).join(family.group)
    first = upstream.wait_for_record("TO_EX", family.group)

    def repeated(after=first.time + 1.8):
        return [m for m in own(family, network, upstream, "report", family.group, after)
                if any(r.group == family.group and r.type in ("IS_EX", "TO_EX") for r in m.records)]
    wait_until(lambda: len(repeated()) >= 3, 8,
               lambda: f"the state three times more; seen: {upstream.records(family.group)}")
    assert "query" in daemon.stderr and "eth0" in daemon.stderr
    assert len([line for line in daemon.stderr.splitlines() if "query" in line]) == 1, daemon.stderr
    assert receiver.count() == 0

    # A querier appears: from then on it decides when.
    heard = ask(family, network, upstream, max_response=0.2)
    assert_stays(lambda: len(repeated(heard + 0.4)) == 0, 1.2, "only answers while there is a querier")


@both_families
def test_repetition_without_querier_can_be_turned_off(router, family):
    network = router
    daemon = family.daemon(network, QUICK + "query_interval = 1; query_response_interval = 0.5; "
                           "repeat_without_querier = false; ")
    upstream = family.capture(network.source)
    family.guest(network.host).report(Record("IS_EX", family.group))
    settle(family, network, upstream, family.group, 2)
    # The guest does not answer either, so its membership would end: keep it.
    count = len(own(family, network, upstream, group=family.group))
    guest = family.guest(network.host)

    def quiet():
        guest.report(Record("IS_EX", family.group))
        return len(own(family, network, upstream, group=family.group)) == count
    assert_stays(quiet, 4.0, "no report without a query", interval=0.3)
    assert daemon.running


@both_families
def test_many_groups_are_packed_by_the_mtu(router, family):
    network = router
    network.router.ip("link set eth0 mtu 1280")
    family.daemon(network, QUICK + "robustness = 1;")
    upstream = family.capture(network.source)
    guest = family.guest(network.host)
    base = "239.77.0.%d" if family is IPV4 else "ff1e::77:%x"
    groups = [base % number for number in range(1, 251)]
    for start in range(0, 250, 50):
        guest.report(*[Record("TO_EX", group) for group in groups[start:start + 50]])
    wait_until(lambda: {r.group for r in upstream.records()} >= set(groups), what="all joins upstream")
    assert not set(groups) & set(family.joined(network))
    asked = ask(family, network, upstream, max_response=0.5)
    wait_until(lambda: len([r for r in records(upstream, asked) if r.type == "IS_EX"]) == 250, 3, "all answers")
    reports = own(family, network, upstream, "report", after=asked)
    assert all(len(m.raw) <= 1280 for m in reports)
    record_size, header = (8, 32) if family is IPV4 else (20, 56)
    assert len(reports) == -(-250 // ((1280 - header) // record_size)), [len(m.records) for m in reports]


def test_a_long_source_list_is_split_over_packets(router):
    """Nothing is lost of 500 sources: 4 bytes each, 365 in a packet."""
    network = router
    IPV4.daemon(network, QUICK + "robustness = 1;")
    upstream = IPV4.capture(network.source)
    sources = [f"10.9.{number // 250}.{number % 250 + 1}" for number in range(500)]
    guest = IPV4.guest(network.host)
    for start in (0, 250):
        guest.report(Record("ALLOW", IPV4.ssm_group, tuple(sources[start:start + 250])))
    wait_until(lambda: {s for r in upstream.records(IPV4.ssm_group) if r.type == "ALLOW" for s in r.sources} == set(sources),
               what="all sources upstream")
    IPV4.querier(network).query(max_response=0.3)
    wait_until(lambda: {s for r in answers(upstream, IPV4.ssm_group) for s in r.sources} == set(sources), 2,
               "all sources answered")
    assert all(r.type == "IS_IN" for r in answers(upstream, IPV4.ssm_group))


def test_queries_that_are_no_valid_queries_get_no_answer(router):
    """Not from ::, not with a hop limit of 2, not without router alert, not for another unicast receiver."""
    network = router
    IPV6.daemon(network, QUICK + "robustness = 1;")
    upstream = IPV6.capture(network.source)
    IPV6.guest(network.host).report(Record("TO_EX", IPV6.group))
    settle(IPV6, network, upstream, IPV6.group, 1)
    IPV6.guest(network.source, "::").query(max_response=0.1)
    IPV6.guest(network.source, "fd00::10").query(max_response=0.1)
    querier = IPV6.querier(network)
    querier.query(max_response=0.1, hop_limit=2)
    querier.query(max_response=0.1, router_alert=False)
    assert_stays(lambda: not answers(upstream, IPV6.group), 0.5, "no answer")
    querier.query(max_response=0.1)
    wait_until(lambda: answers(upstream, IPV6.group), 1, "the answer to a valid query")


@both_families
def test_a_query_about_sources_that_cannot_send_gets_no_answer(router, family):
    """It is not one about the whole group."""
    network = router
    family.daemon(network, QUICK + "robustness = 1;")
    upstream = family.capture(network.source)
    family.guest(network.host).report(Record("TO_EX", family.group))
    settle(family, network, upstream, family.group, 1)
    impossible = ("224.1.1.1", "240.0.0.1") if family is IPV4 else ("::1", "ff02::1")
    family.querier(network).query(group=family.group, sources=impossible, max_response=0.1)
    assert_stays(lambda: not answers(upstream, family.group), 0.5, "no answer")
    family.querier(network).query(group=family.group, max_response=0.1)
    wait_until(lambda: answers(upstream, family.group), 1, "the answer about the group")


@both_families
def test_everything_is_left_at_exit(router, family):
    network = router
    daemon = family.daemon(network, QUICK)
    upstream = family.capture(network.source)
    family.guest(network.host).report(Record("TO_EX", family.group), Record("ALLOW", family.ssm_group, family.sources[:1]))
    upstream.wait_for_record("TO_EX", family.group)
    upstream.wait_for_record("ALLOW", family.ssm_group, family.sources[0])
    daemon.terminate()
    upstream.wait_for_record("TO_IN", family.group)
    upstream.wait_for_record("BLOCK", family.ssm_group, family.sources[0])
    assert tables.routes(network.router) == {} and tables.routes6(network.router) == {}


@both_families
def test_the_kernel_keeps_the_first_groups_and_the_daemon_those_beyond(router, family):
    network = router
    daemon = family.daemon(network, "kernel_groups_max = 3; robustness = 1; last_member_query_interval = 0.2;", flags="")
    upstream = family.capture(network.source)
    guest = family.guest(network.host)
    base = "239.77.0.%d" if family is IPV4 else "ff1e::77:%x"
    groups = [base % number for number in range(1, 9)]
    guest.report(*[Record("TO_EX", group) for group in groups])
    wait_until(lambda: {r.group for r in upstream.records()} >= set(groups), what="all joins upstream")
    in_kernel = set(groups) & set(family.joined(network))
    assert len(in_kernel) == 3
    daemon.signal(signal.SIGUSR1)
    daemon.wait_for_output("kept\t3 by the kernel, 5 by mcproxy")
    # The querier hears of all of them, from the one or the other.
    asked = ask(family, network, upstream, max_response=0.5)
    wait_until(lambda: {r.group for r in records(upstream, asked) if r.type == "IS_EX"} >= set(groups), 3, "all answers")
    daemon.terminate()
    for group in groups:
        upstream.wait_for_record("TO_IN", group)


@pytest.mark.parametrize("family", FAMILIES, ids=str)
def test_the_end_leaves_in_an_older_version_too(router, family):
    network = router
    daemon = family.daemon(network, f'upstream_version = "{family.older}";')
    upstream = family.capture(network.source)
    family.receiver(network.host).join(family.group)
    upstream.wait_for(lambda m: m.kind == "report" and m.group == family.group, "the join upstream")
    # Before the kernel's own report, whose delay is random.
    daemon.terminate(signal.SIGTERM)
    upstream.wait_for(lambda m: m.kind == "leave" and m.group == family.group, "the leave upstream")
