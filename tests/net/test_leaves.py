# SPDX-License-Identifier: BSD-2-Clause
"""Fast leave: what the last host leaves stops without a query, and no other host loses anything."""

import re
import socket
import time
from pathlib import Path

import ctl
import pytest
from families import FAMILIES
from namespaces import TIMEOUT_FACTOR
from netlab import Record, Sender, wait_until

both_families = pytest.mark.parametrize("family", FAMILIES, ids=str)


def gapless(receiver):
    return not receiver.gaps()


def questions(family, capture, after=0.0):
    return capture.select("query", group=family.group, after=after)


def hosts_known(daemon, shown):
    """How many hosts the daemon knows as members."""
    answer = ctl.ask(daemon, "show", what="groups")
    return [group["hosts"] for group in answer["groups"] if group["group"] == shown]


@pytest.mark.smoke
@both_families
def test_the_second_member_keeps_its_picture_and_the_last_one_ends_it(two_hosts, family):
    network, first, second = two_hosts
    daemon = family.daemon(network, "fast_leave = true;")
    downstream = family.capture(second)
    leaving, staying = (family.receiver(host).join(family.group) for host in (first, second))
    Sender(network.source, "eth0", family.group).start(pps=100)
    leaving.wait_for(10)
    staying.wait_for(10)
    wait_until(lambda: hosts_known(daemon, family.group) == [2], what="both hosts in the status")

    leaving.leave(family.group)
    query = wait_until(lambda: questions(family, downstream), what="the question whether anybody stays")[0]
    downstream.wait_for(lambda m: any(r.type == "IS_EX" and r.group == family.group for r in m.records), "the answer",
                        after=query.time)
    # Past the time at which a group without an answer would have ended.
    staying.wait_for(300)
    assert gapless(staying)

    asked = len(questions(family, downstream))
    staying.leave(family.group)
    wait_until(lambda: family.group not in family.joined(network), what="the leave upstream")
    downstream.wait_for_record("TO_IN", family.group)
    assert len(questions(family, downstream)) == asked


@both_families
def test_a_source_that_one_blocks_and_another_wants_goes_on(two_hosts, family):
    network, first, second = two_hosts
    daemon = family.daemon(network, "fast_leave = true; last_member_query_interval = 0.3;")
    wanted = family.receiver(second).join_source(family.ssm_group, family.sources[0])
    other = family.guest(first)
    other.report(Record("ALLOW", family.ssm_group, family.sources[:2]))
    Sender(network.source, "eth0", family.ssm_group).start(pps=100)
    wait_until(lambda: hosts_known(daemon, family.ssm_group) == [2], what="both hosts in the status")
    wanted.wait_for(10)
    other.report(Record("BLOCK", family.ssm_group, family.sources[:1]))
    wanted.wait_for(100)
    assert gapless(wanted)


def test_beside_a_version_2_host_everybody_is_asked(two_hosts):
    network, first, second = two_hosts
    family = FAMILIES[0]
    first.force_igmp_version("eth0", 2)
    family.daemon(network, "fast_leave = true; last_member_query_interval = 0.3;")
    downstream = family.capture(second)
    older, newer = (family.receiver(host).join(family.group) for host in (first, second))
    Sender(network.source, "eth0", family.group).start(pps=100)
    older.wait_for(10)
    newer.wait_for(10)
    newer.leave(family.group)
    wait_until(lambda: questions(family, downstream), what="a group-specific query")
    older.wait_for(100)
    assert gapless(older)


@pytest.mark.parametrize("membership", ["kernel", "user"])
@both_families
def test_upstream_hears_of_a_leave_only_after_the_hold(router, family, membership):
    network = router
    daemon = family.daemon(network, f'upstream_membership = "{membership}"; fast_leave = true; leave_hold = 1.0;')
    upstream = family.capture(network.source)
    guest = family.guest(network.host)
    guest.report(Record("TO_EX", family.group))
    joined = upstream.wait_for_record("TO_EX", family.group)
    guest.report(Record("TO_IN", family.group))
    daemon.wait_for_output(f"{family.group}: left")
    # Back within the hold: nothing is heard of it upstream.
    guest.report(Record("TO_EX", family.group))
    wait_until(lambda: daemon.stderr.count(f"{family.group}: joined") == 2, what="the second join")
    guest.report(Record("TO_IN", family.group))
    wait_until(lambda: daemon.stderr.count(f"{family.group}: left") == 2, what="the second leave")
    left = upstream.wait_for_record("TO_IN", family.group)
    assert left.time - joined.time > 1.0


def documented_setting():
    """What mcproxy.conf(5) gives for the link of IGMPv2 set-top boxes."""
    manual = (Path(__file__).resolve().parents[2] / "docs" / "mcproxy.conf.5").read_text()
    return re.search(r"^ *(last_member_query_interval = \S+; last_member_query_count = \d+;) };$", manual, re.M).group(1)


def last_packet(namespace, family):
    """When the stream has ended on the link of a host: the time of its last packet."""
    group = socket.inet_pton(family.socket_family, family.group)
    listener = namespace.socket(socket.AF_PACKET, socket.SOCK_DGRAM, 0)
    try:
        listener.bind(("eth0", 0x0800 if family.number == 4 else 0x86DD))
        listener.settimeout(1.0)
        last = time.time()
        while time.time() - last < 1.0:
            try:
                packet = listener.recv(2048)
            except TimeoutError:
                break
            if packet[9 if family.number == 4 else 6] == socket.IPPROTO_UDP and group in packet[16:40]:
                last = time.time()
        return last
    finally:
        listener.close()


@pytest.mark.parametrize("setting,ends_after", [(documented_setting(), 0.4), ("", 2.0)], ids=["documented", "default"])
@pytest.mark.parametrize("older_link", [True, False], ids=["older-link", "newer-link"])
@both_families
def test_a_set_top_box_of_the_older_version(two_hosts, family, older_link, setting, ends_after):
    """The stream of the last box ends in the documented time; the picture of another box goes on."""
    network, first, second = two_hosts
    family.force_version(first, family.older_version)
    family.daemon(network, "fast_leave = true; " + setting,
                  protocol={4: "IGMPv2", 6: "MLDv1"}[family.number] if older_link else None)
    seen = family.capture(second)
    staying, leaving = family.receiver(first).join(family.group), family.guest(second)
    Sender(network.source, "eth0", family.group).start(pps=100)
    staying.wait_for(10)
    leaving.join(family.group)
    leaving.leave(family.group)
    left = seen.wait_for(lambda m: m.kind == "leave", "the leave of the first box")
    seen.wait_for(lambda m: m.kind == "report", "the answer of the other one", after=left.time)
    staying.wait_for(int(100 * ends_after) + 50)
    assert gapless(staying)

    staying.leave(family.group)
    left = seen.wait_for(lambda m: m.kind == "leave", "the leave of the last box", after=left.time)
    ended = last_packet(second, family)
    assert ends_after - 0.05 <= ended - left.time <= ends_after + 0.3 * TIMEOUT_FACTOR, ended - left.time
    assert len(questions(family, seen, after=left.time)) == 2
