# SPDX-License-Identifier: BSD-2-Clause
"""More than the kernel's small limits, with their default values: groups and sources per socket upstream."""

import socket
import struct

import pytest
from families import FAMILIES
from netlab import Record, tables, wait_until
from plugs import StreamWatch
from wire import packed

GROUPS = 1000
both_families = pytest.mark.parametrize("family", FAMILIES, ids=str)


def group_number(family, number):
    return f"239.7.{number >> 8}.{number & 255}" if family.number == 4 else f"ff1e::7:{number:x}"


def source_number(family, number):
    return f"10.0.0.{20 + number}" if family.number == 4 else f"fd00::5:{number:x}"


def in_parts(items, size):
    return [items[at:at + size] for at in range(0, len(items), size)]


class Emitter:
    """Sends single UDP packets from any source address to any group."""

    def __init__(self, namespace, device):
        self._socket = namespace.socket(socket.AF_PACKET, socket.SOCK_DGRAM, 0)
        self._device = device
        namespace.lab.defer(self._socket.close)

    def send(self, source, group):
        ports = struct.pack("!HHHH", 5001, 5001, 8, 0)
        destination = packed(group)
        if len(destination) == 4:
            packet = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 28, 0, 0, 8, 17, 0, packed(source), destination)
            words = sum(struct.unpack("!10H", packet))
            total = (words & 0xFFFF) + (words >> 16)
            packet = packet[:10] + struct.pack("!H", ~((total & 0xFFFF) + (total >> 16)) & 0xFFFF) + packet[12:] + ports
            kind, address = 0x0800, b"\x01\x00\x5e" + bytes([destination[1] & 0x7F]) + destination[2:]
        else:
            packet = struct.pack("!IHBB16s16s", 6 << 28, 8, 17, 8, packed(source), destination) + ports
            kind, address = 0x86DD, b"\x33\x33" + destination[12:]
        self._socket.sendto(packet, (self._device, kind, 0, 0, address))


def assert_default_limits(router):
    assert router.sysctl("net/ipv4/igmp_max_memberships") == "20"
    assert router.sysctl("net/ipv4/igmp_max_msf") == "10"


@both_families
def test_a_thousand_groups_are_joined_served_and_left(router, family):
    network = router
    assert_default_limits(network.router)
    # Most groups are beyond query_rate_max: they end after general queries, within three of the response intervals.
    family.daemon(network, "last_member_query_interval = 0.2; query_response_interval = 1;")
    guest = family.guest(network.host)
    groups = [group_number(family, number) for number in range(GROUPS)]

    for part in in_parts(groups, 50):
        guest.report(*(Record("TO_EX", group) for group in part))
    wait_until(lambda: set(groups) <= set(family.joined(network)), 10, "all groups joined upstream")

    watch = StreamWatch(network.host, "eth0")
    emitter = Emitter(network.source, "eth0")
    for part in in_parts(groups, 100):  # no more than upcalls can wait
        expected = watch.count() + len(part)
        for group in part:
            emitter.send(family.sources[0], group)
        wait_until(lambda expected=expected: watch.count() >= expected, 10,
                   lambda: f"one packet of each group: {watch.total} of {GROUPS}")
    assert watch.count() == GROUPS
    assert all(tables.outgoing_devices(network.router, family.sources[0], group) == {"eth1"} for group in groups[::100])

    for part in in_parts(groups, 50):
        guest.report(*(Record("TO_IN", group) for group in part))
    wait_until(lambda: not set(groups) & set(family.joined(network)), 10, "all groups left upstream")
    assert_default_limits(network.router)


@both_families
def test_include_list_of_two_hundred_sources(router, family):
    network = router
    family.daemon(network)
    upstream = family.capture(network.source)
    guest = family.guest(network.host)
    sources = [source_number(family, number) for number in range(201)]
    wanted, unwanted = sources[:200], sources[200]

    for part in in_parts(wanted, 50):
        guest.report(Record("ALLOW", family.ssm_group, tuple(part)))

    def told():
        return {source for record in upstream.records(family.ssm_group) if record.type in ("ALLOW", "IS_IN")
                for source in record.sources}
    wait_until(lambda: told() == set(wanted), 10, lambda: f"all sources upstream; told: {len(told())}")
    wait_until(lambda: family.ssm_group in family.joined(network), what="the join in the kernel")

    emitter = Emitter(network.source, "eth0")
    for source in sources:
        emitter.send(source, family.ssm_group)

    def outputs():
        return [tables.outgoing_devices(network.router, source, family.ssm_group) for source in (*wanted[::20], unwanted)]
    wait_until(lambda: outputs() == 10 * [{"eth1"}] + [set()], 10, lambda: f"the routes: {outputs()}")

    # The last ones of a long list leave alone.
    guest.report(Record("BLOCK", family.ssm_group, tuple(wanted[195:])))
    upstream.wait_for(lambda m: any(r.type == "BLOCK" and set(r.sources) <= set(wanted[195:]) for r in m.records),
                      "the sources that left", timeout=8)


@both_families
def test_exclude_list_too_long_for_the_kernel_is_filtered_here(router, family):
    """Upstream it reports that it wants all sources; its own entries leave out the blocked ones. The log has one line."""
    network = router
    daemon = family.daemon(network)
    upstream = family.capture(network.source)
    guest = family.guest(network.host)
    sources = [source_number(family, number) for number in range(81)]
    blocked, wanted = sources[:80], sources[80]
    hint = "an EXCLUDE list is too long for the kernel"

    for group in (family.group, family.other_group):
        guest.report(Record("TO_EX", group, tuple(blocked)))
        upstream.wait_for(lambda m, group=group: any(r.group == group and r.type in ("TO_EX", "IS_EX") and not r.sources
                                                     for r in m.records), "all sources of the group upstream")
        wait_until(lambda group=group: group in family.joined(network), what="the join in the kernel")
    daemon.wait_for_output(hint)

    emitter = Emitter(network.source, "eth0")
    for source in sources:
        emitter.send(source, family.group)

    def outputs():
        return [tables.outgoing_devices(network.router, source, family.group) for source in (*blocked[::10], wanted)]
    wait_until(lambda: outputs() == 8 * [set()] + [{"eth1"}], 10, lambda: f"the routes: {outputs()}")
    daemon.terminate()
    assert daemon.stderr.count(hint) == 1
