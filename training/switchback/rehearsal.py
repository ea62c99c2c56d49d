"""Made-up outcomes of an assignment with a known effect, to try the whole way before it counts."""

import numpy as np
import pandas as pd

from training.switchback import generator
from training.switchback.blocks import Assignment, Floats
from training.switchback.design import Bools
from training.switchback.generator import Rates

_MINUTES_MEDIAN, _MINUTES_SPREAD = 22.0, 0.35
_MINUTES_SAVED_A_POINT = 0.4
"""A point (0.01) of success comes with so many minutes less."""
_REDISPATCH_SHARE = 0.4
"""Of the failures: another provider is sent."""


def outcome_rows(
    to: Assignment, rates: Rates, effect: float, carry_over_minutes: float, rng: np.random.Generator
) -> pd.DataFrame:
    """Return one row an event: ``event_id``, ``region``, ``time`` and the metrics.

    Args:
        to: Where and when which arm runs.
        rates: What is usual, in the order of the assignment's regions and slots.
        effect: On the chance of success where treated.
        carry_over_minutes: At the head of a block the arm of the block before still has its effect.
        rng: The source of chance.
    """
    expected, chance = (
        part[0] for part in generator.conditions(1, rates, to.treated.shape[1], rng)
    )
    events = rng.poisson(expected).ravel()
    block = np.repeat(np.arange(len(events)), events)
    length_min = (
        to.table["block_end"] - to.table["block_start"]
    ).dt.total_seconds().to_numpy() / 60
    into_min = rng.uniform(0, 1, len(block)) * length_min[block]
    arm = np.where(
        into_min < carry_over_minutes, _before(to).ravel()[block], to.treated.ravel()[block]
    )
    added = effect * arm
    wins = rng.random(len(block)) < np.clip(chance.ravel()[block] + added, 0, 1)
    start = to.table["block_start"].iloc[block].reset_index(drop=True)
    rows = pd.DataFrame(
        {
            "region": to.table["region"].to_numpy()[block],
            "time": start + pd.to_timedelta(into_min, unit="min").round("ms"),
            "success": wins,
            "minutes_to_arrival": _minutes(added, rng).round(1),
            "redispatch": ~wins & (rng.random(len(block)) < _REDISPATCH_SHARE),
        }
    ).sort_values(["time", "region"], ignore_index=True)
    rows.insert(0, "event_id", [f"rehearsed-{number:07d}" for number in range(len(rows))])
    return rows


def _before(to: Assignment) -> Bools:
    """Return the arm of the block before each; the first block of a region has its own."""
    regions, days, slots = to.treated.shape
    in_time = to.treated.reshape(regions, days * slots)
    before: Bools = np.concatenate([in_time[:, :1], in_time[:, :-1]], axis=1)
    return before.reshape(regions, days, slots)


def _minutes(added: Floats, rng: np.random.Generator) -> Floats:
    usual = _MINUTES_MEDIAN * np.exp(rng.normal(0, _MINUTES_SPREAD, len(added)))
    return np.asarray(np.maximum(usual - 100 * added * _MINUTES_SAVED_A_POINT, 1.0))
