"""Made-up outcomes have the effect that they are said to have."""

from datetime import UTC, datetime

import numpy as np
import pytest

from training.switchback import analysis, blocks, design, generator, rehearsal
from training.switchback.analysis import Effect
from training.switchback.design import Plan

_EFFECT = 0.08
_RATES = generator.usual_rates(3, 2, 6000, 0.6)


def _found(washout_minutes: float, carry_over_minutes: float) -> Effect:
    plan = Plan(("a", "b", "c"), datetime(2026, 12, 1, tzinfo=UTC), 14, 2, washout_minutes)
    rng = np.random.default_rng(2)
    treated = design.assign(plan.shape, rng)[0]
    to = blocks.assignment(design.assignment_table(plan, treated))
    rows = rehearsal.outcome_rows(to, _RATES, _EFFECT, carry_over_minutes, rng)
    gathered = blocks.gather(rows, to)
    assert gathered.outside == 0
    return analysis.effects(gathered.metrics, to.treated, 499, rng)["success"]


def test_the_effect_is_found_again() -> None:
    """With a washout as long as the carry-over the interval holds the effect, and is not wide."""
    found = _found(washout_minutes=30.0, carry_over_minutes=30.0)
    assert found.low < _EFFECT < found.high
    assert found.high - found.low < 0.045
    assert found.value == pytest.approx(_EFFECT, abs=0.01)


def test_carry_over_without_washout_hides_part_of_the_effect() -> None:
    """If half of each block still has the arm of the block before, far less is found."""
    found = _found(washout_minutes=0.0, carry_over_minutes=60.0)
    assert found.high < _EFFECT - 0.015
