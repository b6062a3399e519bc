# SPDX-License-Identifier: BSD-2-Clause
"""What code that takes the daemon over can still do, and which user the daemon becomes."""

import os
import re
import signal
import subprocess
from pathlib import Path

import pytest
from ctl import ask
from families import FAMILIES
from mcproxy_daemon import PROGRAM
from netlab import CraftedHost, Daemon, Process, Receiver, Record, Sender, tables, wait_until

SMALLEST = 'protocol = ("IGMPv3", "MLDv2"); instances = ("eth0 ==> eth1");'
GROUP = "239.1.1.1"
NETWORK = 1 << 12 | 1 << 13  # CAP_NET_ADMIN, CAP_NET_RAW
USER = 65534
WITHOUT_FILTER = pytest.mark.skipif("san" in str(PROGRAM), reason="sanitizers make system calls of their own")


def thread_status(daemon, thread):
    lines = Path(f"/proc/{daemon.pid}/task/{thread}/status").read_text().splitlines()
    return dict(line.split(":\t", 1) for line in lines if ":\t" in line)


def threads(daemon):
    return [thread_status(daemon, task.name) for task in Path(f"/proc/{daemon.pid}/task").iterdir()]


def start(network, configuration, *flags, prepare="true", environment=None, user=None):
    """The daemon with a configuration that every user can read; prepare: commands in its mount namespace."""
    run = network.router.directory / "run"  # what the daemon sees as /run
    run.mkdir(exist_ok=True)
    run.chmod(0o755)
    (run / "mcproxy.conf").write_text(configuration)
    wrapper = ["setpriv", "--reuid", str(user), "--clear-groups", "--inh-caps=-all,+net_admin,+net_raw",
               "--ambient-caps=-all,+net_admin,+net_raw"] if user is not None else []
    return Process(network.router, "sh", "-c", f'{prepare} && exec "$@"', "sh", *wrapper, str(PROGRAM), *flags, "-c",
                   "/run/mcproxy.conf", private_run=True,
                   environment={"ASAN_OPTIONS": "detect_leaks=0", **(environment or {})})


def wait_until_ready(network, daemon):
    wait_until(lambda: {vif.name for vif in tables.vifs(network.router)} == {"eth0", "eth1"}
               and {vif.name for vif in tables.vifs6(network.router)} == {"eth0", "eth1"}, 10,
               lambda: f"the vifs; {daemon.stderr!r}")
    daemon.wait_for_output("downstream eth1: in use")
    wait_until(lambda: Path(f"/proc/{daemon.pid}/root/run/mcproxy/control.sock").exists(), what="the control socket")


def end(daemon):
    daemon.signal(signal.SIGTERM)
    assert daemon.wait() == 0, daemon.stderr


@WITHOUT_FILTER
@pytest.mark.skipif(PROGRAM.exists() and b"ld-linux" not in PROGRAM.read_bytes()[:4096],
                    reason="LD_PRELOAD needs a dynamic program")
@pytest.mark.smoke
@pytest.mark.parametrize("user", ("root", "nobody"))
def test_a_worker_that_takes_the_owner_over_reaches_nothing(lab, router, user):
    """The worker overwrites a function pointer of the owner, which calls it with all that the owner may do."""
    library, victim = Path("/tmp") / f"mcproxy-hijack-{os.getpid()}.so", lab.directory / "victim" / "file"
    lab.defer(library.unlink)
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", library, Path(__file__).with_name("hijack.c"), "-ldl"], check=True)
    victim.parent.mkdir()
    victim.parent.chmod(0o777)
    victim.write_text("content")
    victim.chmod(0o666)
    bystander = Process(router.router, "sleep", "1000")
    daemon = start(router, SMALLEST + f'user = "{user}";', environment={
        "LD_PRELOAD": str(library), "HIJACK_FILE": str(victim), "HIJACK_PID": str(bystander.pid)})
    wait_until_ready(router, daemon)
    CraftedHost(router.host, "eth0", "10.0.1.77").report(Record("TO_EX", GROUP))
    for who in ("worker", "owner"):
        daemon.wait_for_output(f"hijack: {who}: end: done")
    attempts = re.findall(r"hijack: (\w+): (.*): (.*)", daemon.stderr)
    done = [(who, what) for who, what, outcome in attempts
            if outcome not in ("Operation not permitted", "Permission denied")]
    assert done == [("worker", "end"), ("owner", "end")] and len(attempts) == 44, attempts
    assert victim.stat().st_mode & 0o7777 == 0o666 and victim.stat().st_uid == 0
    assert victim.read_text() == "content" and os.listdir(victim.parent) == ["file"]
    assert bystander.running
    # A refused call ends nothing.
    wait_until(lambda: GROUP in tables.igmp_groups(router.router, "eth0"), what="the join upstream")
    end(daemon)


@WITHOUT_FILTER
def test_status_shows_the_confinement(router):
    daemon = Daemon(router.router, SMALLEST, vifs=("eth0", "eth1"))
    confinement = ask(daemon, "show", what="status")["confinement"]
    assert confinement == {"user": "root", "system_calls": True, "files": True,
                           "landlock_version": confinement["landlock_version"]}
    assert confinement["landlock_version"] >= 1
    assert {thread["Seccomp"] for thread in threads(daemon)} == {"2"}
    assert {thread["CapBnd"] for thread in threads(daemon)} == {"0" * 16}


@pytest.mark.parametrize("family", FAMILIES, ids=str)
@pytest.mark.parametrize("chosen", ("configured", "default"))
def test_root_becomes_a_user_that_can_do_all_its_work(router, chosen, family):
    """Links, joins, streams, settings of the kernel, a reload, the status file; and at the end nothing is left."""
    network = router
    files = network.router.directory / "files"
    files.mkdir()
    prepare = "true"
    if chosen == "default":
        (files / "passwd").write_text(Path("/etc/passwd").read_text() + f"mcproxy:x:{USER}:{USER}::/:/bin/false\n")
        prepare = f"mount --bind {files}/passwd /etc/passwd"
    network.router.sysctl("net/ipv4/conf/eth0/rp_filter", 1)
    leaf = {"IPv4": "net/ipv4/conf/eth0/force_igmp_version", "IPv6": "net/ipv6/conf/eth0/force_mld_version"}[str(family)]
    before = network.router.sysctl(leaf)
    configuration = (SMALLEST + 'status_file = "/run/mcproxy/status"; control_group = "daemon"; owner_priority = 7;'
                     + f'upstream_version = "{family.older}";' + ('user = "nobody";' if chosen == "configured" else ""))
    daemon = start(network, configuration, "-r", prepare=prepare)
    wait_until_ready(network, daemon)
    owner = thread_status(daemon, daemon.pid)
    assert owner["Uid"].split() == owner["Gid"].split() == [str(USER)] * 4
    assert int(owner["CapEff"], 16) == int(owner["CapPrm"], 16) == NETWORK
    assert int(owner["CapInh"], 16) == int(owner["CapAmb"], 16) == int(owner["CapBnd"], 16) == 0
    wait_until(lambda: {int(thread["CapEff"], 16) for thread in threads(daemon)} == {NETWORK, 0}, what="the workers' drop")
    wait_until(lambda: network.router.sysctl("net/ipv4/conf/eth0/rp_filter") == "0", what="rp_filter")
    wait_until(lambda: network.router.sysctl(leaf) != before, what=f"{leaf}; {daemon.stderr}")
    run = network.router.directory / "run" / "mcproxy"
    socket = (run / "control.sock").stat()
    assert socket.st_uid == USER and socket.st_gid == 1, "the group daemon"
    receiver = Receiver(network.host, "eth0").join(GROUP)
    Sender(network.source, "eth0", GROUP).start(pps=50)
    receiver.wait_for(5, source=network.source_address)

    (run.parent / "mcproxy.conf").write_text(configuration.replace(
        '"eth0 ==> eth1"', '"eth0 ==> eth1", { upstream = "eth5"; downstream = "eth6"; table = "own"; }'))
    daemon.signal(signal.SIGHUP)
    daemon.wait_for_output("reload: #1: /run/mcproxy.conf is in force")
    daemon.signal(signal.SIGUSR1)
    wait_until(lambda: (run / "status").exists() and "downstream eth1" in (run / "status").read_text(), what="the status")
    end(daemon)
    assert "cannot" not in daemon.stderr and "denied" not in daemon.stderr, daemon.stderr
    assert network.router.sysctl("net/ipv4/conf/eth0/rp_filter") == "1" and network.router.sysctl(leaf) == before
    assert os.listdir(run) == ["status"]


@pytest.mark.parametrize("second", ("root", "nobody"))
@pytest.mark.parametrize("first", ("root", "nobody"))
def test_a_run_of_another_user_that_was_killed_is_cleaned_up(router, first, second):
    """Its socket goes, and the old values of kernel settings come back, whichever user each run had."""
    network = router
    network.router.sysctl("net/ipv4/conf/eth0/rp_filter", 1)
    daemon = start(network, SMALLEST + f'user = "{first}";', "-r")
    wait_until_ready(network, daemon)
    wait_until(lambda: network.router.sysctl("net/ipv4/conf/eth0/rp_filter") == "0", what="rp_filter")
    daemon.signal(signal.SIGKILL)
    daemon.wait()
    daemon = start(network, SMALLEST + f'user = "{second}";')
    wait_until_ready(network, daemon)
    wait_until(lambda: ask(daemon, "show", what="status")["confinement"]["user"] == second, what="an answer")
    assert network.router.sysctl("net/ipv4/conf/eth0/rp_filter") == "1"
    end(daemon)
    assert os.listdir(network.router.directory / "run" / "mcproxy") == []


def test_what_the_user_cannot_reach_is_named_at_the_start(router):
    closed = "/run/closed"
    daemon = start(router, SMALLEST + f'user = "nobody"; status_file = "{closed}/status"; control_socket = "{closed}/s";',
                   prepare=f"chmod 600 /run/mcproxy.conf && mkdir -m 700 {closed}")
    for text in (f"status_file {closed}/status: user nobody cannot write to its directory; give it the directory",
                 f"control_socket {closed}/s: user nobody cannot write to its directory; give it the directory",
                 "/run/mcproxy.conf: user nobody cannot read it, and a reload will fail; make it readable"):
        daemon.wait_for_output(text)
    end(daemon)


@pytest.mark.parametrize("settings, text", [
    ('user = "nosuchuser";', "user nosuchuser: no such user; create it"),
    ('user = "nobody"; group = "nosuchgroup";', "group nosuchgroup: no such group; create it")])
def test_a_user_that_does_not_exist_is_an_error(router, settings, text):
    daemon = start(router, SMALLEST + settings)
    assert daemon.wait() == 1
    assert text in daemon.stderr


def test_only_root_can_change_the_user(router):
    network = router
    run = network.router.directory / "run" / "mcproxy"
    run.mkdir(parents=True)
    os.chown(run, USER, USER)
    daemon = start(network, SMALLEST + 'user = "daemon";', user=USER)
    wait_until_ready(network, daemon)
    daemon.wait_for_output("user daemon: only root can change the user; the daemon stays user nobody")
    end(daemon)


@WITHOUT_FILTER
def test_a_reload_names_what_needs_a_restart(router):
    """Landlock permits the directories of the start."""
    network = router
    elsewhere = "/run/elsewhere"
    (network.router.directory / "run" / "elsewhere").mkdir(parents=True)
    daemon = Daemon(network.router, SMALLEST, vifs=("eth0", "eth1"))
    daemon.reconfigure(SMALLEST + f'status_file = "{elsewhere}/status"; control_socket = "{elsewhere}/s"; user = "nobody";')
    for text in (f"status_file {elsewhere}/status: the daemon can write only to the directories that it had at its start",
                 f"control_socket {elsewhere}/s: the daemon can write only to the directories that it had at its start",
                 "user, group: restart the daemon to change them"):
        daemon.wait_for_output(f"reload: #1: {text}")
    assert "restart it" in daemon.stderr
    assert ask(daemon, "show", what="status")["pid"] == daemon.pid, "the old socket stays"
    daemon.reconfigure(SMALLEST + 'status_file = "/run/mcproxy/status";')
    daemon.wait_for_output("reload: #2: ")
    daemon.signal(signal.SIGUSR1)
    status = network.router.directory / "run" / "mcproxy" / "status"
    wait_until(lambda: status.exists() and "eth1" in status.read_text(), what="the status")
    assert os.listdir(network.router.directory / "run" / "elsewhere") == []
