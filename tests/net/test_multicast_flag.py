# SPDX-License-Identifier: BSD-2-Clause
"""Links whose interface has no MULTICAST flag: the kernel routes by them as by others; the log explains it once."""

import pytest
from families import FAMILIES
from netlab import Daemon, Sender, wait_until

EXPLAINED = "the interface has no MULTICAST flag: mcproxy uses it anyway"


@pytest.mark.parametrize("family", FAMILIES, ids=str)
def test_it_is_explained_once_and_used(router, family):
    network = router
    network.router.ip("link set eth0 multicast off", "link set eth1 multicast off")
    links = ("eth0", "eth1")
    daemon = Daemon(network.router, f'protocol = "{family.protocol}"; instances = ("eth0 ==> eth1");', "-d",
                    **({"vifs": links} if family.number == 4 else {"vifs6": links}))
    for link in links:
        daemon.wait_for_output(f"{'upstream' if link == 'eth0' else 'downstream'} {link}: {EXPLAINED}")
        daemon.wait_for_output(f"ip link set dev {link} multicast on\n")
    # Streams pass in both directions, and the host side upstream joins.
    receiver = family.receiver(network.host).join(family.group)
    Sender(network.source, "eth0", family.group).start(pps=100)
    receiver.wait_for(10)
    assert family.group in family.joined(network)
    outside = family.receiver(network.source).join(family.other_group)
    Sender(network.host, "eth0", family.other_group).start(pps=100)
    outside.wait_for(10)

    network.router.ip("link set eth1 mtu 1400")
    wait_until(lambda: network.router.ip_json("link show eth1")[0]["mtu"] == 1400, what="the MTU")
    network.router.ip("link set eth1 multicast on", "link set eth1 down")
    daemon.wait_for_output("downstream eth1: interface is down")
    network.router.ip("link set eth1 up")
    receiver.wait_for(10)
    assert daemon.stderr.count(EXPLAINED) == 2
