# SPDX-License-Identifier: BSD-2-Clause
"""mcproxy-web as a program, and a client of its events."""

import base64
import http.client
import json
import os
import socket
import time
from pathlib import Path

from mcproxy_daemon import PROGRAM
from namespaces import TIMEOUT_FACTOR, Process, wait_until

MCPROXY_WEB = Path(os.environ.get("MCPROXY_BUILD", PROGRAM.parent)) / "mcproxy-web"
PORT = 4605


class Web(Process):
    """mcproxy-web for the control socket at a path; it listens when the constructor returns. At clean-up it must end
    by SIGTERM with 0."""

    def __init__(self, namespace, control, *options, user="nobody", address="127.0.0.1"):
        self.address = address
        super().__init__(namespace, MCPROXY_WEB, "--socket", control, "--user", user, *options)
        wait_until(lambda: self._listens(namespace), what="mcproxy-web listens")

    def _listens(self, namespace):
        assert self.running, self.stderr
        with namespace.entered():
            return f":{PORT:04X} 0" in Path("/proc/thread-self/net/tcp").read_text()

    def connect(self, source=None, small=False):
        """A connection, as http.client's. small: it has little room for what is not read."""
        connection = http.client.HTTPConnection(self.address, PORT, timeout=20 * TIMEOUT_FACTOR,
                                                source_address=(source, 0) if source else None)
        with self.namespace.entered():
            if small:
                connection._create_connection = _connect_with_little_room
            connection.connect()
        return connection

    def get(self, path, method="GET", source=None, **headers):
        """Status, headers and body of the answer to one request. headers: with _ in place of -."""
        connection = self.connect(source)
        try:
            connection.request(method, path, headers={name.replace("_", "-"): value for name, value in headers.items()})
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read().decode()
        finally:
            connection.close()

    def api(self, path):
        """The answer as an object."""
        status, _, body = self.get("/api/" + path)
        assert status == 200, (path, status, body)
        return json.loads(body)

    def close(self):
        if self.running:
            self.signal(15)
            self.wait(10)
            assert self.returncode == 0, self.stderr
        super().close()


def _connect_with_little_room(address, timeout, source):
    connection = socket.socket()
    connection.settimeout(timeout)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.connect(address)
    return connection


def basic(account):
    return "Basic " + base64.b64encode(account.encode()).decode()


class Events:
    """A client of the events, which keeps the lists as a page does."""

    def __init__(self, web, last=None, source=None, **headers):
        self.connection = web.connect(source)
        self.connection.request("GET", "/events", headers={**headers, **({"Last-Event-ID": last} if last else {})})
        self.answer = self.connection.getresponse()
        self.status = self.answer.status
        self.last, self.kind, self.data = None, None, None
        self.counts = {}
        self.state = {}

    def read(self, timeout=60.0):
        """The next event: its kind and its data. A server that has none sends comments."""
        kind, start = None, time.monotonic()
        while True:
            assert time.monotonic() - start < timeout, (self.kind, self.data)
            line = self.answer.readline().decode()
            assert line, "the events have ended"
            line = line.rstrip("\n")
            if line.startswith("id: "):
                self.last = line[4:]
            elif line.startswith("event: "):
                kind = line[7:]
            elif line.startswith("data: "):
                self.data = json.loads(line[6:])
            elif not line and kind:
                self.kind = kind
                self.counts[kind] = self.counts.get(kind, 0) + 1
                self._apply()
                return kind, self.data

    def _apply(self):
        if self.kind == "snapshot":
            self.state = {name: {item["key"]: item for item in value} if isinstance(value, list) else value
                          for name, value in self.data.items()}
        for name, change in self.data.items() if self.kind == "change" else ():
            if name in ("time", "status"):
                self.state[name] = change
                continue
            assert set(change) == {"set", "gone"}
            self.state[name].update({item["key"]: item for item in change["set"]})
            for key in change["gone"]:
                self.state[name].pop(key, None)

    def wait(self, predicate, timeout=5.0):
        """Reads events until the predicate is true of this client; returns the seconds that it took."""
        start = time.monotonic()
        while not predicate(self):
            self.read(start + timeout * TIMEOUT_FACTOR - time.monotonic())
        return time.monotonic() - start

    def groups(self):
        return {item["group"] for item in self.state.get("groups", {}).values()}

    def close(self):
        self.connection.close()
        self.answer.close()
