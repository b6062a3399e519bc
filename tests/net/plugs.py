# SPDX-License-Identifier: BSD-2-Clause
"""Hosts that outlive their cable: the router's link can be deleted and made again under their programs.

Deleting one end of a veth pair deletes the other one, and with it the memberships there. So the device of such a host
is a bridge, br0, that keeps its carrier, addresses, memberships and ifindex, while the cable is one of its ports.
"""

import contextlib
import fcntl
import os
import socket

from capture import attach_filter
from reader import Reader

_ETH_P_ALL, _PACKET_OUTGOING, _SO_RCVBUFFORCE = 0x0003, 4, 33

# UDP without options, over a packet that starts at the IP header: (code, jump if true, jump if false, constant).
_UDP_FILTER = (
    (0x30, 0, 0, 0),  # load byte 0
    (0x54, 0, 0, 0xF0),
    (0x15, 0, 3, 0x40),  # IPv4?
    (0x30, 0, 0, 9),
    (0x15, 0, 4, 17),
    (0x06, 0, 0, 0xFFFF),
    (0x30, 0, 0, 6),
    (0x15, 0, 1, 17),
    (0x06, 0, 0, 0xFFFF),
    (0x06, 0, 0, 0),
)


class PluggedHost:
    """Host number n: 10.0.n.10/24 and fd00:n::10/64 (n = 0: fd00::10) on its br0.

        host = PluggedHost(lab, "host", 1)
        host.plug(router, "eth1")       # the router's end is new and up, and has 10.0.1.1/24 and fd00:1::1/64
        host.unplug()                   # the router's end is gone
    """

    def __init__(self, lab, role, number):
        self.number = number
        self.namespace = lab.namespace(role)
        self.prefix6 = f"fd00:{number}::" if number else "fd00::"
        self.namespace.tap("keep")  # keeps the carrier
        self.namespace.bridge("br0", "keep", snooping=False,
                              addresses=(f"10.0.{number}.10/24", f"{self.prefix6}10/64"))
        # Otherwise its address, and with it the IPv6 one, would change with every cable.
        self.namespace.ip(f"link set br0 address 02:00:00:00:00:{number:02x}")
        self._end = None

    def plug(self, router, device, addresses=None):
        """A new cable to a new device of the router; in one go, as an interface daemon would."""
        if addresses is None:
            addresses = (f"10.0.{self.number}.1/24", f"{self.prefix6}1/64")
        router.ip(f"link add {device} type veth peer name port netns {self.namespace.name}",
                  *(f"address add {address} dev {device}{' nodad' if ':' in address else ''}"
                    for address in addresses))
        router.ip(f"link set {device} up")
        # Into the bridge with carrier: the late news of a missing one would stop the port for a moment, after it has
        # begun to forward.
        self.namespace.ip("link set port up", "link set port master br0")
        self._end = (router, device)
        return self

    def unplug(self):
        router, device = self._end
        router.ip(f"link delete {device}")

    def replug(self, addresses=None):
        router, device = self._end
        self.unplug()
        self.plug(router, device, addresses)


class StreamWatch:
    """Counts the UDP packets that come in by a device, wanted or not: what crossed the link, not what a program got."""

    def __init__(self, namespace, device="br0"):
        self.total = 0
        self._socket = namespace.socket(socket.AF_PACKET, socket.SOCK_DGRAM, 0)
        attach_filter(self._socket, _UDP_FILTER)
        self._socket.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, 8 << 20)
        with namespace.entered():
            self._socket.bind((device, _ETH_P_ALL))
        self._socket.setblocking(False)
        namespace.lab.defer(self._socket.close)

    def count(self):
        while True:
            try:
                _, address = self._socket.recvfrom(64)
            except BlockingIOError:
                return self.total
            self.total += address[2] != _PACKET_OUTGOING


class Tunnel:
    """A tunnel between two namespaces: a tun (layer 3, point to point) or tap device in each, and a thread that carries
    what is sent into one to the other, as a tunnel daemon does.

        tunnel = Tunnel(lab, "tun", (router, "tun0", ("10.8.0.1 peer 10.8.0.2",)), (host, "tun0", ("10.8.0.2 peer 10.8.0.1",)))
        tunnel.redial()                 # the first end is deleted and made again, as pppd does
    """

    _TUNSETIFF, _IFF_NO_PI = 0x400454CA, 0x1000
    _MODES = {"tun": 0x0001, "tap": 0x0002}

    def __init__(self, lab, mode, *ends):
        self._mode = self._MODES[mode]
        self._ends = ends
        self._descriptors = [self._open(*end) for end in ends]
        self._reader = Reader(self._carry, *self._descriptors)
        lab.defer(self._close)

    def _open(self, namespace, device, addresses):
        with namespace.entered():
            descriptor = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
            request = device.encode().ljust(16, b"\0") + (self._mode | self._IFF_NO_PI).to_bytes(2, "little") + bytes(22)
            fcntl.ioctl(descriptor, self._TUNSETIFF, request)
        namespace.add_addresses(device, *addresses)
        namespace.ip(f"link set {device} up")
        return descriptor

    def redial(self):
        self._reader.close()  # a thread that waits for a device keeps it
        os.close(self._descriptors[0])
        self._descriptors[0] = self._open(*self._ends[0])
        self._reader = Reader(self._carry, *self._descriptors)

    def _carry(self):
        for number in (0, 1):
            with contextlib.suppress(OSError):  # nothing there, or an end that is down
                while True:
                    os.write(self._descriptors[1 - number], os.read(self._descriptors[number], 65536))

    def _close(self):
        self._reader.close()
        for descriptor in self._descriptors:
            os.close(descriptor)
