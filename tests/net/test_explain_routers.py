# SPDX-License-Identifier: BSD-2-Clause
"""mcproxyctl explain beside other routers and queriers: a second router that forwards to the same LAN, and a switch that won
the election."""

import pytest
from ctl import ask
from diagnosis import explain_until, wait_for_finding, wait_until_clean
from families import FAMILIES, IPV4
from mcproxy_daemon import Daemon
from netlab import CraftedHost, Membership, Sender, make_router, wait_until


def configuration(family, settings=""):
    return f'protocol = "{family.protocol}"; query_interval = 10; query_response_interval = 1; {settings} instances = ("eth0 ==> eth1");\n'


@pytest.fixture
def two_routers(lab):
    """source -- eth0 router eth1 -- lan, source -- eth0 second eth1 -- lan"""
    source, lan = lab.namespace("source"), lab.namespace("lan")
    network = make_router(lab, downstreams=0)
    router, second = network.router, lab.namespace("second")
    router.ip("link del eth0")
    for number, name in enumerate((router, second), start=1):
        for device, end, subnet in (("eth0", source, 0), ("eth1", lan, 1)):
            prefix6 = f"fd00:{subnet}::" if subnet else "fd00::"
            lab.link(name, device, end, f"port{number}", (f"10.0.{subnet}.{number}/24", f"{prefix6}{number}/64"))
    source.bridge("eth0", "port1", "port2", snooping=False, addresses=("10.0.0.10/24", "fd00::10/64"))
    lan.bridge("eth0", "port1", "port2", snooping=False, addresses=("10.0.1.10/24", "fd00:1::10/64"))
    network.source, network.hosts[:] = source, [lan, second]
    return network


@pytest.mark.parametrize("family", FAMILIES, ids=str)
def test_a_second_router_forwards_to_the_same_lan(two_routers, family):
    network, second = two_routers, two_routers.host2
    daemon = family.daemon(network, "forward_without_querier = true;")
    other = Daemon(second, configuration(family, 'forward_without_querier = true; control_socket = "none";'), "-d")
    receiver = family.receiver(network.host).join(family.group)
    sender = Sender(network.source, "eth0", family.group).start(pps=50)
    wait_until(lambda: receiver.count() > 1.5 * sender.sequence - 50, what="packets twice")
    answer = explain_until(daemon, "copies", family.group, family.sources[0])
    address = second.ip_json("link show eth1")[0]["address"]
    assert answer.text == f"a second router ({address}) forwards them to eth1 too: hosts there receive every packet twice"
    # As the remedy says.
    assert "remove the link from the other's configuration" in answer.remedy
    other.reconfigure(configuration(family, 'control_socket = "none";').replace("eth0 ==> eth1", "eth0 ==> lo"))
    explain_until(daemon, None, family.group, family.sources[0])


@pytest.mark.parametrize("family", FAMILIES, ids=str)
def test_the_stream_is_left_to_the_other_router(two_routers, family):
    """The other one is the querier and forwards: nothing is wrong."""
    network, second = two_routers, two_routers.host2
    if family.number == 4:
        second.ip("address del 10.0.1.2/24 dev eth1", "address add 10.0.1.0/24 dev eth1")
    else:
        second.ip("address add fe80::1/64 dev eth1 nodad", f"address del {second.link_local('eth1')}/64 dev eth1")
    Daemon(second, configuration(family, 'control_socket = "none";'), "-d")
    daemon = family.daemon(network)
    wait_until(lambda: [link for link in ask(daemon, "show", what="links")["links"]
                        if link["role"] == "downstream" and not link["this_router_is_querier"]], 15, "the election")
    receiver = family.receiver(network.host).join(family.group)
    Sender(network.source, "eth0", family.group).start(pps=50)
    receiver.wait_for(5)

    def left():
        answer = explain_until(daemon, None, family.group, family.sources[0])
        return "another router forwards the stream to eth1: left to that one" in str(answer)
    wait_until(left, 15, "the stream to be left to the other router", interval=0.1)


@pytest.mark.parametrize("remedy", ("forward_without_querier", "querier_election"))
def test_a_switch_that_won_the_election(router, remedy):
    """It has the lower address, and forwards nothing."""
    network = router.raise_address()
    switch = CraftedHost(network.host, "eth0", "10.0.1.2")
    daemon = IPV4.daemon(network, "forward_without_querier = false;")
    switch.query(3)
    wait_for_finding(daemon, "querier-downstream", "eth1", "another router is the querier: 10.0.1.2")
    Membership(network.host, "eth0").join(IPV4.group)
    Sender(network.source, "eth0", IPV4.group).start(pps=50)
    answer = explain_until(daemon, "route", IPV4.group, IPV4.sources[0])
    assert answer.text == "the forwarding entry lacks eth1, which has a member"
    assert "another router (10.0.1.2) is the querier on eth1" in answer.remedy
    assert 'forward_without_querier = "auto"' in answer.remedy
    settings = 'forward_without_querier = "auto";' if remedy == "forward_without_querier" else "querier_election = false;"
    daemon.reconfigure(f'protocol = "IGMPv3"; {settings} instances = ("eth0 ==> eth1");')
    explain_until(daemon, None, IPV4.group, IPV4.sources[0])
    if remedy == "querier_election":
        wait_until_clean(daemon)
