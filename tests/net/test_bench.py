# SPDX-License-Identifier: BSD-2-Clause
"""The benchmark works: it measures mcproxy and the floors, and its table has the figures."""

import subprocess
import sys
from pathlib import Path

import pytest
from mcproxy_daemon import PROGRAM

BENCH = Path(__file__).resolve().parents[1] / "bench" / "bench.py"
pytestmark = pytest.mark.timing


def run(*arguments):
    return subprocess.run([sys.executable, BENCH, "--quick", "--alone", *arguments], capture_output=True, text=True,
                          check=True, timeout=120).stdout


def test_a_quick_benchmark_prints_a_table():
    lines = run("--only", "join,source,groups-10,leave-fast,kernel").splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("| ")]
    by_name = {row[0]: row for row in rows}
    for name in ("join -> upstream report", "new source -> first packet", "10 groups, one record a packet: CPU a group"):
        _, floor, daemon, ratio, *_ = by_name[name]
        assert floor.split()[1].strip(",") == daemon.split()[1].strip(",") == "us", by_name[name]
        assert "missing" not in daemon and float(ratio) > 0, by_name[name]
    assert "never" not in by_name["leave -> stream stops, fast leave"][2]
    assert [row[1] for row in rows if row[0] == "IPv6"] == ["100", "1000"]


def test_any_proxy_can_be_measured(tmp_path):
    configuration = tmp_path / "conf"
    configuration.write_text('instances = ( "eth0 ==> eth1" );\n')
    table = run("--only", "groups-10", "--proxy", f"{PROGRAM} -c {{configuration}}", "--configuration", configuration)
    assert "10 groups, one record a packet" in table
    assert "joined" not in table
