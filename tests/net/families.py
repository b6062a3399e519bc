# SPDX-License-Identifier: BSD-2-Clause
"""IPv4 and IPv6 as values, so that one test covers both.

    @pytest.mark.parametrize("family", FAMILIES, ids=str)
    def test_join(router, family):
        family.daemon(router, "query_interval = 10;")
        family.guest(router.host).report(Record("TO_EX", family.group))
        wait_until(lambda: family.group in family.joined(router), what="the join upstream")
"""

import dataclasses
import socket

import tables
from capture import Capture, CraftedHost, CraftedHost6
from mcproxy_daemon import Daemon
from traffic import Receiver


@dataclasses.dataclass(frozen=True)
class Family:
    number: int
    protocol: str
    older: str  # the version that knows joins and leaves, but no sources
    versions: tuple  # the older one's number and the newest one's
    socket_family: int
    group: str
    other_group: str
    ssm_group: str
    sources: tuple  # four; the first is the address of the source's end
    host: str
    guest_address: str  # of a host that exists only as packets
    general_destination: str
    unspecified: str
    groups: object
    filters: object
    vifs: object
    routes: object

    def __str__(self):
        return f"IPv{self.number}"

    @property
    def older_version(self):
        return self.versions[0]

    @property
    def version(self):
        return self.versions[1]

    def daemon(self, network, settings="", links=("eth0", "eth1"), flags="-d", protocol=None):
        """The daemon with one instance: the first link is the upstream one."""
        text = (f'protocol = "{protocol or self.protocol}"; {settings}\n'
                f'instances = ("{links[0]} ==> {" ".join(links[1:])}");\n')
        ready = {"vifs": links} if self.number == 4 else {"vifs6": links}
        daemon = Daemon(network.router, text, flags, **ready)
        for link in links:  # has its socket too: a packet that is sent once is not missed
            daemon.wait_for_output(f"{'upstream' if link == links[0] else 'downstream'} {link}: in use")
        return daemon

    def guest(self, namespace, address=None, device="eth0"):
        kind = CraftedHost if self.number == 4 else CraftedHost6
        return kind(namespace, device, address or self.guest_address)

    def querier(self, network):
        """A querier on the upstream link."""
        return self.guest(network.source, "10.0.0.254" if self.number == 4 else "fe80::fe")

    def capture(self, namespace, device="eth0"):
        return Capture(namespace, device, self.number)

    def receiver(self, namespace, device="eth0"):
        return Receiver(namespace, device, family=self.socket_family)

    def joined(self, network, device="eth0"):
        """The groups that the router's own host side has joined upstream."""
        return self.groups(network.router, device)

    def force_version(self, namespace, version, device="eth0"):
        (namespace.force_igmp_version if self.number == 4 else namespace.force_mld_version)(device, version)

    def forced_version(self, namespace, device="eth0"):
        name = "igmp" if self.number == 4 else "mld"
        return int(namespace.sysctl(f"net/ipv{self.number}/conf/{device}/force_{name}_version"))


IPV4 = Family(4, "IGMPv3", "IGMPv2", (2, 3), socket.AF_INET, "239.1.2.3", "239.1.2.4", "232.1.1.1",
              ("10.0.0.10", "10.0.0.11", "10.0.0.12", "10.0.0.13"), "10.0.1.10", "10.0.1.77", "224.0.0.1", "0.0.0.0",
              tables.igmp_groups, tables.source_filters, tables.vifs, tables.routes)
IPV6 = Family(6, "MLDv2", "MLDv1", (1, 2), socket.AF_INET6, "ff1e::1:3", "ff1e::1:4", "ff3e::1:1",
              ("fd00::10", "fd00::11", "fd00::12", "fd00::13"), "fd00:1::10", "fe80::77", "ff02::1", "::",
              tables.mld_groups, tables.source_filters6, tables.vifs6, tables.routes6)
FAMILIES = (IPV4, IPV6)
