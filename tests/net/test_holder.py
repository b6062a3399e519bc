# SPDX-License-Identifier: BSD-2-Clause
"""Another multicast router holds a family: the daemon serves the rest, shows who it is, and takes over when it ends."""

import contextlib
import os
import signal
import socket
import time
from pathlib import Path

import pytest
from ctl import ask, mcproxyctl
from diagnosis import Answer, examine
from families import FAMILIES, IPV4, IPV6
from mcproxy_daemon import PROGRAM
from mroute import MulticastRouting, MulticastRouting6
from netlab import Daemon, Process, Sender, wait_until
from test_service import CAPABILITIES, Manager

QUICK = "query_response_interval = 0.3; "
BOTH = QUICK + 'instances = ("eth0 ==> eth1");'
ENDINGS = pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGKILL], ids=["term", "kill"])
TAKEOVER = 1.5  # seconds


def start_igmpproxy(network):
    path = network.router.directory / "igmpproxy.conf"
    path.write_text("phyint eth0 upstream ratelimit 0 threshold 1\nphyint eth1 downstream ratelimit 0 threshold 1\n")
    program = network.router.start("igmpproxy", "-n", path)
    wait_until(lambda: IPV4.vifs(network.router) != [], what="igmpproxy's vifs")
    return program


def start_smcroute(network):
    directory = network.router.directory
    (directory / "smcroute.conf").write_text("")
    program = network.router.start("smcrouted", "-n", "-f", directory / "smcroute.conf", "-P", directory / "smcroute.pid",
                                   "-u", directory / "smcroute.sock")
    wait_until(lambda: IPV4.vifs(network.router) != [] and IPV6.vifs(network.router) != [], what="smcroute's vifs")
    return program


def wait_until_held(daemon, program, families):
    name = f"{program.command.split()[0]} (pid {program.pid})"
    for family in families:
        daemon.wait_for_output(f"{family}: another multicast router is running: {name}; {family} is left out until it ends")
    wait_until(lambda: held(daemon) == {str(family): name for family in families}, what=lambda: held(daemon))
    return name


def kernel_tables(daemon):
    """While the daemon starts it has no control socket yet."""
    def answer():
        with contextlib.suppress(FileNotFoundError, ConnectionRefusedError):
            return ask(daemon, "show", what="status")["tables"]
    return wait_until(answer, what="the control socket")


def held(daemon):
    """{family: who holds it}"""
    return {table["family"]: table["held_by"] for table in kernel_tables(daemon) if not table["served"]}


def assert_streams_flow(network, families, receivers=None):
    receivers = receivers or {family: family.receiver(network.host).join(family.group) for family in families}
    for family in families:
        Sender(network.source, "eth0", family.group).start(pps=100)
    for family in families:
        receivers[family].wait_for(10)


@pytest.mark.smoke
@ENDINGS
@pytest.mark.parametrize("start, families", [(start_igmpproxy, (IPV4,)), (start_smcroute, FAMILIES)],
                         ids=["igmpproxy", "smcroute"])
def test_the_family_begins_when_the_holder_ends(router, start, families, ending):
    """Members that were there before are found by the first query, and streams reach them."""
    network = router
    program = start(network)
    daemon = Daemon(network.router, BOTH, "-d")
    wait_until_held(daemon, program, families)
    receivers = {family: family.receiver(network.host).join(family.group) for family in FAMILIES}
    if IPV6 not in families:  # the other family has nothing to do with it
        assert_streams_flow(network, (IPV6,), receivers)
    for family in families:
        Sender(network.source, "eth0", family.group).start(pps=100)
    program.signal(ending)
    program.wait()
    for family in families:
        wait_until(lambda family=family: {vif.name for vif in family.vifs(network.router)} == {"eth0", "eth1"}, TAKEOVER,
                   f"vifs of {family}; {daemon.stderr}")
        receivers[family].wait_for(10)
        assert family.group in family.joined(network)
    assert held(daemon) == {}
    assert daemon.stderr.count("is left out") == len(families), daemon.stderr
    assert daemon.stderr.count("served from now on") == len(families)


@ENDINGS
def test_named_families_wait_too(router, ending):
    """The daemon does not end because both families are taken."""
    network = router
    program = start_smcroute(network)
    daemon = Daemon(network.router, 'protocol = ["IGMPv3", "MLDv2"]; ' + BOTH)
    wait_until_held(daemon, program, FAMILIES)
    assert daemon.running
    program.signal(ending)
    program.wait()
    assert_streams_flow(network, FAMILIES)


@pytest.mark.parametrize("family", FAMILIES, ids=str)
def test_a_table_is_waited_for(router, family):
    network = router
    rival = (MulticastRouting if family is IPV4 else MulticastRouting6)(network.router, table=100)
    daemon = Daemon(network.router, f'protocol = "{family.protocol}"; table = 100; {BOTH}')
    daemon.wait_for_output(f"{family}, table 100: another multicast router is running: ")
    assert list(held(daemon)) == [str(family)]
    table, = kernel_tables(daemon)
    assert table["table"] == 100
    rival.close()
    daemon.wait_for_output("served from now on")
    assert_streams_flow(network, (family,))


@pytest.mark.parametrize("family", FAMILIES, ids=str)
def test_a_program_that_opens_and_closes_all_the_time(router, family):
    """Each time the kernel announces it. The daemon tries again, but not as often, and searches for the holder even less."""
    network = router
    kind = MulticastRouting if family is IPV4 else MulticastRouting6
    rival = kind(network.router)
    daemon = Daemon(network.router, f'protocol = "{family.protocol}"; {BOTH}')
    daemon.wait_for_output("is left out")
    trace = network.router.directory / "strace"
    network.router.start("strace", "-qq", "-o", trace, "-e", "trace=socket,openat", "-p", daemon.pid)
    wait_until(lambda: "TracerPid:\t0" not in Path(f"/proc/{daemon.pid}/status").read_text(), what="strace")
    rounds, since = 0, time.monotonic()
    while time.monotonic() < since + 3:
        kind(network.router, table=77).close()
        rounds += 1
    lines = trace.read_text().splitlines()
    elapsed = time.monotonic() - since
    tries = sum("SOCK_RAW" in line for line in lines)
    searches = sum('"/proc", ' in line for line in lines)
    assert rounds > 50
    assert 2 <= tries <= 4 * elapsed + 2, (tries, rounds)
    assert searches <= elapsed / 2 + 2, (searches, rounds)
    rival.close()
    wait_until(lambda: {vif.name for vif in family.vifs(network.router)} == {"eth0", "eth1"}, TAKEOVER, daemon.stderr)


def test_a_reload_meanwhile(router_two_hosts):
    """The configuration is in force at once; what waits begins with it."""
    network = router_two_hosts
    program = start_igmpproxy(network)
    daemon = Daemon(network.router, BOTH)
    wait_until_held(daemon, program, (IPV4,))
    daemon.reconfigure(QUICK + 'protocol = ["IGMPv2", "MLDv2"]; instances = ("eth0 ==> eth1 eth2", "==> eth3");')
    daemon.wait_for_output("is in force")
    assert list(held(daemon)) == ["IPv4"]
    assert daemon.stderr.count("is left out") == 1
    assert {vif.name for vif in IPV6.vifs(network.router)} >= {"eth0", "eth1"}
    program.signal(signal.SIGKILL)
    wait_until(lambda: {vif.name for vif in IPV4.vifs(network.router)} == {"eth0", "eth1", "eth2"}, 5, "the vifs")
    assert_streams_flow(network, (IPV4,))
    # What is not configured any more is not waited for.
    daemon.reconfigure(QUICK + 'protocol = "MLDv2"; instances = ("eth0 ==> eth1 eth2");')
    wait_until(lambda: IPV4.vifs(network.router) == [], what="the end of IPv4")
    program = start_igmpproxy(network)
    daemon.reconfigure(BOTH)
    wait_until(lambda: str(program.pid) in held(daemon).get("IPv4", ""), what=lambda: held(daemon))
    daemon.reconfigure(QUICK + 'protocol = "MLDv2"; instances = ("eth0 ==> eth1 eth2");')
    wait_until(lambda: held(daemon) == {}, what=lambda: held(daemon))


def test_everything_shows_the_holder(router):
    network = router
    manager = Manager(network.router.lab)
    program = start_igmpproxy(network)
    daemon = Daemon(network.router, BOTH, "-s", environment=manager.environment())
    name = wait_until_held(daemon, program, (IPV4,))
    wait_until(lambda: {vif.name for vif in IPV6.vifs(network.router)} == {"eth0", "eth1"}, what="IPv6")
    wait_until(lambda: manager.status == f"STATUS=2 links in use: eth0 eth1; IPv4 is not served: {name}",
               what=lambda: manager.status)
    assert f"IPv4           not served: {name}\n" in mcproxyctl(daemon, "show", "status")
    links = mcproxyctl(daemon, "show", "links")
    assert links.count(f"not served: {name}") == 2 and "no address" not in links
    explained = Answer(daemon, IPV4.group)
    assert explained.failed == "group" and f"IPv4 is not served: {name}" in explained.text
    assert f"stop {name}" in explained.remedy
    finding, = examine(daemon)["owner"]
    assert finding["subject"] == "IPv4" and finding["what"].startswith(name) and "stop igmpproxy" in finding["remedy"]
    assert set(examine(daemon)) == {"owner"}
    metrics = mcproxyctl(daemon, "metrics")
    assert 'mcproxy_table_served{table="0",family="IPv4"} 0\n' in metrics
    assert 'mcproxy_table_served{table="0",family="IPv6"} 1\n' in metrics
    assert 'mcproxy_family_serving{family="IPv4"} 0\n' in metrics and 'mcproxy_family_serving{family="IPv6"} 1\n' in metrics
    wait_until(lambda: f"\t-- IPv4 not served: {name} --\n" in daemon.stdout, 10, "the status text")
    program.signal(signal.SIGKILL)
    wait_until(lambda: manager.status == "STATUS=2 links in use: eth0 eth1", what=lambda: manager.status)
    assert "not served" not in mcproxyctl(daemon, "show", "status") + mcproxyctl(daemon, "show", "links")
    wait_until(lambda: examine(daemon) == {}, 10, lambda: examine(daemon))
    assert mcproxyctl(daemon, "metrics").count("mcproxy_family_serving{") == 2
    assert 'mcproxy_family_serving{family="IPv4"} 1\n' in mcproxyctl(daemon, "metrics")


def start_without_rights(network, *wrapper):
    """As the service's user, with its two capabilities."""
    run = network.router.directory / "run"
    (run / "mcproxy").mkdir(parents=True)
    (run / "mcproxy.conf").write_text(BOTH)
    for path in (run, run / "mcproxy"):
        os.chown(path, 65534, 65534)
    return Process(network.router, *wrapper, "setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups",
                   f"--inh-caps={CAPABILITIES}", f"--ambient-caps={CAPABILITIES}", f"--bounding-set={CAPABILITIES}",
                   PROGRAM, "-c", "/run/mcproxy.conf", private_run=True)


def test_the_holder_is_found_by_its_name_without_rights(router):
    """Other users' sockets are hidden then. Programs that have a socket for other reasons are not blamed."""
    network = router
    with network.router.entered():
        neighbour = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)
    network.router.lab.defer(neighbour.close)
    program = start_smcroute(network)
    daemon = start_without_rights(network)
    for family in FAMILIES:
        daemon.wait_for_output(f"{family}: another multicast router is running: smcrouted (pid {program.pid})")
    program.signal(signal.SIGKILL)
    assert_streams_flow(network, FAMILIES)
    daemon.signal(signal.SIGTERM)
    assert daemon.wait() == 0


def test_a_holder_that_is_not_seen(router):
    """From another PID namespace only the kernel knows it."""
    network = router
    program = start_smcroute(network)
    daemon = start_without_rights(network, "unshare", "--pid", "--fork", "--kill-child", "--mount-proc")
    for family in FAMILIES:
        daemon.wait_for_output(f"{family}: another multicast router is running: another program; {family} is left out")
    program.signal(signal.SIGTERM)
    for family in FAMILIES:
        daemon.wait_for_output(f"{family}: another program does not hold multicast routing any more: served from now on")
    assert_streams_flow(network, FAMILIES)
    for child in Path(f"/proc/{daemon.pid}/task/{daemon.pid}/children").read_text().split():
        os.kill(int(child), signal.SIGTERM)  # unshare passes no signal on, and setpriv forgets whose child it is
    assert daemon.wait() == 0


def test_of_two_daemons_the_second_takes_over(router):
    """With the control socket, which the first one had."""
    network = router
    first = Daemon(network.router, BOTH, vifs=("eth0", "eth1"), vifs6=("eth0", "eth1"))
    second = Daemon(network.router, BOTH)
    for family in FAMILIES:
        second.wait_for_output(f"{family}: another multicast router is running: mcproxy (pid {first.pid})")
    first.kill()
    assert_streams_flow(network, FAMILIES)
    wait_until(lambda: ask(second, "show", what="status")["pid"] == second.pid, what="the control socket")
