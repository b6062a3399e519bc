# SPDX-License-Identifier: BSD-2-Clause
"""Users without rights: who may look and who may change, and the command by which a user gets the right."""

import json
import os
import shutil
import subprocess
import tempfile

import pytest
from ctl import MCPROXYCTL
from netlab import Daemon, wait_until

SMALLEST = 'instances = ( "eth0 ==> eth1" );\n'
REMEDY = "sudo usermod -aG daemon nobody, then log in again"


@pytest.fixture
def place():
    """A directory that every user may enter, like /run, with a mcproxyctl that every user may run."""
    directory = tempfile.mkdtemp(prefix="mcproxy-test-")
    os.chmod(directory, 0o755)
    shutil.copy(MCPROXYCTL, directory)
    yield directory
    shutil.rmtree(directory)


def start(router, place, settings=""):
    return Daemon(router.router, SMALLEST + f'control_socket = "{place}/c.sock"; {settings}', vifs=("eth0", "eth1"))


def nobody(router, place, *arguments, groups=()):
    """Runs mcproxyctl as the user nobody, with further groups."""
    wrapper = ["setpriv", "--reuid", "65534", "--regid", "65534",
               *(("--groups", ",".join(map(str, groups))) if groups else ("--clear-groups",))]
    with router.router.entered():
        return subprocess.run([*wrapper, f"{place}/mcproxyctl", "--socket", f"{place}/c.sock", *arguments],
                              capture_output=True, text=True, check=False, timeout=60)


def test_the_group_of_the_socket_and_the_command_to_join_it_are_named(router, place):
    start(router, place, 'control_group = "daemon";')
    result = nobody(router, place, "show", "status")
    assert result.returncode == 1
    assert result.stderr == (f"mcproxyctl: {place}/c.sock: Permission denied: only root and group daemon may connect; {REMEDY}\n")
    assert nobody(router, place, "show", "status", groups=(1,)).returncode == 0

    # explain and doctor know this case.
    result = nobody(router, place, "explain", "239.1.1.1")
    assert result.returncode == 2 and "only root and group daemon may connect" in result.stderr and REMEDY in result.stderr
    result = nobody(router, place, "doctor", "--json")
    answer = json.loads(result.stdout)
    assert result.stderr == "" and [f["check"] for f in answer["findings"]] == ["owner"]
    assert answer["findings"][0]["remedy"] == REMEDY
    assert {"check": "links", "why": "this user may not connect to mcproxy"} in answer["skipped"]


def test_the_remedy_works_after_a_login(router, place):
    """In a copy of /etc, so that the machine's own stays as it is."""
    start(router, place, 'control_group = "daemon";')
    show = f"{place}/mcproxyctl --socket {place}/c.sock show status"
    script = f"""set -e
        cp -a /etc {place}/etc && mount --bind {place}/etc /etc
        sudo() {{ "$@"; }}
        {REMEDY.split(",", maxsplit=1)[0]}
        setpriv --reuid nobody --regid 65534 --clear-groups {show} 2>&1 || true
        setpriv --reuid nobody --regid 65534 --init-groups {show}"""
    with router.router.entered():
        result = subprocess.run(["unshare", "--mount", "--propagation", "private", "sh", "-c", script], capture_output=True,
                                text=True, check=False, timeout=60)
    before, after = result.stdout.split("\n", maxsplit=1)
    assert "log in again: user nobody has joined that group since this login" in before
    assert result.returncode == 0 and "uptime" in after, result


def test_a_configuration_file_that_is_closed_is_no_finding(router, place):
    path = f"{place}/mcproxy.conf"
    with open(path, "w", encoding="utf-8") as file:
        file.write(SMALLEST)
    os.chmod(path, 0o600)
    answer = json.loads(nobody(router, place, "doctor", "--json", "--config", path).stdout)
    assert [f["check"] for f in answer["findings"]] == ["owner"]
    assert {"check": "file", "why": "this user may not read the configuration file"} in answer["skipped"]


ONLY_ROOT = {
    "mode": 'control_mode = "0600"; control_group = "daemon";',
    "group": "",
}


@pytest.mark.parametrize("why", ONLY_ROOT)
def test_a_socket_for_root_alone(router, place, why):
    start(router, place, ONLY_ROOT[why])
    os.chown(f"{place}/c.sock", 0, -1)
    if why == "group":
        os.chown(f"{place}/c.sock", 0, 0)
    result = nobody(router, place, "show", "status")
    assert "Permission denied: only root may connect; run this command as root" in result.stderr
    assert "set control_group" in result.stderr


def test_a_directory_that_is_closed(router, place):
    os.mkdir(f"{place}/inside", 0o700)
    start(router, f"{place}/inside", 'control_group = "daemon";')
    with router.router.entered():
        result = subprocess.run(["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", f"{place}/mcproxyctl",
                                 "--socket", f"{place}/inside/c.sock", "show", "status"], capture_output=True, text=True, check=False)
    assert f"Permission denied: only root may enter {place}/inside; run this command as root" in result.stderr


def test_who_may_look_and_who_may_change(router, place):
    """With control_group, its members do both. Without it, only root and the daemon's user change things."""
    daemon = start(router, place, 'control_mode = "0666"; control_group = "daemon";')
    assert nobody(router, place, "show", "status").returncode == 0
    result = nobody(router, place, "reload")
    assert result.stderr == "mcproxyctl: reload: only for root and the members of group daemon (control_group)\n"
    assert nobody(router, place, "reload", groups=(1,)).returncode == 0
    daemon.configuration_path.write_text(SMALLEST + f'control_socket = "{place}/c.sock"; control_mode = "0666";')
    reloads = wait_until(lambda: nobody(router, place, "reload", groups=(1,)).returncode == 0, what="the reload")
    assert reloads
    result = wait_until(lambda: (r := nobody(router, place, "loglevel")).returncode == 1 and r, what="the new socket")
    assert result.stderr == (
        "mcproxyctl: loglevel: only for root; to admit a group, set control_group in the configuration\n")
