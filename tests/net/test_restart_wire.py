# SPDX-License-Identifier: BSD-2-Clause
"""However the daemon ends under a service manager that keeps its descriptors: no packet is lost, none comes twice, and
upstream nobody notices."""

import time

import pytest
from families import FAMILIES, IPV4, IPV6
from fast_traffic import FastReceiver, FastSender
from netlab import Sender, tables, wait_until
from restarts import ADOPTION, ENDS, LONG, Stream, Upstream, configuration, manager_of


@pytest.mark.parametrize("table", ["", 'table = "own"; '], ids=["default table", "own table"])
@pytest.mark.parametrize("membership", ["kernel", "user"])
def test_every_end_in_both_families(router, membership, table):
    manager = manager_of(router, configuration(f'{table}upstream_membership = "{membership}";'))
    upstream = Upstream(router)
    streams = [Stream(router, family, pps=400) for family in FAMILIES]
    streams += [Stream(router, family, family.ssm_group, family.sources[0], pps=400) for family in FAMILIES]
    for stream in streams:
        stream.start()
    settled = upstream.settle([stream.group for stream in streams])
    for end in ENDS.values():
        end(manager)
        time.sleep(0.1)  # the gap
        manager.start()
        time.sleep(0.2)  # so the next end comes while it still adopts
    time.sleep(ADOPTION + 0.5)
    for stream in streams:
        stream.assert_complete()
    upstream.assert_silent(settled)
    assert manager.faults == []
    # What the earlier runs joined has been closed: what is stored is what one run needs.
    assert len(manager.store) <= len({name.rsplit(".", 1)[0] for name in manager.names}) + 2, manager.names


@pytest.mark.parametrize("membership", ["kernel", "user"])
def test_an_ssm_group_stays_included_on_the_wire(router, membership):
    """A querier that asks during and after the adoption hears INCLUDE of that source."""
    manager = manager_of(router, configuration(f'upstream_membership = "{membership}";'))
    upstream = Upstream(router)
    streams = [Stream(router, family, family.ssm_group, family.sources[0]).start() for family in FAMILIES]
    settled = upstream.settle([stream.group for stream in streams])
    manager.crash()
    manager.start()
    for pause in (0.2, ADOPTION + 0.3):
        time.sleep(pause)
        asked = time.time()
        for family in FAMILIES:
            family.querier(router).query(max_response=0.3)
        for family in FAMILIES:
            wait_until(lambda: upstream.told(family.ssm_group, asked), 2, f"the answer about {family.ssm_group}")
    records = [record for m in upstream.told(after=settled) for record in m.records
               if record.group in (IPV4.ssm_group, IPV6.ssm_group)]
    assert {(record.type, record.sources) for record in records} == {
        ("IS_IN", (family.sources[0],)) for family in FAMILIES}
    for stream in streams:
        stream.assert_complete()


def test_stop_leaves_everything_and_empties_the_store(router):
    manager = manager_of(router, configuration())
    upstream = Upstream(router)
    streams = [Stream(router, family).start() for family in FAMILIES]
    upstream.settle([stream.group for stream in streams])
    assert manager.store
    manager.stop()
    for family in FAMILIES:
        wait_until(lambda: family.group not in family.joined(router), what="the leave")
        assert family.vifs(router.router) == []
    wait_until(lambda: manager.names == [], what=lambda: f"an empty store: {manager.names}")


@pytest.mark.skipif(not LONG, reason="many streams")
@pytest.mark.parametrize("membership, count", [("kernel", 1000), ("user", 1000), ("user", 10000)])
def test_many_streams_and_10000_packets_a_second(router, membership, count):
    settings = (f'upstream_membership = "{membership}"; kernel_groups_max = 2000; groups_max = {2 * count}; '
                f'routes_max = {2 * count};')
    manager = manager_of(router, configuration(settings))
    upstream = Upstream(router)
    many = [f"239.{5 + n // 62500}.{n // 250 % 250}.{n % 250 + 1}" for n in range(count)]
    slow = FastReceiver(router.host, many)
    wait_until(lambda: len({group for m in upstream.told() for group in (m.group, *(r.group for r in m.records))} &
                           set(many)) == count, 120, f"{count} joins")
    fast = FastReceiver(router.host, [family.group for family in FAMILIES])
    senders = [FastSender(router.source, family.group, 5000) for family in FAMILIES]
    trickle = [Sender(router.source, "eth0", group) for group in many]

    def send_all():
        for sender in trickle:
            sender.send(1)

    def all_flow():
        """The kernel lets few streams wait for their entries at a time."""
        known = {group for _, group in tables.routes(router.router)}
        for sender in trickle:
            if sender.group not in known:
                sender.send(1)
        return known >= set(many)
    wait_until(all_flow, 60, f"{count} entries", interval=0.5)
    settled = upstream.settle([family.group for family in FAMILIES])
    for end in ENDS.values():
        end(manager)
        send_all()
        manager.start()
        send_all()
    time.sleep(ADOPTION + 2)
    send_all()
    sent = [sender.stop() for sender in senders]
    time.sleep(1)
    upstream.assert_silent(settled)
    arrivals, slow_arrivals = fast.stop(), slow.stop()
    for family, number in zip(FAMILIES, sent):
        numbers = [number for _, _, number in arrivals[family.group]][100:]  # those before waited for their entry
        assert numbers == list(range(numbers[0], number)), f"{family}: {len(numbers)} of {number}"
    wrong = {sender.group: arrived for sender in trickle
             if (arrived := sum(when > settled for when, *_ in slow_arrivals[sender.group])) != 2 * len(ENDS) + 1}
    assert wrong == {}
