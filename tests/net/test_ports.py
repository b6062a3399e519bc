# SPDX-License-Identifier: BSD-2-Clause
"""A port of a bridge, or a member of a bond or team, configured as a link in place of the bridge: everything that
looks at the configuration names the bridge, and with the bridge the stream flows. Members of a VRF are links."""

import pytest
from ctl import mcproxyctl
from diagnosis import examine, explain_until, wait_for_finding, wait_until_clean
from families import FAMILIES, IPV4
from mcproxy_daemon import PROGRAM
from netlab import Daemon, Sender, make_router, wait_until

KINDS = ("bridge", "bond", "team", "bond in bridge")


def make_device(namespace, name, options):
    """Makes a device, or skips the test where the kernel has no such kind."""
    try:
        namespace.ip(f"link add {name} type {options}")
    except RuntimeError as error:
        if "Unknown device type" not in str(error):
            raise
        pytest.skip(f"this kernel has no {options.split()[0]}")


@pytest.fixture(params=KINDS)
def ported(lab, request):
    """source eth0 -- eth0 router lanp1 -- eth0 host, where lanp1 is a port of br-lan: (network, text)."""
    network, kind = make_router(lab), request.param
    router = network.router
    router.ip("link set eth1 down", "link set eth1 name lanp1", "address flush dev lanp1")
    if kind == "bond in bridge":
        make_device(router, "bond0", "bond mode active-backup")
        router.ip("link set lanp1 master bond0", "link set lanp1 up", "link set bond0 up")
        router.bridge("br-lan", "bond0", addresses=("10.0.1.1/24", "fd00:1::1/64"))
        return network, "lanp1 is a member of bond bond0: use br-lan"
    if kind == "bridge":
        router.bridge("br-lan", "lanp1", addresses=("10.0.1.1/24", "fd00:1::1/64"))
        return network, "lanp1 is a port of bridge br-lan: use br-lan"
    make_device(router, "br-lan", kind + (" mode active-backup" if kind == "bond" else ""))
    router.ip("link set lanp1 master br-lan", "link set lanp1 up", "link set br-lan up")
    router.add_addresses("br-lan", "10.0.1.1/24", "fd00:1::1/64")
    return network, f"lanp1 is a member of {kind} br-lan: use br-lan"


def configuration(downstream, upstream="eth0", protocol='"IGMPv3", "MLDv2"'):
    return (f'protocol = [{protocol}]; query_interval = 2; query_response_interval = 0.5; '
            f'instances = ("{upstream} ==> {downstream}");\n')


def check(namespace, text):
    """What mcproxy -t prints about a configuration."""
    path = namespace.directory / "check.conf"
    path.write_text(text)
    return namespace.run(PROGRAM, "-t", "-c", path)


@pytest.mark.parametrize("family", FAMILIES, ids=str)
def test_a_port_downstream(ported, family):
    network, text = ported
    assert f"note: {text}\n" in check(network.router, configuration("lanp1"))
    assert "note:" not in check(network.router, configuration("br-lan"))
    daemon = Daemon(network.router, configuration("lanp1", protocol=f'"{family.protocol}"'), "-d")
    daemon.wait_for_output(f"eth0: {text}\n")
    finding = wait_for_finding(daemon, "links", "lanp1", text)
    assert finding["remedy"] == "name br-lan in place of lanp1 in the configuration, then mcproxyctl reload"
    receiver = family.receiver(network.host).join(family.group)
    Sender(network.source, "eth0", family.group).start(pps=50)
    answer = explain_until(daemon, "link", family.group)
    assert answer.text == text and "name br-lan in place of lanp1" in answer.remedy
    assert daemon.stderr.count(text) == 1
    daemon.reconfigure(configuration("br-lan", protocol=f'"{family.protocol}"'))
    receiver.wait_for(receiver.count() + 5, timeout=10)
    explain_until(daemon, None, family.group)
    assert "links" not in examine(daemon)


def test_a_port_upstream(lab):
    """The stream arrives on the bridge."""
    network = make_router(lab)
    network.router.ip("link set eth0 down", "link set eth0 name wanp1", "address flush dev wanp1")
    network.router.bridge("br-wan", "wanp1", addresses=("10.0.0.1/24",))
    text = "wanp1 is a port of bridge br-wan: use br-wan"
    assert f"note: {text}\n" in check(network.router, configuration("eth1", "wanp1"))
    daemon = Daemon(network.router, configuration("eth1", "wanp1", '"IGMPv3"'), "-d")
    receiver = IPV4.receiver(network.host).join(IPV4.group)
    Sender(network.source, "eth0", IPV4.group).start(pps=50)
    assert explain_until(daemon, "link", IPV4.group).text == text
    assert mcproxyctl(daemon, "reload").endswith(f"is in force\nnote: {text}\n")
    daemon.reconfigure(configuration("eth1", "br-wan", '"IGMPv3"'))
    assert "note:" not in mcproxyctl(daemon, "reload")
    receiver.wait_for(5, timeout=10)
    explain_until(daemon, None, IPV4.group)


def test_an_interface_that_becomes_a_port(router):
    """The daemon logs it when it happens, once, and again only after it has ended."""
    daemon = Daemon(router.router, configuration("eth1", protocol='"IGMPv3"'), "-d", vifs=("eth0", "eth1"))
    wait_until_clean(daemon)
    text = "eth0: eth1 is a port of bridge br-lan: use br-lan\n"
    router.router.bridge("br-lan", "eth1")
    daemon.wait_for_output(text)
    router.router.ip("link set eth1 mtu 1400")
    wait_for_finding(daemon, "links", "eth1", text[6:-1])
    assert daemon.stderr.count(text) == 1
    router.router.ip("link set eth1 nomaster", "address replace 10.0.1.1/24 dev eth1")
    wait_until_clean(daemon)


def test_other_ports_do_not_matter(router_two_hosts):
    """A member on a link of its own is explained without the port that is configured beside it."""
    network = router_two_hosts
    network.router.ip("address flush dev eth2")
    network.router.bridge("br-lan", "eth2", addresses=("10.0.2.1/24",))
    daemon = Daemon(network.router, configuration("eth1 eth2", protocol='"IGMPv3"'), "-d", vifs=("eth0", "eth1"))
    IPV4.receiver(network.host).join(IPV4.group)
    Sender(network.source, "eth0", IPV4.group).start(pps=50)
    explain_until(daemon, None, IPV4.group, "--link", "eth1")
    explain_until(daemon, None, IPV4.group)
    assert explain_until(daemon, "link", IPV4.group, "--link", "eth2").text == "eth2 is a port of bridge br-lan: use br-lan"


@pytest.mark.parametrize("family", FAMILIES, ids=str)
def test_a_member_of_a_vrf_is_a_link(router, family):
    make_device(router.router, "red", "vrf table 100")
    router.router.ip("link set red up", "link set eth0 master red", "link set eth1 master red")
    router.router.add_addresses("eth0", "fd00::1/64")  # a new master flushes them
    router.router.add_addresses("eth1", "fd00:1::1/64")
    assert "note:" not in check(router.router, configuration("eth1"))
    daemon = family.daemon(router)
    wait_until(lambda: "links" not in examine(daemon), what="links without a finding")
    assert "is a member" not in daemon.stderr
