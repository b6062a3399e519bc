# SPDX-License-Identifier: BSD-2-Clause
"""Filters, and several upstream links.

provider1 eth0 -- eth0 router eth1 -- eth0 lan1; router eth2 -- eth0 lan2; router eth3 -- eth0 provider2."""

from contextlib import closing

import pytest
from families import FAMILIES
from netlab import Daemon, Sender, make_router, wait_until

both_families = pytest.mark.parametrize("family", FAMILIES, ids=str)
LINKS = ("eth0", "eth1", "eth2", "eth3")


@pytest.fixture
def network(lab):
    return make_router(lab, downstreams=3)


def start(network, family, upstream, downstream='"eth1", "eth2"', top="", instance=""):
    text = (f'protocol = "{family.protocol}"; {top}\n'
            f'instances = ( {{ name = "tv"; upstream = ( {upstream} ); downstream = ( {downstream} ); {instance} }} );\n')
    daemon = Daemon(network.router, text, "-d", **({"vifs": LINKS} if family.number == 4 else {"vifs6": LINKS}))
    for link in LINKS:
        daemon.wait_for_output(f" {'upstream' if link in upstream else 'downstream'} {link}: in use")
    return daemon


def stream(network, family, group, from_second=False, pps=100):
    namespace = network.hosts[2] if from_second else network.source
    return closing(Sender(namespace, "eth0", group).start(pps=pps))


@both_families
def test_a_denied_group_is_not_joined_and_not_delivered(network, family):
    start(network, family, '"eth0"', '"eth1", { name = "eth2"; filter_out = [ "deny all" ]; }, "eth3"')
    allowed = family.receiver(network.host).join(family.group)
    denied = family.receiver(network.host2).join(family.group).join(family.other_group)
    with stream(network, family, family.group), stream(network, family, family.other_group):
        allowed.wait_for(20)
    assert family.group in family.joined(network)
    assert family.other_group not in family.joined(network)
    assert denied.count() == 0


@both_families
def test_first_divides_groups_and_takes_over(network, family):
    start(network, family, f'{{ name = "eth0"; filter_in = [ "allow {family.group}", "deny all" ]; }}, "eth3"')
    receiver = family.receiver(network.host).join(family.group).join(family.other_group)
    wait_until(lambda: family.group in family.joined(network, "eth0"), what="the join at the first provider")
    wait_until(lambda: family.other_group in family.joined(network, "eth3"), what="the join at the second provider")
    assert family.group not in family.joined(network, "eth3")
    assert family.other_group not in family.joined(network, "eth0")
    with stream(network, family, family.group), stream(network, family, family.group, from_second=True):
        receiver.wait_for(50, group=family.group)
        assert len(receiver.per_source()) == 1, "both providers are forwarded"
        network.router.ip("link set eth0 down")
        wait_until(lambda: family.group in family.joined(network, "eth3"), what="the second provider to take over")
        second = family.sources[0].replace("10.0.0.", "10.0.3.").replace("fd00::", "fd00:3::")
        receiver.wait_for(20, source=second, group=family.group)
        network.router.ip("link set eth0 up")
        if family.number == 6:
            network.router.ip("address replace fd00::1/64 dev eth0")
        wait_until(lambda: family.group in family.joined(network, "eth0"), what="the first provider to return")
        wait_until(lambda: family.group not in family.joined(network, "eth3"), what="the leave at the second provider")
        receiver.wait_for_silence(source=second)


@both_families
def test_a_reload_denies_at_once_and_keeps_the_rest(network, family):
    daemon = start(network, family, '"eth0"', '"eth1", "eth2", "eth3"')
    receiver = family.receiver(network.host).join(family.group).join(family.other_group)
    with stream(network, family, family.group, pps=1000), stream(network, family, family.other_group, pps=1000):
        receiver.wait_for(200, group=family.group)
        receiver.wait_for(200, group=family.other_group)
        text = daemon.configuration_path.read_text()
        denying = text.replace('"eth1",', f'{{ name = "eth1"; filter_out = [ "deny {family.other_group}" ]; }},')
        daemon.reconfigure(denying)
        receiver.wait_for_silence(group=family.other_group)
        assert family.other_group not in family.joined(network)
        before = receiver.count(group=family.group)
        receiver.wait_for(before + 200, group=family.group)
        daemon.reconfigure(text)
        receiver.wait_for(receiver.count(group=family.other_group) + 100, group=family.other_group, timeout=15)
    assert receiver.gaps(group=family.group) == []


@both_families
def test_discovery_stays_in_the_house(network, family):
    start(network, family, '"eth0"', '"eth1", "eth2", "eth3"')
    ssdp = "239.255.255.250" if family.number == 4 else "ff05::c"
    neighbour = family.receiver(network.host2).join(ssdp).join(family.group)
    upstream = family.receiver(network.source).join(ssdp).join(family.group)
    wait_until(lambda: family.group in family.joined(network), what="the join upstream")
    with (closing(Sender(network.host, "eth0", ssdp).start(pps=50)),
          closing(Sender(network.host, "eth0", family.group).start(pps=50))):
        neighbour.wait_for(20, group=ssdp)
        upstream.wait_for(20, group=family.group)
    assert upstream.count(group=ssdp) == 0
    assert ssdp not in family.joined(network)
