# SPDX-License-Identifier: BSD-2-Clause
"""What is measured: each measure takes a Trial and gives its figures by name."""

import json
import time

import proxies

NETWORK_TOOL = proxies.BUILD / "tests/bench/bench_network"


def words(trial, pair, settle, command):
    source, host = trial.pairs[pair]
    return [NETWORK_TOOL, "-p", trial.process.pid, "-w", settle, "-n", pair, f"/run/netns/{source.name}",
            f"/run/netns/{host.name}", *command]


def traffic(trial, *command, pair=0, settle=100, timeout=300):
    """Runs bench_network around a trial. settle: milliseconds for repeated reports."""
    return json.loads(trial.router.run(*words(trial, pair, settle, command), timeout=timeout))


def storm(trial, kind, rate, milliseconds, pair=1):
    """Starts "flood" or "upcalls"; the Process."""
    return trial.router.start(*words(trial, pair, 0, (kind, rate, milliseconds)))


def join(trial, count):
    figures = traffic(trial, "join", count)
    return {"us": figures["median"], "p99": figures["p99"], "missing": figures["missing"]}


def zap(trial, count, pps=10_000):
    """Microseconds from the report to the first packet, less half the distance of packets."""
    figures = traffic(trial, "zap", count, pps)
    return {"us": figures["median"] - 5e5 / pps if figures["median"] >= 0 else -1, "missing": figures["missing"]}


def source(trial, count, pps=10_000):
    figures = traffic(trial, "source", count, 20, pps)
    return {"us": figures["median"], "lost": figures["lost"], "packets": figures["packets"]}


def groups(trial, count, records, rate, settle=2500):
    drops = trial.drops()
    figures = traffic(trial, "groups", count, records, rate, settle=settle)
    return {**figures, "memory": trial.peak_memory(), "drops": trial.drops() - drops}


def part(trial, count):
    """Milliseconds until upstream has ready that all groups are left, which were joined before."""
    traffic(trial, "groups", count, 100, 20_000)
    trial.wait_idle()
    return traffic(trial, "part", count)


def refresh(trial, count, records, hosts):
    traffic(trial, "groups", count, 100, 20_000, settle=2000)
    trial.wait_idle()
    drops = trial.drops()
    figures = traffic(trial, "refresh", count, records, hosts)
    return {**figures, "drops": trial.drops() - drops}


def leave(trial, count, second=False):
    figures = traffic(trial, "leave", count, 1000, int(second))
    return {"ms": figures["median"] / 1000 if figures["median"] >= 0 else -1, "lost": figures["lost"]}


def idle(trial, seconds):
    """Share of a CPU and wake-ups a second with 1000 groups."""
    traffic(trial, "groups", 1000, 100, 20_000)
    trial.wait_idle()
    cpu, wake_ups, start = trial.cpu(), trial.wake_ups(), time.monotonic()
    time.sleep(seconds)
    elapsed = time.monotonic() - start
    return {"percent": (trial.cpu() - cpu) / elapsed * 100, "wake_ups": (trial.wake_ups() - wake_ups) / elapsed}


def stop(trial, count):
    traffic(trial, "groups", count, 100, 20_000)
    trial.wait_idle()
    return {"ms": trial.stop() * 1000}


def forward(trial, milliseconds):
    return {"pps": traffic(trial, "forward", milliseconds)["pps"]}


def join_beside(trial, kind, rate, count):
    """Joins on one instance, while there is a storm on another."""
    process = storm(trial, kind, rate, 600_000)
    figures = traffic(trial, "join", count)
    assert process.running, f"{kind}: {process.stderr}"
    process.close()
    return {"us": figures["median"], "p99": figures["p99"], "missing": figures["missing"]}
