# SPDX-License-Identifier: BSD-2-Clause
"""What the kernel tells about multicast routing by netlink: announcements as they come, and dumps."""

import collections
import ipaddress
import socket
import struct

News = collections.namedtuple("News", "type family flags attributes")

# Multicast groups and message types of <linux/rtnetlink.h>.
GROUP_MROUTE = {4: 6, 6: 10}
GROUP_UPCALLS = {4: 30, 6: 31}
GROUP_NETCONF = {4: 24, 6: 25}
FAMILY = {4: 128, 6: 129}  # RTNL_FAMILY_IPMR, RTNL_FAMILY_IP6MR
NETCONF_MC_FORWARDING, NETCONF_IFINDEX = 4, 1
RTA_DST, RTA_SRC, RTA_MFC_STATS = 1, 2, 17
RTNH_F_UNRESOLVED = 32

_TYPES = {24: "NEWROUTE", 25: "DELROUTE", 80: "NEWNETCONF", 81: "DELNETCONF", 96: "NEWCACHEREPORT"}
_HEADER_SIZES = {"NEWROUTE": 12, "DELROUTE": 12, "NEWNETCONF": 4, "DELNETCONF": 4, "NEWCACHEREPORT": 4}
_NLMSG_DONE, _RTM_GETROUTE, _NLM_F_REQUEST_DUMP = 3, 26, 0x301


def _aligned(length):
    return (length + 3) & ~3


def _attributes(data):
    result = {}
    while len(data) >= 4:
        length, kind = struct.unpack_from("=HH", data)
        result[kind & 0x3FFF] = data[4:length]
        data = data[_aligned(length):]
    return result


def _messages(data):
    while len(data) >= 16:
        length, kind = struct.unpack_from("=IH", data)
        body = data[16:length]
        name = _TYPES.get(kind)
        size = _HEADER_SIZES.get(name, len(body))
        flags = struct.unpack_from("=I", body, 8)[0] if size == 12 else 0
        yield News(name or kind, body[0] if body else 0, flags, _attributes(body[_aligned(size):]))
        data = data[_aligned(length):]


def address_of(news, attribute):
    return str(ipaddress.ip_address(news.attributes[attribute]))


class RouteNews:
    """Announcements of some netlink groups, from construction on: RouteNews(namespace, GROUP_MROUTE[4])."""

    def __init__(self, namespace, *groups):
        self.socket = namespace.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE)
        namespace.lab.defer(self.socket.close)
        self.socket.setblocking(False)
        self.socket.bind((0, 0))
        for group in groups:
            self.socket.setsockopt(270, 1, group)  # SOL_NETLINK, NETLINK_ADD_MEMBERSHIP
        self.seen = []

    def read(self):
        """All news so far."""
        while True:
            try:
                self.seen.extend(_messages(self.socket.recv(65536)))
            except BlockingIOError:
                return self.seen

    def types(self):
        return [news.type for news in self.read()]


def dump_multicast_routes(namespace, family=4):
    """{(source, group): (packets, bytes, wrong_if)} by an RTM_GETROUTE dump, without unresolved entries."""
    result = {}
    with namespace.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as sock:
        sock.settimeout(5)
        sock.send(struct.pack("=IHHII", 28, _RTM_GETROUTE, _NLM_F_REQUEST_DUMP, 1, 0)
                  + struct.pack("=B11x", FAMILY[family]))
        while True:
            for news in _messages(sock.recv(1 << 20)):
                if news.type == _NLMSG_DONE:
                    return result
                if RTA_MFC_STATS in news.attributes:
                    result[address_of(news, RTA_SRC), address_of(news, RTA_DST)] = struct.unpack(
                        "=QQQ", news.attributes[RTA_MFC_STATS])
