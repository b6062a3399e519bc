# SPDX-License-Identifier: BSD-2-Clause
"""Streams of 10,000 packets/s: a FastSender is a process of its own, so that the test does not slow it down, and so is a
FastReceiver, which notes each packet's number and the kernel's time of its arrival."""

import json
import os
import signal
import socket
import struct
import sys
import time
from pathlib import Path

PORT = 5001
_SO_TIMESTAMPNS, _SO_RCVBUFFORCE = 35, 33
_GROUP_JOIN = 42


class FastSender:
    def __init__(self, namespace, group, pps, device="eth0"):
        self._process = namespace.start(sys.executable, Path(__file__), "send", device, group, pps)

    def stop(self):
        """The number of packets that were sent."""
        self._process.signal(signal.SIGTERM)
        self._process.wait()
        return int(self._process.stdout)


class FastReceiver:
    def __init__(self, namespace, groups, device="eth0"):
        self._process = namespace.start(sys.executable, Path(__file__), "receive", device, *groups)
        self._process.wait_for_output("ready")

    def stop(self):
        """{group: [(kernel time, sender, number), ...]}"""
        self._process.signal(signal.SIGTERM)
        self._process.wait(20)
        return json.loads(self._process.stdout.split("\n", 1)[1])


def _address(group, port):
    family = socket.AF_INET6 if ":" in group else socket.AF_INET
    return family, socket.getaddrinfo(group, port, family, socket.SOCK_DGRAM)[0][4]


def _send(device, group, pps):
    family, address = _address(group, PORT)
    index = socket.if_nametoindex(device)
    sock = socket.socket(family, socket.SOCK_DGRAM)
    if family == socket.AF_INET:
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, struct.pack("=4s4si", b"", b"", index))
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 8)
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_LOOP, 0)
    else:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, index)
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 8)
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_LOOP, 0)
    running = [True]
    signal.signal(signal.SIGTERM, lambda *_: running.clear())
    number, begin = 0, time.monotonic()
    while running:
        # What a busy machine has delayed is not caught up with in one burst.
        due = int((time.monotonic() - begin) * pps)
        if due - number > pps // 100:
            begin += (due - number - pps // 100) / pps
            due = number + pps // 100
        while number < due and running:
            sock.sendto(struct.pack("=q", number), address)
            number += 1
        time.sleep(0.0005)
    print(number)


def _receive(device, groups):
    arrivals = {group: [] for group in groups}
    sockets = []
    index = socket.if_nametoindex(device)
    for group in groups:
        family, address = _address(group, PORT)
        level = socket.IPPROTO_IPV6 if family == socket.AF_INET6 else socket.IPPROTO_IP
        sock = socket.socket(family, socket.SOCK_DGRAM)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        sock.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, 64 << 20)
        sock.bind(address if family == socket.AF_INET else address[:3] + (index,))
        storage = (struct.pack("=HH4s", family, 0, socket.inet_pton(family, group)) if family == socket.AF_INET else
                   struct.pack("=HHI16sI", family, 0, 0, socket.inet_pton(family, group), 0)).ljust(128, b"\0")
        sock.setsockopt(level, _GROUP_JOIN, struct.pack("=II", index, 0) + storage)
        sock.settimeout(0.0)
        sockets.append((sock, arrivals[group]))
    running = [True]
    signal.signal(signal.SIGTERM, lambda *_: running.clear())
    print("ready", flush=True)
    while True:
        idle = True
        for sock, kept in sockets:
            for _ in range(500):
                try:
                    data, ancillary, _, address = sock.recvmsg(64, 64)
                except BlockingIOError:
                    break
                idle = False
                seconds, nanoseconds = struct.unpack("=qq", ancillary[0][2][:16])
                kept.append((seconds + nanoseconds / 1e9, address[0], struct.unpack_from("=q", data)[0]))
        if idle and not running:
            break
        if idle:
            time.sleep(0.005)
    print(json.dumps(arrivals), flush=True)


if __name__ == "__main__":
    os.environ.setdefault("PYTHONDONTWRITEBYTECODE", "1")
    if sys.argv[1] == "send":
        _send(sys.argv[2], sys.argv[3], int(sys.argv[4]))
    else:
        _receive(sys.argv[2], sys.argv[3:])
