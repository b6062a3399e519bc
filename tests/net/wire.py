# SPDX-License-Identifier: BSD-2-Clause
"""IGMP and MLD messages on the wire: built from and decoded to plain values, independent of the daemon's code.

Message is the one decoded form for both families. `kind` is "query", "report", "leave" (MLD: a done), or one of
router discovery (version 0): "advertisement", "solicitation", "termination".
`version` is 1..3 for IGMP, 1..2 for MLD. A report of IGMPv3 or MLDv2 has `records`, all others a `group`.
"""

import dataclasses
import ipaddress
import struct

RECORD_TYPES = {1: "IS_IN", 2: "IS_EX", 3: "TO_IN", 4: "TO_EX", 5: "ALLOW", 6: "BLOCK"}
_RECORD_NUMBERS = {name: number for number, name in RECORD_TYPES.items()}
IGMP_QUERY, IGMP_V1_REPORT, IGMP_V2_REPORT, IGMP_LEAVE, IGMP_V3_REPORT = 0x11, 0x12, 0x16, 0x17, 0x22
MLD_QUERY, MLD_V1_REPORT, MLD_DONE, MLD_V2_REPORT = 130, 131, 132, 143
DISCOVERY_KINDS = ("advertisement", "solicitation", "termination")  # RFC 4286, from these types on
IGMP_DISCOVERY, MLD_DISCOVERY = 0x30, 151


@dataclasses.dataclass(frozen=True)
class Record:
    """A group record of a report; sources are sorted, so that records compare."""

    type: str
    group: str
    sources: tuple = ()

    def __post_init__(self):
        object.__setattr__(self, "sources", tuple(sorted(self.sources, key=ipaddress.ip_address)))


@dataclasses.dataclass(frozen=True)
class Message:
    kind: str
    version: int
    family: int = 4
    group: str = None
    sources: tuple = ()
    records: tuple = ()
    max_response: float = 0.0  # seconds
    suppress: bool = False  # the S flag of a query
    robustness: int = 0
    query_interval: int = 0  # seconds
    advertisement_interval: int = 0  # seconds
    source: str = None  # of the IP header, like all that follows
    destination: str = None
    ttl: int = 0
    tos: int = 0
    router_alert: bool = False
    checksum_good: bool = True
    time: float = 0.0  # of the capture, seconds since the epoch (the kernel's stamp)
    outgoing: bool = False  # sent by the namespace that captured it
    raw: bytes = dataclasses.field(default=b"", repr=False)


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def packed(address):
    return ipaddress.ip_address(address).packed


def decode_float(code, bits):
    """The floating-point codes of RFC 9776 4.1.1 (8 bits) and RFC 9777 5.1.3 (16 bits)."""
    mantissa_bits = bits - 4
    if code < 1 << (bits - 1):
        return code
    mantissa = code & ((1 << mantissa_bits) - 1)
    exponent = (code >> mantissa_bits) & 7
    return (mantissa | 1 << mantissa_bits) << (exponent + 3)


def encode_float(value, bits):
    if value < 1 << (bits - 1):
        return value
    mantissa_bits = bits - 4
    exponent = max(value.bit_length() - mantissa_bits - 4, 0)
    if exponent > 7:
        return (1 << bits) - 1
    return 1 << (bits - 1) | exponent << mantissa_bits | (value >> (exponent + 3)) & ((1 << mantissa_bits) - 1)


# Building -------------------------------------------------------------------------------------------------


def _with_igmp_checksum(data):
    return data[:2] + struct.pack("!H", checksum(data)) + data[4:]


def igmp_simple(number, group, code=0):
    return _with_igmp_checksum(struct.pack("!BBH4s", number, code, 0, packed(group)))


def discovery(number, kind, interval=20, query_interval=125, robustness=2):
    """A message of router discovery, without a checksum; `number` is IGMP_DISCOVERY or MLD_DISCOVERY."""
    index = DISCOVERY_KINDS.index(kind)
    tail = struct.pack("!HH", query_interval, robustness) if index == 0 else b""
    return struct.pack("!BBH", number + index, interval if index == 0 else 0, 0) + tail


def igmp_discovery(kind, **fields):
    return _with_igmp_checksum(discovery(IGMP_DISCOVERY, kind, **fields))


def _query_tail(sources, suppress, robustness, query_interval):
    return struct.pack("!BBH", suppress << 3 | robustness, encode_float(query_interval, 8), len(sources)) + b"".join(
        map(packed, sources))


def igmp_query(version=3, group="0.0.0.0", sources=(), max_response=10.0, suppress=False, robustness=2,
               query_interval=125):
    code = 0 if version == 1 else encode_float(round(max_response * 10), 8)
    data = struct.pack("!BBH4s", IGMP_QUERY, code, 0, packed(group))
    if version == 3:
        data += _query_tail(sources, suppress, robustness, query_interval)
    return _with_igmp_checksum(data)


def _record_bytes(record):
    return struct.pack("!BBH", _RECORD_NUMBERS[record.type], 0, len(record.sources)) + packed(record.group) + b"".join(
        map(packed, record.sources))


def igmp_v3_report(*records):
    head = struct.pack("!BBHHH", IGMP_V3_REPORT, 0, 0, 0, len(records))
    return _with_igmp_checksum(head + b"".join(map(_record_bytes, records)))


def ipv4_packet(source, destination, payload, ttl=1, tos=0xC0, router_alert=True, protocol=2, options=b""):
    """The options are a multiple of four bytes."""
    options += b"\x94\x04\0\0" if router_alert else b""
    length = 20 + len(options)
    header = struct.pack("!BBHHHBBH4s4s", 0x40 | length // 4, tos, length + len(payload), 0, 0x4000, ttl, protocol, 0,
                         packed(source), packed(destination)) + options
    return header[:10] + struct.pack("!H", checksum(header)) + header[12:] + payload


def mld_simple(number, group, max_response=0):
    return struct.pack("!BBHHH16s", number, 0, 0, max_response, 0, packed(group))


def mld_query(version=2, group="::", sources=(), max_response=10.0, suppress=False, robustness=2, query_interval=125):
    milliseconds = round(max_response * 1000)
    data = mld_simple(MLD_QUERY, group, milliseconds if version == 1 else encode_float(milliseconds, 16))
    return data + _query_tail(sources, suppress, robustness, query_interval) if version == 2 else data


def mld_v2_report(*records):
    return struct.pack("!BBHHH", MLD_V2_REPORT, 0, 0, 0, len(records)) + b"".join(map(_record_bytes, records))


def _pseudo_header(source, destination, length):
    return packed(source) + packed(destination) + struct.pack("!II", length, 58)


def ipv6_packet(source, destination, payload, hop_limit=1, router_alert=True):
    """An ICMPv6 packet; its checksum is filled in."""
    total = checksum(_pseudo_header(source, destination, len(payload)) + payload[:2] + b"\0\0" + payload[4:])
    payload = payload[:2] + struct.pack("!H", total) + payload[4:]
    extension = b"\x3a\0\5\2\0\0\1\0" if router_alert else b""
    header = struct.pack("!IHBB", 0x60000000, len(extension) + len(payload), 0 if router_alert else 58, hop_limit)
    return header + packed(source) + packed(destination) + extension + payload


# Decoding -------------------------------------------------------------------------------------------------


def _addresses(data, size, count):
    return tuple(str(ipaddress.ip_address(data[i * size:(i + 1) * size])) for i in range(count))


def _decode_report(data, size):
    """The records of an IGMPv3 or MLDv2 report, whose addresses have that size."""
    count = struct.unpack_from("!H", data, 6)[0]
    data = data[8:]
    records = []
    for _ in range(count):
        number, auxiliary, sources = struct.unpack_from("!BBH", data)
        group = str(ipaddress.ip_address(data[4:4 + size]))
        addresses = _addresses(data[4 + size:], size, sources)
        records.append(Record(RECORD_TYPES.get(number, str(number)), group, addresses))
        data = data[4 + size + sources * size + 4 * auxiliary:]
    return tuple(records)


def _decode_query_tail(data, size):
    flags, interval, count = struct.unpack_from("!BBH", data)
    return {"suppress": bool(flags & 8), "robustness": flags & 7, "query_interval": decode_float(interval, 8),
            "sources": _addresses(data[4:], size, count)}


def _decode_discovery(data, first, fields):
    kind = DISCOVERY_KINDS[data[0] - first]
    if kind == "advertisement":
        interval, robustness = struct.unpack_from("!HH", data, 4)
        fields = {"advertisement_interval": data[1], "query_interval": interval, "robustness": robustness, **fields}
    return Message(kind, 0, **fields)


def _decode_igmp(data):
    number, code = data[0], data[1]
    fields = {"checksum_good": checksum(data) == 0}
    if IGMP_DISCOVERY <= number < IGMP_DISCOVERY + 3:
        return _decode_discovery(data, IGMP_DISCOVERY, fields)
    if number == IGMP_V3_REPORT:
        return Message("report", 3, records=_decode_report(data, 4), **fields)
    fields["group"] = str(ipaddress.ip_address(data[4:8]))
    if number == IGMP_QUERY and len(data) >= 12:
        return Message("query", 3, max_response=decode_float(code, 8) / 10, **_decode_query_tail(data[8:], 4),
                       **fields)
    if number == IGMP_QUERY:
        return Message("query", 2 if code else 1, max_response=code / 10 or 10.0, **fields)
    kinds = {IGMP_V1_REPORT: ("report", 1), IGMP_V2_REPORT: ("report", 2), IGMP_LEAVE: ("leave", 2)}
    return Message(*kinds[number], **fields) if number in kinds else None


def _decode_mld(data, source, destination):
    number = data[0]
    fields = {"family": 6, "checksum_good": checksum(_pseudo_header(source, destination, len(data)) + data) == 0}
    if MLD_DISCOVERY <= number < MLD_DISCOVERY + 3:
        return _decode_discovery(data, MLD_DISCOVERY, fields)
    if number == MLD_V2_REPORT:
        return Message("report", 2, records=_decode_report(data, 16), **fields)
    fields["group"] = str(ipaddress.ip_address(data[8:24]))
    delay = struct.unpack_from("!H", data, 4)[0]
    if number == MLD_QUERY and len(data) >= 28:
        return Message("query", 2, max_response=decode_float(delay, 16) / 1000, **_decode_query_tail(data[24:], 16),
                       **fields)
    kinds = {MLD_QUERY: "query", MLD_V1_REPORT: "report", MLD_DONE: "leave"}
    return Message(kinds[number], 1, max_response=delay / 1000, **fields) if number in kinds else None


def _decode_ipv4(packet):
    length = (packet[0] & 15) * 4
    message = _decode_igmp(packet[length:struct.unpack_from("!H", packet, 2)[0]]) if packet[9] == 2 else None
    return message and dataclasses.replace(
        message, source=str(ipaddress.ip_address(packet[12:16])), destination=str(ipaddress.ip_address(packet[16:20])),
        ttl=packet[8], tos=packet[1], router_alert=b"\x94\x04" in packet[20:length])


def _decode_ipv6(packet):
    source, destination = packet[8:24], packet[24:40]
    start = 40 + (packet[41] + 1) * 8 if packet[6] == 0 else 40
    if (packet[40] if packet[6] == 0 else packet[6]) != 58:
        return None
    message = _decode_mld(packet[start:], source, destination)
    return message and dataclasses.replace(
        message, source=str(ipaddress.ip_address(source)), destination=str(ipaddress.ip_address(destination)),
        ttl=packet[7], router_alert=b"\5\2\0\0" in packet[40:start])


def decode(packet, time=0.0, outgoing=False):
    """The Message in an IPv4 or IPv6 packet, None if it carries none; raises on a truncated one."""
    message = _decode_ipv4(packet) if packet[0] >> 4 == 4 else _decode_ipv6(packet)
    return message and dataclasses.replace(message, time=time, outgoing=outgoing, raw=packet)
