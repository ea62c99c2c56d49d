"""The metrics, against numbers worked out by hand."""

import numpy as np
import pandas as pd
import pytest

from benchmarks.closed_loop import goals, measures
from training.evaluation.intervals import Estimate


def _requests(
    success: list[bool | None], minutes: list[float], redispatched: list[bool | None]
) -> pd.DataFrame:
    end = ["completed" if np.isfinite(m) else None if s is None else "nobody"
           for s, m in zip(success, minutes, strict=True)]  # fmt: skip
    return pd.DataFrame(
        {
            "block": [f"1-den-{number % 2}" for number in range(len(success))],
            "success": pd.array(success, dtype="object"),
            "success_by_offer": pd.array(success, dtype="object"),
            "minutes_to_arrival": minutes,
            "redispatched": pd.array(redispatched, dtype="object"),
            "offers": 1.0,
            "first_choice_chance": 0.5,
            "end": end,
        }
    )


_NAN = float("nan")
LOW = _requests([True, False, False, None], [10, 30, _NAN, _NAN], [False, True, True, None])
OURS = _requests([True, True, False, None], [12, 20, _NAN, _NAN], [False, False, True, None])
HIGH = _requests([True, True, True, None], [10, 20, 25, _NAN], [False, False, False, None])


def test_requests_without_a_candidate_count() -> None:
    """Who never had a candidate is a failure, and found nobody; minutes are of arrivals only."""
    found = measures.measured(LOW)
    assert found["success"].value == 0.25
    assert found["nobody"].value == 0.5
    assert found["minutes"].value == 20.0
    assert found["redispatch"].value == 0.5
    assert found["driver_left"].value == 0.0


def test_shares_of_the_gap_and_of_redispatches() -> None:
    """One more of two, and one of two fewer."""
    assert measures.gap_closed(OURS, LOW, HIGH).value == pytest.approx(0.5)
    assert measures.redispatch_saved(OURS, LOW).value == pytest.approx(0.5)


def test_minutes_of_common_requests() -> None:
    """+2 and -10 minutes are -4 on average; an arrival that the baseline lacks is no matter."""
    assert measures.common_minutes(OURS, LOW).value == pytest.approx(-4.0)
    assert measures.common_minutes(HIGH, LOW).value == pytest.approx(-5.0)


def test_intervals_are_paired() -> None:
    """A policy that adds the same to each block leads by it for sure, however the blocks differ."""
    change = measures.changes(OURS, OURS)["success"]
    assert (change.value, change.low, change.high) == (0.0, 0.0, 0.0)


def test_gini() -> None:
    """Equal jobs are 0; all with one of four are 3/4; one, two and three jobs are 2/9."""
    assert measures.gini(np.full(4, 3.0)) == 0.0
    assert measures.gini(np.array([0.0, 0.0, 0.0, 5.0])) == pytest.approx(0.75)
    assert measures.gini(np.array([3.0, 1.0, 2.0])) == pytest.approx(2 / 9)


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [(0.3, 0.5, goals.REACHED), (0.1, 0.29, goals.NOT_REACHED), (0.2, 0.4, goals.OPEN)],
)
def test_verdicts_need_the_whole_interval(low: float, high: float, verdict: str) -> None:
    """A goal is reached or missed only where the interval says so throughout."""
    assert goals.verdict(Estimate((low + high) / 2, low, high), 0.3) == verdict
