# SPDX-License-Identifier: BSD-2-Clause
"""The Debian package: installed, configured, used and purged in a copy of this machine's file system that is thrown away.

Needs the directory with the built packages in MCPROXY_PACKAGES; scripts/test package makes it."""

import http.client
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
    assert machine.run("mcproxy", "-t", check=False).returncode == 78
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

    wait_until(lambda: (6, "instance eth0: downstream eth1: in use") in journal(), what=journal)

    # Members of the daemon's group may read, other users may not; root may change things.
    for groups, status in (("--clear-groups", 1), ("--groups=mcproxy", 0)):
        user = ("setpriv", "--reuid=nobody", "--regid=nogroup", groups, "mcproxyctl")
        assert machine.run(*user, "show", "groups", check=False).returncode == status
        assert machine.run(*user, "loglevel", "debug", check=False).returncode == 1
    assert "eth1" in machine.run("mcproxyctl", "show", "links")
    machine.run("mcproxyctl", "loglevel", "debug")
    assert machine.run("mcproxyctl", "doctor", check=False).stdout != ""

    # The timer for metrics is there, and waits to be enabled.
    units = [f"/lib/systemd/system/mcproxy{name}" for name in (".service", "-metrics.service", "-metrics.timer")]
    verified = machine.run("systemd-analyze", "verify", *units, check=False)
    assert (verified.returncode, verified.stdout + verified.stderr) == (0, "")
    assert machine.run("systemctl", "is-enabled", "mcproxy-metrics.timer", check=False).stdout == "disabled\n"
    machine.run("rm", "-rf", "/var/lib/prometheus/node-exporter")
    machine.run("systemctl", "start", "mcproxy-metrics.service")
    assert not machine.has("/var/lib/prometheus/node-exporter"), "skipped without a collector"
    machine.run("mkdir", "-p", "/var/lib/prometheus/node-exporter")
    machine.run("systemctl", "enable", "--now", "mcproxy-metrics.timer")
    assert machine.run("systemctl", "is-active", "mcproxy-metrics.timer") == "active\n"
    metrics = machine.file("/var/lib/prometheus/node-exporter/mcproxy.prom")
    machine.run("systemctl", "start", "mcproxy-metrics.service")
    assert "mcproxy_up 1\n" in metrics.read_text() and metrics.stat().st_mode & 0o7777 == 0o644

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
    machine.run("systemctl", "stop", "mcproxy.service")
    machine.run("systemctl", "start", "mcproxy-metrics.service")
    assert "mcproxy_up 0\n" in metrics.read_text()
    assert "is mcproxy running" in machine.run("journalctl", "-u", "mcproxy-metrics")

    # A start with a bad configuration is not repeated. After the correction, one command starts it.
    machine.file(CONFIGURATION).write_text(good + "robustnes = 3;\n")
    assert machine.run("systemctl", "restart", "mcproxy", check=False).returncode != 0
    assert (state("ActiveState"), state("ExecMainStatus"), state("NRestarts")) == ("failed", "78", "0")
    found = json.loads(machine.run("mcproxyctl", "doctor", "--json", check=False).stdout)["findings"]
    assert [(f["check"], f["subject"]) for f in found] == [("owner", "mcproxy"), ("file", "/etc/mcproxy.conf")]
    machine.file(CONFIGURATION).write_text(good)
    machine.run("systemctl", "restart", "mcproxy")
    assert state("ActiveState") == "active"

    # What doctor prints works for a user: the command that it names, and a new login.
    user = ("setpriv", "--reuid=nobody", "--regid=nogroup")
    denied = machine.run(*user, "--clear-groups", "mcproxyctl", "doctor", check=False).stdout
    assert "remedy: sudo usermod -aG mcproxy nobody, then log in again\n" in denied
    machine.run("usermod", "-aG", "mcproxy", "nobody")
    machine.run(*user, "--init-groups", "mcproxyctl", "show", "status")
    machine.run("dpkg", "--purge", "mcproxy")
    assert vifs() == set()
    assert not machine.has("/etc/mcproxy.conf") and not any(machine.has(unit) for unit in units)


def test_the_page_as_a_service(router):
    """mcproxy-web as its own package and user, with the confinement of its unit."""
    machine = Machine(router.router, {"/packages": PACKAGES}, boot=True)
    page, = PACKAGES.glob("mcproxy-web_*_*.deb")
    machine.run("dpkg", "-i", f"/packages/{package().name}", f"/packages/{page.name}")
    machine.run("sed", "-i", "s/^#instances/instances/", "/etc/mcproxy.conf")
    machine.run("systemctl", "restart", "mcproxy", "mcproxy-web")
    assert machine.run("systemctl", "is-active", "mcproxy-web") == "active\n"
    verified = machine.run("systemd-analyze", "verify", "/lib/systemd/system/mcproxy-web.service", check=False)
    assert (verified.returncode, verified.stdout + verified.stderr) == (0, "")
    pid = machine.run("systemctl", "show", "--value", "-p", "MainPID", "mcproxy-web").strip()
    status = dict(line.split(":\t") for line in machine.run("cat", f"/proc/{pid}/status").splitlines() if ":\t" in line)
    user = machine.run("id", "-u", "mcproxy-web").strip()
    assert set(status["Uid"].split()) == {user} and machine.run("id", "-g", "mcproxy").strip() in status["Groups"].split()
    assert {status[name] for name in ("CapPrm", "CapEff", "CapBnd", "CapAmb")} == {"0" * 16}
    assert status["NoNewPrivs"] == "1" and int(status["Seccomp_filters"]) >= 2

    def get(path):
        connection = http.client.HTTPConnection("127.0.0.1", 4605, timeout=20)
        with router.router.entered():
            connection.request("GET", path)
        return json.loads(connection.getresponse().read())

    assert {link["link"] for link in get("/api/links")["links"]} == {"eth0", "eth1"}
    findings = get("/api/doctor")
    assert findings["command"] == "doctor" and findings["checks"] > 10
    assert get("/api/explain?group=239.1.1.1")["streams"][0]["failed"] == "member"
    assert "refused" not in machine.run("journalctl", "-u", "mcproxy-web")
    machine.run("dpkg", "-r", "mcproxy-web")
    assert machine.run("systemctl", "is-active", "mcproxy") == "active\n"
