# SPDX-License-Identifier: BSD-2-Clause
"""The first packets of new streams: they wait for no worker where it is known which way they go, and never go another."""

import contextlib
import ctypes
import os
from pathlib import Path

import pytest
from ctl import ask
from families import FAMILIES, IPV4
from netlab import Record, Sender, Wire, assert_stays, tables, wait_until

both_families = pytest.mark.parametrize("family", FAMILIES, ids=str)
PTRACE_ATTACH, PTRACE_DETACH, WAIT_ALL = 16, 17, 0x40000000
QUICK = "last_member_query_interval = 0.2; last_member_query_count = 1; "


def ptrace(request, thread):
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.ptrace(request, thread, None, None) != 0:
        raise OSError(ctypes.get_errno(), "ptrace")


@contextlib.contextmanager
def worker_at_rest(daemon):
    """The threads of the instances stand still, as on a CPU that others keep busy; the main thread goes on."""
    workers = [int(task.name) for task in Path(f"/proc/{daemon.pid}/task").iterdir() if int(task.name) != daemon.pid]
    assert workers
    for worker in workers:
        ptrace(PTRACE_ATTACH, worker)
        os.waitpid(worker, WAIT_ALL)
    try:
        yield
    finally:
        for worker in workers:
            ptrace(PTRACE_DETACH, worker)


def more_sources(network, family, count):
    """Further addresses of the source's end."""
    addresses = [f"10.0.0.{20 + n}" if family is IPV4 else f"fd00::1:{n:x}" for n in range(count)]
    network.source.add_addresses("eth0", *(address + ("/24" if family is IPV4 else "/64") for address in addresses))
    return addresses


def send_from(network, family, address, group=None, count=1):
    Sender(network.source, "eth0", group or family.group, address=address).send(count)


def entries(network, family):
    return [route for route in family.routes(network.router).values() if route.parent is not None]


def upcalls(daemon):
    return sum(table["upcalls"] for table in ask(daemon, "show", what="status")["tables"])


def join(network, family, *records):
    """A host that is a member, once the router has heard it."""
    records = records or (Record("TO_EX", family.group),)
    family.guest(network.host).report(*records)
    groups = {record.group for record in records}
    wait_until(lambda: groups <= set(family.joined(network)), what="the joins upstream")


@both_families
def test_first_packets_of_many_new_sources_arrive(router, family):
    network = router
    addresses = more_sources(network, family, 200)
    family.daemon(network)
    join(network, family)
    wire = Wire(network.host, family.group)
    arrived = {}
    for address in addresses:
        send_from(network, family, address)
        wait_until(lambda: arrived.update(wire.count()) or address in arrived, what=f"the packet of {address}")  # noqa: B023
    assert arrived == dict.fromkeys(addresses, 1)
    assert all(tables.outgoing_devices(network.router, address, family.group) == {"eth1"} for address in addresses)


@both_families
def test_a_new_stream_waits_for_no_worker(router, family):
    network = router
    address, other = more_sources(network, family, 2)
    daemon = family.daemon(network)
    join(network, family)
    wire = Wire(network.host, family.group)
    with worker_at_rest(daemon):
        send_from(network, family, address, count=3)
        wait_until(lambda: tables.outgoing_devices(network.router, address, family.group) == {"eth1"}, what="the entry")
        assert wire.count()[address] == 3
        # No host is a member of that group: only the worker knows that.
        send_from(network, family, other, family.other_group)
        assert_stays(lambda: not tables.outgoing_devices(network.router, other, family.other_group), 0.2, "no entry")
    # Confirmed, and for the other one a negative entry.
    wait_until(lambda: tables.outgoing_devices(network.router, other, family.other_group) == set(), what="the negative entry")
    assert tables.outgoing_devices(network.router, address, family.group) == {"eth1"}
    send_from(network, family, address)
    wait_until(lambda: wire.count()[address] == 1, what="the next packet")


def test_entries_that_no_worker_has_confirmed_are_few(router):
    """And they end where it refuses them."""
    network = router
    sources = [(address, f"239.5.1.{number}") for address in more_sources(network, IPV4, 200) for number in (1, 2)]
    # The counters are read, and entries that are still unconfirmed removed, in half of that time.
    daemon = IPV4.daemon(network, "routes_max = 10; route_timeout = 30; " + QUICK)
    join(network, IPV4, Record("TO_EX", IPV4.group), Record("TO_EX", "239.5.1.1"), Record("TO_EX", "239.5.1.2"))
    with worker_at_rest(daemon):
        for number in range(0, 256, 8):  # the kernel keeps the packets of 10 streams without an entry
            for address, group in sources[number:number + 8]:
                send_from(network, IPV4, address, group)
            wait_until(lambda: len(entries(network, IPV4)) == number + 8, what="eight entries more")  # noqa: B023
        for address, group in sources[256:260]:
            send_from(network, IPV4, address, group)
        assert_stays(lambda: len(entries(network, IPV4)) == 256, 0.2, "entries within the limit")
    wait_until(lambda: len(entries(network, IPV4)) <= 10, 25, lambda: f"few entries; there are {len(entries(network, IPV4))}")


def test_streams_without_room_do_not_keep_the_daemon_busy(router):
    """The kernel asks about each of them once in 10 s, however many packets they have."""
    network = router
    addresses = more_sources(network, IPV4, 6)
    daemon = IPV4.daemon(network, "routes_max = 4;")
    join(network, IPV4)
    for number, address in enumerate(addresses, 1):
        Sender(network.source, "eth0", IPV4.group, address=address).start(pps=200)
        wait_until(lambda: upcalls(daemon) >= number, what="the upcall")  # noqa: B023
    before = upcalls(daemon)
    assert_stays(lambda: upcalls(daemon) <= before + 4, 2, "few upcalls")
    assert len(entries(network, IPV4)) == 4


@both_families
def test_not_one_packet_of_an_excluded_source_passes(router, family):
    network = router
    wanted, excluded = more_sources(network, family, 2)
    family.daemon(network)
    join(network, family, Record("TO_EX", family.group, (excluded,)))
    wire = Wire(network.host, family.group)
    for _ in range(5):
        send_from(network, family, excluded)
        send_from(network, family, wanted)
    wait_until(lambda: tables.outgoing_devices(network.router, excluded, family.group) == set(), what="the negative entry")
    wait_until(lambda: tables.outgoing_devices(network.router, wanted, family.group) == {"eth1"}, what="the other's entry")
    assert wire.count()[excluded] == 0


def test_an_excluded_source_waits_for_the_worker(router):
    """Where lists of sources matter the answer is the worker's alone."""
    network = router
    wanted, excluded = more_sources(network, IPV4, 2)
    daemon = IPV4.daemon(network)
    join(network, IPV4, Record("TO_EX", IPV4.group, (excluded,)))
    wire = Wire(network.host, IPV4.group)
    with worker_at_rest(daemon):
        send_from(network, IPV4, wanted)
        send_from(network, IPV4, excluded)
        assert_stays(lambda: not entries(network, IPV4), 0.2, "no entry")
    wait_until(lambda: wire.count()[wanted] == 1, what="the packet that the kernel kept")
    assert tables.outgoing_devices(network.router, excluded, IPV4.group) == set()


@both_families
@pytest.mark.parametrize("renamed", [False, True], ids=["down", "renamed"])
def test_a_link_that_is_away_for_a_moment_loses_no_new_stream(router, family, renamed):
    """The kernel asks about a stream once in 10 s. What it asked just before the link went is asked again."""
    network = router
    wanted, excluded = more_sources(network, family, 2)
    daemon = family.daemon(network)
    join(network, family, Record("TO_EX", family.group, (excluded,)))
    wire = Wire(network.host, family.group)
    before = upcalls(daemon)
    with worker_at_rest(daemon):
        send_from(network, family, wanted)
        wait_until(lambda: upcalls(daemon) > before, what="the kernel's question")
        network.router.ip("link set eth0 down", *["link set eth0 name other"] * renamed)
        daemon.wait_for_output(f"upstream eth0: interface is {'gone' if renamed else 'down'}")
    daemon.wait_for_output("eth0: link not usable")
    network.router.ip(*["link set other name eth0"] * renamed, "link set eth0 up")
    Sender(network.source, "eth0", family.group, address=wanted).start(pps=50)
    wait_until(lambda: wire.count()[wanted], 5, "the stream")


@both_families
def test_a_new_stream_is_not_forwarded_where_another_router_is_querier(router_two_hosts, family):
    network = router_two_hosts
    address, = more_sources(network, family, 1)
    network.raise_address()
    daemon = family.daemon(network, "forward_without_querier = false;", ("eth0", "eth1", "eth2"))
    for host, guest in zip(network.hosts, ("10.0.1.77", "10.0.2.77")):
        family.guest(host, guest if family is IPV4 else None).report(Record("TO_EX", family.group))
    family.guest(network.host, "10.0.1.20" if family is IPV4 else "fe80::1").query()
    daemon.wait_for_output("eth1: querier: another router")
    wait_until(lambda: family.group in family.joined(network), what="the join upstream")
    wires = [Wire(host, family.group) for host in network.hosts]
    send_from(network, family, address, count=3)
    wait_until(lambda: tables.outgoing_devices(network.router, address, family.group) == {"eth2"}, what="the entry")
    assert [wire.count()[address] for wire in wires] == [0, 3]
