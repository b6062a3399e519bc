# SPDX-License-Identifier: BSD-2-Clause
"""Switches that snoop: bridges with IGMP snooping below and above the router."""

from netlab import Capture, Daemon, Receiver, Sender, make_router, tables, wait_until

GROUP = "239.1.2.3"
QUICK = 'protocol = "IGMPv3"; last_member_query_interval = 0.3; instances = ("eth0 ==> eth1");'


def gapless(receiver):
    return not receiver.gaps()


def test_a_leave_with_another_member_left_behind_a_snooping_bridge(lab):
    """router eth1 -- switch (bridge) -- two hosts: one leaves, the other loses nothing."""
    network = make_router(lab, downstreams=0)
    switch, first, second = lab.namespace("switch"), lab.namespace("first"), lab.namespace("second")
    lab.link(network.router, "eth1", switch, "uplink", ("10.0.1.1/24",))
    lab.link(switch, "port1", first, "eth0", (), ("10.0.1.10/24",))
    lab.link(switch, "port2", second, "eth0", (), ("10.0.1.11/24",))
    switch.bridge("br0", "uplink", "port1", "port2")
    for host in (first, second):
        host.ip("route add default via 10.0.1.1")
    Daemon(network.router, QUICK, vifs=("eth0", "eth1"))
    upstream = Capture(network.source, "eth0")
    leaving, staying = Receiver(first, "eth0").join(GROUP), Receiver(second, "eth0").join(GROUP)
    Sender(network.source, "eth0", GROUP).start(pps=100)
    leaving.wait_for(10)
    staying.wait_for(10)

    leaving.leave(GROUP)
    staying.wait_for(150)
    assert gapless(staying)
    assert GROUP in tables.igmp_groups(network.router, "eth0")
    assert not [r for r in upstream.records(GROUP) if r.type in ("TO_IN", "BLOCK")]


def test_a_leave_with_another_member_left_upstream_of_a_snooping_bridge(lab):
    """source -- switch (snooping bridge, querier) -- router upstream, and another host: the router leaves, its port loses
    the stream, the other host nothing."""
    switch, source, other = lab.namespace("switch"), lab.namespace("source"), lab.namespace("other")
    router, host = lab.namespace("router"), lab.namespace("host")
    lab.link(switch, "port1", source, "eth0", (), ("10.0.0.10/24",))
    lab.link(switch, "port2", router, "eth0", (), ("10.0.0.1/24",))
    lab.link(switch, "port3", other, "eth0", (), ("10.0.0.11/24",))
    lab.link(router, "eth1", host, "eth0", ("10.0.1.1/24",), ("10.0.1.10/24",))
    host.ip("route add default via 10.0.1.1")
    switch.bridge("br0", "port1", "port2", "port3", querier=True, addresses=("10.0.0.254/24",))
    Daemon(router, QUICK, vifs=("eth0", "eth1"))
    Sender(source, "eth0", GROUP).start(pps=100)
    leaving, staying = Receiver(host, "eth0"), Receiver(other, "eth0")
    # The bridge asks in version 2: of the members the one that has reported last sends the leave, so the router joins last. A
    # bridge that has just come up may miss a report: then the host joins once more.
    for port, receiver in (("port3", staying), ("port2", leaving)):
        receiver.join(GROUP)

        def learned(port=port, receiver=receiver):
            if (port, GROUP) in switch.bridge_members("br0"):
                return True
            receiver.leave(GROUP).join(GROUP)
            return False
        wait_until(learned, 15, f"{port} in the switch's table", interval=1)
    leaving.wait_for(10)
    staying.wait_for(10)
    first = staying.count()

    leaving.leave(GROUP)
    wait_until(lambda: GROUP not in tables.igmp_groups(router, "eth0"), what="the leave upstream")
    staying.wait_for(250)
    sequences = staying.sequences()[first:]
    assert sequences == list(range(sequences[0], sequences[0] + len(sequences)))

    def port_is_free():
        before = router.packets_received("eth0")
        staying.wait_for(20)
        return router.packets_received("eth0") - before < 5
    wait_until(port_is_free, 15, "the router's port without the stream")
