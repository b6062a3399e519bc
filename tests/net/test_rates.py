# SPDX-License-Identifier: BSD-2-Clause
"""Floods from one host: other hosts of its link lose no join, and neither link gets more queries or reports than allowed."""

import time

import ctl
import pytest
import wire
from capture import send_packets
from families import FAMILIES, IPV4
from netlab import Record, wait_until

both_families = pytest.mark.parametrize("family", FAMILIES, ids=str)


def groups_of(family, count, base=0):
    pattern = "239.77.%d.%d" if family is IPV4 else "ff1e::77:%x:%x"
    return [pattern % divmod(number, 250) for number in range(base, base + count)]


def report_packet(family, address, *records):
    if family is IPV4:
        return wire.ipv4_packet(address, "224.0.0.22", wire.igmp_v3_report(*records))
    return wire.ipv6_packet(address, "ff02::16", wire.mld_v2_report(*records))


def counter(daemon, cause):
    return sum(link.get("drops", {}).get(cause, 0) for link in ctl.ask(daemon, "show", what="links")["links"])


def known(daemon):
    """The groups with members."""
    return {group["group"] for group in ctl.ask(daemon, "show", what="groups")["groups"]}


@both_families
def test_a_flood_costs_other_hosts_no_join(router, family):
    """Far more than report_rate_max, from one host: each of the joins of another host is received."""
    daemon = family.daemon(router, "report_rate_max = 2000; host_report_rate_max = 100;")
    flood = [report_packet(family, family.guest_address, Record("TO_EX", group)) for group in groups_of(family, 500)]
    quiet = family.guest(router.host, "10.0.1.78" if family is IPV4 else "fe80::78")
    wanted = groups_of(family, 20, 1000)
    for group in wanted:
        send_packets(router.host, "eth0", flood)
        quiet.report(Record("TO_EX", group))
    wait_until(lambda: set(wanted) <= known(daemon), what=lambda: f"joins; missing: {set(wanted) - known(daemon)}")
    assert counter(daemon, "host_report_rate_max exceeded") > 0
    assert counter(daemon, "report_rate_max exceeded") == 0


@both_families
@pytest.mark.parametrize("with_sources", [False, True], ids=["groups", "sources"])
def test_leaves_of_many_groups_cause_few_queries(router, family, with_sources):
    """One general query takes the place of the queries beyond the rate; a member that stays keeps its group."""
    daemon = family.daemon(router, "query_rate_max = 50; query_response_interval = 2; robustness = 1;")
    sources = family.sources[:1] if with_sources else ()
    downstream = family.capture(router.host)
    groups = groups_of(family, 400)
    guest = family.guest(router.host)
    join, leave, stay = ("ALLOW", "BLOCK", "IS_IN") if sources else ("TO_EX", "TO_IN", "IS_EX")
    parts = [groups[at:at + 20] for at in range(0, len(groups), 20)]
    for part in parts:
        guest.report(*(Record(join, group, sources) for group in part))
    wait_until(lambda: set(groups) <= known(daemon), what="the groups")
    left = time.monotonic()
    for part in parts:
        guest.report(*(Record(leave, group, sources) for group in part))
    general = downstream.wait_for(lambda m: m.kind == "query" and m.group == family.unspecified, "a general query", after=left)
    guest.report(Record(stay, groups[-1], sources))
    wait_until(lambda: known(daemon) == {groups[-1]}, 15, what=lambda: f"the end of the others; {len(known(daemon))} are left")
    queries = downstream.select("query", after=left)
    specific = [query for query in queries if query.group != family.unspecified]
    assert 1 <= len(specific) <= 20 + 50 * (queries[-1].time - left + 1)
    assert len(queries) - len(specific) <= 2 + (time.monotonic() - left) / 2
    assert general in queries
    assert counter(daemon, "query_rate_max exceeded") > 0


@both_families
def test_forged_queries_upstream_cause_few_reports(router, family):
    """Queries of the older version, back to back: each group that mcproxy keeps is reported once in a second at most."""
    family.daemon(router, f'upstream_membership = "user"; upstream_version = "{family.older}"; robustness = 1;')
    upstream = family.capture(router.source)
    groups = groups_of(family, 500)
    guest = family.guest(router.host)
    for at in range(0, len(groups), 20):
        guest.report(*(Record("TO_EX", group) for group in groups[at:at + 20]))
    wait_until(lambda: {m.group for m in upstream.select("report")} >= set(groups), 10, what="the joins upstream")
    time.sleep(2)  # the repetitions of the joins
    querier, asked = family.querier(router), time.monotonic()
    while time.monotonic() < asked + 4:
        querier.query(version=family.older_version, max_response=0.1)
    sent = upstream.select("report", after=asked)
    assert 500 <= len(sent) <= 500 * (sent[-1].time - sent[0].time + 2)
