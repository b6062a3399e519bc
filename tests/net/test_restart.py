# SPDX-License-Identifier: BSD-2-Clause
"""What a run leaves to the next one, apart from streams: the store in step with the sockets, a link that is another one, and
rp_filter."""

import signal
import time

import pytest
from families import FAMILIES, IPV4
from netlab import Sender, Wire, make_router, tables, wait_until
from restarts import Stream, configuration, manager_of


def replace_link(lab, router, group):
    """Another link comes in eth2's place; returns its wire."""
    router.router.run("ip link delete eth2")
    other = lab.namespace("other")
    lab.link(router.router, "eth2", other, "eth0", ("10.0.2.1/24", "fd00:2::1/64"), ("10.0.2.10/24", "fd00:2::10/64"))
    return Wire(other, group)


@pytest.mark.parametrize("family", FAMILIES, ids=str)
def test_another_link_with_the_same_name(lab, family):
    """A link goes in the gap, and another one comes in its place: it gets no packet, as no host there has joined."""
    router = make_router(lab, downstreams=2)
    manager = manager_of(router, configuration(instances="eth0 ==> eth1 eth2"))
    stays = Stream(router, family, pps=5000).start()
    family.receiver(router.host2).join(family.group).wait_for(20)
    manager.crash()
    silent = replace_link(lab, router, family.group)
    manager.start()
    time.sleep(0.5)
    assert not silent.count()
    stays.assert_complete()


def test_a_threshold_holds_while_a_link_is_added(router_two_hosts):
    """Packets with a small TTL stay, also while entries are written for a link that the configuration has now."""
    router = router_two_hosts
    manager = manager_of(router, configuration("ttl_threshold = 16;", instances="eth0 ==> eth2"))
    IPV4.receiver(router.host2).join(IPV4.group)
    Sender(router.source, "eth0", IPV4.group, ttl=16).start(pps=5000)
    wire = Wire(router.host2, IPV4.group)
    wait_until(lambda: tables.outgoing_devices(router.router, "10.0.0.10", IPV4.group) == {"eth2"}, what="the entry")
    manager.crash()
    manager.configuration = configuration("ttl_threshold = 16;", instances="eth0 ==> eth1 eth2")
    manager.start()
    time.sleep(0.5)
    assert not wire.count()


def test_hand_over_without_a_manager(router):
    """No process would hold the descriptors: the daemon reports it, and goes on."""
    daemon = IPV4.daemon(router)
    daemon.signal(signal.SIGUSR2)
    daemon.wait_for_output("SIGUSR2: no other process holds the sockets")
    Stream(router, IPV4).start()


def test_the_store_is_kept_in_step(router):
    """One MRT socket, one packet socket for each link, and join sockets that come and go."""
    manager = manager_of(router, configuration(families=(IPV4,)))

    def stored(kind):
        return [name for name in manager.names if name.startswith(kind)]
    wait_until(lambda: len(stored("link.ipv4")) == 2, what="the packet sockets")
    joins = len(stored("join.ipv4.eth0"))
    receiver = IPV4.receiver(router.host).join(IPV4.group)
    wait_until(lambda: len(stored("join.ipv4.eth0")) == joins + 1, what="the join socket")
    assert len(stored("mrt.ipv4.default")) == 1
    manager.crash()
    manager.start()
    wait_until(lambda: len(stored("join.ipv4.eth0")) == joins + 1, 8, "the sockets of the run before to go")
    receiver.leave(IPV4.group)
    wait_until(lambda: len(stored("join.ipv4.eth0")) == joins, 8, "the join socket to go")
    assert len(stored("mrt.ipv4.default")) == 1 and len(stored("link.ipv4")) == 2


def test_rp_filter_stays_off(router):
    """Without it the stream would be dropped: it must not come back for a moment."""
    router.router.run("ip route add blackhole 10.9.0.0/16")
    router.source.run("ip address add 10.9.0.1/32 dev lo")
    router.router.sysctl("net/ipv4/conf/all/rp_filter", 1)
    manager = manager_of(router, configuration("reset_rp_filter = true;", families=(IPV4,)))
    receiver = IPV4.receiver(router.host).join(IPV4.group)
    Sender(router.source, "eth0", IPV4.group, address="10.9.0.1").start(pps=1000)
    receiver.wait_for(50)
    for end in (manager.crash, manager.hand_over):
        end()
        manager.start()
        receiver.wait_for(100)
    assert receiver.gaps() == []
    manager.stop()
    assert router.router.sysctl("net/ipv4/conf/all/rp_filter") == "1"
