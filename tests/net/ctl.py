# SPDX-License-Identifier: BSD-2-Clause
"""The daemon's control socket, and mcproxyctl as a program."""

import json
import os
import socket
import subprocess
from pathlib import Path

from mcproxy_daemon import PROGRAM
from namespaces import TIMEOUT_FACTOR, Process, wait_until

NOBODY = ("setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups")  # a wrapper for mcproxyctl
MCPROXYCTL = Path(os.environ.get("MCPROXY_BUILD", PROGRAM.parent)) / "mcproxyctl"


def socket_path(daemon):
    """The default socket of a Daemon, whose /run is its own."""
    return f"/proc/{daemon.pid}/root/run/mcproxy/control.sock"


class Client:
    """A connection to the control socket."""

    def __init__(self, daemon):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        daemon.namespace.lab.defer(self.socket.close)
        self.socket.connect(socket_path(daemon))
        self.socket.settimeout(10 * TIMEOUT_FACTOR)
        self._lines = self.socket.makefile("rb")

    def send(self, text):
        self.socket.sendall(text if isinstance(text, bytes) else text.encode())

    def line(self):
        """The next line as an object; None when the daemon closed the connection."""
        line = self._lines.readline()
        return json.loads(line) if line else None

    def ask(self, command, **members):
        self.send(json.dumps({"command": command, **members}) + "\n")
        return self.line()


def ask(daemon, command, **members):
    """One answer of the daemon, as an object."""
    client = Client(daemon)
    try:
        return client.ask(command, **members)
    finally:
        client.socket.close()


def mcproxyctl(daemon, *arguments, status=0, path=None, wrapper=()):
    """Runs mcproxyctl in the daemon's namespace; its standard output (error, if it shall fail) after a check of its exit
    status. path: of the socket, unless it is the default one; wrapper: a command that runs it."""
    with daemon.namespace.entered():
        result = subprocess.run([*wrapper, MCPROXYCTL, "--socket", path or socket_path(daemon), *map(str, arguments)],
                                capture_output=True, text=True, check=False, timeout=30 * TIMEOUT_FACTOR)
    assert result.returncode == status, (arguments, result.returncode, result.stdout, result.stderr)
    return result.stdout if status == 0 else result.stderr


def start_mcproxyctl(daemon, *arguments):
    """A mcproxyctl that goes on, as a Process."""
    return Process(daemon.namespace, MCPROXYCTL, "--socket", socket_path(daemon), *arguments)


def start_monitor(daemon, *arguments):
    """mcproxyctl monitor, once no event escapes it. Its text has no line that would show that."""
    process = start_mcproxyctl(daemon, "monitor", *arguments)
    wait_until(lambda: _waits_for_socket(process.pid), what="a monitor that has asked")
    ask(daemon, "show", what="status")  # the daemon reads requests in the order in which they came
    return process


def _waits_for_socket(pid):
    """Is it in a system call whose first argument is a socket?"""
    words = Path(f"/proc/{pid}/syscall").read_text().split()
    try:
        return os.readlink(f"/proc/{pid}/fd/{int(words[1], 16)}").startswith("socket:")
    except (IndexError, OSError):
        return False
