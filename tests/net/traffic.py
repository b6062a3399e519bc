# SPDX-License-Identifier: BSD-2-Clause
"""Multicast hosts: Receiver joins groups as applications do and counts what arrives, Sender sends numbered packets, Wire counts
what comes in by a link."""

import collections
import ipaddress
import socket
import struct
import threading
import time

from namespaces import assert_stays, wait_until
from reader import Reader

PORT = 5001  # iperf's, too
_MAGIC = b"mcpx"

# <linux/in.h>; the same numbers serve IPv6.
_JOIN_GROUP, _BLOCK, _UNBLOCK, _LEAVE_GROUP, _JOIN_SOURCE, _LEAVE_SOURCE, _MSFILTER = range(42, 49)
_EXCLUDE, _INCLUDE = 0, 1
_IP_MULTICAST_ALL, _IPV6_MULTICAST_ALL = 49, 29
_IP_PKTINFO = 8
_SO_TIMESTAMPNS, _SO_RCVBUFFORCE = 35, 33


def _sockaddr_storage(address):
    address = ipaddress.ip_address(address)
    if address.version == 4:
        data = struct.pack("=HH4s", socket.AF_INET, 0, address.packed)
    else:
        data = struct.pack("=HHI16sI", socket.AF_INET6, 0, 0, address.packed, 0)
    return data.ljust(128, b"\0")


class Membership:
    """Source filters of one socket on one device, by the protocol-independent socket options.

    Each call is one system call; errors of the kernel are raised as OSError.
    """

    def __init__(self, namespace, device, family=socket.AF_INET):
        self.namespace = namespace
        self.device = device
        self.ifindex = namespace.ifindex(device)
        self.socket = namespace.socket(family, socket.SOCK_DGRAM)
        self._level = socket.IPPROTO_IP if family == socket.AF_INET else socket.IPPROTO_IPV6
        namespace.lab.defer(self.close)

    def close(self):
        """Leaves every group, as a program does that ends."""
        self.socket.close()

    def _group_request(self, option, group):
        self.socket.setsockopt(self._level, option, struct.pack("=II", self.ifindex, 0) + _sockaddr_storage(group))

    def _source_request(self, option, group, source):
        request = struct.pack("=II", self.ifindex, 0) + _sockaddr_storage(group) + _sockaddr_storage(source)
        self.socket.setsockopt(self._level, option, request)

    def join(self, group):
        self._group_request(_JOIN_GROUP, group)
        return self

    def leave(self, group):
        self._group_request(_LEAVE_GROUP, group)
        return self

    def join_source(self, group, source):
        self._source_request(_JOIN_SOURCE, group, source)
        return self

    def leave_source(self, group, source):
        self._source_request(_LEAVE_SOURCE, group, source)
        return self

    def block_source(self, group, source):
        self._source_request(_BLOCK, group, source)
        return self

    def unblock_source(self, group, source):
        self._source_request(_UNBLOCK, group, source)
        return self

    def _filter(self, group, mode, sources):
        request = struct.pack("=II", self.ifindex, 0) + _sockaddr_storage(group)
        request += struct.pack("=II", mode, len(sources)) + b"".join(map(_sockaddr_storage, sources))
        self.socket.setsockopt(self._level, _MSFILTER, request)
        return self

    def include(self, group, sources):
        """Replaces the filter of a joined group (MCAST_MSFILTER); the first call for a group must be a join."""
        return self._filter(group, _INCLUDE, sources)

    def exclude(self, group, sources):
        return self._filter(group, _EXCLUDE, sources)


class Arrival(collections.namedtuple("Arrival", "time source group sequence sent payload")):
    """One packet: `time` by the kernel's stamp and `sent` by the Sender's, both seconds since the epoch. For
    packets of other programs `sequence` is -1 and `sent` 0."""


class Receiver(Membership):
    """A host application: joins through its Membership methods and records every packet of its groups.

        receiver = Receiver(net.host, "eth0").join("239.1.1.1")
        receiver.wait_for(10, source="10.0.0.10")
    """

    KEPT_PACKETS = 4

    def __init__(self, namespace, device, port=PORT, family=socket.AF_INET):
        super().__init__(namespace, device, family)
        self.arrivals = []  # only ever appended to
        sock = self.socket
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        if family == socket.AF_INET:
            sock.setsockopt(socket.IPPROTO_IP, _IP_MULTICAST_ALL, 0)  # not what others on this host joined
            sock.setsockopt(socket.IPPROTO_IP, _IP_PKTINFO, 1)
        else:
            sock.setsockopt(socket.IPPROTO_IPV6, _IPV6_MULTICAST_ALL, 0)
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.bind(("", port))
        sock.setblocking(False)
        self._reader = Reader(self._receive, sock)

    def close(self):
        if self._reader.close():
            super().close()

    def _receive(self):
        data, ancillary, _, address = self.socket.recvmsg(65536, 512)
        self.arrivals.append(self._arrival(data, ancillary, address))

    @staticmethod
    def _arrival(data, ancillary, address):
        stamp, group = 0.0, None
        for level, kind, value in ancillary:
            if level == socket.SOL_SOCKET and kind == _SO_TIMESTAMPNS:
                seconds, nanoseconds = struct.unpack("=qq", value[:16])
                stamp = seconds + nanoseconds / 1e9
            elif level == socket.IPPROTO_IP and kind == _IP_PKTINFO:
                group = str(ipaddress.ip_address(value[8:12]))
            elif level == socket.IPPROTO_IPV6 and kind == socket.IPV6_PKTINFO:
                group = str(ipaddress.ip_address(value[:16]))
        sequence, sent = -1, 0.0
        if data[:4] == _MAGIC:
            sequence, sent = struct.unpack_from("=qd", data, 4)
        return Arrival(stamp, address[0].split("%")[0], group, sequence, sent, data)

    def of(self, source=None, group=None):
        return [a for a in list(self.arrivals) if source in (None, a.source) and group in (None, a.group)]

    def count(self, source=None, group=None):
        return len(self.of(source, group))

    def per_source(self):
        return collections.Counter(arrival.source for arrival in list(self.arrivals))

    def sequences(self, source=None, group=None):
        return [arrival.sequence for arrival in self.of(source, group)]

    def gaps(self, source=None, group=None):
        """Where packets are missing, or come twice or out of order: (the one before, the one after). Not within the first
        moment: of a new stream the kernel keeps four packets until its entry is made, drops those that follow, and may
        forward a newer one before the four."""
        sequences = self.sequences(source, group)[2 * self.KEPT_PACKETS:]
        return [(before, after) for before, after in zip(sequences, sequences[1:]) if after != before + 1]

    def begins_with_the_first(self, source=None, group=None):
        """It was a member when the stream began: the packets that the kernel kept, and then all others."""
        return (self.sequences(source, group)[:self.KEPT_PACKETS] == list(range(self.KEPT_PACKETS))
                and not self.gaps(source, group))

    def wait_for(self, count=1, source=None, group=None, timeout=5.0):
        """Waits for that many packets *from now on*."""
        wanted = self.count(source, group) + count
        wait_until(lambda: self.count(source, group) >= wanted, timeout,
                   lambda: f"{count} more packets of ({source or '*'}, {group or '*'}) at {self.namespace.role}, "
                           f"which has {dict(self.per_source())}")

    def wait_for_silence(self, source=None, group=None, quiet=0.3, timeout=5.0):
        """Waits until nothing has arrived for `quiet` seconds; meant for use while a sender still sends."""
        state = {"count": -1, "since": 0.0}

        def silent():
            count = self.count(source, group)
            if count != state["count"]:
                state.update(count=count, since=time.monotonic())
            return time.monotonic() - state["since"] > quiet
        wait_until(silent, timeout, f"silence of ({source or '*'}, {group or '*'}) at {self.namespace.role}")

    def assert_silent(self, seconds=0.5, source=None, group=None):
        """Nothing arrives during that time."""
        count = self.count(source, group)
        assert_stays(lambda: self.count(source, group) == count, seconds,
                     lambda: f"silence of ({source or '*'}, {group or '*'}): {self.arrivals[-3:]}")


class Sender:
    """Sends numbered packets to a group: some at once by send(), or a steady stream by start() until stop().

    `address` selects one of the host's addresses, for several sources on one host.
    """

    def __init__(self, namespace, device, group, port=PORT, ttl=8, address=None, size=64):
        family = socket.AF_INET6 if ":" in group else socket.AF_INET
        self.namespace = namespace
        self.group = group
        self.size = size
        self.sequence = 0  # of the next packet, so also the number of packets sent
        self.errors = []
        self._destination = (group, port)
        self._thread = None
        self._stop = threading.Event()
        self.socket = sock = namespace.socket(family, socket.SOCK_DGRAM)
        ifindex = namespace.ifindex(device)
        if family == socket.AF_INET:
            sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, struct.pack("=4s4si", b"", b"", ifindex))
            sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, ttl)
            sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_LOOP, 0)
        else:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, ifindex)
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, ttl)
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_LOOP, 0)
        if address is not None:
            link_local = ":" in address and ipaddress.ip_address(address).is_link_local
            sock.bind((address, 0, 0, ifindex) if link_local else (address, 0))
        namespace.lab.defer(self.close)

    def send(self, count=1):
        for _ in range(count):
            data = (_MAGIC + struct.pack("=qd", self.sequence, time.time())).ljust(self.size, b"\0")
            self.socket.sendto(data, self._destination)
            self.sequence += 1
        return self

    def start(self, pps=100, count=None):
        """Sends in the background until stop(), or until `count` packets are out."""
        assert self._thread is None, "already sending"
        self._stop.clear()
        self._thread = threading.Thread(target=self._loop, args=(1 / pps, count), daemon=True)
        self._thread.start()
        return self

    def _loop(self, interval, count):
        next_at = time.monotonic()
        sent = 0
        while (count is None or sent < count) and not self._stop.is_set():
            try:
                self.send()
            except OSError as error:  # a link that goes down under a stream is part of some tests
                self.errors.append(error)
            sent += 1
            next_at += interval
            self._stop.wait(max(next_at - time.monotonic(), 0))

    def stop(self):
        """Ends the stream; returns the number of packets sent so far."""
        if self._thread is not None:
            self._stop.set()
            self._thread.join()
            self._thread = None
        return self.sequence

    def close(self):
        self.stop()
        self.socket.close()


class Wire:
    """Counts the data packets of a group that really come in by a link, by source, whatever the host has joined."""

    def __init__(self, namespace, group, device="eth0"):
        self._group = ipaddress.ip_address(group).packed
        self._socket = namespace.socket(socket.AF_PACKET, socket.SOCK_DGRAM, 0)
        with namespace.entered():
            self._socket.bind((device, 0x86DD if ":" in group else 0x0800))
        self._socket.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, 8 << 20)
        self._socket.setblocking(False)
        namespace.lab.defer(self._socket.close)

    def count(self):
        """{source: packets} since the last call."""
        counts = collections.Counter()
        first, size, protocol_at, udp = (12, 4, 9, 17) if len(self._group) == 4 else (8, 16, 6, 17)
        while True:
            try:
                packet, address = self._socket.recvfrom(2048)
            except BlockingIOError:
                return counts
            if (address[2] != socket.PACKET_OUTGOING and packet[protocol_at] == udp
                    and packet[first + size:first + 2 * size] == self._group):
                counts[str(ipaddress.ip_address(packet[first:first + size]))] += 1
