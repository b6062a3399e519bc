#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""usage: join_latency.py [JOINS]

How long a join takes through the proxy, by the kernel's packet timestamps on both links: from the report on the
downstream link to the report on the upstream link, and from the report to the first packet of a running stream. Run
as root after a build; prints medians and the 99th percentile."""

import statistics
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "net"))
from netlab import Capture, CraftedHost, Daemon, Lab, Receiver, Record, Sender, make_router, wait_until  # noqa: E402

CONFIGURATION = "protocol IGMPv3\neth0 ==> eth1\n"


def report_times(network, joins):
    """Seconds from downstream report to upstream report, one per join."""
    upstream, downstream = Capture(network.source, "eth0"), Capture(network.router, "eth1")
    host = CraftedHost(network.host, "eth0", "10.0.1.77")
    times = []
    for number in range(joins):
        group = f"239.50.{number // 250}.{number % 250 + 1}"
        host.report(Record("TO_EX", group))

        def carries(message, kind="TO_EX", wanted=group):
            return any(record.type == kind and record.group == wanted for record in message.records)
        heard = downstream.wait_for(carries, "the join downstream")
        passed_on = upstream.wait_for(carries, "the join upstream")
        times.append(passed_on.time - heard.time)
    return times


def picture_times(network, joins, pps):
    """Seconds from the report to the first packet of a running stream."""
    downstream = Capture(network.router, "eth1")
    times = []
    for number in range(joins):
        group = f"239.60.0.{number + 1}"
        sender = Sender(network.source, "eth0", group).start(pps=pps)
        wait_until(lambda: sender.sequence > 10, what="the stream")
        receiver = Receiver(network.host, "eth0").join(group)
        receiver.wait_for(3)
        joined = downstream.wait_for(lambda m, wanted=group: any(r.group == wanted for r in m.records), "the join")
        times.append(receiver.arrivals[0].time - joined.time)
        sender.stop()
        receiver.close()
    return times


def summary(times):
    ordered = sorted(times)
    return statistics.median(ordered), ordered[int(len(ordered) * 0.99)]


def main():
    joins = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    with tempfile.TemporaryDirectory() as directory, Lab(Path(directory)) as lab:
        network = make_router(lab)
        Daemon(network.router, CONFIGURATION, vifs=("eth0", "eth1"))
        median, worst = summary(report_times(network, joins))
        print(f"join -> upstream report          median {median * 1e6:8.0f} us   p99 {worst * 1e6:8.0f} us   ({joins} joins)")
        pps = 200
        median, worst = summary(picture_times(network, 20, pps))
        print(f"join -> first packet, {pps} pps     median {median * 1e3:8.2f} ms   p99 {worst * 1e3:8.2f} ms"
              f"   (packet interval {1e3 / pps:.1f} ms)")


if __name__ == "__main__":
    main()
