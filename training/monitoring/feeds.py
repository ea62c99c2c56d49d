"""Feeds that are stuck: readings of a cell that repeat the ones before."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from training.monitoring import segments
from training.monitoring.findings import Finding, Kind, Severity
from training.monitoring.limits import Limits
from training.monitoring.tables import tuples

FEEDS: dict[str, tuple[str, ...]] = {
    "weather": tuple(
        f"cell_conditions__{name}"
        for name in ("precip_mm_h", "snow_cm", "temp_c", "visibility_km", "wind_kph", "alert_level")
    ),
    "traffic": tuple(
        f"cell_conditions__{name}" for name in ("speed_ratio_mean", "incidents", "closures")
    ),
}
"""The features that each feed alone fills. A dry day repeats its precipitation, not all of them."""
APART_S = 600.0
"""Readings nearer in time share part of their window (5 min)."""
_LEAST_PAIRS = 30


def repeat_share(rows: pd.DataFrame, names: tuple[str, ...]) -> tuple[float, int]:
    """Return the share of readings in which nothing changed, and of how many pairs (NaN of 0).

    A pair is two decisions about one cell, the second the first that is at least ``APART_S``
    later. It repeats if every feature that is known in both is the same.

    Args:
        rows: With ``event_id``, ``cell``, ``request_ts`` and the features.
        names: The feed's features.
    """
    readings = rows.drop_duplicates("event_id").sort_values("request_ts", kind="stable")
    readings = readings[readings[list(names)].notna().any(axis=1)].reset_index(drop=True)
    seconds = (readings["request_ts"] - pd.Timestamp(0, tz="UTC")).dt.total_seconds().to_numpy()
    pairs = [
        pair
        for positions in readings.groupby("cell").indices.values()
        for pair in _pairs(positions, seconds)
    ]
    if not pairs:
        return float("nan"), 0
    before, after = np.array(pairs).T
    values = readings[list(names)].to_numpy(dtype=np.float64)
    same = (values[before] == values[after]) | np.isnan(values[before]) | np.isnan(values[after])
    return float(same.all(axis=1).mean()), len(pairs)


def _pairs(positions: Any, seconds: npt.NDArray[np.float64]) -> list[tuple[int, int]]:
    times = seconds[positions]
    later = np.searchsorted(times, times + APART_S)
    return [
        (int(positions[i]), int(positions[j])) for i, j in enumerate(later) if j < len(positions)
    ]


def table(served: pd.DataFrame, reference: Mapping[str, float | None]) -> pd.DataFrame:
    """Return ``feed, segment, repeats, reference, pairs`` for all decisions and each segment.

    Args:
        served: The rows as served.
        reference: Each feed's share of repeats in training; None where it was not known.
    """
    rows = []
    for segment, mask, _ in segments.masks(served, served):
        for feed, names in FEEDS.items():
            share, pairs = repeat_share(served[mask], names)
            known = reference.get(feed)
            usual = float("nan") if known is None else known
            rows.append((feed, segment, share, usual, pairs))
    return pd.DataFrame(rows, columns=["feed", "segment", "repeats", "reference", "pairs"])


def findings(found: pd.DataFrame, limits: Limits) -> list[Finding]:
    """Return the feeds that repeat themselves more than they did in training."""
    limit = found["reference"].fillna(0) + limits.repeat_increase
    stuck = found[(found["repeats"] > limit) & (found["pairs"] >= _LEAST_PAIRS)]
    return [
        Finding(
            Severity.STOP,
            Kind.STUCK,
            row.feed,
            row.segment,
            row.repeats,
            float(limit[row.Index]),
            f"{row.repeats:.0%} of {row.pairs} readings, ten minutes and more after the one "
            f"before, repeat it; in training {row.reference:.0%} did",
        )
        for row in tuples(stuck)
    ]
