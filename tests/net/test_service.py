# SPDX-License-Identifier: BSD-2-Clause
"""What a service manager sees of the daemon: ready, status, alive, stopping."""

import contextlib
import ctypes
import os
import re
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest
from mcproxy_daemon import PROGRAM
from netlab import Daemon, Process, Receiver, Sender, tables, wait_until

SMALLEST = 'protocol = "IGMPv3"; instances = ("eth0 ==> eth1");'
WATCHDOG = 0.6  # seconds
BUILD = Path(os.environ.get("MCPROXY_BUILD", PROGRAM.parent))

_libc = ctypes.CDLL(None, use_errno=True)
_libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
PTRACE_DETACH, PTRACE_SEIZE, PTRACE_INTERRUPT = 17, 0x4206, 0x4207


class Manager:
    """A notification socket; remembers every message with its time."""

    def __init__(self, lab):
        self.path = lab.directory / "notify"
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        lab.defer(self._socket.close)
        self._socket.bind(str(self.path))
        self._socket.setblocking(False)
        self._messages = []

    @property
    def messages(self):
        with contextlib.suppress(BlockingIOError):
            while True:
                self._messages.append((time.monotonic(), self._socket.recv(4096).decode()))
        return [text for _, text in self._messages]

    @property
    def status(self):
        return [text for text in self.messages if text.startswith("STATUS=")][-1]

    def count(self, text):
        return self.messages.count(text)

    def environment(self, watchdog=None):
        environment = {"NOTIFY_SOCKET": str(self.path)}
        if watchdog is not None:
            environment["WATCHDOG_USEC"] = str(round(watchdog * 1e6))
        return environment


@contextlib.contextmanager
def frozen(thread):
    """A single thread that does not run, as if it hung: stopped by ptrace, which works by thread."""

    def ptrace(request):
        if _libc.ptrace(request, thread, None, None) != 0:
            raise OSError(ctypes.get_errno(), f"ptrace {request:#x} of thread {thread}")

    ptrace(PTRACE_SEIZE)
    ptrace(PTRACE_INTERRUPT)
    os.waitpid(thread, 0x40000000)  # __WALL
    try:
        yield
    finally:
        ptrace(PTRACE_DETACH)


def workers(daemon):
    threads = {int(path.name) for path in Path(f"/proc/{daemon.pid}/task").iterdir()}
    return sorted(threads - {daemon.pid})


@pytest.mark.smoke
def test_ready_status_and_stopping(router):
    manager = Manager(router.router.lab)
    daemon = Daemon(router.router, 'protocol = "IGMPv3"; instances = ("eth0 ==> eth1 eth9");',
                    environment=manager.environment())
    wait_until(lambda: manager.count("READY=1") == 1, what=lambda: f"READY in {manager.messages}")
    wait_until(lambda: manager.status == "STATUS=2 links in use: eth0 eth1; waiting for eth9",
               what=lambda: manager.status)
    router.router.ip("link set eth1 down")
    wait_until(lambda: manager.status == "STATUS=1 link in use: eth0; waiting for eth1 eth9",
               what=lambda: manager.status)
    daemon.terminate()
    assert manager.count("STOPPING=1") == 1
    assert all(message.startswith("FDSTOREREMOVE=1") for message in manager.messages[manager.messages.index("STOPPING=1") + 1:])
    assert manager.count("READY=1") == 1 and manager.count("WATCHDOG=1") == 0


def test_a_reload_is_told_from_its_begin_to_its_end(router):
    manager = Manager(router.router.lab)
    daemon = Daemon(router.router, SMALLEST, environment=manager.environment(), vifs=("eth0", "eth1"))
    wait_until(lambda: manager.count("READY=1") == 1, what="READY")
    for number, configuration in enumerate((SMALLEST.replace("eth1", "eth1 eth9"), "nonsense"), 2):
        daemon.reconfigure(configuration)
        wait_until(lambda: manager.count("READY=1") == number, what=lambda: manager.messages)
        text = "\n".join(manager.messages)
        assert re.search(r"RELOADING=1\nMONOTONIC_USEC=\d+\n(STATUS=.*\n)?READY=1$", text), text
        assert manager.status == "STATUS=2 links in use: eth0 eth1; waiting for eth9"


def test_not_ready_when_it_cannot_start(router):
    manager = Manager(router.router.lab)
    daemon = Daemon(router.router, 'instances = ();', environment=manager.environment())
    daemon.expect_exit(78)
    assert manager.count("READY=1") == 0


@pytest.mark.timing
def test_watchdog_is_fed_while_owner_and_workers_live(router):
    manager = Manager(router.router.lab)
    started = time.monotonic()
    daemon = Daemon(router.router, 'protocol = "IGMPv3"; instances = ("eth0 ==> eth1", { upstream = "eth2"; '
                    'downstream = "eth3"; });', environment=manager.environment(WATCHDOG))
    wait_until(lambda: manager.count("WATCHDOG=1") >= 3, 10, lambda: f"food in {manager.messages}")
    assert (time.monotonic() - started) / 3 > WATCHDOG / 4, "fed more often than needed"

    for thread in workers(daemon):
        with frozen(thread):
            daemon.wait_for_output("worker does not respond", 10)
            before = manager.count("WATCHDOG=1")
            time.sleep(2 * WATCHDOG)
            assert manager.count("WATCHDOG=1") == before, "fed although a worker hangs"
        wait_until(lambda: manager.count("WATCHDOG=1") > before + 1, 10, "food after the worker goes on")
        daemon.stderr_path.write_bytes(b"")

    daemon.signal(signal.SIGSTOP)
    before = manager.count("WATCHDOG=1")
    time.sleep(WATCHDOG)
    assert manager.count("WATCHDOG=1") <= before + 1, "fed although the owner hangs"
    daemon.signal(signal.SIGCONT)
    wait_until(lambda: manager.count("WATCHDOG=1") > before + 1, 10, "food after the owner goes on")


@pytest.mark.timing
def test_watchdog_is_fed_during_a_flood(router):
    """Packets that fill the worker's channel do not keep the owner's question away from it."""
    manager = Manager(router.router.lab)
    Daemon(router.router, SMALLEST + "report_rate_max = 0; ring_size = 64;", environment=manager.environment(WATCHDOG),
           vifs=("eth0", "eth1"))
    wait_until(lambda: manager.count("WATCHDOG=1") >= 1, 10, "the first food")
    before = manager.count("WATCHDOG=1")
    flood = router.router.start(BUILD / "tests" / "bench" / "bench_network", f"/run/netns/{router.source.name}",
                                f"/run/netns/{router.host.name}", "flood", 300_000, 2000)
    wait_until(lambda: manager.messages and not flood.running, 20, "the end of the flood")
    assert manager.count("WATCHDOG=1") - before >= 2 / WATCHDOG, manager.messages


def test_nothing_wakes_it_without_a_watchdog(router):
    def switches():
        return [sum(int(line.split()[1]) for line in (task / "status").read_text().splitlines() if "ctxt_switches" in line)
                for task in sorted(Path(f"/proc/{daemon.pid}/task").iterdir())]

    def is_quiet():
        before = switches()
        time.sleep(1.0)
        return switches() == before

    manager = Manager(router.router.lab)
    configuration = SMALLEST + "startup_query_count = 1; query_interval = 1000; upstream_version = \"IGMPv2\";"
    daemon = Daemon(router.router, configuration, environment=manager.environment(), vifs=("eth0", "eth1"))
    wait_until(is_quiet, 15, "a second without a wake-up")


def test_silent_in_steady_state(router):
    """Members that come and go, streams that start and stop: nothing to tell anybody who did not ask."""
    daemon = Daemon(router.router, SMALLEST, vifs=("eth0", "eth1"))
    daemon.wait_for_output("downstream eth1: in use")
    before = daemon.stderr
    for number in range(1, 6):
        receiver = Receiver(router.host, "eth0").join(f"239.1.1.{number}")
        sender = Sender(router.source, "eth0", f"239.1.1.{number}")
        sender.start(pps=50)
        receiver.wait_for(3)
        receiver.leave(f"239.1.1.{number}")
    wait_until(lambda: "239.1.1.5" not in tables.igmp_groups(router.router, "eth0"), what="the last leave")
    assert daemon.stderr == before


def test_what_repeats_is_counted(router):
    manager = Manager(router.router.lab)
    daemon = Daemon(router.router, SMALLEST, environment=manager.environment(), vifs=("eth0", "eth1"))
    for _ in range(5):
        for state, count in (("down", 1), ("up", 2)):
            router.router.ip(f"link set eth1 {state}")
            wait_until(lambda: manager.status.startswith(f"STATUS={count} link"), what=lambda: manager.status)
    daemon.terminate()
    assert daemon.stderr.count("downstream eth1: interface is down or has no carrier; waiting for it\n") == 1
    assert "downstream eth1: interface is down or has no carrier; waiting for it (repeated 4 times)\n" in daemon.stderr


UNIT = BUILD / "mcproxy.service"
CAPABILITIES = "-all,+net_admin,+net_raw"


def unit_lines(key):
    return [line.split("=", 1)[1].split() for line in UNIT.read_text().splitlines() if line.startswith(key + "=")]


def calls_of(name):
    """The system calls of a name in a unit's filter, which may be a group of them."""
    if not name.startswith("@"):
        return {name}
    lines = subprocess.run(["systemd-analyze", "syscall-filter", name], capture_output=True, text=True, check=True).stdout
    words = [line.strip() for line in lines.splitlines()[1:]]
    return set().union(*(calls_of(word) for word in words if word and not word.startswith("#")))


def allowed_calls():
    allowed = set()
    for words in unit_lines("SystemCallFilter"):
        named = set().union(*(calls_of(word.lstrip("~")) for word in words))
        allowed = allowed - named if words[0].startswith("~") else allowed | named
    return allowed


@pytest.mark.skipif("asan" in str(PROGRAM), reason="sanitizers make system calls of their own")
def test_it_works_within_the_units_restrictions(router):
    """As another user with the unit's two capabilities, and no system call or address family but those it allows."""
    assert unit_lines("AmbientCapabilities") == unit_lines("CapabilityBoundingSet") == [["CAP_NET_ADMIN", "CAP_NET_RAW"]]
    network = router
    network.router.sysctl("net/ipv4/conf/eth0/rp_filter", 1)
    run = network.router.directory / "run"  # what the daemon sees as /run
    (run / "mcproxy").mkdir(parents=True)
    (run / "mcproxy.conf").write_text(SMALLEST)
    for path in (run, run / "mcproxy"):
        os.chown(path, 65534, 65534)
    daemon = Process(network.router, "setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "--no-new-privs",
                     f"--inh-caps={CAPABILITIES}", f"--ambient-caps={CAPABILITIES}", f"--bounding-set={CAPABILITIES}",
                     "strace", "-D", "-f", "-qq", "-o", "/run/trace", str(PROGRAM), "-r", "-c", "/run/mcproxy.conf",
                     private_run=True)
    wait_until(lambda: {vif.name for vif in tables.vifs(network.router)} == {"eth0", "eth1"}, 20,
               lambda: f"the vifs; {daemon.stderr!r}")
    assert network.router.sysctl("net/ipv4/conf/eth0/rp_filter") == "0"
    receiver = Receiver(network.host, "eth0").join("239.1.1.1")
    Sender(network.source, "eth0", "239.1.1.1").start(pps=50)
    receiver.wait_for(5, source=network.source_address)
    receiver.leave("239.1.1.1")
    wait_until(lambda: "239.1.1.1" not in tables.igmp_groups(network.router, "eth0"), what="the leave upstream")
    daemon.signal(signal.SIGUSR1)
    daemon.wait_for_output("downstream eth1")
    daemon.signal(signal.SIGTERM)
    assert daemon.wait() == 0 and "cannot" not in daemon.stderr, daemon.stderr
    assert network.router.sysctl("net/ipv4/conf/eth0/rp_filter") == "1"

    trace = (run / "trace").read_text()
    calls = set(re.findall(r"^\d+ +(\w+)\(", trace, re.M))
    assert {"epoll_wait", "ppoll", "setsockopt"} <= calls
    assert calls - allowed_calls() == set(), "used, but not allowed by the unit"
    families = set(re.findall(r"socket\((AF_\w+)", trace))
    assert families - set(unit_lines("RestrictAddressFamilies")[0]) == set()


def test_unit_ends_other_multicast_routers_first():
    others = [{"igmpproxy.service", "smcroute.service", "pimd.service", "mrouted.service", "pim6sd.service"}]
    assert [set(words) for words in unit_lines("Conflicts")] == others
    assert others[0] <= set().union(*unit_lines("After"))


def test_unit_does_not_repeat_a_start_with_a_bad_configuration(lab):
    (statuses,) = unit_lines("RestartPreventExitStatus")
    daemon = Daemon(lab.namespace("router"), "nonsense")
    daemon.expect_exit(int(statuses[0]))
    assert statuses == ["78"]


def test_unit_is_valid_and_hardened(tmp_path):
    unit = tmp_path / "mcproxy.service"
    unit.write_text(re.sub("Exec(Start|Reload)=.*/mcproxy ", rf"Exec\1={PROGRAM} ", UNIT.read_text()))

    def analyze(*arguments):
        result = subprocess.run(["systemd-analyze", *arguments, unit], capture_output=True, text=True, check=False)
        assert result.returncode == 0, result.stdout + result.stderr
        return result.stdout + result.stderr

    assert analyze("verify", "--man=no") == ""
    assert "Overall exposure level" in analyze("security", "--offline=yes", "--threshold=22")
    # What a multicast router needs weighs 18 of these: network, raw and packet sockets, CAP_NET_ADMIN.
