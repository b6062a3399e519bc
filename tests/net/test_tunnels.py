# SPDX-License-Identifier: BSD-2-Clause
"""Links that are no cables: tun and tap tunnels, vxlan, and bridges that snoop, as downstream and as upstream links."""

import pytest
from families import FAMILIES, IPV4
from netlab import Daemon, Sender, make_router, wait_until
from plugs import StreamWatch, Tunnel

QUICK = "query_interval = 5; query_response_interval = 0.2; last_member_query_interval = 0.2;"
both_families = pytest.mark.parametrize("family", FAMILIES, ids=str)
ROUTER_POINT = ("10.8.0.1 peer 10.8.0.2", "fd00:8::1/64")
FAR_POINT = ("10.8.0.2 peer 10.8.0.1", "fd00:8::2/64")
ROUTER_SHARED = ("10.8.0.1/24", "fd00:8::1/64")
FAR_SHARED = ("10.8.0.2/24", "fd00:8::2/64")


def start(network, family, upstream, *downstreams, settings=""):
    links = (upstream, *downstreams)
    if family.number == 6:
        for link in links:
            network.router.link_local(link)
    return Daemon(network.router,
                  f'protocol = "{family.protocol}"; {QUICK} {settings} instances = ("{upstream} ==> {" ".join(downstreams)}");',
                  "-d", **({"vifs": links} if family.number == 4 else {"vifs6": links}))


def make_tunnel(lab, network, far, kind):
    """tun0 of the router leads to tun0 of the other end."""
    if kind == "vxlan":
        near, cable = ("10.0.1.1", "eth1") if far is network.host else ("10.0.0.1", "eth0")
        end = "10.0.1.10" if far is network.host else "10.0.0.10"
        network.router.vxlan("tun0", 7, near, end, cable, *ROUTER_SHARED)
        far.vxlan("tun0", 7, end, near, "eth0", *FAR_SHARED)
        return None
    addresses = (ROUTER_POINT, FAR_POINT) if kind == "tun" else (ROUTER_SHARED, FAR_SHARED)
    return Tunnel(lab, kind, (network.router, "tun0", addresses[0]), (far, "tun0", addresses[1]))


def assert_join_stream_leave(network, family, upper, upper_device, lower, lower_device, upstream):
    sender = Sender(upper, upper_device, family.group).start(pps=200)
    receiver = family.receiver(lower, lower_device)
    watch = StreamWatch(lower, lower_device)
    receiver.join(family.group).wait_for(20, timeout=8)
    assert not receiver.gaps()
    wait_until(lambda: family.group in family.groups(network.router, upstream), what="the join upstream")

    receiver.leave(family.group)
    wait_until(lambda: family.group not in family.groups(network.router, upstream), 8, "the leave upstream")

    def is_over():
        """But for what was under way in the tunnel."""
        count, at = watch.count(), sender.sequence
        wait_until(lambda: sender.sequence > at + 20, what="some more of the stream")
        return watch.count() == count
    wait_until(is_over, 8, "the end of the stream")


@both_families
@pytest.mark.parametrize("kind", ["tun", "tap", "vxlan"])
def test_tunnel_as_a_downstream_link(lab, family, kind):
    network = make_router(lab)
    make_tunnel(lab, network, network.host, kind)
    start(network, family, "eth0", "tun0")
    assert_join_stream_leave(network, family, network.source, "eth0", network.host, "tun0", "eth0")


@both_families
@pytest.mark.parametrize("kind", ["tun", "tap", "vxlan"])
def test_tunnel_as_the_upstream_link(lab, family, kind):
    network = make_router(lab)
    make_tunnel(lab, network, network.source, kind)
    network.host.ip("route replace default dev eth0")
    start(network, family, "tun0", "eth1")
    assert_join_stream_leave(network, family, network.source, "tun0", network.host, "eth0", "tun0")


@both_families
def test_source_behind_a_tunnel_reaches_upstream_and_the_other_link(lab, family):
    network = make_router(lab, downstreams=2)
    make_tunnel(lab, network, network.host, "tun")
    start(network, family, "eth0", "tun0", "eth2")
    above, member = family.receiver(network.source), family.receiver(network.host2)
    above.join(family.group)
    member.join(family.group)
    wait_until(lambda: family.group in family.joined(network), what="the member's join")
    Sender(network.host, "tun0", family.group).start(pps=200)
    for receiver in (above, member):
        receiver.wait_for(20)
        assert receiver.begins_with_the_first()


@both_families
def test_point_to_point_upstream_is_dialled_twenty_times_under_a_stream(lab, family):
    network = make_router(lab)
    tunnel = make_tunnel(lab, network, network.source, "tun")
    start(network, family, "tun0", "eth1")
    sender = Sender(network.source, "tun0", family.group).start(pps=200)
    receiver = family.receiver(network.host).join(family.group)
    receiver.wait_for(20)

    for _ in range(20):
        tunnel.redial()
        at = sender.sequence
        wait_until(lambda at=at: receiver.sequences()[-1] > at + 5, 8,
                   lambda: f"the stream of the new link; {network.router.run('ip address show dev tun0')} "
                           f"{family.vifs(network.router)} {family.routes(network.router)}")
        wait_until(lambda: family.group in family.groups(network.router, "tun0"), what="the join on the new link")
    sequences = receiver.sequences()
    lost = [after - before - 1 for before, after in zip(sequences, sequences[1:]) if after != before + 1]
    print(f"packets lost by 20 diallings, at 200 a second: {sum(lost)}, in gaps of {lost}")
    assert sum(lost) < 20 * 40  # what is under way waits in the far end's device


@both_families
def test_own_bridge_learns_from_the_queries_who_wants_what(lab, family):
    """router br0 (snooping, no querier of its own) -- three hosts: only the port of the member gets the stream."""
    network = make_router(lab, downstreams=0)
    hosts = []
    for number in (1, 2, 3):
        host = lab.namespace(f"host{number}")
        lab.link(network.router, f"port{number}", host, "eth0", (), (f"10.0.1.{9 + number}/24", f"fd00:1::{9 + number}/64"))
        hosts.append(host)
    network.router.bridge("br0", "port1", "port2", "port3", addresses=("10.0.1.1/24", "fd00:1::1/64"))
    start(network, family, "eth0", "br0")
    watches = [StreamWatch(host, "eth0") for host in hosts]
    member, above = family.receiver(hosts[0]), Sender(network.source, "eth0", family.group).start(pps=200)
    member.join(family.group).wait_for(20)

    def quiet_elsewhere():
        """The bridge floods until the response time of the first query has passed."""
        before = [watch.count() for watch in watches]
        member.wait_for(20)
        gained = [watch.count() - count for watch, count in zip(watches, before)]
        return gained[0] >= 20 and gained[1:] == [0, 0]
    wait_until(quiet_elsewhere, 15, "the stream at the member's port only")
    assert ("port1", family.group) in network.router.bridge_members("br0")

    # The stream upstream of a member behind the bridge, too.
    above.stop()
    top = family.receiver(network.source).join(family.other_group)
    Sender(hosts[1], "eth0", family.other_group).start(pps=200)
    top.wait_for(20)


@both_families
def test_switch_takes_the_router_for_its_querier(lab, family):
    """router eth1 -- switch (snooping, no querier of its own) -- two hosts: only the port of the member gets the stream."""
    network = make_router(lab, downstreams=0)
    switch, hosts = lab.namespace("switch"), [lab.namespace("host1"), lab.namespace("host2")]
    lab.link(network.router, "eth1", switch, "uplink", ("10.0.1.1/24", "fd00:1::1/64"))
    for number, host in enumerate(hosts, 1):
        lab.link(switch, f"port{number}", host, "eth0", (), (f"10.0.1.{9 + number}/24", f"fd00:1::{9 + number}/64"))
    switch.bridge("br0", "uplink", "port1", "port2")
    start(network, family, "eth0", "eth1")
    Sender(network.source, "eth0", family.group).start(pps=200)
    watch = StreamWatch(hosts[1], "eth0")
    member = family.receiver(hosts[0]).join(family.group)
    member.wait_for(20)

    def quiet():
        before = watch.count()
        member.wait_for(20)
        return watch.count() == before
    wait_until(quiet, 15, "the stream at the member's port only")
    if family is IPV4:
        details = switch.ip_json("-d link show dev br0")[0]["linkinfo"]["info_data"]
        assert details["mcast_snooping"] == 1 and details["mcast_querier"] == 0
