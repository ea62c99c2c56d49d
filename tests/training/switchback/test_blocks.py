"""Outcome rows gathered into blocks."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.training.switchback.test_design import PLAN
from training.errors import DataError
from training.switchback import blocks, design

TREATED = design.assign(PLAN.shape, np.random.default_rng(3))[0]
TABLE = design.assignment_table(PLAN, TREATED)


def event(number: int, time: str, region: str = "east", **known: Any) -> dict[str, Any]:
    """Return an outcome row, a success in 20 minutes unless told otherwise."""
    usual = {"success": True, "minutes_to_arrival": 20.0, "redispatch": False}
    return {"event_id": f"e{number}", "region": region, "time": time, **usual, **known}


ROWS = [
    event(1, "2026-12-01T00:45:00Z"),
    event(2, "2026-12-01T05:59:59Z", success=False, minutes_to_arrival=None, redispatch=True),
    event(3, "2026-12-01T06:44:59Z"),
    event(4, "2026-12-04T23:59:00Z", region="west", minutes_to_arrival=30.0),
    event(5, "2026-12-05T00:00:00Z"),
    event(6, "2026-11-30T23:59:59Z"),
]


def test_events_go_to_their_block_after_the_washout() -> None:
    """An event counts from the washout's end to before the block's; others are counted apart."""
    found = blocks.gather(pd.DataFrame(ROWS), blocks.assignment(TABLE))
    success = found.metrics["success"]
    assert success.events[0, 0, 0] == 2
    assert success.mean[0, 0, 0] == 0.5
    assert success.events[1, 3, 3] == 1
    assert success.events.sum() == 3
    assert (found.counted, found.in_washout, found.outside) == (3, 1, 2)


def test_a_metric_without_value_does_not_count() -> None:
    """Where nobody arrived there are no minutes, and no zero either."""
    found = blocks.gather(pd.DataFrame(ROWS), blocks.assignment(TABLE)).metrics
    assert found["minutes_to_arrival"].events[0, 0, 0] == 1
    assert found["minutes_to_arrival"].mean[0, 0, 0] == 20.0
    assert found["redispatch"].mean[0, 0, 0] == 0.5


def test_an_assignment_is_read_in_any_order() -> None:
    """The grid of arms does not hang on the order of the rows, nor on types that CSV loses."""
    shuffled = TABLE.sample(frac=1, random_state=1)
    shuffled["block_start"] = shuffled["block_start"].astype(str)
    found = blocks.assignment(shuffled)
    assert found.regions == ("east", "west")
    assert (found.treated == TREATED).all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.iloc[1:], "31 rows, not one for each of 2 regions, 4 days and 4 slots"),
        (lambda t: t.assign(arm="new"), r"arm: \['new'\] is neither 'control' nor 'treatment'"),
        (lambda t: t.drop(columns="arm"), r"columns \['arm'\] are missing"),
        (lambda t: t.assign(block_end="soon"), r"\['block_start', .*\] must be times, ISO 8601"),
    ],
)
def test_a_bad_assignment_is_refused(change: Any, message: str) -> None:
    """What is wrong with it is named."""
    with pytest.raises(DataError, match=message):
        blocks.assignment(change(TABLE))


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"event_id": "e1"}, "event_id 'e1' is there twice"),
        ({"region": "north"}, r"region: \['north'\] is not in the assignment \(\['east', 'west'"),
        ({"time": None}, "outcomes: 1 rows have no time"),
        ({"success": 2}, "success: 2 must be a number from 0 to 1"),
        ({"minutes_to_arrival": -3.0}, "minutes_to_arrival: -3.0 must be a number from 0 to inf"),
        ({"redispatch": "no"}, "redispatch: no must be a number from 0 to 1"),
    ],
)
def test_a_bad_outcome_is_refused(changed: dict[str, Any], message: str) -> None:
    """The field, its value and what it must be are named."""
    rows = [ROWS[0], event(9, "2026-12-01T01:00:00Z", **{})]
    rows[1].update(changed)
    with pytest.raises(DataError, match=message):
        blocks.gather(pd.DataFrame(rows), blocks.assignment(TABLE))


def test_no_event_in_any_block_is_refused() -> None:
    """Outcomes of another time are not analysed as if there had been none."""
    with pytest.raises(DataError, match="no event falls into a block"):
        blocks.gather(pd.DataFrame(ROWS[-1:]), blocks.assignment(TABLE))
