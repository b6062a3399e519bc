# SPDX-License-Identifier: BSD-2-Clause
"""The kernel's multicast routing (MRT) sockets, bare: for tests of the kernel itself and as a rival router.

    mrt = MulticastRouting(net.router)
    upstream, downstream = mrt.add_vif("eth0"), mrt.add_vif("eth1")
    upcall = mrt.wait_for_upcall()
    mrt.add_route(upcall.source, upcall.group, upstream, [downstream])

MulticastRouting6 is the same for IPv6. Errors of the kernel are raised as OSError.
"""

import collections
import fcntl
import ipaddress
import socket
import struct

from namespaces import wait_until

Upcall = collections.namedtuple("Upcall", "kind vif source group")
Counters = collections.namedtuple("Counters", "packets bytes wrong_if")

_INIT, _DONE, _ADD_VIF, _DEL_VIF, _ADD_MFC, _DEL_MFC, _VERSION, _ASSERT, _PIM, _TABLE = range(200, 210)
_FLUSH, _FLUSH_ALL = 212, 15
_KINDS = {1: "NOCACHE", 2: "WRONGVIF", 3: "WHOLEPKT"}
_VIFF_USE_IFINDEX = 8
_SIOCGETSGCNT = 0x89E1
_SO_RCVBUFFORCE = 33


class MulticastRouting:
    """The IPv4 routing socket. It gets IGMP packets besides upcalls; `packets` collects those."""

    _FAMILY, _PROTOCOL, _LEVEL = socket.AF_INET, socket.IPPROTO_IGMP, socket.IPPROTO_IP

    def __init__(self, namespace, table=None, owner=True):
        """owner=False: a socket that owns no table; its requests change the table anyway."""
        self.namespace = namespace
        self.packets = []
        self._next_vif = 0
        self.socket = namespace.socket(self._FAMILY, socket.SOCK_RAW, self._PROTOCOL)
        namespace.lab.defer(self.close)
        self.socket.setblocking(False)
        self.socket.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, 4 << 20)
        if table is not None:
            self.set(_TABLE, table)
        if owner:
            self.set(_INIT, 1)

    def close(self):
        """Closes the socket without further ado, as a process does that dies."""
        self.socket.close()

    def set(self, option, value):
        data = struct.pack("=i", value) if isinstance(value, int) else value
        self.socket.setsockopt(self._LEVEL, option, data)

    def done(self):
        self.set(_DONE, 1)

    @property
    def assertion(self):
        return self.socket.getsockopt(self._LEVEL, _ASSERT)

    @assertion.setter
    def assertion(self, value):
        self.set(_ASSERT, int(value))

    @property
    def pim(self):
        return self.socket.getsockopt(self._LEVEL, _PIM)

    @pim.setter
    def pim(self, value):
        self.set(_PIM, int(value))

    def add_vif(self, device, number=None, threshold=1):
        """Makes a device an interface of multicast routing; returns its number, by default the next free one."""
        if number is None:
            number = self._next_vif
        self.set(_ADD_VIF, self._vif(number, threshold, self.namespace.ifindex(device)))
        self._next_vif = max(self._next_vif, number + 1)
        return number

    @staticmethod
    def _vif(number, threshold, ifindex):
        return struct.pack("=HBBIi4x", number, _VIFF_USE_IFINDEX, threshold, 0, ifindex)

    def delete_vif(self, number):
        self.set(_DEL_VIF, self._vif(number, 0, 0))

    def add_route(self, source, group, parent, outgoing=(), threshold=1):
        """Adds or updates an (S,G) entry; one without outgoing vifs is negative. IPv4 packets need a TTL above the threshold."""
        self.set(_ADD_MFC, self._route(source, group, parent, outgoing, threshold))

    def delete_route(self, source, group):
        self.set(_DEL_MFC, self._route(source, group, 0, ()))

    def flush(self):
        """Deletes all entries and vifs."""
        self.set(_FLUSH, _FLUSH_ALL)

    @staticmethod
    def _route(source, group, parent, outgoing, threshold=1):
        thresholds = bytes(threshold if number in outgoing else 0 for number in range(32))
        return struct.pack("=4s4sH32s2xIIIi", _packed(source), _packed(group), parent, thresholds, 0, 0, 0, 0)

    def counters(self, source, group):
        request = struct.pack("@4s4sLLL", _packed(source), _packed(group), 0, 0, 0)
        return Counters(*struct.unpack("@4s4sLLL", self._ioctl(request))[2:])

    def _ioctl(self, request):
        return fcntl.ioctl(self.socket, _SIOCGETSGCNT, request)

    def _decode(self, data):
        """The Upcall in what the socket gave, or None."""
        if len(data) < 20 or data[9] != 0:
            return None
        return Upcall(_KINDS.get(data[8]), data[10], *map(_text, (data[12:16], data[16:20])))

    def upcalls(self):
        """What has arrived since the last call."""
        result = []
        while True:
            try:
                data = self.socket.recv(65536)
            except BlockingIOError:
                return result
            upcall = self._decode(data)
            if upcall is None:
                self.packets.append(data)
            else:
                result.append(upcall)

    def wait_for_upcall(self, timeout=5.0, kind="NOCACHE"):
        """The next upcall of that kind; earlier ones of other kinds are dropped."""
        return wait_until(lambda: next((upcall for upcall in self.upcalls() if upcall.kind == kind), None), timeout,
                          f"a {kind} upcall")


class MulticastRouting6(MulticastRouting):
    _FAMILY, _PROTOCOL, _LEVEL = socket.AF_INET6, socket.IPPROTO_ICMPV6, socket.IPPROTO_IPV6

    @staticmethod
    def _vif(number, threshold, ifindex):
        return struct.pack("=HBBH2xI", number, 0, threshold, ifindex, 0)

    def delete_vif(self, number):
        self.set(_DEL_VIF, struct.pack("=i", number))

    @staticmethod
    def _route(source, group, parent, outgoing, _=1):
        return _sockaddr6(source) + _sockaddr6(group) + struct.pack(
            "=H2xI28x", parent, sum(1 << number for number in outgoing))

    def counters(self, source, group):
        request = _sockaddr6(source) + _sockaddr6(group) + bytes(24)
        return Counters(*struct.unpack("=QQQ", self._ioctl(request)[56:80]))

    def _decode(self, data):
        if len(data) < 40 or data[0] != 0:
            return None
        number = struct.unpack_from("=H", data, 2)[0]
        return Upcall(_KINDS.get(data[1]), number, *map(_text, (data[8:24], data[24:40])))


def _packed(address):
    return ipaddress.ip_address(address).packed


def _text(data):
    return str(ipaddress.ip_address(data))


def _sockaddr6(address):
    return struct.pack("=HHI16sI", socket.AF_INET6, 0, 0, _packed(address), 0)
