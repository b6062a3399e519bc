#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Measures mcproxy, the floors (bare loops of the same system calls) and igmpproxy in one run, and prints a table.

Everything happens in network namespaces that are removed at the end. Each figure is the median of the rounds, in
which mcproxy and the floor take turns, so that a busy machine does wrong to both alike; igmpproxy is measured once.
Run as root after a build."""

import argparse
import dataclasses
import json
import os
import platform
import shlex
import shutil
import statistics
import sys
from pathlib import Path

import measures
import proxies
from netlab import Lab
from proxies import Proxy, Trial, floor, igmpproxy, mcproxy


@dataclasses.dataclass(frozen=True)
class Row:
    """One measure of all proxies. figure: the name of the figure to show; floor: what it is compared with."""

    key: str
    text: str
    unit: str
    figure: str
    measure: object
    daemon: Proxy
    floor: Proxy = None
    other: Proxy = None
    limit: float = None  # at most (with a floor: times the floor)
    check: object = None  # what else is to be said about the figures
    pairs: int = 1  # of links


def lost(figures):
    return f", {figures['lost']} lost" if figures["lost"] else ""


def missing(figures):
    return f", {figures['missing']} missing" if figures["missing"] else ""


def joined(figures):
    text = f", {figures['joined']} joined" if figures["joined"] < figures["wanted"] else ""
    return text + drops(figures) + f", {figures['seconds']:.2f} s, {figures['memory'] / 2**20:.0f} MB"


def left(figures):
    return f", only {figures['left']}" if figures["left"] < figures["wanted"] else ""


def drops(figures):
    return f", {figures['drops']} dropped" if figures["drops"] else ""


def wake_ups(figures):
    return f", {figures['wake_ups']:.1f} wake-ups/s"


def rows(quick):
    few, many = (30, 2000) if quick else (300, 100_000)
    ten_thousand = 1000 if quick else 10_000
    user = {"upstream_membership": '"user"'}
    kernel = {"upstream_membership": '"kernel"'}
    fast = {"fast_leave": "true"}
    settle = 100 if quick else 2500

    def row(key, text, unit, figure, measure, *arguments, settings=None, **options):
        return Row(key, text, unit, figure, lambda trial: measure(trial, *arguments), mcproxy(**(settings or {})),
                   **options)

    yield row("join", "join -> upstream report", "us", "us", measures.join, few,
              floor=floor(), other=igmpproxy(True), limit=3, check=missing)
    yield row("join-user", 'join -> upstream report, "user"', "us", "us", measures.join, few, settings=user,
              floor=floor(), limit=3, check=missing)
    yield row("zap", "join -> first packet of a running stream, less half the spacing", "us", "us", measures.zap,
              few // 3, floor=floor(), other=igmpproxy(True), limit=2, check=missing)
    yield row("source", "new source -> first packet", "us", "us", measures.source, few // 3,
              floor=floor(), other=igmpproxy(), limit=60, check=lost)
    for count in (10, 100, 1000):
        yield row(f"groups-{count}", f"{count} groups, one record a packet: CPU a group", "us", "cpu",
                  measures.groups, count, 1, 0, settle, floor=floor("-k"), other=igmpproxy(), check=joined)
    yield row("groups-kernel", f'{ten_thousand} groups, "kernel": CPU a group', "us", "cpu", measures.groups,
              ten_thousand, 1, 0, settle, settings=kernel, floor=floor("-k"), other=igmpproxy(), limit=3, check=joined)
    yield row("groups-single", f'{many} groups, "user", one record a packet: CPU a group', "us", "cpu",
              measures.groups, many, 1, 40_000, settle, settings=user, floor=floor(), limit=2.4, check=joined)
    yield row("groups-packed", f'{many} groups, "user", 100 records a packet: CPU a group', "us", "cpu",
              measures.groups, many, 100, 400_000, settle, settings=user, floor=floor(), limit=1.2, check=joined)
    yield row("refresh-single", f"refresh of {ten_thousand} groups in a burst, one record a packet: CPU a record",
              "us", "cpu", measures.refresh, ten_thousand, 1, 4, settings=user, floor=floor("-l"),
              other=igmpproxy(), limit=2, check=drops)
    yield row("refresh-packed", f"refresh of {ten_thousand} groups, 100 records a packet: CPU a record",
              "us", "cpu", measures.refresh, ten_thousand, 100, 4, settings=user, floor=floor("-l"),
              other=igmpproxy(), limit=0.15, check=drops)
    yield row("leave-fast", "leave -> stream stops, fast leave", "ms", "ms", measures.leave, 3 if quick else 10,
              settings=fast, other=igmpproxy(True), limit=5)
    yield row("leave-second", "the same with a second member: packets it loses", "", "lost", measures.leave,
              3 if quick else 10, True, settings=fast, other=igmpproxy(True), limit=0)
    yield row("leave", "leave -> stream stops, asking first", "ms", "ms", measures.leave, 1 if quick else 3,
              other=igmpproxy())
    yield row("part", f'{ten_thousand} groups, "kernel", left at once: until upstream knows', "ms", "ms", measures.part,
              ten_thousand, settings={**kernel, **fast}, check=left)
    yield row("idle", "1000 groups idle: CPU", "%", "percent", measures.idle, 1 if quick else 10,
              other=igmpproxy(), limit=0.01, check=wake_ups)
    for kind, rate, text in (("flood", 100_000, "reports"), ("upcalls", 20_000, "upcalls of random sources")):
        yield Row(kind, f"join -> upstream report, while another instance gets {rate:,} {text} a second: 99 % below",
                  "us", "p99", lambda trial, kind=kind, rate=rate: measures.join_beside(trial, kind, rate, 3 * few),
                  mcproxy(pairs=2), limit=1000, check=missing, pairs=2)
    yield row("stop", f"stop with {ten_thousand} groups, \"kernel\"", "ms", "ms", measures.stop, ten_thousand,
              settings=kernel)
    yield row("stop-user", f"stop with {many} groups, \"user\"", "ms", "ms", measures.stop, many, settings=user)


ABSOLUTE = {"source", "groups-single", "groups-packed", "refresh-packed"}  # limits that are not times the floor


def median_figures(results):
    """The round whose shown figure is the median one cannot be known here: the median of each figure."""
    return {name: statistics.median_low(result[name] for result in results) for name in results[0]}


def run_row(row, rounds, trace):
    columns = {"floor": row.floor, "mcproxy": row.daemon, "other": row.other}
    results = {name: [] for name, proxy in columns.items() if proxy is not None}
    for number_of_round in range(rounds):
        for name in results:
            if name == "other" and number_of_round > 0:
                continue
            with Lab() as lab:
                results[name].append(row.measure(Trial(lab, columns[name], row.pairs)))
    figures = {name: median_figures(result) for name, result in results.items()}
    trace(json.dumps({"row": row.key, **figures}))
    return figures


def number(value):
    return f"{value:.4f}" if 0 < value < 0.01 else f"{value:.2f}" if value < 10 else f"{value:.0f}"


def cell(row, figures):
    if figures is None:
        return ""
    if figures[row.figure] < 0:
        return "never" + (row.check(figures) if row.check else "")
    text = number(figures[row.figure]) + (f" {row.unit}" if row.unit else "")
    return text + (row.check(figures) if row.check else "")


def table_line(row, figures):
    daemon, bare = figures["mcproxy"], figures.get("floor")
    ratio = daemon[row.figure] / bare[row.figure] if bare and bare[row.figure] > 0 else None
    limit = ""
    if row.limit is not None:
        relative = bare is not None and row.key not in ABSOLUTE
        value = ratio if relative else daemon[row.figure]
        within = value is not None and 0 <= value <= row.limit
        limit = f"{row.limit:g}{'x' if relative else ' ' + row.unit}{'' if within else ' **missed**'}"
    return "| " + " | ".join((row.text, cell(row, bare), cell(row, daemon), f"{ratio:.1f}" if ratio else "", limit,
                              cell(row, figures.get("other")))) + " |"


def measure_forwarding(columns, rounds, milliseconds):
    """Packets a second through all routers, in turns: the medians, and those of the ratios to the bare route."""
    with Lab() as lab:
        trials = {name: Trial(lab, proxy) for name, proxy in columns.items()}
        results = {name: [] for name in trials}
        for number_of_round in range(rounds):
            names = list(trials)
            for name in names if number_of_round % 2 else reversed(names):
                results[name].append(measures.forward(trials[name], milliseconds)["pps"])
    ratios = {name: statistics.median(each / bare for each, bare in zip(values, results["bare"]))
              for name, values in results.items()}
    return {name: statistics.median(values) for name, values in results.items()}, ratios


def print_forwarding(quick, alone):
    """A group that the kernel has joined goes up to the sockets of this machine as well, which costs every proxy."""
    user = {"upstream_membership": '"user"'}
    columns = {"bare": floor("-s"), "user": mcproxy(**user), "both": mcproxy(protocol='["IGMPv3", "MLDv2"]', **user),
               "kernel": mcproxy(), **({} if alone else {"other": igmpproxy()})}
    pps, ratios = measure_forwarding(columns, 4 if quick else 20, 100 if quick else 250)
    for name, text in (("user", "of groups that mcproxy keeps"), ("both", "of such groups, IPv6 served as well"),
                       ("kernel", "of groups that the kernel keeps")):
        limit = "at least 0.98" + ("" if ratios[name] >= 0.98 else " **missed**") if name == "user" else ""
        other = f"{pps['other']:.0f} ({ratios['other']:.3f})" if name == "kernel" and not alone else ""
        print(f"| forwarded packets a second {text}; floor: a bare route entry | {pps['bare']:.0f} | {pps[name]:.0f} | "
              f"{ratios[name]:.3f} | {limit} | {other} |", flush=True)


def print_joins(quick):
    """What the kernel takes for a join, by family and number of groups."""
    sizes = ("100", "1000") if quick else ("100", "1000", "4096", "10000")
    with Lab() as lab:
        namespace = lab.namespace("joins")
        lab.link(namespace, "eth0", lab.namespace("peer"), "eth0")
        print(namespace.run(proxies.BUILD / "tests/bench/bench_joins", "eth0", *sizes), end="")


def custom(arguments):
    """The rows for a proxy of the user's, in the place of mcproxy."""
    configuration = Path(arguments.configuration).read_text() if arguments.configuration else ""
    return Proxy(arguments.proxy, tuple(shlex.split(arguments.proxy)), configuration)


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="small numbers and one round: whether it works")
    parser.add_argument("--rounds", type=int, help="of which the median counts (default 3, quick: 1)")
    parser.add_argument("--only", default="", help="rows, separated by commas: see --list")
    parser.add_argument("--list", action="store_true", help="the names of the rows")
    parser.add_argument("--proxy", help="measure this command in the place of mcproxy; {configuration} in it is "
                                        "replaced; upstream is eth0, downstream eth1")
    parser.add_argument("--configuration", help="its configuration file")
    parser.add_argument("--alone", action="store_true", help="without igmpproxy")
    parser.add_argument("--realtime", action="store_true", help="everything at a real-time priority: for a machine that "
                                                                "has other things to do")
    parser.add_argument("--json", type=Path, help="all figures, too")
    return parser.parse_args()


def adapted(row, arguments):
    if arguments.proxy:
        row = dataclasses.replace(row, daemon=custom(arguments))
    return dataclasses.replace(row, other=None) if arguments.alone else row


def main():
    arguments = parse_arguments()
    all_rows = list(rows(arguments.quick))
    names = [row.key for row in all_rows] + ["forward", "kernel"]
    if arguments.list:
        print("\n".join(names))
        return
    wanted = arguments.only.split(",") if arguments.only else names
    if set(wanted) - set(names):
        sys.exit(f"no such row: {', '.join(sorted(set(wanted) - set(names)))}")
    if not shutil.which("igmpproxy") and not os.path.exists("/usr/sbin/igmpproxy"):
        arguments.alone = True
    if arguments.realtime:
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(5))  # children inherit it
    rounds = arguments.rounds or (1 if arguments.quick else 3)
    out = open(arguments.json, "w") if arguments.json else None
    print(f"Linux {platform.release()}, {os.cpu_count()} CPUs, load {os.getloadavg()[0]:.1f} at the start; "
          f"medians of {rounds}{', real-time priority' if arguments.realtime else ''}\n")
    print("| measure | floor | mcproxy | ratio | at most | igmpproxy |\n|---|---|---|---|---|---|", flush=True)
    for row in all_rows:
        if row.key in wanted:
            figures = run_row(adapted(row, arguments), rounds, lambda line: out and print(line, file=out, flush=True))
            print(table_line(row, figures), flush=True)
    if "forward" in wanted and not arguments.proxy:
        print_forwarding(arguments.quick, arguments.alone)
    if "kernel" in wanted:
        print()
        print_joins(arguments.quick)
    print(f"\nload {os.getloadavg()[0]:.1f} at the end")


if __name__ == "__main__":
    main()
