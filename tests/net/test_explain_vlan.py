# SPDX-License-Identifier: BSD-2-Clause
"""Frames of a VLAN that arrive on an interface without a VLAN interface: explain names the VLAN, and its command makes
the interface."""

import socket
import threading

import pytest
from diagnosis import explain_until, run_command
from families import FAMILIES, IPV4
from netlab import PORT, Daemon, Sender, wait_until
from scapy.layers.inet import IP, UDP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import Dot1Q, Ether


def configuration(family, upstream):
    return f'protocol = "{family.protocol}"; query_response_interval = 1; instances = ("{upstream} ==> eth1");\n'


class Tagged:
    """Sends frames with the tag of a VLAN, until it is closed. The kernel need not know VLANs."""

    def __init__(self, network, family, vlan):
        header = IP(src="10.0.4.10", dst=family.group, ttl=8) if family.number == 4 else IPv6(src="fd00:4::10", dst=family.group,
                                                                                         hlim=8)
        packet = bytes(header / UDP(sport=PORT, dport=PORT) / b"stream")
        group = "01:00:5e:01:02:03" if family.number == 4 else "33:33:00:01:00:03"
        self._frame = bytes(Ether(dst=group, src="02:00:00:00:00:10") / Dot1Q(vlan=vlan, type=0x800 if family.number == 4 else 0x86DD)
                            / packet)
        self._socket = network.source.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        with network.source.entered():
            self._socket.bind(("eth0", 0))
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._loop, daemon=True)
        self._thread.start()
        network.source.lab.defer(self.close)

    def _loop(self):
        while not self._stop.wait(0.02):
            self._socket.send(self._frame)

    def close(self):
        self._stop.set()
        self._thread.join()
        self._socket.close()


@pytest.fixture
def vlans(router):
    """Skips a test that makes VLAN interfaces where the kernel cannot."""
    try:
        router.source.ip("link add link eth0 name try type vlan id 9")
    except RuntimeError as error:
        if "Unknown device type" not in str(error):
            raise
        pytest.skip("this kernel has no VLAN interfaces")


def start(network, family, upstream="eth0"):
    ready = "vifs" if family.number == 4 else "vifs6"
    return Daemon(network.router, configuration(family, upstream), "-d", **{ready: (upstream, "eth1")})


@pytest.mark.parametrize("family", FAMILIES, ids=str)
def test_a_vlan_without_an_interface(router, family):
    daemon = start(router, family)
    family.receiver(router.host).join(family.group)
    Tagged(router, family, 4)
    answer = explain_until(daemon, "arrival", family.group)
    while "VLAN" not in answer.text:
        answer = explain_until(daemon, "arrival", family.group)
    assert answer.text == "the packets that arrive on eth0 belong to VLAN 4, which has no interface: configure eth0.4"
    assert answer.remedy == ("ip link add link eth0 name eth0.4 up type vlan id 4, then give eth0.4 its address, "
                             "and name it in place of eth0 in the configuration")


@pytest.mark.parametrize("family", FAMILIES, ids=str)
def test_the_command_makes_the_interface(router, family, vlans):
    daemon = start(router, family)
    receiver = family.receiver(router.host).join(family.group)
    Tagged(router, family, 4)
    run_command(router.router, explain_until(daemon, "arrival", family.group).remedy.split(", then ")[0])
    router.router.add_addresses("eth0.4", "10.0.4.1/24", "fd00:4::1/64")
    daemon.reconfigure(configuration(family, "eth0.4"))
    receiver.wait_for(5, timeout=10)
    explain_until(daemon, None, family.group)


def test_a_vlan_interface_that_is_down(router, vlans):
    router.router.ip("link add link eth0 name iptv type vlan id 4")
    daemon = start(router, IPV4)
    receiver = IPV4.receiver(router.host).join(IPV4.group)
    Tagged(router, IPV4, 4)
    answer = explain_until(daemon, "arrival", IPV4.group)
    assert answer.text == "the packets that arrive on eth0 belong to VLAN 4, whose interface iptv is down"
    run_command(router.router, answer.remedy)
    router.router.add_addresses("iptv", "10.0.4.1/24")
    # Now they arrive on a link, which is not the configured one.
    answer = explain_until(daemon, "arrival", IPV4.group)
    assert answer.text == "the stream arrives on iptv, which is not a link of instance eth0; expected: eth0"
    daemon.reconfigure(configuration(IPV4, "iptv"))
    receiver.wait_for(5, timeout=10)


@pytest.mark.parametrize("name", ("a'$x", "long-name-0123"))
def test_names_of_the_vlan_interface(router, name):
    """The name of the interface is quoted, or replaced if it is too long for the number of the VLAN."""
    router.router.ip("link set eth0 down")
    router.router.run("ip", "link", "set", "eth0", "name", name, "up")
    daemon = Daemon(router.router, configuration(IPV4, name.replace("'", "?")), "-d", vifs=(name, "eth1"))
    IPV4.receiver(router.host).join(IPV4.group)
    Tagged(router, IPV4, 4)
    made = f"{name}.4" if len(name) < 14 else "vlan4"
    answer = explain_until(daemon, "arrival", IPV4.group)
    assert answer.text.endswith(f"configure {made}")
    command = answer.remedy.split(", then ")[0]
    assert router.router.run("sh", "-c", f"printf '%s\\n' {command}").splitlines() == [
        "ip", "link", "add", "link", name, "name", made, "up", "type", "vlan", "id", "4"]


@pytest.mark.parametrize("family", FAMILIES, ids=str)
def test_a_vlan_with_its_interface(router, family, vlans):
    """The frames are seen with their tag on eth0, and again without it on eth0.4: only these count."""
    router.router.ip("link add link eth0 name eth0.4 up type vlan id 4")
    router.router.add_addresses("eth0.4", "10.0.4.1/24", "fd00:4::1/64")
    daemon = start(router, family, "eth0.4")
    receiver = family.receiver(router.host).join(family.group)
    Tagged(router, family, 4)
    receiver.wait_for(5)
    wait_until(lambda: "on eth0.4" in explain_until(daemon, None, family.group).steps["arrival"]["text"], what="the VLAN")


def test_another_vlan_beside_the_stream(router):
    """Frames of a VLAN that nobody has configured do not hide the stream itself."""
    daemon = start(router, IPV4)
    receiver = IPV4.receiver(router.host).join(IPV4.group)
    Tagged(router, IPV4, 5)
    Sender(router.source, "eth0", IPV4.group).start(pps=50)
    receiver.wait_for(5)
    explain_until(daemon, None, IPV4.group, IPV4.sources[0])
    explain_until(daemon, "arrival", IPV4.group, "10.0.4.10")
