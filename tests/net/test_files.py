# SPDX-License-Identifier: BSD-2-Clause
"""Files that the daemon reads and writes where other users may write: links, FIFOs, devices, races."""

import os
import signal
import stat
import subprocess
import threading

import pytest
from ctl import ask
from mcproxy_daemon import PROGRAM
from netlab import Daemon, tables, wait_until

SMALLEST = 'protocol = "IGMPv3"; instances = ("eth0 ==> eth1");'


def make(kind, path):
    """Something at the path that is no file of its own."""
    victim = path.with_name(path.name + ".victim")
    victim.write_text("secret\n")
    victim.chmod(0o600)
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "directory":
        path.mkdir()
    elif kind == "device":
        os.mknod(path, 0o666 | stat.S_IFCHR, os.makedev(1, 5))
    elif kind == "symlink":
        path.symlink_to(victim)
    elif kind == "hardlink":
        path.hardlink_to(victim)
    return victim


def is_untouched(victim):
    status = victim.stat()
    return victim.read_text() == "secret\n" and (stat.S_IMODE(status.st_mode), status.st_uid, status.st_gid) == (0o600, 0, 0)


def replace_sockets(path, target, stop, replaced):
    """Another user's program: each time that the socket appears, a link takes its place."""
    while not stop.is_set():
        try:
            if stat.S_ISSOCK(os.lstat(path).st_mode):
                os.unlink(path)
                os.symlink(target, path)
                replaced.append(path)
        except OSError:
            pass


@pytest.mark.parametrize("call", ("bind:delay_exit", "chmod,fchmodat:delay_enter", "chown,lchown,fchownat:delay_enter",
                                  "listen:delay_enter"))
def test_the_mode_and_group_of_another_file_never_change_by_the_socket(router, call):
    """The daemon pauses at one step after the other, so that the race is always won."""
    network = router
    shared = network.router.directory / "shared"
    shared.mkdir()
    shared.chmod(0o777)
    network.router.lab.defer(os.chmod, shared, 0o755)
    victim = make("victim", network.router.directory / "root")
    path = shared / "c"
    configuration = network.router.directory / "race.conf"
    configuration.write_text(SMALLEST + 'control_socket = "c"; control_mode = "0666"; control_group = "daemon";')
    stop, replaced = threading.Event(), []
    attacker = threading.Thread(target=replace_sockets, args=(path, victim, stop, replaced))
    attacker.start()
    try:
        # A relative path, as that of the test is too long for a socket.
        daemon = network.router.start("env", "-C", shared, "strace", "-D", "-qq", "-o", "/dev/null", "-e",
                                      "trace=bind,listen,chmod,fchmodat,chown,lchown,fchownat", "-e",
                                      f"inject={call}=200000", PROGRAM, "-c", configuration, private_run=True,
                                      environment={"ASAN_OPTIONS": "detect_leaks=0"})
        wait_until(lambda: replaced, 20, "the attack")
        wait_until(lambda: len(tables.vifs(network.router)) == 2, 20, "the vifs")
        daemon.signal(signal.SIGTERM)
        daemon.wait(20)
    finally:
        stop.set()
        attacker.join()
    assert is_untouched(victim)


PROBLEMS = {
    "fifo": "a FIFO, a device or a socket; a regular file is expected",
    "device": "a FIFO, a device or a socket; a regular file is expected",
    "directory": "Is a directory",
}


@pytest.mark.parametrize("kind", PROBLEMS)
def test_a_configuration_that_is_no_file_is_an_error_and_never_a_hang(router, kind):
    network = router
    path = network.router.directory / "odd.conf"
    make(kind, path)
    for flags in (("-t",), ()):
        result = subprocess.run([PROGRAM, *flags, "-c", path], capture_output=True, text=True, check=False, timeout=10)
        assert result.returncode == 78 and result.stderr.endswith(f"odd.conf: {PROBLEMS[kind]}\n")
    # At a reload everything stays as it was, and the daemon goes on.
    daemon = Daemon(network.router, SMALLEST, vifs=("eth0", "eth1"))
    daemon.configuration_path.unlink()
    make(kind, daemon.configuration_path)
    daemon.signal(signal.SIGHUP)
    daemon.wait_for_output(f"mcproxy.conf: {PROBLEMS[kind]}")
    assert ask(daemon, "show", what="status")["pid"] == daemon.pid


def test_links_to_a_configuration_are_followed_where_only_root_may_make_them(router):
    network = router
    real, link = network.router.directory / "real.conf", network.router.directory / "etc" / "mcproxy.conf"
    real.write_text(SMALLEST)
    link.parent.mkdir()
    link.symlink_to(real)
    result = subprocess.run([PROGRAM, "-t", "-c", link], capture_output=True, text=True, check=False, timeout=10)
    assert result.returncode == 0 and "valid" in result.stdout
    link.parent.chmod(0o1777)
    result = subprocess.run([PROGRAM, "-t", "-c", link], capture_output=True, text=True, check=False, timeout=10)
    assert result.returncode == 78 and result.stderr.endswith(": a symbolic link, which is not followed here\n")


def test_a_large_configuration_is_bounded(router):
    path = router.router.directory / "large.conf"
    path.write_text("#" * (1 << 20) + "\n")
    os.truncate(path, 1 << 30)
    result = subprocess.run([PROGRAM, "-t", "-c", path], capture_output=True, text=True, check=False, timeout=10)
    assert result.returncode == 78 and "larger than 1 MiB" in result.stderr


def test_a_pipe_is_read_once_if_its_descriptor_is_named(router):
    network = router
    command = 'exec "$0" -c <(sleep 0.3; echo "$1"; sleep 0.3; echo "# end")'
    daemon = network.router.start("bash", "-c", command, PROGRAM, SMALLEST, private_run=True)
    wait_until(lambda: len(tables.vifs(network.router)) == 2, 10, "the vifs")
    daemon.signal(signal.SIGHUP)
    daemon.wait_for_output("reload: #1: failed; everything stays as it was")
    daemon.signal(signal.SIGTERM)
    assert daemon.wait() == 0
    for source in ("/dev/stdin", "/proc/self/fd/0"):
        result = subprocess.run([PROGRAM, "-t", "-c", source], input=SMALLEST, capture_output=True, text=True, check=False, timeout=10)
        assert result.returncode == 0 and "valid" in result.stdout
    # A pipe that does not end is an error after five seconds.
    with subprocess.Popen([PROGRAM, "-t", "-c", "/dev/stdin"], stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.wait(20) == 78
        assert "the pipe does not end" in process.stderr.read()


@pytest.mark.parametrize("kind", ("fifo", "device", "directory", "symlink", "hardlink"))
def test_a_recording_goes_only_to_a_file_of_its_own(router, kind):
    network = router
    path = network.router.directory / "recording"
    victim = make(kind, path)
    daemon = Daemon(network.router, SMALLEST, ("--record", path))
    daemon.expect_exit(1)
    assert f"{path}: recording cannot be made: " in daemon.stderr
    assert is_untouched(victim)


@pytest.mark.parametrize("kind", ("fifo", "device", "symlink", "hardlink"))
def test_the_status_file_replaces_what_stands_there(router, kind):
    network = router
    path = network.router.directory / "status"
    victim = make(kind, path)
    daemon = Daemon(network.router, SMALLEST + f'status_file = "{path}"; control_group = "daemon";', vifs=("eth0", "eth1"))
    daemon.signal(signal.SIGUSR1)
    wait_until(lambda: stat.S_ISREG(path.lstat().st_mode) and path.read_text() != "secret\n", what="the status file")
    status = path.stat()
    assert (stat.S_IMODE(status.st_mode), status.st_gid) == (0o640, 1)
    assert is_untouched(victim)
    assert {entry.name for entry in path.parent.iterdir() if entry.name.startswith("status")} == {"status", "status.victim"}
