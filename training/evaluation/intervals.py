"""How sure a measured number is: 95 % intervals by the Bayesian bootstrap over events.

Rubin (1981), The Bayesian bootstrap, Annals of Statistics 9(1): each event gets a random weight
drawn from the standard exponential, and the metric is computed again. Events, not offers, are
weighted, as the offers of one event share driver, weather and hour. Unlike resampling with
replacement no event ever vanishes, so that a segment of a few events still has its metric each
time. The weights depend on the seed and the number of events only: two models measured on the same
events get the same weights, so their difference is paired.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

RESAMPLES = 1000
LOW, HIGH = 2.5, 97.5
"""Percentiles that bound a 95 % interval."""
_WEIGHTS_AT_ONCE = 2**24
"""Weights held in memory at a time, float32: 64 MB."""

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Estimate:
    """A number and its 95 % interval; NaN throughout where nothing could be measured."""

    value: float
    low: float
    high: float

    @property
    def sign(self) -> int:
        """1 where the whole interval is above zero, -1 where it is below, else 0."""
        return int(self.low > 0) - int(self.high < 0)


@dataclass(frozen=True)
class EventSums:
    """What metrics add up in each event, and what they divide by.

    Attributes:
        names: The metrics, K of them.
        over: What is added up, float64 [E, K].
        under: What the sum is divided by, float64 [E, K]; zero where an event does not count.
    """

    names: tuple[str, ...]
    over: Floats
    under: Floats

    @classmethod
    def of(cls, parts: Mapping[str, tuple[Floats, Floats]]) -> "EventSums":
        """Build from each metric's sums and divisors, float64 [E] each."""
        over = np.column_stack([part[0] for part in parts.values()])
        under = np.column_stack([part[1] for part in parts.values()])
        return cls(tuple(parts), over, under)

    def of_events(self, chosen: npt.NDArray[np.bool_]) -> "EventSums":
        """Return the sums of some events, bool [E]."""
        return EventSums(self.names, self.over[chosen], self.under[chosen])


def estimates(sums: EventSums, seed: int) -> dict[str, Estimate]:
    """Return each metric with its interval."""
    return _summarised(sums.names, _totals(sums), replicates(sums, seed))


def differences(sums: EventSums, other: EventSums, seed: int) -> dict[str, Estimate]:
    """Return each metric of ``sums`` less that of ``other``, paired over the same events.

    Raises:
        ValueError: The two have other metrics or another number of events.
    """
    if sums.names != other.names or sums.over.shape != other.over.shape:
        raise ValueError(
            f"metrics {sums.names} of {len(sums.over)} events cannot be paired with "
            f"{other.names} of {len(other.over)}: measure both on the same cases"
        )
    value = _totals(sums) - _totals(other)
    return _summarised(sums.names, value, replicates(sums, seed) - replicates(other, seed))


def replicates(sums: EventSums, seed: int) -> Floats:
    """Return the metrics under each set of random weights, float64 [RESAMPLES, K]."""
    events, metrics = sums.over.shape
    random = np.random.default_rng(seed)
    columns = np.hstack([sums.over, sums.under]).astype(np.float32)
    found = np.empty((RESAMPLES, 2 * metrics), dtype=np.float64)
    step = max(_WEIGHTS_AT_ONCE // max(events, 1), 1)
    for start in range(0, RESAMPLES, step):
        rows = min(step, RESAMPLES - start)
        drawn = random.standard_exponential((rows, events), dtype=np.float32)
        found[start : start + rows] = drawn @ columns
    return _ratio(found[:, :metrics], found[:, metrics:])


def interval(found: Floats) -> tuple[float, float]:
    """Return the bounds of a 95 % interval of one metric's replicates, float64 [RESAMPLES]."""
    if not np.isfinite(found).all():
        return float("nan"), float("nan")
    low, high = np.percentile(found, (LOW, HIGH))
    return float(low), float(high)


def _totals(sums: EventSums) -> Floats:
    return _ratio(sums.over.sum(axis=0), sums.under.sum(axis=0))


def _ratio(over: Floats, under: Floats) -> Floats:
    return np.divide(over, under, out=np.full_like(over, np.nan), where=under > 0)


def _summarised(names: tuple[str, ...], values: Floats, found: Floats) -> dict[str, Estimate]:
    return {
        name: Estimate(float(values[column]), *interval(found[:, column]))
        for column, name in enumerate(names)
    }
