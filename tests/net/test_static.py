# SPDX-License-Identifier: BSD-2-Clause
"""Static groups: streams that come without any host, whatever hosts do, through link failures and reloads."""

import ctl
import pytest
from families import FAMILIES, IPV4
from netlab import Daemon, Record, Sender, Wire, assert_stays, wait_until
from test_reload import reload

both_families = pytest.mark.parametrize("family", FAMILIES, ids=str)
QUICK = "query_interval = 5; query_response_interval = 0.5; last_member_query_interval = 0.2;"


def text(family, downstream="", upstream="", settings=""):
    return (f'protocol = "{family.protocol}"; {QUICK} {settings}\ninstances = ( {{\n'
            f'upstream = ( {{ name = "eth0"; {upstream} }} );\ndownstream = ( {{ name = "eth1"; {downstream} }} ); }} );\n')


def static(*groups):
    return f"static = [ {', '.join(f'{chr(34)}{group}{chr(34)}' for group in groups)} ];"


def start(network, family, *arguments, **options):
    links = ("eth0", "eth1")
    return Daemon(network.router, text(family, *arguments, **options), "-d",
                  **({"vifs": links} if family.number == 4 else {"vifs6": links}))


def wait_for_stream(wire, count=20):
    """Packets arrive from now on."""
    wire.count()
    seen = 0

    def enough():
        nonlocal seen
        seen += sum(wire.count().values())
        return seen >= count

    wait_until(enough, 10, lambda: f"{count} packets on the wire, not {seen}")


def wait_for_silence(wire):
    wait_until(lambda: not wire.count(), 10, "the end of the stream", interval=0.3)


def groups_shown(daemon, link=None):
    return {group["group"]: group for group in ctl.ask(daemon, "show", what="groups", **({"link": link} if link else {}))["groups"]}


@pytest.mark.smoke
@both_families
def test_a_stream_comes_without_any_host(router, family):
    daemon = start(router, family, static(family.group, f"{family.ssm_group} from {family.sources[0]}"))
    wait_until(lambda: {family.group, family.ssm_group} <= set(family.joined(router)), what="the joins upstream")
    wires = [Wire(router.host, group) for group in (family.group, family.ssm_group)]
    for group, wire in zip((family.group, family.ssm_group), wires):
        Sender(router.source, "eth0", group).start(pps=100)
        wait_for_stream(wire)
    shown = groups_shown(daemon)
    assert shown[family.group]["static"] and shown[family.group]["mode"] == "EXCLUDE"
    assert shown[family.ssm_group]["mode"] == "INCLUDE"
    assert [(source["source"], source["static"]) for source in shown[family.ssm_group]["sources"]] == [
        (family.sources[0], True)]
    assert "static" in ctl.mcproxyctl(daemon, "show", "groups")
    assert f"{family.group}: static, joined" in daemon.stderr


@both_families
def test_hosts_come_and_go_beside_it(router, family):
    daemon = start(router, family, static(family.group))
    wire = Wire(router.host, family.group)
    Sender(router.source, "eth0", family.group).start(pps=100)
    receiver = family.receiver(router.host).join(family.group)
    receiver.wait_for(20)
    assert groups_shown(daemon)[family.group]["left"] > 0
    receiver.leave(family.group)
    family.guest(router.host).report(Record("TO_IN", family.group))
    wait_until(lambda: groups_shown(daemon)[family.group]["left"] == 0, 10, "the end of the host's membership")
    wait_for_stream(wire, 100)
    assert family.group in family.joined(router)


@both_families
def test_it_returns_with_its_link(router, family):
    start(router, family, static(family.group))
    wire = Wire(router.host, family.group)
    Sender(router.source, "eth0", family.group).start(pps=100)
    wait_for_stream(wire)
    router.router.ip("link set eth1 down")
    wait_until(lambda: family.group not in family.joined(router), what="the leave upstream")
    router.router.ip("link set eth1 up")
    wait_for_stream(wire)
    assert family.group in family.joined(router)


def test_a_link_that_loses_its_address_keeps_it(router):
    start(router, IPV4, static(IPV4.group))
    wire = Wire(router.host, IPV4.group)
    Sender(router.source, "eth0", IPV4.group).start(pps=100)
    wait_for_stream(wire)
    router.router.ip("address flush dev eth1")
    assert_stays(lambda: IPV4.group in IPV4.joined(router), 1.0, "the join upstream")
    wait_for_stream(wire)


@both_families
def test_a_reload_touches_only_what_it_changes(router, family):
    new = family.other_group
    daemon = start(router, family, static(family.group, family.ssm_group + f" from {family.sources[0]}"))
    stays, leaves, comes = (Wire(router.host, group) for group in (family.group, family.ssm_group, new))
    sender = Sender(router.source, "eth0", family.group)
    for group in (family.ssm_group, new):
        Sender(router.source, "eth0", group).start(pps=100)
    sender.start(pps=1000)
    wait_for_stream(stays)
    wait_for_stream(leaves)
    sender.stop()
    wait_for_silence(stays)
    first = sender.sequence
    sender.start(pps=1000)
    reload(daemon, text(family, static(new, family.group)))
    wait_for_stream(comes)
    wait_for_silence(leaves)
    wait_until(lambda: set(family.joined(router)) >= {family.group, new} and family.ssm_group not in
               family.joined(router), what="the leave upstream")
    reload(daemon, text(family, static(family.group, new)))
    sent = sender.stop() - first
    got = 0

    def all_came():
        nonlocal got
        got += sum(stays.count().values())
        return got >= sent

    wait_until(all_came, 5, lambda: f"{sent} packets, not {got}")
    assert got == sent
    reload(daemon, text(family))
    wait_until(lambda: not {family.group, new} & set(family.joined(router)), what="the leaves upstream")
    wait_for_silence(comes)


@both_families
def test_a_host_keeps_what_the_configuration_gives_up(router, family):
    daemon = start(router, family, static(family.group))
    Sender(router.source, "eth0", family.group).start(pps=200)
    receiver = family.receiver(router.host).join(family.group)
    receiver.wait_for(20)
    reload(daemon, text(family))
    receiver.wait_for(200)
    assert not receiver.gaps()
    assert not groups_shown(daemon)[family.group]["static"]


@both_families
def test_upstream_a_group_is_joined_without_members(router, family):
    daemon = start(router, family, upstream=static(family.group))
    wait_until(lambda: family.group in family.joined(router), what="the join upstream")
    wire = Wire(router.host, family.group)
    sender = Sender(router.source, "eth0", family.group).start(pps=100)
    assert groups_shown(daemon, "eth0")[family.group]["static"]
    wait_until(lambda: sender.sequence > 50, what="packets")
    assert not wire.count()
    router.router.ip("link set eth0 down")
    router.router.ip("link set eth0 up")
    wait_until(lambda: family.group in family.joined(router), what="the join upstream again")
    reload(daemon, text(family))
    wait_until(lambda: family.group not in family.joined(router), what="the leave upstream")


@both_families
def test_filters_apply_to_it(router, family):
    denied = f'filter_out = [ "deny {family.group}" ];'
    daemon = start(router, family, static(family.group, family.other_group) + denied)
    wait_until(lambda: family.other_group in family.joined(router), what="the other join upstream")
    assert family.group not in family.joined(router)
    reload(daemon, text(family, static(family.group, family.other_group), f'filter_in = [ "deny {family.other_group}" ];'))
    wait_until(lambda: family.group in family.joined(router) and family.other_group not in family.joined(router),
               what="what the filters now allow")
