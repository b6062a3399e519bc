# SPDX-License-Identifier: BSD-2-Clause
"""How fast a join is, by the tool in tests/bench. Limits are for a shared, busy machine; the usual values are far below."""

import sys
from pathlib import Path

import pytest
from netlab import Daemon

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "bench"))
import join_latency  # noqa: E402

pytestmark = pytest.mark.timing


def test_a_join_is_passed_on_within_half_a_millisecond(router):
    Daemon(router.router, join_latency.CONFIGURATION, vifs=("eth0", "eth1"))
    median, _ = join_latency.summary(join_latency.report_times(router, 100))
    assert median < 0.0005


def test_a_running_stream_arrives_within_two_packet_intervals_of_the_join(router):
    Daemon(router.router, join_latency.CONFIGURATION, vifs=("eth0", "eth1"))
    median, _ = join_latency.summary(join_latency.picture_times(router, 11, pps=100))
    assert median < 0.02
