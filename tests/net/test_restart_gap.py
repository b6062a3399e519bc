# SPDX-License-Identifier: BSD-2-Clause
"""What happens while no daemon runs is made up for by the next one: hosts that leave, join or have gone, another
configuration, another link, a flushed table."""

import os
import random
import signal
import socket
import time

import pytest
from families import FAMILIES, IPV4
from netlab import Record, Sender, make_router, tables, wait_until
from restarts import ADOPTION, ENDS, LAST_MEMBER, LONG, Stream, Upstream, configuration, manager_of

both_families = pytest.mark.parametrize("family", FAMILIES, ids=str)
SLACK = 0.5  # seconds, for a busy machine


@pytest.mark.parametrize("membership", ["kernel", "user"])
def test_a_leave_in_the_gap_is_honoured(router, membership):
    manager = manager_of(router, configuration(f'upstream_membership = "{membership}";'))
    upstream = Upstream(router)
    streams = [Stream(router, family).start() for family in FAMILIES]
    upstream.settle([stream.group for stream in streams])
    manager.crash()
    for stream in streams:
        stream.receiver.leave(stream.group)
    # The host no longer receives: what the router still sends is seen in its table.
    time.sleep(0.1)
    started = time.time()
    manager.start()
    for stream in streams:
        wait_until(lambda: not tables.outgoing_devices(router.router, stream.family.sources[0], stream.group),
                   LAST_MEMBER + SLACK, f"the end of {stream.group}")
        wait_until(lambda: upstream.told(stream.group, started), LAST_MEMBER + SLACK, f"the leave of {stream.group}")


@pytest.mark.timing
def test_a_join_in_the_gap_is_served(router_two_hosts):
    router = router_two_hosts
    manager = manager_of(router, configuration(instances="eth0 ==> eth1 eth2"))
    upstream = Upstream(router)
    streams = [Stream(router, family).start() for family in FAMILIES]
    for family in FAMILIES:
        Sender(router.source, "eth0", family.other_group).start(pps=200)
    settled = upstream.settle([stream.group for stream in streams])
    manager.crash()
    same = [Stream(router, family, host=router.host2).receiver for family in FAMILIES]
    new = [Stream(router, family, family.other_group).receiver for family in FAMILIES]
    time.sleep(0.1)
    manager.start()
    ready = max(when for when, message in manager.messages if message.get("READY") == "1")
    for receiver in same + new:
        wait_until(receiver.count, 2, "a packet")
        assert receiver.arrivals[0].time - ready < 0.2
    for stream in streams:
        assert upstream.told(stream.group, settled) == []
        stream.assert_complete()


@both_families
@pytest.mark.parametrize("older", [False, True], ids=["newest version", "older version"])
def test_a_host_that_no_longer_answers(router, family, older):
    """Its stream goes on while it might still answer, and ends then."""
    manager = manager_of(router, configuration())
    upstream = Upstream(router)
    guest = family.guest(router.host)
    guest.join(family.group) if older else guest.report(Record("TO_EX", family.group))
    sender = Sender(router.source, "eth0", family.group).start(pps=100)

    def outgoing():
        return tables.outgoing_devices(router.router, family.sources[0], family.group)
    wait_until(lambda: outgoing() == {"eth1"}, what="the stream")
    settled = upstream.settle([family.group])
    manager.crash()
    started = time.time()
    manager.start()
    while time.time() < started + ADOPTION - 0.7:
        assert outgoing() == {"eth1"}
        assert upstream.told(family.group, settled) == []
        time.sleep(0.05)
    wait_until(lambda: not outgoing(), ADOPTION + 1, "the end of the stream")
    wait_until(lambda: upstream.told(family.group, settled), 1, "the leave")
    assert not sender.errors


@both_families
def test_own_tables_go_with_the_names_of_their_instances(lab, family):
    """Not with their order in the file, which an editor may change."""
    router = make_router(lab, downstreams=3)
    radio_source, radio_host = router.hosts[1:]
    own = 'table = "own"; '
    manager = manager_of(router, configuration(own, 'eth0 ==> eth1", "eth2 ==> eth3', families=(family,)))
    streams = (Stream(router, family).start(),
               Stream(router, family, source_host=radio_source, host=radio_host, group=family.other_group).start())
    manager.crash()
    manager.configuration = configuration(own, 'eth2 ==> eth3", "eth0 ==> eth1', families=(family,))
    manager.start()
    time.sleep(ADOPTION + 0.3)
    for stream in streams:
        stream.assert_complete()


@both_families
def test_a_changed_configuration_keeps_what_still_applies(router_two_hosts, family):
    router = router_two_hosts
    manager = manager_of(router, configuration(instances="eth0 ==> eth1 eth2"))
    upstream = Upstream(router)
    kept, gone = Stream(router, family).start(), Stream(router, family, host=router.host2, group=family.other_group).start()
    settled = upstream.settle([kept.group, gone.group])
    manager.crash()
    manager.configuration = configuration(instances="eth0 ==> eth1")
    manager.start()
    wait_until(lambda: {vif.name for vif in family.vifs(router.router)} == {"eth0", "eth1"}, 2, "the vifs that remain")
    wait_until(lambda: upstream.told(gone.group, settled), ADOPTION + 1, "the leave")
    gone.receiver.assert_silent(0.2)
    time.sleep(0.3)
    kept.assert_complete()
    assert upstream.told(kept.group, settled) == []


@both_families
def test_a_table_flushed_by_another_program(router, family):
    manager = manager_of(router, configuration())
    stream = Stream(router, family).start()
    manager.crash()
    option = (0, 212) if family is IPV4 else (41, 212)
    name = f"mrt.{'ipv4' if family is IPV4 else 'ipv6'}."
    descriptor = next(descriptor for stored, descriptor in manager.store if stored.startswith(name))
    with socket.socket(fileno=os.dup(descriptor)) as sock:
        sock.setsockopt(*option, (1 | 2 | 4 | 8).to_bytes(4, "little"))
    assert family.vifs(router.router) == [] and family.routes(router.router) == {}
    manager.start()
    count = stream.receiver.count()
    wait_until(lambda: stream.receiver.count() > count, 1, "the stream again")
    assert "eth1" in tables.outgoing_devices(router.router, family.sources[0], family.group)


@both_families
def test_a_pending_upcall(router, family):
    """A stream that begins in the gap: the kernel finds no daemon to ask."""
    manager = manager_of(router, configuration())
    stream = Stream(router, family)
    wait_until(lambda: family.group in family.joined(router), what="the join")
    manager.crash()
    stream.sender.send(3)
    time.sleep(0.1)
    manager.start()
    stream.receiver.wait_for(0)
    wait_until(lambda: stream.receiver.sequences() == [0, 1, 2], 1, lambda: f"three packets: {stream.receiver.arrivals}")


def test_kills_at_random_under_churn(router_two_hosts):
    """Hosts come and go; the streams of those that stay are complete; at the end it is as after a fresh start."""
    router, dice = router_two_hosts, random.Random(1)
    manager = manager_of(router, configuration(instances="eth0 ==> eth1 eth2"))
    streams = [Stream(router, family, pps=200).start() for family in FAMILIES]
    guests = [(family, family.guest(host)) for family in FAMILIES for host in router.hosts]
    groups = {4: [f"239.7.0.{n}" for n in range(1, 20)], 6: [f"ff1e::7:{n}" for n in range(1, 20)]}
    for _ in range(200 if LONG else 10):
        until = time.monotonic() + dice.uniform(0, 0.4)
        while time.monotonic() < until:
            family, guest = dice.choice(guests)
            guest.report(Record(dice.choice(("TO_EX", "TO_IN")), dice.choice(groups[family.number])))
            time.sleep(0.01)
        dice.choice(list(ENDS.values()))(manager) if dice.random() < 0.8 else manager.crash(signal.SIGABRT)
        manager.start()
    time.sleep(ADOPTION + LAST_MEMBER + 0.5)
    wanted = {family.group for family in FAMILIES}
    for stream in streams:
        outgoing = tables.outgoing_devices(router.router, stream.family.sources[0], stream.group)
        assert outgoing == {"eth1"}
        joined = {g for g in stream.family.joined(router) if not g.startswith(("224.0.0.", "ff02::", "ff01::"))}
        assert joined - set(groups[stream.family.number]) == wanted & {stream.group}
        assert len(stream.family.vifs(router.router)) == 3
        stream.assert_complete()


def test_no_adopt_starts_clean(router):
    manager = manager_of(router, configuration())
    streams = [Stream(router, family).start() for family in FAMILIES]
    manager.crash()
    before = list(manager.names)
    manager.start(flags="-d --no-adopt")
    wait_until(lambda: not set(before) & set(manager.names), 2, "the old descriptors removed")
    manager.daemon.wait_for_output("not adopted (--no-adopt): closed")
    for stream in streams:
        stream.receiver.wait_for(20)
