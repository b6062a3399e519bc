# SPDX-License-Identifier: BSD-2-Clause
"""The main thread runs out of memory for a while: what it could not do then is done when there is memory again."""

import os
import subprocess
from pathlib import Path

import pytest
from ctl import ask
from netlab import Capture, CraftedHost, Daemon, Receiver, Record, Sender, tables, wait_until

GROUP = "239.1.2.3"
SLAB = (16_000, 17_000)    # what pools and tables take memory by
HOST = (200_000, 600_000)  # the state of an upstream link, and nothing else
CONFIGURATION = ('protocol = "IGMPv3"; last_member_query_interval = 0.2; repeat_without_querier = false; %s\n'
                 'instances = ("eth0 ==> eth1");\n')

pytestmark = pytest.mark.skipif("san" in os.environ.get("MCPROXY", ""),
                                reason="a sanitizer has an allocator of its own")


class Memory:
    """The daemon's memory: `short` while its allocations fail."""

    def __init__(self, lab, sizes):
        self.path = lab.directory / "memory"
        self.path.write_bytes(b"0")
        library = lab.directory / "fail_alloc.so"
        subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", library, Path(__file__).with_name("fail_alloc.c")], check=True)
        self.environment = {"LD_PRELOAD": str(library), "FAIL_ALLOC": str(self.path), "FAIL_ALLOC_MIN": str(sizes[0]),
                            "FAIL_ALLOC_MAX": str(sizes[1])}

    def short(self, is_short):
        with open(self.path, "r+b") as file:
            file.write(b"1" if is_short else b"0")


def upstream(daemon):
    return ask(daemon, "show", what="uplinks")["upstream"][0]


@pytest.mark.parametrize("mode", ("kernel", "user"))
def test_groups_that_there_was_no_memory_for_are_joined_later(lab, router, mode):
    memory = Memory(lab, SLAB)
    daemon = Daemon(router.router, CONFIGURATION % f'upstream_membership = "{mode}";', "-d", vifs=("eth0", "eth1"),
                    environment=memory.environment)
    daemon.wait_for_output("downstream eth1: in use")
    capture = Capture(router.source, "eth0")
    groups = [f"239.9.{n // 250}.{n % 250 + 1}" for n in range(600)]
    guest = CraftedHost(router.host, "eth0", "10.0.1.77")
    memory.short(True)
    for first in range(0, len(groups), 100):
        guest.report(*[Record("TO_EX", group) for group in groups[first:first + 100]])
    wait_until(lambda: "out of memory for memberships" in daemon.stderr, 5, "the shortage")
    wait_until(lambda: ask(daemon, "show", what="instances")["instances"][0]["requests_postponed"] > 0, 5, "postponed requests")
    assert not {r.group for r in capture.records()} >= set(groups)
    memory.short(False)
    wait_until(lambda: {r.group for r in capture.records()} >= set(groups), 10, "all groups upstream")
    wait_until(lambda: upstream(daemon)["groups"] == len(groups), 5, "all groups")


@pytest.mark.parametrize("old, new", (("kernel", "user"), ("user", "kernel"), ("auto", "user")))
def test_another_provider_that_there_is_no_memory_for(lab, router, old, new):
    """The old one goes on, through further reloads, and gives way when there is memory."""
    memory = Memory(lab, HOST)
    daemon = Daemon(router.router, CONFIGURATION % f'upstream_membership = "{old}";', "-d", vifs=("eth0", "eth1"),
                    environment=memory.environment)
    receiver = Receiver(router.host, "eth0").join(GROUP)
    Sender(router.source, "eth0", GROUP).start(pps=100)
    receiver.wait_for(20)
    memory.short(True)
    for number, robustness in enumerate((2, 3, 2), 1):
        daemon.reconfigure(CONFIGURATION % f'upstream_membership = "{new}"; robustness = {robustness};')
        daemon.wait_for_output(f"reload: #{number}: {daemon.configuration_path} is in force")
        assert upstream(daemon)["membership"] == old
    assert "out of memory" in daemon.stderr
    memory.short(False)
    wait_until(lambda: upstream(daemon)["membership"] == new, 10, "the new provider")
    wait_until(lambda: (GROUP in tables.igmp_groups(router.router, "eth0")) == (new == "kernel"), 5, "the kernel's memberships")
    assert upstream(daemon)["groups"] == 1
    receiver.wait_for(receiver.count() + 20)
    daemon.reconfigure(CONFIGURATION % f'upstream_membership = "{old}";')
    wait_until(lambda: upstream(daemon)["membership"] == old, 10, "the old provider again")
