"""How old the served features were, and who was left out because of it."""

from typing import Any

import numpy as np
import pandas as pd

from training.monitoring import segments
from training.monitoring.findings import Finding, Kind, Severity
from training.monitoring.limits import Limits
from training.monitoring.tables import tuples

AGES = tuple(f"request_time__{name}_age_s" for name in ("motion", "availability", "conditions",
                                                        "demand"))  # fmt: skip
_FRESHEST = 0.1
"""A lag makes even the freshest rows older; a source that reports less often does not."""
_UNUSABLE = ("availability_stale", "availability_unknown")


def table(served: pd.DataFrame, reference: pd.DataFrame) -> pd.DataFrame:
    """Return quantiles of each age in each segment, seconds, served and in the reference.

    Columns: ``feature, segment, decisions, least, freshest, median, p95`` and ``*_reference``;
    ``freshest`` is the tenth percentile.
    """
    rows = []
    for segment, ours, theirs in segments.masks(served, reference):
        for name in AGES:
            now, usual = (_quantiles(f[name]) for f in (served[ours], reference[theirs]))
            rows.append(
                {
                    "feature": name,
                    "segment": segment,
                    "decisions": segments.decisions(served[ours]),
                    **now,
                    **{f"{key}_reference": value for key, value in usual.items()},
                }
            )
    return pd.DataFrame(rows)


def _quantiles(values: pd.Series) -> dict[str, float]:
    known = values.dropna().to_numpy(dtype=np.float64)
    if not len(known):
        return dict.fromkeys(("least", "freshest", "median", "p95"), float("nan"))
    quantiles = np.quantile(known, (0.0, _FRESHEST, 0.5, 0.95))
    return dict(zip(("least", "freshest", "median", "p95"), map(float, quantiles), strict=True))


def findings(found: pd.DataFrame, limits: Limits) -> list[Finding]:
    """Return the views that lag, and the ones that come from the future."""
    judged = found[found["decisions"] >= limits.least_decisions]
    older = judged["freshest"] - judged["freshest_reference"]
    return [
        *(_lag(row, older[row.Index], limits) for row in tuples(judged[older > limits.lag_s])),
        *(_future(row) for row in tuples(judged[judged["least"] < 0])),
    ]


def _lag(row: Any, older_s: float, limits: Limits) -> Finding:
    # a night with few requests makes demand older, not late
    quiet = row.feature == "request_time__demand_age_s"
    return Finding(
        Severity.TELL if quiet else Severity.STOP, Kind.LAG, row.feature, row.segment,
        float(older_s), limits.lag_s,
        f"the freshest tenth is {row.freshest:.0f} s old or less, in training "
        f"{row.freshest_reference:.0f} s; half are older than {row.median:.0f} s",
    )  # fmt: skip


def _future(row: Any) -> Finding:
    return Finding(
        Severity.STOP, Kind.FUTURE, row.feature, row.segment, row.least, 0.0,
        f"the youngest value is from {-row.least:.1f} s after the decision",
    )  # fmt: skip


def exclusions(candidates: pd.DataFrame) -> pd.Series:
    """Return the share of all candidates by the code of their exclusion; ``none`` could be sent."""
    return candidates["excluded"].fillna("none").value_counts(normalize=True)


def exclusion_findings(shares: pd.Series, limits: Limits) -> list[Finding]:
    """Return whether too many providers are left out because their state is not known."""
    share = float(sum(shares.get(code, 0.0) for code in _UNUSABLE))
    if share <= limits.unusable_share:
        return []
    return [
        Finding(
            Severity.STOP, Kind.UNUSABLE, "provider_availability", "all", share,
            limits.unusable_share,
            f"{share:.0%} of all candidates are excluded as {' or '.join(_UNUSABLE)}",
        )
    ]  # fmt: skip
