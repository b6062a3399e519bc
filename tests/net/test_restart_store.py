# SPDX-License-Identifier: BSD-2-Clause
"""What the manager passes is not what it got: parts are missing, come twice or in another order, or are something else. And
what another program has done to the tables in the gap."""

import os
import signal
import time

import pytest
from families import FAMILIES, IPV4
from netlab import MulticastRouting, MulticastRouting6, wait_until
from restarts import ADOPTION, LAST_MEMBER, Stream, Upstream, configuration, manager_of

both_families = pytest.mark.parametrize("family", FAMILIES, ids=str)
SLACK = 0.5  # seconds, for a busy machine
ADD_MFC_PROXY = 210


def started(router, family, settings=""):
    manager = manager_of(router, configuration(settings, families=(family,)))
    upstream = Upstream(router)
    stream = Stream(router, family).start()
    return manager, upstream, stream, upstream.settle([stream.group])


@both_families
def test_descriptors_twice_in_another_order_and_among_others(router, family):
    manager, upstream, stream, settled = started(router, family)
    for _ in range(2):
        manager.crash()
        twice = [(name, os.dup(descriptor)) for name, descriptor in manager.store]
        names = ("", "stored", "...", "mrt.ipv4.default.1", "join.ipv9.eth0.5", "link.ipv6.\\x.3")
        manager.store = [(name, os.dup(0)) for name in names] + manager.store[::-1] + twice
        manager.start()
        time.sleep(0.2)
    wait_until(lambda: all(name.count(".") > 2 for name in manager.names), what="the others to be removed")
    time.sleep(ADOPTION)
    stream.assert_complete()
    upstream.assert_silent(settled)


@both_families
def test_without_its_table(router, family):
    """The stream begins again, and memberships of the earlier run end with the adoption."""
    manager, upstream, stream, settled = started(router, family)
    manager.crash()
    manager.drop("mrt")
    count = len(manager.names)
    manager.start()
    stream.receiver.wait_for(50)
    wait_until(lambda: len(manager.names) <= count + 1, 2, lambda: f"the old sockets to go: {manager.names}")
    upstream.assert_silent(settled)
    stream.receiver.leave(stream.group)
    wait_until(lambda: family.group not in family.joined(router), LAST_MEMBER + SLACK, "the leave")


@both_families
def test_a_hand_over_while_the_manager_is_busy(router, family):
    """Its socket is full; what waits for it is sent first."""
    manager, upstream, stream, _ = started(router, family, "kernel_groups_max = 1000;")
    groups = [f"239.7.1.{n}" if family is IPV4 else f"ff1e::7:{n:x}" for n in range(1, 251)]
    router.host.sysctl("net/ipv4/igmp_max_memberships", 300)
    with manager._lock:
        for group in groups:
            stream.receiver.join(group)
        settled = upstream.settle(groups)
        manager.daemon.signal(signal.SIGUSR2)
        time.sleep(0.3)
    manager.daemon.wait()
    manager.daemon.check()
    manager.start()
    time.sleep(ADOPTION + 0.3)
    upstream.assert_silent(settled)
    stream.assert_complete()


@both_families
def test_entries_for_all_sources_and_groups(router, family):
    """Another program has made them in the gap. Beside them the kernel would ask about no stream."""
    manager, _, stream, _ = started(router, family)
    manager.crash()
    other = (MulticastRouting if family is IPV4 else MulticastRouting6)(router.router, owner=False)
    vifs = {vif.name: vif.number for vif in family.vifs(router.router)}
    for group in (family.unspecified, family.other_group):
        for parent in vifs.values():
            other.set(ADD_MFC_PROXY, other._route(family.unspecified, group, parent, tuple(vifs.values())))
    manager.start()
    assert list(family.routes(router.router)) == [(family.sources[0], stream.group)]
    new = Stream(router, family, family.other_group).start()
    new.assert_complete()
    stream.assert_complete()


@both_families
@pytest.mark.parametrize("membership", ["kernel", "user"])
def test_a_source_left_in_the_gap(router, family, membership):
    """It is left upstream too, long before the adoption ends, while the other source of the group goes on."""
    other = family.sources[1]
    router.source.add_addresses("eth0", f"{other}/{24 if family is IPV4 else 64}")
    manager = manager_of(router, configuration(f'upstream_membership = "{membership}"; startup_query_count = 6;', families=(family,)))
    upstream = Upstream(router)
    stream, leaving = (Stream(router, family, family.ssm_group, source, address=source).start()
                       for source in (family.sources[0], other))
    settled = upstream.settle([family.ssm_group])
    manager.crash()
    leaving.receiver.leave_source(family.ssm_group, other)
    time.sleep(0.1)
    manager.start()
    records = wait_until(lambda: [record for m in upstream.told(after=settled) for record in m.records], 2.5, "a report")
    assert {(record.type, record.sources) for record in records} == {("BLOCK", (other,))}
    stream.assert_complete()


def test_a_kill_while_it_starts(router):
    """At any moment of it."""
    manager = manager_of(router, configuration())
    upstream = Upstream(router)
    streams = [Stream(router, family, pps=1000).start() for family in FAMILIES]
    settled = upstream.settle([stream.group for stream in streams])
    manager.crash()
    for delay in (0.005, 0.01, 0.015, 0.02, 0.03, 0.04, 0.06):
        manager.start(wait=False)
        time.sleep(delay)
        manager.crash()
    manager.start()
    time.sleep(ADOPTION + 0.3)
    for stream in streams:
        stream.assert_complete()
    upstream.assert_silent(settled)


def test_a_hand_over_in_a_reload(router):
    """And twice at once."""
    manager = manager_of(router, configuration())
    upstream = Upstream(router)
    streams = [Stream(router, family, pps=1000).start() for family in FAMILIES]
    settled = upstream.settle([stream.group for stream in streams])
    for number in range(4):
        manager.configuration = configuration("groups_max = %d;" % (100 + number), 'eth0 ==> eth1", "eth8 ==> eth9')
        manager.daemon.reconfigure(manager.configuration)
        time.sleep(0.003 * number)
        manager.daemon.signal(signal.SIGUSR2)
        manager.hand_over()
        manager.start()
    time.sleep(ADOPTION + 0.3)
    for stream in streams:
        stream.assert_complete()
    upstream.assert_silent(settled)
