# SPDX-License-Identifier: BSD-2-Clause
"""A restart with another configuration: what it no longer allows has stopped when the daemon is ready, and all else goes on."""

import time

import pytest
from families import FAMILIES, IPV4
from netlab import Sender, Wire, make_router, tables, wait_until
from restarts import ADOPTION, LAST_MEMBER, Stream, Upstream, configuration, manager_of

both_families = pytest.mark.parametrize("family", FAMILIES, ids=str)
SLACK = 0.5  # seconds, for a busy machine
OWN = 'table = "own"; '


def instance(family, upstream="eth0", downstream="eth1", settings="", filters="", name="tv"):
    links = (", ".join(f'"{link}"' if link != filters.partition(":")[0] else
                       f'{{ name = "{link}"; {filters.partition(":")[2]} }}' for link in names.split())
             for names in (upstream, downstream))
    text = configuration(settings, families=(family,)).partition("instances")[0]
    return text + 'instances = ( {{ name = "{}"; upstream = ( {} ); downstream = ( {} ); }} );\n'.format(name, *links)


def restart(manager, text):
    manager.crash()
    manager.configuration = text
    manager.start()


FILTERS = {
    "leaving": "eth1: filter_out = [ \"deny GROUP\" ];",
    "leaving, by source": "eth1: filter_out = [ \"deny GROUP from SOURCE\" ];",
    "entering": "eth0: filter_in = [ \"deny GROUP\" ];",
    "by entry link": "eth1: filter_out = [ \"deny GROUP in eth0\" ];",
}


@both_families
@pytest.mark.parametrize("membership", ["kernel", "user"])
@pytest.mark.parametrize("filters", FILTERS.values(), ids=FILTERS)
def test_a_denied_stream_has_stopped_when_the_daemon_is_ready(router, family, membership, filters):
    """And it is left upstream at once, not when hosts have had time to answer."""
    settings = f'upstream_membership = "{membership}";'
    manager = manager_of(router, instance(family, settings=settings))
    upstream = Upstream(router)
    denied, allowed = Stream(router, family, pps=2000).start(), Stream(router, family, family.other_group).start()
    settled = upstream.settle([denied.group, allowed.group])
    wire = Wire(router.host, denied.group)
    filters = filters.replace("GROUP", denied.group).replace("SOURCE", family.sources[0])
    restart(manager, instance(family, settings=settings, filters=filters))
    wire.count()
    time.sleep(SLACK)
    assert not wire.count()
    left = {record.type for m in upstream.told(denied.group, settled) for record in m.records if record.group == denied.group}
    assert left == ({"BLOCK"} if "from" in filters else {"TO_IN"})
    assert upstream.told(allowed.group, settled) == []
    allowed.assert_complete()


@both_families
def test_a_stream_of_an_allowed_host_is_complete(router, family):
    """The filter looks at hosts, and no host has said anything yet."""
    host = family.host if family is IPV4 else router.host.link_local("eth0")
    text = instance(family, filters=f'eth1: filter_out = [ "allow {family.group} by {host}", "deny all" ];')
    manager = manager_of(router, text)
    upstream = Upstream(router)
    stream = Stream(router, family, pps=2000).start()
    settled = upstream.settle([stream.group])
    restart(manager, text)
    time.sleep(ADOPTION + 0.3)
    stream.assert_complete()
    upstream.assert_silent(settled)


@both_families
def test_a_denied_host_is_found_out(router, family):
    """The stream might be another host's, so the daemon asks."""
    manager = manager_of(router, instance(family))
    upstream = Upstream(router)
    denied, allowed = Stream(router, family).start(), Stream(router, family, family.other_group).start()
    settled = upstream.settle([denied.group, allowed.group])
    host = family.host if family is IPV4 else router.host.link_local("eth0")
    restart(manager, instance(family, filters=f'eth1: filter_out = [ "deny {denied.group} by {host}" ];'))
    wait_until(lambda: not tables.outgoing_devices(router.router, family.sources[0], denied.group), LAST_MEMBER + SLACK,
               "the end of the stream")
    wait_until(lambda: upstream.told(denied.group, settled), SLACK, "the leave")
    time.sleep(ADOPTION - LAST_MEMBER)
    allowed.assert_complete()


@both_families
def test_another_upstream_link_comes_first(lab, family):
    """Groups are left on the link that comes second now, and no packet of it passes."""
    router = make_router(lab, downstreams=2)
    manager = manager_of(router, instance(family))
    upstream = Upstream(router)
    stream = Stream(router, family, pps=2000).start()
    settled = upstream.settle([stream.group])
    wire = Wire(router.host, stream.group)
    restart(manager, instance(family, upstream="eth2 eth0"))
    wire.count()
    wait_until(lambda: upstream.told(stream.group, settled), SLACK, "the leave")
    wait_until(lambda: stream.group in family.joined(router, "eth2"), SLACK, "the join on the first link")
    time.sleep(0.2)
    assert not wire.count()


@both_families
def test_less_routes(router, family):
    """Streams beyond the new limit have stopped, however many they are."""
    text = 'routes_max = {}; route_timeout = 60;'
    manager = manager_of(router, instance(family, settings=text.format(1000)))
    groups = [f"239.7.1.{n}" if family is IPV4 else f"ff1e::7:{n:x}" for n in range(1, 101)]
    receiver = family.receiver(router.host)
    router.host.sysctl("net/ipv4/igmp_max_memberships", 200)
    for group in groups:
        receiver.join(group)
    senders = [Sender(router.source, "eth0", group) for group in groups]

    def outgoing():
        return sum(bool(route.outgoing) for route in family.routes(router.router).values())

    def all_flow():
        for sender in senders:
            sender.send()
        return outgoing() == len(groups)
    wait_until(all_flow, 10, "the streams", interval=0.2)
    restart(manager, instance(family, settings=text.format(10)))
    assert outgoing() == 10


@both_families
@pytest.mark.parametrize("before, after", [(OWN, ""), ("", OWN), ("table = 77; ", ""), ("table = 77; ", OWN)],
                         ids=["own to default", "default to own", "number to default", "number to own"])
def test_another_table(router, family, before, after):
    """Nothing leads packets to the old one any more."""
    manager = manager_of(router, instance(family, settings=before))
    stream = Stream(router, family).start()
    restart(manager, instance(family, settings=after))
    stream.receiver.wait_for(100, timeout=1.5)
    assert router.router.run("ip", f"-{family.number}", "mrule").count("lookup 77") == 0


@both_families
def test_an_own_table_of_an_instance_with_another_name(router, family):
    manager = manager_of(router, instance(family, settings=OWN))
    stream = Stream(router, family, pps=2000).start()
    for name in ("television", "iptv"):
        restart(manager, instance(family, settings=OWN, name=name))
        time.sleep(0.2)
    stream.assert_complete()
    assert sum(stored.startswith("mrt") for stored in manager.names) == 1


@both_families
def test_a_link_moves_to_another_own_table(lab, family):
    """The old table's rule would lead its packets there."""
    router = make_router(lab, downstreams=3)
    manager = manager_of(router, configuration(OWN, 'eth0 ==> eth1", "eth2 ==> eth3', families=(family,)))
    Stream(router, family).start()
    text = configuration(OWN, 'eth0 ==> eth3", "eth2 ==> eth1', families=(family,))
    restart(manager, text)
    stream = Stream(router, family, family.other_group, source_host=router.hosts[1])
    stream.sender.start(pps=500)
    stream.receiver.wait_for(50, group=stream.group, timeout=1.5)
    rules = router.router.run("ip", f"-{family.number}", "mrule")
    for link in ("eth1", "eth3"):
        assert rules.count(f"iif {link} ") == 1, rules
