# SPDX-License-Identifier: BSD-2-Clause
"""The kernel's multicast tables of a namespace, read from /proc/net into plain values."""

import dataclasses
import ipaddress
import struct


@dataclasses.dataclass(frozen=True)
class Vif:
    number: int
    name: str
    bytes_in: int
    packets_in: int
    bytes_out: int
    packets_out: int


@dataclasses.dataclass(frozen=True)
class Route:
    """An (S,G) entry; parent is None while the entry is unresolved. outgoing holds vif numbers."""

    source: str
    group: str
    parent: int
    outgoing: frozenset
    packets: int
    bytes: int
    wrong_if: int


def _ipv4(text):
    """The kernel prints network-order words as host integers."""
    return str(ipaddress.ip_address(struct.pack("=I", int(text, 16))))


def _ipv6(text):
    return str(ipaddress.ip_address(bytes.fromhex(text.replace(":", ""))))


def _rows(namespace, name):
    try:
        return [line.split() for line in namespace.read("/proc/net/" + name).splitlines()[1:]]
    except FileNotFoundError:
        return []


def igmp_groups(namespace, device):
    """{group: number of users} that the kernel's host side has joined on a device."""
    groups, current = {}, None
    for line in namespace.read("/proc/net/igmp").splitlines()[1:]:
        fields = line.split()
        if not line[0].isspace():
            current = fields[1]
        elif current == device:
            groups[_ipv4(fields[0])] = int(fields[1])
    return groups


def igmp_version(namespace, device):
    """The version the kernel's host side speaks on a device: "V1", "V2" or "V3"."""
    for line in namespace.read("/proc/net/igmp").splitlines()[1:]:
        fields = line.split()
        if not line[0].isspace() and fields[1] == device:
            return fields[4]
    return None


def mld_groups(namespace, device):
    return {_ipv6(row[2]): int(row[3]) for row in _rows6(namespace, "igmp6") if row[1] == device}


def _rows6(namespace, name):
    return [line.split() for line in namespace.read("/proc/net/" + name).splitlines()]  # has no heading


def source_filters(namespace, device):
    """{group: {source: (sockets that include it, sockets that exclude it)}} from /proc/net/mcfilter.

    The kernel skips the first devices whose newest group has no source list, so a device may be missing here although
    it has filters (test_kernel_facts.py): use it for what is there, not for what is not.
    """
    filters = {}
    for row in _rows(namespace, "mcfilter"):
        if row[1] == device:
            filters.setdefault(str(ipaddress.ip_address(int(row[2], 16))), {})[
                str(ipaddress.ip_address(int(row[3], 16)))] = (int(row[4]), int(row[5]))
    return filters


def source_filters6(namespace, device):
    filters = {}
    for row in _rows(namespace, "mcfilter6"):
        if row[1] == device:
            filters.setdefault(_ipv6(row[2]), {})[_ipv6(row[3])] = (int(row[4]), int(row[5]))
    return filters


def _vifs(namespace, name):
    return [Vif(int(row[0]), row[1], *map(int, row[2:6])) for row in _rows(namespace, name)]


def vifs(namespace):
    """The interfaces of IPv4 multicast routing, by vif number; empty while no router runs."""
    return _vifs(namespace, "ip_mr_vif")


def vifs6(namespace):
    return _vifs(namespace, "ip6_mr_vif")


def vif_number(namespace, device, family=4):
    return next(vif.number for vif in (vifs if family == 4 else vifs6)(namespace) if vif.name == device)


def _routes(namespace, name, address):
    result = {}
    for group, source, parent, packets, size, wrong, *outgoing in _rows(namespace, name):
        resolved = int(parent) not in (-1, 65535)
        key = (address(source), address(group))
        numbers = frozenset(int(entry.split(":")[0]) for entry in outgoing)
        result[key] = Route(*key, int(parent) if resolved else None, numbers, int(packets), int(size), int(wrong))
    return result


def routes(namespace):
    """{(source, group): Route} of IPv4 multicast routing."""
    return _routes(namespace, "ip_mr_cache", _ipv4)


def routes6(namespace):
    return _routes(namespace, "ip6_mr_cache", _ipv6)


def outgoing_devices(namespace, source, group):
    """The names of the devices to which (source, group) is forwarded; None if there is no such entry."""
    route = (routes6 if ":" in group else routes)(namespace).get((source, group))
    names = {vif.number: vif.name for vif in (vifs6 if ":" in group else vifs)(namespace)}
    return route and {names[number] for number in route.outgoing}
