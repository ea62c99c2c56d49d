"""Which arm runs where and when."""

from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandas as pd
import pytest

from training.errors import DataError
from training.switchback import design
from training.switchback.design import CONTROL, TREATMENT, Plan

PLAN = Plan(("east", "west"), datetime(2026, 12, 1, tzinfo=UTC), 4, 6, 45.0)


def test_each_region_and_hour_has_both_arms_equally_often() -> None:
    """With an even number of days exactly half of them are treated, in every region and slot."""
    treated = design.assign((3, 14, 12), np.random.default_rng(1), count=50)
    assert treated.shape == (50, 3, 14, 12)
    assert (treated.sum(axis=2) == 7).all()


@pytest.mark.parametrize("slots", [12, 3])
def test_an_odd_day_is_shared_out(slots: int) -> None:
    """With an odd number of days each slot is within one of half, and so is each region."""
    treated = design.assign((3, 7, slots), np.random.default_rng(1), count=200)
    of_slot = treated.sum(axis=2)
    assert set(np.unique(of_slot)) == {3, 4}
    assert (np.abs(of_slot.sum(axis=2) - 3.5 * slots) <= 0.5).all()
    assert treated.mean() == pytest.approx(0.5, abs=0.01)


def test_the_arm_of_a_block_is_random() -> None:
    """Over many draws each block is treated as often as not, whatever its neighbours are."""
    treated = design.assign((2, 6, 4), np.random.default_rng(2), count=4000)
    np.testing.assert_allclose(treated.mean(axis=0), 0.5, atol=0.04)
    first, after, beside = treated[:, 0, 0, 0], treated[:, 0, 0, 1], treated[:, 1, 0, 0]
    assert abs(np.corrcoef(first, after)[0, 1]) < 0.06
    assert abs(np.corrcoef(first, beside)[0, 1]) < 0.06


def test_a_seed_gives_one_assignment() -> None:
    """The same seed gives the same arms, another seed others."""
    one, same, other = (design.assign((2, 6, 4), np.random.default_rng(s)) for s in (1, 1, 2))
    assert (one == same).all()
    assert (one != other).any()


def test_the_table_has_every_block_once_with_its_times() -> None:
    """Blocks follow each other without a gap, and count from after the washout."""
    treated = design.assign(PLAN.shape, np.random.default_rng(3))[0]
    table = design.assignment_table(PLAN, treated)
    west = table[table["region"] == "west"].reset_index(drop=True)
    assert len(table) == 2 * 4 * 4
    assert west["block_start"][0] == pd.Timestamp("2026-12-01 00:00", tz="UTC")
    assert west["block_start"][5] == pd.Timestamp("2026-12-02 06:00", tz="UTC")
    assert west["counted_from"][5] == pd.Timestamp("2026-12-02 06:45", tz="UTC")
    assert (west["block_end"][:-1].to_numpy() == west["block_start"][1:].to_numpy()).all()
    assert west["arm"][5] == (TREATMENT if treated[1, 1, 1] else CONTROL)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"regions": ("east", "east")}, r"regions \['east', 'east'\]"),
        ({"days": 1}, "days 1: .* give 2 or more"),
        ({"hours_per_block": 5}, "hours per block 5: give one of"),
        ({"washout_minutes": 360.0}, "washout minutes 360: .* less than a block of 6 h"),
    ],
)
def test_a_plan_that_cannot_be_is_refused(changed: dict[str, Any], message: str) -> None:
    """The field, its value and the remedy are named."""
    with pytest.raises(DataError, match=message):
        Plan(**{**vars(PLAN), **changed})
