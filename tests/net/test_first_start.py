# SPDX-License-Identifier: BSD-2-Clause
"""The first start: nothing is configured, the file is another program's or has a mistake; each time the next step is named."""

import json
import re
import subprocess
import tempfile
from pathlib import Path

import pytest
from ctl import MCPROXYCTL, ask, mcproxyctl
from mcproxy_daemon import PROGRAM
from netlab import Daemon, wait_until

SMALLEST = 'instances = ( "eth0 ==> eth1" );\n'


def run(namespace, *command):
    with namespace.entered():
        return subprocess.run([*map(str, command)], capture_output=True, text=True, check=False, timeout=30)


def check(namespace, path):
    """What `mcproxy -t` prints of a file."""
    result = run(namespace, PROGRAM, "-t", "-c", path)
    return result.returncode, result.stdout + result.stderr


def doctor(namespace, path):
    result = run(namespace, MCPROXYCTL, "--json", "--socket", "/nowhere", "doctor", "--config", path)
    return json.loads(result.stdout)["findings"]


@pytest.fixture
def short_path():
    """Of a file that messages name in full."""
    with tempfile.TemporaryDirectory(prefix="mcproxy-test-") as directory:
        yield Path(directory, "first.conf")


FILES = {
    "missing": (None, "No such file or directory; the smallest configuration is: instances = ("),
    "comments": ("# instances = ( \"eth0 ==> eth1\" );\n", "no instances; the smallest configuration is: instances = ("),
    "misspelt": (SMALLEST + "robustnes = 2;\n", "robustnes: unknown option; did you mean robustness?"),
    "igmpproxy": ("quickleave\nphyint eth0 upstream ratelimit 0 threshold 1\nphyint eth1 downstream\n", "igmpproxy"),
    "improxy": ("igmp enable version 3\nupstream eth0\ndownstream eth1\n", "improxy"),
    "mcproxy 1.1": ("protocol IGMPv3;\npinstance main: eth0 ==> eth1;\n", "mcproxy 1.1"),
    "omcproxy": ("omcproxy eth0,eth1,scope=site\n", "omcproxy"),
    "UCI of omcproxy": ("config proxy\n\toption uplink 'wan'\n\tlist downlink 'lan'\n", "omcproxy (UCI)"),
}


@pytest.mark.parametrize("kind", FILES)
def test_doctor_without_a_daemon_names_what_is_wrong_with_the_file(router, short_path, kind):
    """It prints what `mcproxy -t` prints, and where that names a configuration, the daemon runs with it."""
    namespace = router.router
    text, message = FILES[kind]
    path = short_path
    if text is not None:
        path.write_text(text)
    status, output = check(namespace, path)
    assert status == 78 and output.startswith(f"{path}:") and message in output and output.count("\n") == 1
    assert run(namespace, PROGRAM, "-c", path).returncode == 78
    findings = [finding for finding in doctor(namespace, path) if finding["check"] == "file"]
    assert [finding["subject"] for finding in findings] == [str(path)]
    assert findings[0]["what"] == output.strip().removeprefix(f"{path}: ") and f"mcproxy -t -c {path}" in findings[0]["remedy"]
    assert "correct its configuration file first" in doctor(namespace, path)[0]["remedy"]
    suggested = re.search(r'instances = \( ".*" \);', output)
    if suggested is not None:
        daemon = Daemon(namespace, suggested.group(0), vifs=("eth0", "eth1"))
        assert ask(daemon, "show", what="status")["instances"] == 1
    else:
        assert kind == "misspelt"


def test_doctor_without_a_daemon_and_a_valid_file(router):
    namespace = router.router
    path = namespace.directory / "first.conf"
    path.write_text('instances = ( "eth0 ==> eth1 eth77" );\n')
    findings = doctor(namespace, path)
    assert [(f["check"], f["subject"]) for f in findings] == [("owner", "mcproxy"), ("file", "eth77")]
    assert "start it" in findings[0]["remedy"] and f'note: eth77: {findings[1]["what"]}\n' in check(namespace, path)[1]
    path.write_text(SMALLEST)
    assert [f["check"] for f in doctor(namespace, path)] == ["owner"]


def test_doctor_looks_at_the_default_file_and_needs_the_program(router, tmp_path):
    """Without --config it is /etc/mcproxy.conf; mcproxy stands beside mcproxyctl, in PATH, or the report says that it cannot."""
    namespace = router.router
    copy = tmp_path / "mcproxyctl"
    copy.write_bytes(MCPROXYCTL.read_bytes())
    copy.chmod(0o755)
    inside = ["unshare", "--mount", "--propagation", "private", "sh", "-c"]
    etc = tmp_path / "etc"
    etc.mkdir()
    script = (f"cp -a /etc/. {etc}; echo 'nonsense' > {etc}/mcproxy.conf; mount --bind {etc} /etc; "
              f"exec {{}} --json --socket /nowhere doctor")
    found = json.loads(run(namespace, *inside, script.format(MCPROXYCTL)).stdout)
    assert [f["subject"] for f in found["findings"] if f["check"] == "file"] == ["/etc/mcproxy.conf"]
    hidden = f"for p in /usr/sbin /usr/local/sbin; do mount -t tmpfs none $p; done; export PATH=/usr/bin:/bin; {script}"
    found = json.loads(run(namespace, *inside, hidden.format(copy)).stdout)
    assert {"check": "file", "why": "the program mcproxy is neither beside mcproxyctl nor in PATH"} in found["skipped"]


def test_reload_prints_the_notes_of_the_check(router):
    daemon = Daemon(router.router, SMALLEST, vifs=("eth0", "eth1"))
    daemon.configuration_path.write_text('instances = ( "eth0 ==> eth1 eht2 tun*" );\n')
    notes = check(router.router, daemon.configuration_path)[1].splitlines()[1:]
    assert len(notes) == 1 and notes[0].startswith("note: eht2: there is no such interface now")
    assert mcproxyctl(daemon, "reload").splitlines() == [f"{daemon.configuration_path} is in force", *notes]
    assert json.loads(mcproxyctl(daemon, "reload", "--json"))["notes"] == [note.removeprefix("note: ") for note in notes]
    router.router.ip("link add eht2 type veth peer name eht3")
    wait_until(lambda: json.loads(mcproxyctl(daemon, "reload", "--json"))["notes"] == [], what="no note")


def test_the_first_line_of_the_log(router):
    daemon = Daemon(router.router, SMALLEST, vifs=("eth0", "eth1"))
    version = ask(daemon, "show", what="status")["program_version"]
    assert daemon.stderr.splitlines()[0] == (
        f"mcproxy {version}: started, configuration {daemon.configuration_path}, 1 instance")


def test_the_loss_of_an_upstream_link_is_a_warning(router):
    daemon = Daemon(router.router, 'instances = ( { name = "iptv"; upstream = "eth0"; downstream = "eth1"; } );',
                    vifs=("eth0", "eth1"))
    assert "instance iptv: upstream eth0: in use, vif " in daemon.stderr
    mcproxyctl(daemon, "loglevel", "warning")
    before = len(daemon.stderr)
    for device in ("eth1", "eth0"):
        router.router.ip(f"link set {device} down")
    daemon.wait_for_output("instance iptv: upstream eth0: interface is down or has no carrier; waiting for it\n")
    for device in ("eth1", "eth0"):
        router.router.ip(f"link set {device} up")
    wait_until(lambda: all(link["usable"] for link in ask(daemon, "show", what="links")["links"]), what="both links")
    for device in ("eth1", "eth0"):
        router.router.ip(f"address delete {router.router.link_local(device)}/64 dev {device}")
    daemon.wait_for_output("instance iptv: upstream eth0: the IPv6 link-local address is gone; IPv6 waits for one\n")
    router.router.ip("link delete eth1")
    router.router.ip("link delete eth0")
    daemon.wait_for_output("instance iptv: upstream eth0: interface is gone; waiting for it\n")
    said = daemon.stderr[before:]
    assert "downstream" not in said and "in use" not in said
