"""The metrics of a played game, with intervals by resampling whole days of a region.

Requests of one day and region share weather, trucks and each other's delays; a block (seed, region,
day) is therefore weighted as one, by the Bayesian bootstrap of ``training.evaluation.intervals``.
All policies get the same weights, so that differences between them are paired.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from benchmarks.closed_loop.ledger import COMPLETED, DRIVER_LEFT
from training.evaluation.intervals import (
    Estimate,
    EventSums,
    Floats,
    differences,
    estimates,
    interval,
    replicates,
)

BOOTSTRAP_SEED = 7


@dataclass(frozen=True)
class Metric:
    """How a metric reads."""

    title: str
    unit: str


METRICS = {
    "success": Metric("Success, promise from the request", "share of requests"),
    "success_by_offer": Metric("Success, promise from the offer", "share of requests"),
    "minutes": Metric("Minutes to arrival, mean over arrivals", "min"),
    "redispatch": Metric("Re-dispatched", "share of requests"),
    "driver_left": Metric("Driver cancelled", "share of requests"),
    "nobody": Metric("Nobody found", "share of requests"),
    "offers": Metric("Offers made", "a request"),
    "first_chance": Metric("True chance of the first choice", "share"),
}
"""In the order in which they are shown."""


def block_sums(requests: pd.DataFrame) -> EventSums:
    """Return each metric's sums by block; requests without a candidate count as not served."""
    blocks, block = np.unique(requests["block"].to_numpy(dtype=str), return_inverse=True)
    one = np.ones(len(requests))
    decided, arrived = requests["end"].notna(), requests["minutes_to_arrival"].notna()
    served, left = requests["end"] == COMPLETED, requests["end"] == DRIVER_LEFT
    parts = {
        "success": (_numbers(requests["success"]), one),
        "success_by_offer": (_numbers(requests["success_by_offer"]), one),
        "minutes": (_numbers(requests["minutes_to_arrival"]), _numbers(arrived)),
        "redispatch": (_numbers(requests["redispatched"]), one),
        "driver_left": (_numbers(left), one),
        "nobody": (_numbers(~served & ~left), one),
        "offers": (_numbers(requests["offers"]), one),
        "first_chance": (_numbers(requests["first_choice_chance"]), _numbers(decided)),
    }
    return EventSums.of(
        {
            name: (_by_block(block, over, blocks), _by_block(block, under, blocks))
            for name, (over, under) in parts.items()
        }
    )


def measured(requests: pd.DataFrame) -> dict[str, Estimate]:
    """Return each metric of one policy."""
    return estimates(block_sums(requests), BOOTSTRAP_SEED)


def changes(requests: pd.DataFrame, baseline: pd.DataFrame) -> dict[str, Estimate]:
    """Return each metric less that of a baseline, paired by block."""
    return differences(block_sums(requests), block_sums(baseline), BOOTSTRAP_SEED)


def gap_closed(requests: pd.DataFrame, baseline: pd.DataFrame, oracle: pd.DataFrame) -> Estimate:
    """Return which share of the oracle's lead in success over the baseline a policy has."""
    ours, low, high = (_success(block_sums(frame)) for frame in (requests, baseline, oracle))
    lead = high - low
    return _estimate(np.divide(ours - low, lead, out=np.full_like(lead, np.nan), where=lead != 0))


def redispatch_saved(requests: pd.DataFrame, baseline: pd.DataFrame) -> Estimate:
    """Return by which share fewer requests are re-dispatched than under the baseline."""
    ours, theirs = (_replicated(block_sums(f), "redispatch") for f in (requests, baseline))
    left: Floats = np.divide(ours, theirs, out=np.full_like(ours, np.nan), where=theirs > 0)
    return _estimate(np.ones_like(left) - left)


def common_minutes(requests: pd.DataFrame, baseline: pd.DataFrame) -> Estimate:
    """Return the change in minutes to arrival over the requests that both policies served.

    The plain mean is over different requests: who serves more drivers serves farther ones too.
    """
    change = (requests["minutes_to_arrival"] - baseline["minutes_to_arrival"]).to_numpy()
    both = np.isfinite(change)
    blocks, block = np.unique(requests["block"].to_numpy(dtype=str), return_inverse=True)
    over = _by_block(block, np.where(both, change, 0.0), blocks)
    sums = EventSums.of({"minutes": (over, _by_block(block, both.astype(np.float64), blocks))})
    return estimates(sums, BOOTSTRAP_SEED)["minutes"]


def gini(jobs: Floats) -> float:
    """Return the Gini coefficient of how many jobs each provider has, 0 (equal) to 1.

    Twice the area between the Lorenz curve and the diagonal (Gini, 1912), from sorted counts.
    """
    ordered = np.sort(jobs)
    rank = np.arange(1, len(ordered) + 1)
    return float(((2 * rank - len(ordered) - 1) * ordered).sum() / (len(ordered) * ordered.sum()))


def _success(sums: EventSums) -> Floats:
    return _replicated(sums, "success")


def _replicated(sums: EventSums, metric: str) -> Floats:
    """Return a metric and after it its replicates, float64 [1 + RESAMPLES]."""
    column = sums.names.index(metric)
    value = sums.over[:, column].sum() / sums.under[:, column].sum()
    return np.concatenate(([value], replicates(sums, BOOTSTRAP_SEED)[:, column]))


def _estimate(found: Floats) -> Estimate:
    return Estimate(float(found[0]), *interval(found[1:]))


def _by_block(block: npt.NDArray[np.int64], values: Floats, blocks: npt.NDArray[np.str_]) -> Floats:
    return np.bincount(block, values, minlength=len(blocks)).astype(np.float64)


def _numbers(column: pd.Series) -> Floats:
    """Return a column as numbers; nothing became of a request without a candidate: 0."""
    return column.astype(np.float64).fillna(0.0).to_numpy()
