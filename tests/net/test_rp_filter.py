# SPDX-License-Identifier: BSD-2-Clause
"""The reverse path filter with -r and reset_rp_filter: who loses it, who keeps it, and what comes back.

The kernel uses max(all, interface). So `all` must become 0 for a link to lose its filter, and every other interface
must get the old value of `all` then, or hosts there can send with any source address.
"""

import socket
import struct

import pytest
import wire
from capture import send_packet
from ctl import mcproxyctl
from netlab import Daemon, Receiver, Sender, assert_stays, make_router, wait_until
from test_doctor import wait_for_finding
from test_explain import explain_until

PORT = 9999


@pytest.fixture
def network(lab):
    """eth0 upstream, eth1 and eth2 downstream, eth3 unused by the daemon; each with a host."""
    return make_router(lab, downstreams=3)


def configuration(settings="", named=""):
    downstream = '"eth1", ' + (f'{{ name = "eth2"; {named} }}' if named else '"eth2"')
    return f'protocol = "IGMPv3"; {settings} instances = ({{ upstream = "eth0"; downstream = ( {downstream} ); }});'


def values(router):
    """Every interface's own value, with all and default."""
    names = router.run("ls /proc/sys/net/ipv4/conf").split()
    return {name: int(router.sysctl(f"net/ipv4/conf/{name}/rp_filter")) for name in names}


def effective(router):
    found = values(router)
    return {name: max(found["all"], value) for name, value in found.items() if name not in ("all", "default")}


def set_values(router, **wanted):
    for name, value in wanted.items():
        router.sysctl(f"net/ipv4/conf/{name}/rp_filter", value)


def wait_for_reset(router, *names):
    wait_until(lambda: all(effective(router)[name] == 0 for name in names), what=lambda: effective(router))


def accepts(network, number):
    """Does the router accept a packet with a source that is routed elsewhere, which a host sends on link n?"""
    router = network.router
    sender = (network.source, *network.hosts)[number]
    receiver = router.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        receiver.bind(("0.0.0.0", PORT))
        receiver.settimeout(0.3)
        own = f"10.0.{number}.10"
        spoofed = "10.0.2.99" if number != 2 else "10.0.1.99"
        seen = set()
        for source in (spoofed, own):
            data = source.encode()
            udp = struct.pack("!HHHH", 1234, PORT, 8 + len(data), 0) + data
            packet = wire.ipv4_packet(source, f"10.0.{number}.1", udp, ttl=8, tos=0, router_alert=False, protocol=17)
            send_packet(sender, "eth0", packet)
        while own not in seen:
            seen.add(receiver.recv(100).decode())
        return spoofed in seen
    finally:
        receiver.close()


TABLES = [
    # before: all, default, eth0 to eth3; while it runs: the value in force on eth0 to eth3 and on a new interface
    ((1, 0, 0, 0, 0, 0), (0, 1, 1, 1, 1)),
    ((1, 1, 1, 1, 1, 1), (0, 1, 1, 1, 1)),
    ((2, 1, 1, 0, 2, 1), (0, 2, 2, 2, 2)),
    ((1, 2, 2, 2, 1, 0), (0, 2, 1, 1, 2)),
    ((0, 0, 1, 1, 0, 2), (0, 1, 0, 2, 0)),
    ((0, 2, 2, 0, 1, 1), (0, 0, 1, 1, 2)),
]
ENDINGS = ["term", "kill and start", "kill and start with -r"]


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("before,running", TABLES, ids=lambda row: "".join(map(str, row)))
def test_only_upstream_links_lose_their_filter_and_all_values_come_back(network, before, running, ending):
    router = network.router
    set_values(router, **dict(zip(("all", "default", "eth0", "eth1", "eth2", "eth3"), before)))
    found, in_force = values(router), effective(router)
    daemon = Daemon(router, configuration(), "-r", vifs=("eth0", "eth1", "eth2"))
    wait_for_reset(router, "eth0")
    router.ip("link add late0 type bridge")
    wait_until(lambda: effective(router)["late0"] == running[4], what=lambda: effective(router))
    assert [effective(router)[f"eth{number}"] for number in range(4)] == list(running[:4])
    # Nobody but the upstream link has less than before; lo neither.
    assert all(effective(router)[name] == value for name, value in in_force.items() if name != "eth0")

    if ending == "term":
        daemon.terminate()
    else:
        if before[0] > 0:
            wait_until(lambda: "late0" in state(daemon) or found["default"] >= before[0], what=lambda: state(daemon))
        daemon.kill()
        after = Daemon(router, configuration(), "-r" if "-r" in ending else "", vifs=("eth0", "eth1", "eth2"))
        if "-r" in ending:
            wait_for_reset(router, "eth0")
            assert [effective(router)[f"eth{number}"] for number in range(4)] == list(running[:4])
        after.terminate()
    assert values(router) == found | {"late0": found["default"]}


def state(daemon):
    """The text of its state file; empty while another one takes its place."""
    directory = daemon.namespace.directory / "run" / "mcproxy"
    try:
        return "".join(path.read_text() for path in directory.glob("rp_filter*"))
    except FileNotFoundError:
        return ""


@pytest.mark.smoke
def test_spoofed_packets_are_still_dropped_where_they_were(network):
    """`all` alone filters, which is the default of many distributions."""
    router = network.router
    set_values(router, all=1, default=0, eth0=0, eth1=0, eth2=0, eth3=0)
    assert [accepts(network, number) for number in range(4)] == [False] * 4
    daemon = Daemon(router, configuration(named="reset_rp_filter = true;"), "-r", vifs=("eth0", "eth1", "eth2"))
    wait_for_reset(router, "eth0", "eth2")
    assert [accepts(network, number) for number in range(4)] == [True, False, True, False]
    daemon.terminate()
    assert [accepts(network, number) for number in range(4)] == [False] * 4


@pytest.mark.parametrize("settings,named,reset", [
    ("reset_rp_filter = true;", "", ("eth0",)),  # without -r; downstream links are not meant by it
    ("", "reset_rp_filter = true;", ("eth2",)),
    ("reset_rp_filter = true;", "reset_rp_filter = true;", ("eth0", "eth2")),
    ("", "", ()),
])
def test_the_key_names_links(network, settings, named, reset):
    router = network.router
    set_values(router, all=1)
    found = values(router)
    daemon = Daemon(router, configuration(settings, named), vifs=("eth0", "eth1", "eth2"))
    expected = effective(router) | dict.fromkeys(reset, 0)
    wait_until(lambda: effective(router) == expected, what=lambda: effective(router))
    assert_stays(lambda: effective(router) == expected, 0.5, "the filters")
    daemon.terminate()
    assert values(router) == found


def test_a_reload_takes_it_back_and_gives_it(network):
    router = network.router
    set_values(router, all=1, eth2=2)
    found, in_force = values(router), effective(router)
    daemon = Daemon(router, configuration(), vifs=("eth0", "eth1", "eth2"))
    for settings, named, reset in (("", "reset_rp_filter = true;", ("eth2",)),
                                   ("reset_rp_filter = true;", "", ("eth0",)),
                                   ("reset_rp_filter = true;", "reset_rp_filter = true;", ("eth0", "eth2")),
                                   ("", "", ())):
        daemon.reconfigure(configuration(settings, named))
        expected = in_force | dict.fromkeys(reset, 0)
        wait_until(lambda expected=expected: effective(router) == expected, what=lambda: effective(router))
    assert values(router) == found
    daemon.terminate()
    assert values(router) == found


def test_the_option_sets_the_key_for_all_upstream_links(network):
    """Also of those that a reload adds, and whatever the file says."""
    router = network.router
    set_values(router, all=1)
    found, in_force = values(router), effective(router)
    no = "reset_rp_filter = false;"
    daemon = Daemon(router, configuration(no, no), "-r", vifs=("eth0", "eth1", "eth2"))
    wait_for_reset(router, "eth0")
    assert effective(router) == in_force | {"eth0": 0}
    for instances, reset in (('"eth0 ==> eth1", "eth3 ==> eth2"', ("eth0", "eth3")), ('"eth3 ==> eth1 eth2"', ("eth3",)),
                             ('"eth0 ==> eth1 eth2 eth3"', ("eth0",))):
        daemon.reconfigure(f'protocol = "IGMPv3"; {no} instances = ({instances});')
        expected = in_force | dict.fromkeys(reset, 0)
        wait_until(lambda expected=expected: effective(router) == expected, what=lambda: effective(router))
    daemon.terminate()
    assert values(router) == found


@pytest.mark.parametrize("sends_downstream", [False, True], ids=["upstream", "downstream"])
def test_the_printed_key_brings_the_stream(network, sends_downstream):
    """A source that is routed elsewhere: what explain and doctor print, and what it does."""
    router, group, source = network.router, "239.1.2.3", "10.9.9.9"
    sender, link, taker = (network.hosts[0], "eth1", network.hosts[1]) if sends_downstream else \
        (network.source, "eth0", network.hosts[0])
    sender.add_addresses("eth0", f"{source}/24")
    router.ip("route add default via 10.0.3.10")
    set_values(router, **{link: 1})
    daemon = Daemon(router, configuration(), vifs=("eth0", "eth1", "eth2"))
    receiver = Receiver(taker, "eth0").join(group)
    Sender(sender, "eth0", group, address=source).start(pps=50)
    answer = explain_until(daemon, "rp_filter", group, source)
    if sends_downstream:
        assert "set reset_rp_filter = true in that link of the configuration" in answer.remedy
        text = configuration().replace('"eth1"', '{ name = "eth1"; reset_rp_filter = true; }')
    else:
        assert "set reset_rp_filter = true in the configuration (or start mcproxy with -r)" in answer.remedy
        finding = wait_for_finding(daemon, "rp-filter", link, "the default route leaves by eth3")
        assert "set reset_rp_filter = true in the configuration (or start mcproxy with -r)" in finding["remedy"]
        assert "reset_rp_filter = true or -r turns it off" in daemon.stderr
        text = configuration("reset_rp_filter = true;")
    assert receiver.count(source) == 0
    daemon.configuration_path.write_text(text)
    mcproxyctl(daemon, "reload")
    receiver.wait_for(5, source=source)
    explain_until(daemon, None, group, source)


def test_two_daemons_reset_their_own_upstream_links(network):
    """Neither holds the filter of a link that the other one resets; the last one restores everything."""
    router = network.router
    set_values(router, all=1, default=0)
    found = values(router)

    def daemon_of(up, down):
        return Daemon(router, f'protocol = "IGMPv3"; control_socket = "none"; '
                      f'instances = ({{ upstream = "{up}"; downstream = "{down}"; table = "own"; }});', "-r")
    first = daemon_of("eth0", "eth1")
    wait_for_reset(router, "eth0")
    router.ip("link add late0 type bridge")
    wait_until(lambda: "late0" in values(router), what="the new interface")
    second = daemon_of("eth2", "eth3")
    wait_for_reset(router, "eth0", "eth2")
    router.ip("link add late1 type bridge")

    def others():
        return {name: value for name, value in effective(router).items() if name not in ("eth0", "eth2")}
    expected = dict.fromkeys(effective(router), 1) | {"eth0": 0, "eth2": 0}
    wait_until(lambda: effective(router) == expected, what=lambda: effective(router))
    assert_stays(lambda: effective(router) == expected, 2.5, "the filters of both")
    first.terminate()
    assert effective(router)["eth0"] == 1 and effective(router)["eth2"] == 0 and set(others().values()) == {1}
    second.terminate()
    assert values(router) == found | {"late0": 0, "late1": 0}
    assert "another" not in first.stderr + second.stderr


def test_an_interface_that_is_made_again_is_a_new_one(network):
    router = network.router
    set_values(router, all=1, default=0)
    router.ip("link add again0 type bridge")
    set_values(router, again0=2)
    daemon = Daemon(router, configuration(), "-r", vifs=("eth0", "eth1", "eth2"))
    wait_for_reset(router, "eth0")
    router.ip("link del again0", "link add again0 type bridge")
    wait_until(lambda: effective(router)["again0"] == 1, what=lambda: effective(router))
    router.ip("link add again1 type bridge")  # what the daemon has learned of it when the next one is held
    wait_until(lambda: "again1" in state(daemon), what=lambda: state(daemon))
    daemon.terminate()
    assert values(router)["again0"] == 0
