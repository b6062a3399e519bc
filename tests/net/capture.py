# SPDX-License-Identifier: BSD-2-Clause
"""IGMP and MLD on a link: Capture records and decodes what passes, CraftedHost and send_packet put packets on it."""

import ctypes
import ipaddress
import socket
import struct

import wire
from namespaces import assert_stays, wait_until
from reader import Reader
from wire import Record

_ETH_P_ALL, _ETH_P_IP, _ETH_P_IPV6 = 0x0003, 0x0800, 0x86DD
_PACKET_OUTGOING = 4
_SO_TIMESTAMPNS, _SO_ATTACH_FILTER, _SO_RCVBUFFORCE = 35, 26, 33

# Classic BPF over a packet that starts at the IP header: (code, jump if true, jump if false, constant).
MEMBERSHIP_FILTER = (
    (0x30, 0, 0, 0),  # load byte 0
    (0x54, 0, 0, 0xF0),
    (0x15, 0, 3, 0x40),  # IPv4?
    (0x30, 0, 0, 9),
    (0x15, 0, 6, 2),  # IGMP: accept, else drop
    (0x06, 0, 0, 0xFFFF),
    (0x15, 0, 4, 0x60),  # IPv6?
    (0x30, 0, 0, 6),
    (0x15, 1, 0, 0),  # hop-by-hop options, or
    (0x15, 0, 1, 58),  # ICMPv6: accept
    (0x06, 0, 0, 0xFFFF),
    (0x06, 0, 0, 0),
)


def attach_filter(sock, program):
    """SO_ATTACH_FILTER with a tuple of instructions as in MEMBERSHIP_FILTER."""
    code = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *instruction) for instruction in program))
    sock.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, struct.pack("HL", len(program), ctypes.addressof(code)))


class Capture:
    """Records every IGMP (family=6: MLD; None: both) message that passes a device, in both directions, from
    construction on.

        capture = Capture(net.source, "eth0")
        report = capture.wait_for(lambda m: m.kind == "report" and m.group == "239.1.1.1", "a report")

    The packets also go to a pcap file beside the logs of the namespace, for reading after a failure.
    """

    def __init__(self, namespace, device, family=4):
        self.namespace = namespace
        self.device = device
        self.family = family
        self.messages = []  # only ever appended to
        self.undecoded = []  # packets too broken to decode
        self.path = namespace.directory / f"{device}-{id(self):x}.pcap"
        self._file = open(self.path, "wb")
        self._file.write(struct.pack("=IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 101))  # LINKTYPE_RAW
        self._socket = namespace.socket(socket.AF_PACKET, socket.SOCK_DGRAM, 0)
        attach_filter(self._socket, MEMBERSHIP_FILTER)
        self._socket.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        self._socket.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, 8 << 20)
        with namespace.entered():
            self._socket.bind((device, _ETH_P_ALL))
        self._reader = Reader(self._receive, self._socket)
        namespace.lab.defer(self.close)

    def close(self):
        if self._reader.close():
            self._socket.close()
            self._file.close()

    def _receive(self):
        packet, ancillary, _, address = self._socket.recvmsg(65536, 64)
        seconds, nanoseconds = struct.unpack("=qq", ancillary[0][2][:16])
        if self.family not in (None, packet[0] >> 4):
            return
        self._file.write(struct.pack("=IIII", seconds, nanoseconds // 1000, len(packet), len(packet)) + packet)
        self._file.flush()
        try:
            message = wire.decode(packet, seconds + nanoseconds / 1e9, address[2] == _PACKET_OUTGOING)
        except (IndexError, ValueError, struct.error):
            self.undecoded.append(packet)
            return
        if message is not None:
            self.messages.append(message)

    def select(self, kind=None, version=None, group=None, outgoing=None, after=0.0):
        """The messages that fit; `group` also finds reports with a record of that group."""
        return [m for m in list(self.messages)
                if kind in (None, m.kind) and version in (None, m.version) and outgoing in (None, m.outgoing)
                and m.time > after
                and (group in (None, m.group) or any(record.group == group for record in m.records))]

    def records(self, group=None, outgoing=None, after=0.0):
        """All records of IGMPv3 and MLDv2 reports, in order."""
        return [record for m in self.select("report", outgoing=outgoing, after=after) for record in m.records
                if group in (None, record.group)]

    def wait_for(self, predicate, what, timeout=5.0, after=0.0):
        """Returns the first message that satisfies predicate(message)."""
        return wait_until(
            lambda: next((m for m in list(self.messages) if m.time > after and predicate(m)), None), timeout,
            lambda: f"{what} on {self.device} of {self.namespace.role}; seen: {self.messages[-8:]}")

    def wait_for_report(self, group, timeout=5.0):
        """The first report of that group, of any version."""
        return self.wait_for(lambda m: m.kind == "report" and (m.group == group or any(r.group == group for r in m.records)),
                             f"a report of {group}", timeout)

    def wait_for_record(self, kind, group, *sources, timeout=5.0, after=0.0):
        """The first message with that record: wait_for_record("ALLOW", "232.1.1.1", "10.0.0.10")."""
        wanted = Record(kind, group, sources)
        return self.wait_for(lambda m: wanted in m.records, wanted, timeout, after)

    def assert_none(self, predicate, seconds, what):
        """No message that fits is seen during that time, nor was before."""
        assert_stays(lambda: not any(predicate(m) for m in list(self.messages)), seconds, what)


def _multicast_mac(destination):
    address = ipaddress.ip_address(destination)
    if not address.is_multicast:
        return b"\xff" * 6
    if address.version == 6:
        return b"\x33\x33" + address.packed[12:]
    return b"\x01\x00\x5e" + bytes([address.packed[1] & 0x7F]) + address.packed[2:]


def send_packet(namespace, device, packet):
    """Sends an IP packet (bytes, or one made by scapy) as it is, to the MAC address of its multicast group."""
    send_packets(namespace, device, [bytes(packet)])


def send_packets(namespace, device, packets):
    """Sends such packets (bytes) back to back."""
    with PacketSocket(namespace, device) as sock:
        for packet in packets:
            sock.send(packet)


class PacketSocket:
    """Sends packets (bytes) at any rate. To close it takes the kernel some 10 ms, and more on a busy machine."""

    def __init__(self, namespace, device):
        self._device = device
        self._socket = namespace.socket(socket.AF_PACKET, socket.SOCK_DGRAM, 0)

    def send(self, packet):
        version = packet[0] >> 4
        destination = packet[16:20] if version == 4 else packet[24:40]
        protocol = _ETH_P_IP if version == 4 else _ETH_P_IPV6
        self._socket.sendto(packet, (self._device, protocol, 0, 0, _multicast_mac(destination)))

    def close(self):
        self._socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class CraftedHost:
    """A host or querier that exists only as packets: any source address, any version, no kernel behind it.

        guest = CraftedHost(net.host, "eth0", "10.0.1.77")
        guest.join("239.1.1.1")            # an IGMPv2 report
        guest.report(Record("ALLOW", "232.1.1.1", ("10.0.0.10",)))
    """

    def __init__(self, namespace, device, address="0.0.0.0"):
        self.namespace = namespace
        self.device = device
        self.address = address

    def send(self, payload, destination, **header):
        """An IGMP message in an IPv4 packet; header: ttl, tos, router_alert."""
        send_packet(self.namespace, self.device, wire.ipv4_packet(self.address, destination, payload, **header))

    def join(self, group, version=2, **header):
        number = wire.IGMP_V1_REPORT if version == 1 else wire.IGMP_V2_REPORT
        self.send(wire.igmp_simple(number, group), group, **header)

    def leave(self, group, **header):
        self.send(wire.igmp_simple(wire.IGMP_LEAVE, group), "224.0.0.2", **header)

    def report(self, *records, **header):
        self.send(wire.igmp_v3_report(*records), "224.0.0.22", **header)

    def query(self, version=3, group="0.0.0.0", sources=(), max_response=10.0, suppress=False, robustness=2,
              query_interval=125, **header):
        payload = wire.igmp_query(version, group, sources, max_response, suppress, robustness, query_interval)
        self.send(payload, "224.0.0.1" if group == "0.0.0.0" else group, **header)


class CraftedHost6:
    """The same for MLD; the address should be link-local."""

    def __init__(self, namespace, device, address):
        self.namespace = namespace
        self.device = device
        self.address = address

    def send(self, payload, destination, **header):
        """An MLD message in an IPv6 packet; header: hop_limit, router_alert."""
        send_packet(self.namespace, self.device, wire.ipv6_packet(self.address, destination, payload, **header))

    def join(self, group, **header):
        self.send(wire.mld_simple(wire.MLD_V1_REPORT, group), group, **header)

    def leave(self, group, **header):
        self.send(wire.mld_simple(wire.MLD_DONE, group), "ff02::2", **header)

    def report(self, *records, **header):
        self.send(wire.mld_v2_report(*records), "ff02::16", **header)

    def query(self, version=2, group="::", sources=(), max_response=10.0, suppress=False, robustness=2,
              query_interval=125, **header):
        payload = wire.mld_query(version, group, sources, max_response, suppress, robustness, query_interval)
        self.send(payload, "ff02::1" if group == "::" else group, **header)
