# SPDX-License-Identifier: BSD-2-Clause
"""A daemon that does not answer: every command ends after 5 s without a byte, and names the reason."""

import json
import os
import shlex
import socket
import subprocess
import threading
import time
from pathlib import Path

import pytest
from ctl import MCPROXYCTL, mcproxyctl, socket_path, start_mcproxyctl
from netlab import Daemon, wait_until

SMALLEST = 'instances = ( "eth0 ==> eth1" );\n'


def test_a_stopped_daemon_is_named_and_continues(router):
    daemon = Daemon(router.router, SMALLEST, vifs=("eth0", "eth1"))
    command = f"kill -CONT {daemon.pid}"
    subprocess.run(["kill", "-STOP", str(daemon.pid)], check=True)
    begin = time.monotonic()
    text = mcproxyctl(daemon, "show", "groups", status=1)
    assert 4.5 < time.monotonic() - begin < 15
    assert text == (f"mcproxyctl: {socket_path(daemon)}: the daemon (pid {daemon.pid}) does not answer within 5 s; "
                    f"it is stopped; continue it: {command}\n")
    assert command in mcproxyctl(daemon, "explain", "239.1.1.1", status=2)
    with daemon.namespace.entered():
        doctor = subprocess.run([MCPROXYCTL, "--json", "--socket", socket_path(daemon), "doctor"], capture_output=True, text=True,
                                check=False, timeout=60)
    findings = json.loads(doctor.stdout)["findings"]
    assert [f["check"] for f in findings] == ["owner"] and findings[0]["remedy"].endswith(command)
    subprocess.run(shlex.split(command), check=True)
    assert "uptime" in mcproxyctl(daemon, "show", "status")


@pytest.fixture
def server(lab):
    """Accepts every client and sends each one a text, and nothing more."""
    namespace = lab.namespace("router")
    path = f"/tmp/mcproxy-test-{os.getpid()}-{lab.directory.name[-8:]}.sock"  # short enough for a socket
    lab.defer(os.unlink, path)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(path)
    listener.listen(8)
    lab.defer(listener.close)
    namespace.answer, namespace.path, clients = b"", path, []

    def serve():
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            clients.append(client)
            client.sendall(namespace.answer)
    threading.Thread(target=serve, daemon=True).start()
    return namespace


@pytest.mark.parametrize("answer", (b"", b'{"version":1,"command":"show","what":"groups","groups":['), ids=("none", "part"))
def test_an_answer_that_does_not_go_on(server, answer):
    server.answer = answer
    for command in (("show", "groups"), ("metrics",), ("reload",), ("show", "groups", "--json")):
        begin = time.monotonic()
        result = subprocess.run([MCPROXYCTL, "--socket", server.path, *command], capture_output=True, text=True, check=False,
                                timeout=60)
        assert result.returncode == 1 and 4.5 < time.monotonic() - begin < 15, command
        assert "does not answer within 5 s" in result.stderr and "restart it: systemctl restart mcproxy" in result.stderr


def test_a_monitor_waits_for_events_as_long_as_it_takes(router):
    daemon = Daemon(router.router, SMALLEST, vifs=("eth0", "eth1"))
    monitor = start_mcproxyctl(daemon, "monitor")
    wait_until(lambda: "socket" in str(list(Path(f"/proc/{monitor.pid}/fd").iterdir())) or monitor.running, what="the monitor")
    time.sleep(7)  # without an event
    assert monitor.running
    router.router.ip("link set eth1 down")
    monitor.wait_for_output("eth1")
