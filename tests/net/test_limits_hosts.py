# SPDX-License-Identifier: BSD-2-Clause
"""Limits of single hosts and links, and memberships that are asked about again.

source eth0 -- eth0 router eth1 -- eth0 host; router eth2 -- eth0 host2."""

import time
from contextlib import closing

import pytest
from ctl import NOBODY, ask, mcproxyctl
from families import FAMILIES
from netlab import Daemon, Record, Sender, wait_until

both_families = pytest.mark.parametrize("family", FAMILIES, ids=str)
HOST_GROUPS = "host_groups_max reached"


def start(network, family, link="", top=""):
    text = (f'protocol = "{family.protocol}"; {top}\n'
            f'instances = ( {{ upstream = "eth0"; downstream = ( {{ name = "eth1"; {link} }} ); }} );\n')
    ready = {"vifs": ("eth0", "eth1")} if family.number == 4 else {"vifs6": ("eth0", "eth1")}
    daemon = Daemon(network.router, text, "-d", **ready)
    daemon.wait_for_output("downstream eth1: in use")
    return daemon


def with_link(daemon, before, after):
    """The configuration with other settings of eth1."""
    text = daemon.configuration_path.read_text()
    assert before in text
    return text.replace(before, after)


def drops(daemon, family, cause, link="eth1"):
    links = ask(daemon, "show", what="links", link=link)["links"]
    return sum(record["drops"].get(cause, 0) for record in links if record["family"] == str(family))


def groups(family, count):
    head, tail = family.group.rsplit("." if family.number == 4 else ":", 1)
    separator = "." if family.number == 4 else ":"
    return [f"{head}{separator}{int(tail) + n}" for n in range(count)]


@both_families
@pytest.mark.parametrize("older", [False, True], ids=["newest", "older"])
def test_a_host_gets_no_more_groups_than_its_limit(router, family, older):
    daemon = start(router, family, "host_groups_max = 3;")
    greedy, modest = (family.guest(router.host, address) for address in
                      (("10.0.1.77", "10.0.1.78") if family.number == 4 else ("fe80::77", "fe80::78")))
    wanted = groups(family, 5)

    def join(guest, group):
        guest.join(group) if older else guest.report(Record("TO_EX", group))

    def leave(guest, group):
        guest.leave(group) if older else guest.report(Record("TO_IN", group))

    for group in wanted:
        join(greedy, group)
    wait_until(lambda: drops(daemon, family, HOST_GROUPS) == 2, what="two refused joins")
    wait_until(lambda: set(wanted[:3]) <= set(family.joined(router)), what="the three joins upstream")
    assert not set(wanted[3:]) & set(family.joined(router))
    daemon.wait_for_output(f"{HOST_GROUPS} (1 so far), host {greedy.address}")
    join(modest, wanted[4])
    wait_until(lambda: wanted[4] in family.joined(router), what="the other host's join")
    leave(greedy, wanted[0])
    join(greedy, wanted[3])
    wait_until(lambda: wanted[3] in family.joined(router), what="the join in the place that is free again")
    # A lower limit removes nothing.
    daemon.reconfigure(with_link(daemon, "host_groups_max = 3", "host_groups_max = 1"))
    join(greedy, wanted[1])
    assert set(wanted[1:]) <= set(family.joined(router))


@both_families
def test_clear_ends_silent_groups_and_loses_no_packet_of_others(router, family):
    daemon = start(router, family, "last_member_query_interval = 0.5;")
    receiver = family.receiver(router.host).join(family.group)
    gone = family.guest(router.host)
    gone.report(Record("TO_EX", family.other_group))
    wait_until(lambda: family.other_group in family.joined(router), what="the join of a host that vanishes")
    with closing(Sender(router.source, "eth0", family.group).start(pps=1000)):
        receiver.wait_for(200)
        assert "1 link" in mcproxyctl(daemon, "clear", "groups")
        wait_until(lambda: family.other_group not in family.joined(router), what="the end of the silent group")
        receiver.wait_for(receiver.count() + 500)
    assert receiver.gaps() == []
    # Filters.
    gone.report(Record("TO_EX", family.other_group))
    wait_until(lambda: family.other_group in family.joined(router), what="the second join")
    mcproxyctl(daemon, "clear", "groups", "--group", family.group, "--link", "eth1")
    time.sleep(1.5)
    assert family.other_group in family.joined(router)
    assert "no downstream link" in ask(daemon, "clear", what="groups", link="eth0")["error"]
    assert "error" in ask(daemon, "clear", what="routes")
    mcproxyctl(daemon, "clear", status=2)
    mcproxyctl(daemon, "clear", "groups", status=1, wrapper=NOBODY)


@both_families
@pytest.mark.parametrize("tracked", [False, True], ids=["unknown", "tracked"])
def test_a_reload_ends_what_hosts_may_no_longer_have(router, family, tracked):
    rule = 'filter_out = [ "deny {} by {}" ];'
    before = "track_hosts = true;" if tracked else "fast_leave = false;"
    daemon = start(router, family, f"{before} last_member_query_interval = 0.5;")
    guest = family.guest(router.host)
    receiver = family.receiver(router.host).join(family.group)
    guest.report(Record("TO_EX", family.other_group))
    guest.report(Record("TO_EX", family.group))
    wait_until(lambda: family.other_group in family.joined(router), what="the join of the guest")
    with closing(Sender(router.source, "eth0", family.group).start(pps=1000)):
        receiver.wait_for(200)
        denying = rule.format("all", guest.address)
        daemon.reconfigure(with_link(daemon, before, before + denying))
        wait_until(lambda: family.other_group not in family.joined(router), timeout=0.9 if tracked else 5,
                   what="the end of the guest's group")
        receiver.wait_for(receiver.count() + 1000)
    assert receiver.gaps() == []


@pytest.mark.parametrize("key, header, address, cause", [
    ("require_router_alert", {"router_alert": False}, "10.0.1.77", "no router alert"),
    ("verify_source_subnet", {}, "192.0.2.7", "report outside the subnet"),
])
def test_doubtful_reports_are_dropped_where_that_is_wanted(router, key, header, address, cause):
    family = FAMILIES[0]
    daemon = start(router, family, f"{key} = true;")
    guest = family.guest(router.host, address)
    guest.report(Record("TO_EX", family.group), **header)
    wait_until(lambda: drops(daemon, family, cause) == 1, what="the dropped report")
    assert family.group not in family.joined(router)
    daemon.reconfigure(with_link(daemon, f"{key} = true", f"{key} = false"))
    daemon.wait_for_output("is in force")
    guest.report(Record("TO_EX", family.group), **header)
    wait_until(lambda: family.group in family.joined(router), what="the join")


def test_hosts_without_an_address_pass_the_check_of_subnets(router):
    family = FAMILIES[0]
    start(router, family, "verify_source_subnet = true;")
    family.guest(router.host, "0.0.0.0").report(Record("TO_EX", family.group))
    wait_until(lambda: family.group in family.joined(router), what="the join")


@both_families
def test_queries_and_reports_have_the_configured_source(router, family):
    address = "192.0.2.33" if family.number == 4 else "fe80::33"
    downstream, upstream = family.capture(router.host), family.capture(router.source)
    daemon = start(router, family, top=f'source_address = "{address}"; upstream_membership = "user";')
    query = downstream.wait_for(lambda m: m.kind == "query", "a query")
    assert query.source == address
    family.guest(router.host).report(Record("TO_EX", family.group))
    report = upstream.wait_for(lambda m: m.kind == "report" and m.source == address, "a report upstream")
    assert report.source == address
    own = family.guest(router.host, address)
    own.report(Record("TO_EX", family.other_group))
    wait_until(lambda: drops(daemon, family, "source is this router") == 1, what="the dropped report")


def test_packets_with_a_small_ttl_stay(router):
    family = FAMILIES[0]
    daemon = start(router, family, "ttl_threshold = 1;")
    receiver = family.receiver(router.host).join(family.group).join(family.other_group)
    with (closing(Sender(router.source, "eth0", family.group, ttl=32).start(pps=1000)),
          closing(Sender(router.source, "eth0", family.other_group, ttl=16).start(pps=1000))):
        receiver.wait_for(200, group=family.group)
        receiver.wait_for(200, group=family.other_group)
        daemon.reconfigure(with_link(daemon, "ttl_threshold = 1", "ttl_threshold = 16"))
        receiver.wait_for_silence(group=family.other_group)
        receiver.wait_for(receiver.count(group=family.group) + 500, group=family.group)
        daemon.reconfigure(with_link(daemon, "ttl_threshold = 16", "ttl_threshold = 255"))
        receiver.wait_for_silence(group=family.group)
        lost_to = receiver.count(group=family.group)
        time.sleep(1)
        assert receiver.count(group=family.group) == lost_to
        assert "restored" not in daemon.stderr
    assert len(receiver.gaps(group=family.group)) == 0


def test_linux_has_no_threshold_for_ipv6(router):
    family = FAMILIES[1]
    start(router, family, "ttl_threshold = 255;")
    receiver = family.receiver(router.host).join(family.group)
    with closing(Sender(router.source, "eth0", family.group, ttl=2).start()):
        receiver.wait_for(20)
