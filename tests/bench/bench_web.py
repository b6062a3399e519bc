#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""usage: bench_web.py [STREAMS [BROWSERS [SECONDS]]]

Measures mcproxy with mcproxy-web while browsers have the page open: the CPU time of both programs, and how long a join
takes to reach the upstream link without and with them. Needs root, and a build (MCPROXY_BUILD)."""

import contextlib
import http.client
import os
import sys
import threading
import time

import measures
import proxies
from netlab import CraftedHost, Lab, Record
from web import Events, Web

CONTROL = f"/tmp/mcproxy-bench-{os.getpid()}.sock"


class Browser(threading.Thread):
    """Reads the events as they come."""

    def __init__(self, web):
        super().__init__(daemon=True)
        self.events = Events(web)
        self.bytes = 0
        self.start()

    def run(self):
        with contextlib.suppress(http.client.HTTPException, ValueError, OSError):  # at the end of the server
            while data := self.events.answer.read1(65536):
                self.bytes += len(data)


class Streams(threading.Thread):
    """A packet of each stream in a second, in steps of a twentieth."""

    def __init__(self, namespace, groups):
        super().__init__(daemon=True)
        self._groups = groups
        self._socket = namespace.socket(2, 2)
        self._socket.setsockopt(0, 33, 8)  # IP_MULTICAST_TTL
        self._socket.setsockopt(0, 32, b"\n\0\0\n")  # IP_MULTICAST_IF 10.0.0.10
        self.start()

    def run(self):
        with contextlib.suppress(OSError):  # at the end of the network
            for step in range(1 << 30):
                for group in self._groups[step % 20::20]:
                    self._socket.sendto(b"x" * 100, (group, 5001))
                time.sleep(0.05)


def cpu(process):
    return time.clock_gettime(~process.pid << 3 | 2)


def main():
    streams, browsers, seconds = (int(text) for text in [*sys.argv[1:], "1000", "5", "30"][:3])
    groups = [f"238.1.{number >> 8}.{number & 255}" for number in range(streams)]
    with Lab() as lab:
        trial = proxies.Trial(lab, proxies.mcproxy(control_socket=f'"{CONTROL}"', control_mode='"0666"'))
        source, host = trial.pairs[0]
        member = CraftedHost(host, "eth0", "10.0.1.77")
        for first in range(0, streams, 150):
            member.report(*(Record("TO_EX", group) for group in groups[first:first + 150]))
        Streams(source, groups)
        web = Web(trial.router, CONTROL)
        time.sleep(5)
        quiet = measures.join(trial, 300)
        start = cpu(trial.process), cpu(web)
        time.sleep(seconds)
        without = [cpu(process) - before for process, before in zip((trial.process, web), start)]
        open_pages = [Browser(web) for _ in range(browsers)]
        time.sleep(5)
        start, received = (cpu(trial.process), cpu(web)), open_pages[0].bytes
        time.sleep(seconds)
        used = [cpu(process) - before for process, before in zip((trial.process, web), start)]
        received = open_pages[0].bytes - received
        busy = measures.join(trial, 300)
        assert all(page.is_alive() for page in open_pages) and open_pages[0].bytes > 100 * streams
        for name, figures in (("without browsers", without), (f"with {browsers} browsers", used)):
            print(f"{streams} streams {name}: CPU of mcproxy {figures[0] / seconds:.2%}, of mcproxy-web {figures[1] / seconds:.2%}")
        print(f"each browser receives {received / seconds / 1000:.0f} kB/s; join upstream, microseconds: "
              f"{quiet} without browsers, {busy} with them")


if __name__ == "__main__":
    main()
