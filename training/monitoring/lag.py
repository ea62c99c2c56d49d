"""Whether served features are history's of a while ago."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from training.monitoring import skew
from training.monitoring.findings import Finding, Kind, Severity
from training.monitoring.limits import Limits
from training.monitoring.skew import Compared

if TYPE_CHECKING:
    from feast import FeatureStore

LAGS_S = (60.0, 120.0, 180.0, 300.0, 600.0, 900.0, 1800.0)
_MOST_ROWS = 1000
_LEAST_VALUES = 50
_EXPLAINED = 0.8
"""Share of the differing values that a lag must bring to equality to be the cause."""


def table(compared: Compared, store: "FeatureStore") -> pd.DataFrame:
    """Return ``lag_s, ages_show_it, explained``: of the values that differ, the share that a lag
    makes equal.

    Each lag costs a retrieval, so this is for days on which values differ.
    """  # noqa: D205 - one sentence
    index = np.flatnonzero(compared.differ.any(axis=1))[:_MOST_ROWS]
    rows = compared.rows.iloc[index].reset_index(drop=True)
    differ, served = compared.differ[index], compared.served[index]
    found = []
    for lag_s in LAGS_S:
        stored = skew.as_of(rows, store, lag_s)
        for ages_show_it, seen in ((True, stored), (False, skew.restamped(stored, lag_s))):
            lagged = skew.matrix(rows, seen)
            equal = (lagged == served) | (np.isnan(lagged) & np.isnan(served))
            found.append((lag_s, ages_show_it, float(equal[differ].mean())))
    return pd.DataFrame(found, columns=["lag_s", "ages_show_it", "explained"])


def is_worth_it(compared: Compared) -> bool:
    """Return whether enough values differ to look for a lag."""
    return int(compared.differ.sum()) >= _LEAST_VALUES


def findings(found: pd.DataFrame, limits: Limits) -> list[Finding]:
    """Return the lag that explains the difference, if one does."""
    best = found.sort_values("explained", kind="stable").iloc[-1]
    if best["explained"] < _EXPLAINED or best["lag_s"] < limits.lag_s:
        return []
    ages = "show it" if best["ages_show_it"] else "do not show it: rows are stamped when written"
    return [
        Finding(
            Severity.STOP,
            Kind.LAG,
            "served features",
            "all",
            float(best["lag_s"]),
            limits.lag_s,
            f"{best['explained']:.0%} of the differing values are history's of "
            f"{best['lag_s'] / 60:g} minutes before the decision; their ages {ages}",
        )
    ]
