# SPDX-License-Identifier: BSD-2-Clause
"""The network laboratory: everything a network test needs, in one import.

    from netlab import Capture, CraftedHost, Daemon, Receiver, Record, Sender, tables, wait_until

    CONFIGURATION = 'protocol = "IGMPv3"; instances = ("eth0 ==> eth1");'

    def test_late_joiner_gets_a_running_stream(router):     # source eth0 -- eth0 router eth1 -- eth0 host
        Daemon(router.router, CONFIGURATION, vifs=("eth0", "eth1"))
        upstream = Capture(router.router, "eth0")
        Sender(router.source, "eth0", "239.1.1.1").start(pps=100)

        receiver = Receiver(router.host, "eth0").join("239.1.1.1")

        upstream.wait_for_record("TO_EX", "239.1.1.1")                  # the router joins upstream ...
        receiver.wait_for(5, source=router.source_address)              # ... and forwards
        assert tables.outgoing_devices(router.router, router.source_address, "239.1.1.1") == {"eth1"}

        receiver.leave("239.1.1.1")
        wait_until(lambda: "239.1.1.1" not in tables.igmp_groups(router.router, "eth0"), what="the upstream leave")

Nothing needs an explicit end: whatever a test makes is taken down in reverse order, the daemon is checked on the
way (exit status 0 on SIGTERM, no sanitizer report). Where things are:

    namespaces.py      Lab, Namespace (run, start, ip, sysctl, bridge, tap, vxlan), Process, wait_until, assert_stays
    topology.py        the router topology and its addresses
    traffic.py         Receiver, Sender, Membership (joins without counting), Wire
    wire.py            messages as values, building and decoding; Record("ALLOW", group, (source,))
    capture.py         Capture, CraftedHost, CraftedHost6, send_packet
    tables.py          /proc/net: igmp_groups, vifs, routes, source_filters, ... and their IPv6 twins
    mroute.py          the kernel's multicast routing sockets, for tests without the daemon
    rtnetlink.py       RouteNews: what the kernel announces about multicast routes; dump_multicast_routes
    mcproxy_daemon.py  Daemon
"""

import tables
import wire
from capture import Capture, CraftedHost, CraftedHost6, attach_filter, send_packet
from mcproxy_daemon import Daemon
from mroute import MulticastRouting, MulticastRouting6, Upcall
from namespaces import Lab, Namespace, Process, assert_stays, wait_until
from rtnetlink import RouteNews, dump_multicast_routes
from topology import RouterTopology, make_router
from traffic import PORT, Membership, Receiver, Sender, Wire
from wire import Message, Record

__all__ = ["Capture", "CraftedHost", "CraftedHost6", "Daemon", "Lab", "Membership", "Message", "MulticastRouting",
           "MulticastRouting6", "Namespace", "PORT", "Process", "Receiver", "Record", "RouteNews", "RouterTopology",
           "Sender", "Upcall", "Wire", "assert_stays", "attach_filter", "dump_multicast_routes", "make_router", "send_packet",
           "tables", "wait_until", "wire"]
