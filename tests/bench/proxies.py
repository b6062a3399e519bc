# SPDX-License-Identifier: BSD-2-Clause
"""Proxies to be measured: a command and a configuration each. Upstream is eth0, downstream is eth1."""

import dataclasses
import os
import select
import shutil
import signal
import sys
import time
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("MCPROXY_BUILD", TOP / "build"))
MCPROXY = Path(os.environ.get("MCPROXY", BUILD / "mcproxy"))
sys.path.insert(0, str(TOP / "tests" / "net"))
from netlab import Process, tables, wait_until  # noqa: E402

_CLOCK_PROCESS_CPU = 2


@dataclasses.dataclass(frozen=True)
class Proxy:
    """command: words, in which {configuration} is replaced by the path of a file with that text; in the text {status} is
    replaced by the path where mcproxy writes its status."""

    name: str
    command: tuple
    configuration: str = ""


def mcproxy(pairs=1, protocol='"IGMPv3"', **settings):
    instances = ", ".join(f'"eth{2 * number} ==> eth{2 * number + 1}"' for number in range(pairs))
    text = f'protocol = {protocol};\ninstances = ( {instances} );\nstatus_file = "{{status}}";\n'
    text += "".join(f"{key} = {value};\n" for key, value in settings.items())
    return Proxy("mcproxy", (str(MCPROXY), "-c", "{configuration}"), text)


def igmpproxy(fast_leave=False):
    program = shutil.which("igmpproxy") or "/usr/sbin/igmpproxy"
    text = ("quickleave\n" if fast_leave else "") + (
        "phyint eth0 upstream ratelimit 0 threshold 1\n\taltnet 0.0.0.0/0\n"
        "phyint eth1 downstream ratelimit 0 threshold 1\nphyint lo disabled\n")
    return Proxy("igmpproxy", (program, "-n", "{configuration}"), text)


def floor(*options):
    return Proxy("floor", (str(BUILD / "tests/bench/bench_floor"), *options, "eth0", "eth1"))


class Trial:
    """A proxy that runs in a network of its own: source eth0 -- eth0 router eth1 -- eth0 host; with more pairs,
    source eth0 -- eth2 router eth3 -- eth0 host, and so on."""

    def __init__(self, lab, proxy, pairs=1):
        self.proxy = proxy
        self.router = lab.namespace("router")
        self.pairs = [self._make_pair(lab, number) for number in range(pairs)]
        self.status_path = self.router.directory / "status"
        configuration = self.router.directory / "configuration"
        configuration.write_text(proxy.configuration.replace("{status}", str(self.status_path)))
        words = [word.replace("{configuration}", str(configuration)) for word in proxy.command]
        self.process = Process(self.router, *words, private_run=True)
        wait_until(self._is_ready, 10, lambda: f"{self.process} ready; it says {self.process.stderr}")

    def _make_pair(self, lab, number):
        ends = []
        for link, role in ((2 * number, "source"), (2 * number + 1, "host")):
            end = lab.namespace(f"{role}{number}")
            lab.link(self.router, f"eth{link}", end, "eth0", f"10.0.{link}.1/24", f"10.0.{link}.10/24")
            ends.append(end)
        return ends

    def _is_ready(self):
        assert self.process.running, f"{self.process} ended: {self.process.stderr}"
        return {f"eth{link}" for link in range(2 * len(self.pairs))} <= {vif.name for vif in tables.vifs(self.router)}

    def cpu(self):
        """Seconds of CPU that all its threads have used."""
        return time.clock_gettime(~self.process.pid << 3 | _CLOCK_PROCESS_CPU)

    def wait_idle(self):
        used = [self.cpu()]

        def is_idle():
            used.append(self.cpu())
            return used[-1] - used[-2] < 0.0001
        wait_until(is_idle, 60, "an idle proxy", interval=0.05)

    def peak_memory(self):
        """Bytes."""
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
        return 0

    def wake_ups(self):
        count = 0
        for path in Path(f"/proc/{self.process.pid}/task").glob("*/status"):
            for line in path.read_text().splitlines():
                if line.startswith("voluntary_ctxt_switches:"):
                    count += int(line.split()[1])
        return count

    def drops(self):
        """Control packets that were lost on their way into the proxy, in its sockets."""
        raw = sum(int(line.split()[-1]) for line in self.router.read("/proc/net/raw").splitlines()[1:])
        packet = sum(int(word[1:].rstrip(")")) for line in self.router.run("ss -0 -H -m").splitlines()
                     if "skmem:(" in line for word in line.split("skmem:(")[1].split(",") if word.startswith("d"))
        return raw + packet

    def counter(self, name):
        """The sum of a counter of all links, or of a cause of drops, from mcproxy's status."""
        self.status_path.unlink(missing_ok=True)
        self.process.signal(signal.SIGUSR1)
        text = wait_until(lambda: self.status_path.exists() and self.status_path.read_text(), what="the status")
        rows = (line.strip().partition("\t") for line in text.splitlines())
        return sum(int(value.split(",")[0]) for key, _, value in rows if key == name or value.endswith(f", {name}"))

    def stop(self):
        """Seconds until it has ended."""
        descriptor = os.pidfd_open(self.process.pid)
        start = time.monotonic()
        self.process.signal(signal.SIGTERM)
        select.select([descriptor], [], [], 120)
        elapsed = time.monotonic() - start
        os.close(descriptor)
        self.process.wait(1)
        return elapsed
