# SPDX-License-Identifier: BSD-2-Clause
"""The network of the pictures in the documents: two upstream links, three downstream ones, TV, radio and a conference.

    broadcaster eth0 -- tv0  router  lan   -- eth0 home
         campus eth0 -- uni0         wifi  -- eth0 wireless
                                     guest -- eth0 guests
"""

import math
import threading
import time
from pathlib import Path

from mcproxy_daemon import PROGRAM
from netlab import CraftedHost, Process, Record, Sender, tables, wait_until

LINKS = ("tv0", "uni0", "lan", "wifi", "guest")
CONFIGURATION = """
protocol = ["IGMPv3", "MLDv2"];
instances = (
    {{ name = "home"; fast_leave = true;
      upstream = ({{ name = "tv0"; filter_in = [ "deny 233.252.0.0/24", "default" ]; }},
                  {{ name = "uni0"; filter_in = [ "allow 233.252.0.0/24", "deny all" ]; filter_out = [ "deny all" ]; }});
      downstream = ("lan", "wifi", {{ name = "guest"; filter_out = [ "deny 239.77.0.0/16" ]; }}); }}
);
control_socket = "{control}"; control_mode = "0666";
"""
NAMES = """
10.0.2.11 tv-living-room
10.0.2.12 tv-kitchen
10.0.2.13 radio
10.0.2.20 studio
10.0.3.31 tablet
10.0.3.32 phone-anna
10.0.4.51 visitor
10.0.0.10 headend
10.0.1.10 campus
239.1.1.1 news-hd
239.1.1.2 culture
239.1.1.4 weather
239.1.1.7 sport-hd
239.1.1.9 kids
239.1.2.1 radio-1
233.252.0.7 lecture-hall
233.252.0.9 conference
"""
# group, members, packets a second, how much that changes
CHANNELS = (
    ("239.1.1.1", ("lan 11", "wifi 31"), 110, .18), ("239.1.1.2", ("lan 12",), 64, .1), ("239.1.1.7", ("wifi 32",), 96, .3),
    ("239.1.1.9", ("lan 11",), 40, .05), ("239.1.2.1", ("lan 13", "wifi 31", "guest 51"), 3, 0),
)


class PulsedSender(Sender):
    """Sends large packets; the rate rises and falls around pps by that share, as video does."""

    def __init__(self, *arguments, change=0.0, **options):
        super().__init__(*arguments, size=8800, **options)
        self._change = change

    def _loop(self, interval, count):
        begin = next_at = time.monotonic()
        phase = sum(map(ord, self.group))
        while not self._stop.is_set():
            self.send()
            at = next_at - begin + phase
            wave = math.sin(at / 9) * .5 + math.sin(at / 2.3) * .3 + math.sin(at / 31) * .6
            next_at += interval / max(.1, 1 + self._change * wave)
            self._stop.wait(max(next_at - time.monotonic(), 0))


class StreamsLab:
    def __init__(self, lab):
        self.router = lab.namespace("router")
        self.ends = {}
        for number, link in enumerate(LINKS):
            end = self.ends[link] = lab.namespace(link)
            lab.link(self.router, link, end, "eth0", f"10.0.{number}.1/24", f"10.0.{number}.10/24")
            for namespace, device in ((self.router, link), (end, "eth0")):
                namespace.ip(f"link set {device} mtu 9000")
            end.ip(f"route add default via 10.0.{number}.1")
        self.control = f"/tmp/{self.router.name}.sock"
        self.names = Path(f"/tmp/{self.router.name}.hosts")  # where the user of mcproxy-web can read it
        self.names.write_text(NAMES)
        lab.defer(self.names.unlink)
        self._stop = threading.Event()
        lab.defer(self._stop.set)

    def start(self):
        """The daemon, members and streams."""
        run = self.router.directory / "run"  # the daemon's /run: the pictures show the path
        run.mkdir()
        (run / "mcproxy.conf").write_text(CONFIGURATION.format(control=self.control))
        Process(self.router, PROGRAM, "-c", "/run/mcproxy.conf", private_run=True)
        wait_until(lambda: set(LINKS) <= {vif.name for vif in tables.vifs(self.router)}, 10, "the daemon's links")
        for group, members, pps, change in CHANNELS:
            for member in members:
                self.join(member, group)
            PulsedSender(self.ends["tv0"], "eth0", group, change=change).start(pps=pps)
        PulsedSender(self.ends["uni0"], "eth0", "233.252.0.7", change=.25).start(pps=52)
        for member in ("wifi 32", "lan 20"):
            self.join(member, "233.252.0.7")
        self.join("lan 12", "239.1.1.4")
        self.ends["lan"].add_addresses("eth0", "10.0.2.20/24")
        PulsedSender(self.ends["lan"], "eth0", "233.252.0.9", address="10.0.2.20", change=.2).start(pps=33)
        self.join("wifi 31", "233.252.0.9")
        threading.Thread(target=self._ask, daemon=True).start()

    def host(self, member):
        link, number = member.split()
        return CraftedHost(self.ends[link], "eth0", f"10.0.{LINKS.index(link)}.{number}")

    def join(self, member, group):
        self.host(member).report(Record("TO_EX", group))

    def deny(self):
        """A guest asks for what its link may not have."""
        self.join("guest 51", "239.77.1.1")

    def _ask(self):
        """The routers upstream are queriers."""
        while not self._stop.wait(.5):
            for link in LINKS[:2]:
                CraftedHost(self.ends[link], "eth0", f"10.0.{LINKS.index(link)}.10").query()
            self._stop.wait(60)
