# SPDX-License-Identifier: BSD-2-Clause
"""Bursts lose nothing, floods on one instance do not hold up the others, and limits are kept; by the tool in tests/bench.
Times are for a shared, busy machine; docs/performance.md has what a quiet one gives."""

import dataclasses
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from netlab import Receiver, Sender, tables, wait_until

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "bench"))
import measures  # noqa: E402
import proxies  # noqa: E402

pytestmark = pytest.mark.timing


@pytest.mark.parametrize("ring_size", [4, 1024])
def test_a_burst_of_ten_thousand_reports_loses_none(lab, ring_size):
    """What the channel has no room for waits in the socket."""
    trial = proxies.Trial(lab, proxies.mcproxy(ring_size=ring_size))
    figures = measures.groups(trial, 10_000, 1, 0, settle=0)
    assert (figures["joined"], figures["drops"]) == (10_000, 0)


def test_thousands_of_groups_are_left_at_once_in_little_time(lab):
    """Newest first: the kernel takes ten times as long the other way round."""
    proxy = proxies.mcproxy(upstream_membership='"kernel"', fast_leave="true")
    figures = measures.part(proxies.Trial(lab, proxy), 10_000)
    assert figures["left"] == 10_000
    assert figures["ms"] < 500


def test_reports_beyond_the_rate_are_dropped_and_counted(lab):
    trial = proxies.Trial(lab, proxies.mcproxy(report_rate_max=100, host_report_rate_max=0))
    sent = measures.traffic(trial, "flood", 5000, 1000)["sent"]
    # What gathers in a second, and what came in that second.
    wait_until(lambda: sent - 100 >= trial.counter("report_rate_max exceeded") >= sent - 400, what="the rest counted")
    assert trial.process.stderr.count("report_rate_max") == 1


def test_one_host_gets_no_more_than_half_of_the_rate(lab):
    trial = proxies.Trial(lab, proxies.mcproxy(report_rate_max=200))
    sent = measures.traffic(trial, "flood", 5000, 1000)["sent"]
    wait_until(lambda: sent - 100 >= trial.counter("host_report_rate_max exceeded") >= sent - 400, what="the rest counted")


@pytest.mark.parametrize("kind, rate", [("flood", 100_000), ("upcalls", 20_000)])
def test_a_storm_on_one_instance_leaves_the_other_alone(lab, kind, rate):
    trial = proxies.Trial(lab, proxies.mcproxy(pairs=2), pairs=2)
    figures = measures.join_beside(trial, kind, rate, 100)
    assert figures["missing"] == 0
    assert figures["us"] < 2000


def nice_values(trial):
    """Of the main thread, and of the others, which set theirs when they first run."""
    time.sleep(0.5)
    directory = Path(f"/proc/{trial.process.pid}/task")
    values = {task.name: int((task / "stat").read_text().rsplit(")")[1].split()[16]) for task in directory.iterdir()}
    return values.pop(str(trial.process.pid)), set(values.values())


def may_raise():
    command = "import os; os.setpriority(os.PRIO_PROCESS, 0, -10)"
    return subprocess.run([sys.executable, "-c", command], capture_output=True, check=False).returncode == 0


@pytest.mark.skipif(not may_raise(), reason="priorities may not be raised here (a container without CAP_SYS_NICE)")
def test_the_main_thread_runs_ahead_of_the_workers(lab):
    usual = os.getpriority(os.PRIO_PROCESS, 0)
    assert nice_values(proxies.Trial(lab, proxies.mcproxy())) == (-10, {usual})
    assert nice_values(proxies.Trial(lab, proxies.mcproxy(owner_priority=0))) == (usual, {usual})


def test_a_priority_that_is_refused_is_said_only_where_it_was_asked_for(lab):
    proxy = proxies.mcproxy(owner_priority=5)
    refused = ("setpriv", "--bounding-set", "-sys_nice", "--inh-caps", "-sys_nice", *proxy.command)
    trial = proxies.Trial(lab, dataclasses.replace(proxy, command=refused))
    assert "owner_priority: the main thread cannot be given the nice value -5" in trial.process.stderr
    trial = proxies.Trial(lab, dataclasses.replace(proxy, command=refused, configuration=proxies.mcproxy().configuration))
    assert "owner_priority" not in trial.process.stderr


def test_unwanted_streams_are_bounded_and_wanted_ones_keep_their_route(lab):
    """At the limit the oldest entry of an unwanted stream makes way for a new one."""
    trial = proxies.Trial(lab, proxies.mcproxy(routes_max=200))
    source, host = trial.pairs[0]
    receiver = Receiver(host, "eth0").join("239.1.1.1")
    Sender(source, "eth0", "239.1.1.1").start(pps=200)
    receiver.wait_for(3)
    measures.traffic(trial, "upcalls", 20_000, 300)

    def entries():
        return [route for route in tables.routes(trial.router).values() if route.parent is not None]
    wait_until(lambda: len(entries()) <= 225, what=lambda: f"few entries; there are {len(entries())}")
    receiver.wait_for(50)
    assert len(entries()) >= 150
