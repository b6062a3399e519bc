# SPDX-License-Identifier: BSD-2-Clause
"""mcproxy --keeper: it holds the daemon's sockets, starts the daemon again after a crash, and upgrades it."""

import os
import re
import shutil
import signal
import socket
import time
from pathlib import Path

import mcproxy_daemon
import pytest
from ctl import mcproxyctl
from service_manager import SIGNALS_KILL
from families import FAMILIES
from netlab import Daemon, Sender, wait_until

IPV4 = FAMILIES[0]
QUICK = "startup_query_interval = 1; query_response_interval = 1;"
JOIN_TIME = 1.2  # by then the kernel has repeated the report of a join


def text_of(family, settings=""):
    return f'protocol = "{family.protocol}"; {settings}\ninstances = ("eth0 ==> eth1");\n'


def changes(capture, group):
    """What the wire upstream says of a change of the group."""
    return [record for record in capture.records(group) if record.type in ("TO_IN", "TO_EX", "ALLOW", "BLOCK")]


def children(pid):
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


class Kept(Daemon):
    """The keeper; `daemon` is the pid of its daemon."""

    @property
    def daemon(self):
        return children(self.pid)[0]

    def wait_for_another(self, before, timeout=5):
        def another():
            pids = children(self.pid)
            return pids[0] if len(pids) == 1 and pids[0] != before else None
        return wait_until(another, timeout, "another daemon")


def keep(router, family=IPV4, settings=QUICK, *flags, environment=None, option="--keeper"):
    ready = {"vifs": ("eth0", "eth1")} if family.number == 4 else {"vifs6": ("eth0", "eth1")}
    kept = Kept(router.router, text_of(family, settings), (option, "-d", *flags),
                environment={**SIGNALS_KILL, **(environment or {})}, **ready)
    kept.wait_for_output("downstream eth1: in use")
    return kept


@pytest.fixture
def stream(router):
    """A receiver and a sender of a stream that flows."""
    def start(family=IPV4):
        receiver = family.receiver(router.host).join(family.group)
        Sender(router.source, "eth0", family.group).start(pps=500)
        receiver.wait_for(50)
        return receiver
    return start


@pytest.mark.parametrize("number", (signal.SIGKILL, signal.SIGSEGV), ids=lambda number: number.name)
@pytest.mark.parametrize("family", FAMILIES, ids=str)
def test_a_crash(router, stream, family, number):
    kept = keep(router, family)
    receiver = stream(family)
    upstream = family.capture(router.source)
    time.sleep(JOIN_TIME)
    heard = len(changes(upstream, family.group))
    before = kept.daemon
    os.kill(before, number)
    kept.wait_for_another(before)
    receiver.wait_for(300)
    assert receiver.gaps() == []
    assert changes(upstream, family.group)[heard:] == []
    kept.wait_for_output("1 forwarding entries")
    assert f"was ended by signal {number.value}" in kept.stderr


@pytest.mark.timing
def test_the_gap_is_short(router):
    """From the end of the daemon to one that knows its links."""
    kept = keep(router)
    gaps = []
    for run in (2, 3):
        before = kept.daemon
        os.kill(before, signal.SIGKILL)
        started = time.monotonic()
        wait_until(lambda: kept.stderr.count("downstream eth1: in use") == run, 5, "the next daemon", interval=0.001)
        gaps.append(time.monotonic() - started)
        kept.wait_for_another(before)
    assert min(gaps) < 0.1, gaps


@pytest.mark.parametrize("family", FAMILIES, ids=str)
def test_an_upgrade(router, stream, family):
    kept = keep(router, family)
    receiver = stream(family)
    for _ in range(3):
        before = kept.daemon
        kept.signal(signal.SIGUSR2)
        kept.wait_for_another(before)
        receiver.wait_for(200)
    assert receiver.gaps() == []
    assert "control_socket" not in kept.stderr, "the new daemon waits for it without a word"
    assert "deleted" not in kept.stderr, "the two undo nothing of each other"


@pytest.mark.parametrize("family", FAMILIES, ids=str)
def test_an_upgrade_with_another_configuration(router_two_hosts, family):
    """The old daemon restores what the new one removes, for a moment. Nothing of that stays."""
    router = router_two_hosts
    text = f'protocol = "{family.protocol}"; table = "own"; {QUICK}\ninstances = ("eth0 ==> eth1 eth2");\n'
    kept = Kept(router.router, text, ("--keeper", "-d"), environment=SIGNALS_KILL)
    kept.wait_for_output("downstream eth2: in use")
    receiver = family.receiver(router.host).join(family.group)
    gone = family.receiver(router.host2).join(family.group)
    Sender(router.source, "eth0", family.group).start(pps=500)
    receiver.wait_for(50)
    before = kept.daemon
    kept.configuration_path.write_text(text.replace(" eth2", ""))
    kept.signal(signal.SIGUSR2)
    kept.wait_for_another(before)
    gone.assert_silent(0.3)
    wait_until(lambda: "eth2" not in router.router.run("ip", f"-{family.number}", "mrule"), 4, "the rules of eth2 to go")
    kept.configuration_path.write_text(text)
    kept.signal(signal.SIGHUP)
    gone.wait_for(20)
    assert receiver.gaps() == []


@pytest.mark.parametrize("script, why", (("exit 1", "ended before it was ready"), ("exec sleep 60", "is not ready after 5 s")))
def test_an_upgrade_that_fails(router, stream, monkeypatch, tmp_path, script, why):
    """The installed program is a bad one: the old daemon goes on."""
    program = tmp_path / "mcproxy"
    shutil.copy(mcproxy_daemon.PROGRAM, program)
    monkeypatch.setattr(mcproxy_daemon, "PROGRAM", program)
    kept = keep(router)
    receiver = stream()
    before = kept.daemon
    program.unlink()
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    kept.signal(signal.SIGUSR2)
    kept.wait_for_output(f"{why}: the old one (pid {before}) goes on", timeout=8)
    wait_until(lambda: children(kept.pid) == [before], what="the old daemon alone")
    # And all that it needs for another crash is still there.
    program.unlink()
    shutil.copy(kept_program(), program)
    os.kill(before, signal.SIGKILL)
    kept.wait_for_another(before)
    receiver.wait_for(300)
    assert receiver.gaps() == []


@pytest.mark.parametrize("family", FAMILIES, ids=str)
def test_an_upgrade_that_fails_late(router, stream, family):
    """The new daemon has the tables already: it leaves them to the old one."""
    kept = keep(router, family)
    receiver = stream(family)
    before = kept.daemon
    good = kept.configuration_path.read_text()
    kept.configuration_path.write_text(f'user = "nosuchuser"; {good}')
    kept.signal(signal.SIGUSR2)
    kept.wait_for_output(f"ended before it was ready: the old one (pid {before}) goes on", timeout=8)
    receiver.wait_for(100)
    kept.configuration_path.write_text(good)
    os.kill(before, signal.SIGKILL)
    kept.wait_for_another(before)
    receiver.wait_for(100)
    assert receiver.gaps() == []


def kept_program():
    return Path(os.environ.get("MCPROXY", Path(__file__).resolve().parents[2] / "build" / "mcproxy"))


def test_the_third_crash_in_a_minute(router, stream):
    kept = keep(router)
    receiver = stream()
    for _ in range(3):
        before = kept.daemon
        os.kill(before, signal.SIGKILL)
        kept.wait_for_another(before, timeout=8)
        receiver.wait_for(20)
    assert "3 crashes within a minute: the daemon starts without what it left" in kept.stderr
    for delay in (0, 1, 2):
        assert f"starting it again in {delay} s" in kept.stderr


def test_stop(router, stream):
    kept = keep(router)
    stream()
    kept.terminate()
    assert IPV4.group not in IPV4.joined(router) and not IPV4.routes(router.router)


def test_wrong_usage_and_configuration(router):
    kept = Kept(router.router, "this is no configuration;", ("--keeper",))
    kept.expect_exit(78)
    kept = Kept(router.router, text_of(IPV4), ("--keeper", "--no-such-option"))
    kept.expect_exit(2)


def test_it_is_harmless(router, stream):
    """It has no capabilities, and no other process can talk to it."""
    kept = keep(router)
    receiver = stream()
    status = Path(f"/proc/{kept.pid}/status").read_text()
    for name in ("CapPrm", "CapEff"):
        assert f"{name}:\t{0:016x}\n" in status
    with router.router.entered(), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as stranger:
        stranger.connect(f"\0mcproxy-keeper-{kept.pid}")
        for name in ("mrt.ipv4.default", "READY=1"):
            stranger.send(f"FDSTOREREMOVE=1\nFDNAME={name}".encode())
    os.kill(kept.daemon, signal.SIGKILL)
    receiver.wait_for(100)
    assert receiver.gaps() == []


def test_reload_goes_to_the_daemon(router):
    kept = keep(router)
    kept.signal(signal.SIGHUP)
    kept.wait_for_output("is in force")


def test_the_keeper_is_killed(router, stream):
    """The daemon goes on, and does not hand over."""
    kept = keep(router)
    receiver = stream()
    daemon = kept.daemon
    kept.signal(signal.SIGKILL)
    kept.expect_exit(-signal.SIGKILL)
    os.kill(daemon, signal.SIGUSR2)
    receiver.wait_for(100)
    assert receiver.gaps() == []
    os.kill(daemon, signal.SIGTERM)
    wait_until(lambda: not Path(f"/proc/{daemon}").exists(), what="the end of the daemon")


def test_a_service_manager_above(lab, router):
    """It hears that the daemon is ready, and its status."""
    path = Path(f"/tmp/above-{os.getpid()}")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as above:
        above.bind(str(path))
        lab.defer(path.unlink)
        above.settimeout(5)
        kept = keep(router, IPV4, QUICK, environment={"NOTIFY_SOCKET": str(path)})
        texts = ""
        while "READY=1" not in texts:
            texts += above.recv(4096).decode()
        assert "STATUS=2 links in use: eth0 eth1" in texts and "FDSTORE" not in texts
        kept.terminate()


def test_a_daemon_that_hangs(router, stream, lab):
    path = Path(f"/tmp/hang-{os.getpid()}")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as above:
        above.bind(str(path))
        lab.defer(path.unlink)
        kept = keep(router, IPV4, QUICK, environment={"NOTIFY_SOCKET": str(path), "WATCHDOG_USEC": "2000000"})
        receiver = stream()
        before = kept.daemon
        os.kill(before, signal.SIGSTOP)
        kept.wait_for_output(f"the daemon (pid {before}) is silent: killing it", timeout=4)
        kept.wait_for_another(before)
        receiver.wait_for(100)
        assert receiver.gaps() == []
        kept.terminate()


def test_an_end_while_the_daemon_starts_again(router):
    """The new daemon does not handle signals yet: that is no failure."""
    for delay in (0, 0.002, 0.005, 0.01, 0.02):
        kept = keep(router)
        os.kill(kept.daemon, signal.SIGKILL)
        kept.wait_for_output("starting it again")
        time.sleep(delay)
        kept.terminate()  # checks the exit status


@pytest.mark.parametrize("option", ["--keeper", "--keep"])  # getopt takes the beginning of a long option, too
def test_the_command(router, stream, option):
    """mcproxyctl upgrade waits for the new daemon, and names both."""
    kept = keep(router, option=option)
    receiver = stream()
    before = kept.daemon
    text = mcproxyctl(kept, "upgrade")
    assert re.fullmatch(rf"mcproxy \S+ \(pid {before}\) has handed over to mcproxy \S+ \(pid {kept.daemon}\)\n", text)
    assert kept.daemon != before
    receiver.wait_for(50)
    assert receiver.gaps() == []


def test_the_command_without_a_keeper(router):
    daemon = IPV4.daemon(router)
    text = mcproxyctl(daemon, "upgrade", status=1)
    assert "no keeper has started the daemon" in text and "systemctl restart mcproxy" in text
