import numpy as np
import pytest

from benchmarks.machine_pace import measure, pace


def test_slow_stretches_are_told_by_their_share_and_their_longest() -> None:
    """Of a hundred milliseconds, six ran slowly: four of them in a row."""
    rounds = np.full(100, 2_000)
    rounds[10:14], rounds[50:52] = 200, 900
    found = pace(rounds, np.full(100, 0.001))
    assert found.slow_share == pytest.approx(0.06)
    assert found.longest_slow_ms == pytest.approx(4)
    assert found.slowest_times == pytest.approx(10, rel=0.1)


def test_a_gap_is_as_slow_as_slow_running() -> None:
    """A window in which the machine was stopped for 30 ms counts with all of its time."""
    took_s = np.full(70, 0.001)
    took_s[40] = 0.03
    found = pace(np.full(70, 2_000), took_s)
    assert found.slow_share == pytest.approx(30 / 99)
    assert found.longest_slow_ms == pytest.approx(30)


def test_an_even_machine_has_no_slow_time() -> None:
    """Small differences of pace are not slow."""
    found = pace(np.array([1_900, 2_000, 2_100] * 20), np.full(60, 0.001))
    assert (found.slow_share, found.longest_slow_ms) == (0, 0)


def test_this_machine_is_measured() -> None:
    """A real loop fills its windows, and tells a share."""
    found = measure(0.2)
    assert 0 <= found.slow_share <= 1
    assert found.slowest_times > 0
    assert f"{found.slow_share:.1%}" in str(found)
