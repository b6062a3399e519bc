# SPDX-License-Identifier: BSD-2-Clause
"""How fast the daemon is, by the benchmark in tests/bench. Limits are for a shared, busy machine; the usual values are
far below."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "bench"))
import measures  # noqa: E402
import proxies  # noqa: E402

pytestmark = pytest.mark.timing


def test_a_join_is_passed_on_within_half_a_millisecond(lab):
    figures = measures.join(proxies.Trial(lab, proxies.mcproxy()), 100)
    assert figures["missing"] == 0
    assert figures["us"] < 500


def test_a_running_stream_arrives_within_a_millisecond_of_the_join(lab):
    figures = measures.zap(proxies.Trial(lab, proxies.mcproxy()), 11)
    assert figures["missing"] == 0
    assert figures["us"] < 1000


def test_a_fast_leave_ends_the_stream_at_once_and_spares_the_second_member(lab):
    trial = proxies.Trial(lab, proxies.mcproxy(fast_leave="true"))
    assert measures.leave(trial, 3)["ms"] < 20
    assert measures.leave(trial, 3, True)["lost"] == 0
