# SPDX-License-Identifier: BSD-2-Clause
"""The Debian package: installed, configured, used and purged in a copy of this machine's file system that is thrown away.

Needs the directory with the built packages in MCPROXY_PACKAGES; scripts/test package makes it."""

import json
import os
import re
import subprocess
from pathlib import Path

import pytest
from machine import Machine
from netlab import Receiver, Sender, tables, wait_until

pytestmark = pytest.mark.package
PACKAGES = Path(os.environ.get("MCPROXY_PACKAGES", "build/package")).resolve()
CONFIGURATION = "etc/mcproxy.conf"

def package():
    found, = PACKAGES.glob("mcproxy_*_*.deb")
    return found


def unit_line(machine, key):
    return re.search(f"^{key}=(.*)$", machine.file("lib/systemd/system/mcproxy.service").read_text(), re.M).group(1)


def may_start(machine):
    """What the unit's ExecCondition says."""
    return machine.run("sh", "-c", unit_line(machine, "ExecCondition"), check=False).returncode == 0


def start_service(machine):
    """As the unit does: its user, its capabilities, its runtime directory, its command."""
    capabilities = "-all," + ",".join("+" + name.removeprefix("CAP_").lower()
                                      for name in unit_line(machine, "AmbientCapabilities").split())
    user = unit_line(machine, "User")
    machine.run("install", "-d", "-o", user, "/run/mcproxy")
    return machine.start("setpriv", "--reuid", user, "--regid", unit_line(machine, "Group"), "--clear-groups", "--no-new-privs",
                         f"--inh-caps={capabilities}", f"--ambient-caps={capabilities}", f"--bounding-set={capabilities}",
                         *unit_line(machine, "ExecStart").split())


def test_install_configure_use_and_purge(router):
    network = router
    machine = Machine(network.router, {"/packages": PACKAGES})
    machine.run("dpkg", "-i", f"/packages/{package().name}")
    files = [path for path in machine.run("dpkg", "-L", "mcproxy").split() if not machine.file(path[1:]).is_dir()]
    assert {"/usr/sbin/mcproxy", "/etc/mcproxy.conf", "/usr/share/man/man8/mcproxy.8.gz",
            "/usr/share/man/man5/mcproxy.conf.5.gz"} <= set(files)
    assert "/etc/mcproxy.conf" in machine.run("dpkg-query", "-W", "-f", "${Conffiles}", "mcproxy")
    assert "mcproxy:" in machine.file("etc/passwd").read_text()
    assert machine.has("etc/systemd/system/multi-user.target.wants/mcproxy.service")

    # Nothing is configured, so it does not start. It starts after the change that the file describes.
    text = machine.file(CONFIGURATION).read_text()
    assert not may_start(machine)
    assert machine.run("mcproxy", "-t", check=False).returncode == 1
    assert "NOTHING IS CONFIGURED YET" in text and "systemctl restart mcproxy" in text
    machine.file(CONFIGURATION).write_text(text.replace("#instances", "instances"))
    assert may_start(machine)
    machine.run("mcproxy", "-t")

    daemon = start_service(machine)
    wait_until(lambda: {vif.name for vif in tables.vifs(network.router)} == {"eth0", "eth1"}, 10, lambda: f"vifs; {daemon.stderr}")
    receiver = Receiver(network.host, "eth0").join("239.1.1.1")
    Sender(network.source, "eth0", "239.1.1.1").start(pps=50)
    receiver.wait_for(5, source=network.source_address)
    machine.run("pkill", "-x", "mcproxy")  # there is no other in the machine
    assert daemon.wait() == 0, daemon.stderr

    # The same again keeps what was configured, and so does a removal; a purge does not.
    machine.run("dpkg", "-i", f"/packages/{package().name}")
    machine.run("dpkg", "-r", "mcproxy")
    assert machine.file(CONFIGURATION).read_text() == text.replace("#instances", "instances")
    assert [path for path in files if machine.has(path[1:])] == ["/etc/mcproxy.conf"]
    machine.run("dpkg", "--purge", "mcproxy")
    assert [path for path in files if machine.has(path[1:])] == []
    assert not machine.has("etc/systemd/system/multi-user.target.wants/mcproxy.service")
    assert machine.run("dpkg-query", "-W", "mcproxy", check=False).returncode != 0
    assert subprocess.run(["dpkg-query", "-W", "mcproxy"], capture_output=True, check=False).returncode != 0, "installed on this machine"


def test_as_a_service(router):
    """A new user's way with systemd itself: install, edit the file, start, stop, purge."""
    network = router
    machine = Machine(network.router, {"/packages": PACKAGES}, boot=True)

    def state(key):
        return machine.run("systemctl", "show", "--value", "-p", key, "mcproxy").strip()

    def vifs():
        return {vif.name for vif in tables.vifs(network.router)}

    installed = machine.run("dpkg", "-i", f"/packages/{package().name}", check=False)
    assert installed.returncode == 0 and "Failed" not in installed.stdout + installed.stderr, installed
    assert (state("ActiveState"), state("UnitFileState")) == ("inactive", "enabled")
    wait_until(lambda: "Skipped due to 'exec-condition'" in machine.run("journalctl", "-u", "mcproxy"), what="the start that is skipped")
    machine.run("sed", "-i", "s/^#instances/instances/", "/etc/mcproxy.conf")
    machine.run("systemctl", "restart", "mcproxy")  # comes back when the daemon is ready
    assert (state("ActiveState"), state("SubState")) == ("active", "running")
    assert vifs() == {"eth0", "eth1"}
    wait_until(lambda: state("StatusText") == "2 links in use: eth0 eth1", what=lambda: state("StatusText"))
    assert state("WatchdogUSec") == "30s"
    receiver = Receiver(network.host, "eth0").join("239.1.1.1")
    Sender(network.source, "eth0", "239.1.1.1").start(pps=50)
    receiver.wait_for(5, source=network.source_address)

    def journal():
        lines = machine.run("journalctl", "-u", "mcproxy", "-o", "json", "_COMM=mcproxy").splitlines()
        return {(int(entry["PRIORITY"]), entry["MESSAGE"].split(",")[0]) for entry in map(json.loads, lines)}

    wait_until(lambda: (6, "eth0: eth1: downstream link in use") in journal(), what=journal)

    # Members of the daemon's group may read, other users may not; root may change things.
    for groups, status in (("--clear-groups", 1), ("--groups=mcproxy", 0)):
        user = ("setpriv", "--reuid=nobody", "--regid=nogroup", groups, "mcproxyctl")
        assert machine.run(*user, "show", "groups", check=False).returncode == status
        assert machine.run(*user, "loglevel", "debug", check=False).returncode == 1
    assert "eth1" in machine.run("mcproxyctl", "show", "links")
    machine.run("mcproxyctl", "loglevel", "debug")
    assert machine.run("mcproxyctl", "doctor", check=False).stdout != ""

    # A reload with an invalid file: the command reports it, and nothing changes.
    good = machine.file(CONFIGURATION).read_text()
    machine.file(CONFIGURATION).write_text(good + "robustnes = 3;\n")
    assert machine.run("systemctl", "reload", "mcproxy", check=False).returncode != 0
    assert "robustnes: unknown option; did you mean robustness?" in machine.run("journalctl", "-u", "mcproxy")
    machine.file(CONFIGURATION).write_text(good.replace("eth0 ==> eth1", "eth0 ==> eth1 eth2"))
    first = receiver.sequences()[-1]
    machine.run("systemctl", "reload", "mcproxy")
    wait_until(lambda: any("is in force" in message for _, message in journal()), what=journal)
    receiver.wait_for(20)
    got = [number for number in receiver.sequences() if number >= first]
    assert got == list(range(first, got[-1] + 1)), "no packet lost"
    assert (state("ActiveState"), state("NRestarts")) == ("active", "0")
    machine.run("dpkg", "--purge", "mcproxy")
    assert vifs() == set()
    assert not machine.has("/etc/mcproxy.conf") and not machine.has("/lib/systemd/system/mcproxy.service")
