# SPDX-License-Identifier: BSD-2-Clause
"""The network most tests use: a source, a router with one or more downstream links, a host on each."""

import dataclasses

from namespaces import Namespace


@dataclasses.dataclass
class RouterTopology:
    """source eth0 -- eth0 router eth1 -- eth0 host, and for more downstream links eth2 -- eth0 host2 and so on.

    Link n is 10.0.n.0/24 and fd00:n::/64; the router has .1 and ::1 there, the source or host .10 and ::10. Link 0
    is the upstream one. No rp_filter anywhere, ip_forward off, default routes towards the router.
    """

    source: Namespace
    router: Namespace
    hosts: list

    @property
    def host(self):
        return self.hosts[0]

    @property
    def host2(self):
        return self.hosts[1]

    source_address = "10.0.0.10"
    source_address6 = "fd00::10"
    host_address = "10.0.1.10"
    host_address6 = "fd00:1::10"
    host2_address = "10.0.2.10"
    host2_address6 = "fd00:2::10"

    def raise_address(self):
        """The router has 10.0.1.50 on its first downstream link, so that there are lower and higher addresses."""
        self.router.run("ip address del 10.0.1.1/24 dev eth1")
        self.router.add_addresses("eth1", "10.0.1.50/24")
        self.host.ip("route replace default via 10.0.1.50")
        return self


def make_router(lab, downstreams=1):
    router = lab.namespace("router")
    ends = []
    for number in range(downstreams + 1):
        end = lab.namespace("source" if number == 0 else f"host{number}")
        prefix6 = f"fd00:{number}::" if number else "fd00::"
        lab.link(router, f"eth{number}", end, "eth0", (f"10.0.{number}.1/24", f"{prefix6}1/64"),
                 (f"10.0.{number}.10/24", f"{prefix6}10/64"),
                 (f"route add default via 10.0.{number}.1", f"route add default via {prefix6}1"))
        ends.append(end)
    return RouterTopology(ends[0], router, ends[1:])
