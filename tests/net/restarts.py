# SPDX-License-Identifier: BSD-2-Clause
"""What tests of restarts share: a daemon under a service manager, streams that may miss no packet, and the upstream wire, where
no report may show the restart."""

import os
import signal
import time

from families import FAMILIES
from netlab import Capture, Sender, wait_until
from service_manager import ServiceManager

LONG = os.environ.get("MCPROXY_LONG") == "1"
QUICK = ("query_interval = 10; query_response_interval = 0.3; startup_query_interval = 0.5; last_member_query_interval = 0.2; "
         "unsolicited_report_interval = 0.2; repeat_without_querier = false; ")
ADOPTION = 0.5 + 0.3 + 1  # (startup_query_count - 1) x startup_query_interval + query_response_interval + 1 s
LAST_MEMBER = 0.4
ENDS = {
    "kill": lambda manager: manager.crash(signal.SIGKILL),
    "worker": lambda manager: manager.crash(signal.SIGSEGV, worker=True),
    "owner": lambda manager: manager.crash(signal.SIGSEGV),
    "hand over": lambda manager: manager.hand_over(),
}


def configuration(settings="", instances="eth0 ==> eth1", families=FAMILIES):
    protocols = ", ".join(f'"{family.protocol}"' for family in families)
    return f'protocol = [ {protocols} ]; {QUICK} {settings}\ninstances = ( "{instances}" );\n'


class Upstream:
    """The upstream wire, as the router leaves it."""

    def __init__(self, router):
        self._capture = Capture(router.router, "eth0", None)

    def told(self, group=None, after=0.0):
        """Reports and leaves of groups that are proxied."""
        return [m for m in self._capture.select(group=group, outgoing=True, after=after) if m.kind in ("report", "leave")
                and any(not g.startswith(("224.0.0.", "ff02::")) for g in (m.group, *(r.group for r in m.records)) if g)]

    def settle(self, groups):
        """The groups are joined and all repetitions of that are out; returns the time."""
        wait_until(lambda: all(self.told(group) for group in groups), what=f"joins of {groups}")
        wait_until(lambda: time.time() - max(m.time for m in self.told()) > 1.3, 10, "the end of all repetitions")
        return time.time()

    def assert_silent(self, after):
        told = self.told(after=after)
        assert not told, [(round(m.time - after, 2), m.kind, m.group, m.records) for m in told]


class Stream:
    """A numbered stream and a host that receives it."""

    def __init__(self, router, family, group=None, source=None, host=None, pps=500, source_host=None, address=None):
        group = group or family.group
        self.family, self.group = family, group
        self.receiver = family.receiver(host or router.host)
        self.receiver.join_source(group, source) if source else self.receiver.join(group)
        self.sender = Sender(source_host or router.source, "eth0", group, address=address)
        self.pps = pps

    def start(self):
        self.sender.start(pps=self.pps)
        self.receiver.wait_for(20, group=self.group)
        return self

    def assert_complete(self):
        """Ends it: nothing was lost, nothing came twice."""
        sent = self.sender.stop()
        wait_until(lambda: (self.receiver.sequences(group=self.group) or [-1])[-1] == sent - 1, 2,
                   lambda: f"the last of {sent} packets of {self.group}; gaps: {self.receiver.gaps(group=self.group)}")
        gaps = self.receiver.gaps(group=self.group)
        assert not gaps, f"{self.group}: {gaps}"


def manager_of(router, text):
    return ServiceManager(router.router, text).start()
