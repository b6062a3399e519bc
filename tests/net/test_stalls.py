# SPDX-License-Identifier: BSD-2-Clause
"""What others do must not hold up the owner: a host with very long source lists, a reader that does not read."""

import fcntl
import os
import signal
import subprocess
import time

from mcproxy_daemon import PROGRAM
from netlab import Capture, CraftedHost, Daemon, Receiver, Record, tables, wait_until

SMALLEST = 'protocol = "IGMPv3"; instances = ("eth0 ==> eth1");'
F_SETPIPE_SZ = 1031


def test_a_host_with_very_many_sources_delays_no_other_join(router):
    """A hundred groups of a thousand sources each, with kernel memberships."""
    Daemon(router.router, SMALLEST, vifs=("eth0", "eth1"))
    greedy = CraftedHost(router.host, "eth0", "10.0.1.66")
    upstream = Capture(router.source, "eth0")
    for group in range(100):
        for part in range(4):
            sources = tuple(f"10.{group + 1}.{part}.{number}" for number in range(1, 250))
            greedy.report(Record("ALLOW", f"239.2.1.{group}", sources))
    started = time.monotonic()
    Receiver(router.host, "eth0").join("239.1.1.1")
    upstream.wait_for(lambda m: any(record.group == "239.1.1.1" for record in m.records), "the other join")
    assert time.monotonic() - started < 1


def test_a_reader_of_stdout_that_stalls_stops_nothing(router):
    """A full pipe behind -svv: forwarding changes go on, and SIGTERM is obeyed."""
    reading, writing = os.pipe()
    fcntl.fcntl(writing, F_SETPIPE_SZ, 4096)
    path = router.router.directory / "stall.conf"
    path.write_text(SMALLEST)
    with router.router.entered():
        daemon = subprocess.Popen([PROGRAM, "-svv", "-c", path], stdout=writing, stderr=subprocess.DEVNULL)
    try:
        wait_until(lambda: len(tables.vifs(router.router)) == 2, what="the vifs")
        for _ in range(40):
            daemon.send_signal(signal.SIGUSR1)
            time.sleep(0.01)
        Receiver(router.host, "eth0").join("239.1.1.1")
        wait_until(lambda: "239.1.1.1" in tables.igmp_groups(router.router, "eth0"), what="a join behind the full pipe")
        daemon.send_signal(signal.SIGTERM)
        assert daemon.wait(5) == 0
    finally:
        daemon.kill()
        daemon.wait()
        os.close(reading)
        os.close(writing)
