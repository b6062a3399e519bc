# SPDX-License-Identifier: BSD-2-Clause
"""Names that would control a terminal: nothing that the daemon or mcproxyctl prints lets them through."""

import os
import signal
import subprocess

import pytest
from ctl import MCPROXYCTL, ask, socket_path, start_monitor
from mcproxy_daemon import PROGRAM
from netlab import CraftedHost, Daemon, Membership, Record, Sender, wait_until

GROUP = "239.1.2.3"
HOSTILE = (b"u\x1b[31m", b"u\xc2\x9b31m", b"u\xe2\x80\xae", b"u\x9b2J\x7f", b"u\xe2\x81\xa6\xd8\x9c", b"u\xe2\x80\x8e\xe2\x80\x8f")
BIDI = {0x61C, 0x200E, 0x200F, *range(0x2028, 0x202F), *range(0x2066, 0x206A)}


def check(what, output):
    """The output is UTF-8 without anything that controls a terminal."""
    text = output.decode()  # strictly
    bad = [hex(ord(character)) for character in text
           if (ord(character) < 0x20 and character not in "\n\t") or 0x7F <= ord(character) <= 0x9F or ord(character) in BIDI]
    assert not bad, (what, bad, text)


def output_of(daemon, *arguments, statuses=(0,)):
    with daemon.namespace.entered():
        result = subprocess.run([MCPROXYCTL, "--socket", socket_path(daemon), *arguments], capture_output=True, check=False,
                                timeout=60)
    assert result.returncode in statuses, result
    check(arguments, result.stdout + result.stderr)
    return result.stdout


def has_links(daemon, count):
    """Asks the daemon itself: the tables of the kernel are not text with such names."""
    try:
        return len([link for link in ask(daemon, "show", what="links")["links"] if link["present"]]) == count
    except OSError:
        return False  # the socket does not listen yet


@pytest.mark.parametrize("name", HOSTILE, ids=ascii)
def test_no_name_controls_a_terminal(router, name):
    network = router
    network.router.ip("link set eth1 down")
    with network.router.entered():
        subprocess.run([b"ip", b"link", b"set", b"eth1", b"name", name, b"up"], check=True)
    status_file = network.router.directory / "status"
    daemon = Daemon(network.router, f'protocol = ["IGMPv3", "MLDv2"]; fast_leave = true; status_file = "{status_file}";'
                    'instances = ({ name = "tv"; upstream = "eth0"; downstream = ("u*", "missing"); });', ("-d",))
    wait_until(lambda: has_links(daemon, 4), 10, "the links")
    monitor = [start_monitor(daemon, *flags) for flags in ((), ("--json",))]
    Membership(network.host, "eth0").join_source(GROUP, network.source_address)
    CraftedHost(network.host, "eth0", "10.0.1.77").report(Record("TO_EX", GROUP))
    Sender(network.source, "eth0", GROUP).start(pps=50)
    wait_until(lambda: [route for route in ask(daemon, "show", what="routes")["routes"] if route["outputs"]], 10, "the route")
    for flags in ((), ("--json",)):
        for what in ("status", "instances", "links", "groups", "routes", "upstream", "uplinks"):
            output_of(daemon, "show", what, "--details", *flags)
        output_of(daemon, "metrics", "--streams", *flags)
        output_of(daemon, "doctor", *flags, statuses=(0, 1, 2))
        output_of(daemon, "explain", "--seconds", "0.2", GROUP, *flags, statuses=(0, 1, 2))
    wait_until(lambda: "source" in monitor[0].stdout, what="an event")
    daemon.signal(signal.SIGUSR1)
    wait_until(status_file.exists, what="the status file")
    daemon.terminate()
    for process in monitor:
        process.wait()
    for path in (status_file, daemon.stdout_path, daemon.stderr_path, *(process.stdout_path for process in monitor)):
        assert path == daemon.stdout_path or path.read_bytes()
        check(path, path.read_bytes())


@pytest.mark.parametrize("name", HOSTILE, ids=ascii)
def test_no_word_of_the_user_controls_a_terminal(lab, name):
    directory = lab.namespace("router").directory
    for arguments in ((name,), (b"--" + name,), (b"show", name), (b"show", b"--" + name), (b"--socket", name, b"show", b"status"),
                      (b"explain", name), (b"top", name), (b"loglevel", name), (b"monitor", name)):
        result = subprocess.run([MCPROXYCTL, *arguments], capture_output=True, check=False, timeout=10)
        assert result.returncode != 0
        check(arguments, result.stdout + result.stderr)
    path = os.fsencode(directory) + b"/" + name
    texts = (b'instances = ( "eth0 ==> %s" );', b'instances = ( "eth0 ==> eth1" ); %s = 7;', b'instances = ( "%s eth0 eth1" );',
             b'instances = ( { name = "%s"; upstream = "eth0"; downstream = "eth1"; } );', b"protocol %s\neth0 ==> eth1\n",
             b'status_file = "%s"; robustness = "%s"; instances = ( "eth0 ==> eth1" );', b'@include "%s"\n')
    for text in texts:
        with open(path, "wb") as file:
            file.write(text.replace(b"%s", name))
        result = subprocess.run([PROGRAM, "-t", "-c", path], capture_output=True, check=False, timeout=10)
        check(text, result.stdout + result.stderr)
    for arguments in ((b"-" + name,), (b"--" + name,), (b"-t", b"-c", name + b"none"), (name,)):
        result = subprocess.run([PROGRAM, *arguments], capture_output=True, check=False, timeout=10)
        assert result.returncode != 0
        check(arguments, result.stdout + result.stderr)
