# SPDX-License-Identifier: BSD-2-Clause
"""ssm_map: hosts that cannot name sources receive source-specific streams, and leave them in time."""

import time

import ctl
import pytest
from families import FAMILIES, IPV4
from netlab import Record, Sender, wait_until

both_families = pytest.mark.parametrize("family", FAMILIES, ids=str)
LAST_MEMBER = 1.0  # seconds: two queries


def settings(family, group, sources):
    entries = ", ".join(f'"{group} from {source}"' for source in sources)
    return f"last_member_query_interval = {LAST_MEMBER / 2}; ssm_map = [ {entries} ];"


def senders(network, family, group):
    """The first source is in the map, the second one is not."""
    network.source.add_addresses("eth0", f"{family.sources[1]}/{24 if family.number == 4 else 64}")
    return [Sender(network.source, "eth0", group, address=source).start(pps=100) for source in family.sources[:2]]


def queries(capture, group, after):
    return [message for message in capture.select("query", group=group, after=after)]


@pytest.mark.smoke
@both_families
def test_an_older_host_that_stays_keeps_the_stream_and_the_last_leave_ends_it(two_hosts, family):
    network, first, second = two_hosts
    group = family.ssm_group
    for host in (first, second):
        family.force_version(host, family.older_version)
    daemon = family.daemon(network, settings(family, group, family.sources[:1]))
    senders(network, family, group)
    downstream = family.capture(second)
    staying = family.receiver(second).join(group)
    staying.wait_for(20)
    leaving = family.receiver(first).join(group)
    leaving.wait_for(20)
    assert staying.count(family.sources[1]) == leaving.count(family.sources[1]) == 0
    shown = [entry for entry in ctl.ask(daemon, "show", what="groups")["groups"] if entry["group"] == group]
    assert [(entry["mode"], [source["source"] for source in entry["sources"]]) for entry in shown] == [
        ("INCLUDE", [family.sources[0]])]

    before = time.time()
    leaving.leave(group)
    query = wait_until(lambda: queries(downstream, group, before), what="a query about the group")[0]
    assert not query.sources
    staying.wait_for(staying.count() + 200)
    assert not staying.gaps()

    before = time.time()
    staying.leave(group)
    wait_until(lambda: group not in family.joined(network), what="the leave upstream")
    assert time.time() - before < LAST_MEMBER + 1.5
    assert all(not query.sources for query in queries(downstream, group, before))


@both_families
def test_hosts_of_the_newest_version_that_name_no_source(router, family):
    group = family.ssm_group
    daemon = family.daemon(router, settings(family, group, family.sources[:1]))
    senders(router, family, group)
    receiver = family.receiver(router.host).join(group)
    receiver.wait_for(20)
    assert receiver.count(family.sources[1]) == 0
    assert [entry["mode"] for entry in ctl.ask(daemon, "show", what="groups")["groups"] if entry["group"] == group] == [
        "INCLUDE"]
    receiver.leave(group)
    wait_until(lambda: group not in family.joined(router), what="the leave upstream")


@both_families
def test_several_sources_and_groups_beside_the_map(router, family):
    """All sources of the map come; joins that name sources, and groups that are not in the map, stay as they are."""
    group = family.ssm_group
    family.daemon(router, settings(family, group, family.sources[:2]))
    senders(router, family, group)
    senders_of_others = [Sender(router.source, "eth0", family.group).start(pps=100)]
    family.force_version(router.host, family.older_version)
    receiver = family.receiver(router.host).join(group)
    receiver.wait_for(20, source=family.sources[0])
    receiver.wait_for(20, source=family.sources[1])
    other = family.receiver(router.host).join(family.group)
    other.wait_for(20, group=family.group)
    assert senders_of_others[0].sequence > 0


def test_a_version_1_host(router):
    """It sends no leave: the stream ends with the membership interval, not before."""
    router.host.force_igmp_version("eth0", 1)
    daemon = IPV4.daemon(router, "query_interval = 5; query_response_interval = 1; robustness = 1; "
                         + settings(IPV4, IPV4.ssm_group, IPV4.sources[:1]))
    Sender(router.source, "eth0", IPV4.ssm_group).start(pps=100)
    receiver = IPV4.receiver(router.host).join(IPV4.ssm_group)
    receiver.wait_for(20)
    shown = ctl.ask(daemon, "show", what="groups")["groups"]
    assert [(entry["mode"], entry["version"]) for entry in shown] == [("INCLUDE", "IGMPv1")]


@both_families
def test_a_filter_narrows_what_older_hosts_join(two_hosts, family):
    """As a map does: the host that stays is asked about the whole group, and keeps the stream."""
    network, first, second = two_hosts
    for host in (first, second):
        family.force_version(host, family.older_version)
    family.daemon(network, f"last_member_query_interval = {LAST_MEMBER / 2}; "
                  f'filter_out = [ "allow all from {family.sources[0]}", "deny all" ]; filter_in = [ ];')
    senders(network, family, family.group)
    downstream = family.capture(second)
    staying = family.receiver(second).join(family.group)
    staying.wait_for(20)
    leaving = family.receiver(first).join(family.group)
    leaving.wait_for(20)
    assert staying.count(family.sources[1]) == 0
    before = time.time()
    leaving.leave(family.group)
    query = wait_until(lambda: queries(downstream, family.group, before), what="a query about the group")[0]
    assert not query.sources
    staying.wait_for(staying.count() + 200)
    assert not staying.gaps()
    staying.leave(family.group)
    wait_until(lambda: family.group not in family.joined(network), what="the leave upstream")


@both_families
def test_a_new_map_is_in_force_after_a_reload(router, family):
    """Joins that were dropped before are learned at once, by a query."""
    group = family.ssm_group
    family.force_version(router.host, family.older_version)
    daemon = family.daemon(router)
    Sender(router.source, "eth0", group).start(pps=100)
    receiver = family.receiver(router.host).join(group)
    family.guest(router.host).report(Record("TO_EX", family.group))
    wait_until(lambda: family.group in family.joined(router), what="a join that counts")
    assert group not in family.joined(router)
    daemon.reconfigure(f'protocol = "{family.protocol}"; query_response_interval = 1; '
                       + settings(family, group, family.sources[:1]) + 'instances = ( "eth0 ==> eth1" );')
    receiver.wait_for(20, timeout=10)
