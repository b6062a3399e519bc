# SPDX-License-Identifier: BSD-2-Clause
"""What a service manager sees of the daemon: ready, status, alive, stopping."""

import contextlib
import ctypes
import os
import signal
import socket
import time
from pathlib import Path

import pytest
from netlab import Daemon, wait_until

SMALLEST = 'protocol = "IGMPv3"; instances = ("eth0 ==> eth1");'
WATCHDOG = 1.0  # seconds

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
    assert manager.count("STOPPING=1") == 1 and manager.messages[-1] == "STOPPING=1"
    assert manager.count("READY=1") == 1 and manager.count("WATCHDOG=1") == 0


def test_not_ready_when_it_cannot_start(router):
    manager = Manager(router.router.lab)
    daemon = Daemon(router.router, 'instances = ();', environment=manager.environment())
    daemon.expect_exit(1)
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
            daemon.wait_for_output("gives no sign of life", 10)
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
