"""Systems that report everyone available."""

import pandas as pd
from scipy.stats import binom

from training.monitoring import segments
from training.monitoring.findings import Finding, Kind, Severity
from training.monitoring.limits import Limits
from training.monitoring.tables import tuples

FEATURE = "request_time__is_available"


def table(served: pd.DataFrame, reference: pd.DataFrame) -> pd.DataFrame:
    """Return the share of available providers in each segment.

    Columns: ``segment, decisions, rows, available, available_reference``.
    """
    rows = []
    for segment, ours, theirs in segments.masks(served, reference):
        known, usual = served.loc[ours, FEATURE].dropna(), reference.loc[theirs, FEATURE].dropna()
        if len(known) and len(usual):
            decisions = segments.decisions(served[ours])
            rows.append((segment, decisions, len(known), known.mean(), usual.mean()))
    columns = ["segment", "decisions", "rows", "available", "available_reference"]
    return pd.DataFrame(rows, columns=columns)


def findings(found: pd.DataFrame, limits: Limits) -> list[Finding]:
    """Return the segments in which hardly anybody is busy any more.

    Chance is ruled out as if each decision had shown one provider: rows of a decision are alike.
    """
    judged = found[found["decisions"] >= limits.least_decisions]
    level = limits.false_alarm / max(len(judged), 1)
    return [
        Finding(
            Severity.STOP,
            Kind.AVAILABLE,
            FEATURE,
            row.segment,
            row.available,
            1 - limits.unavailable_left * (1 - row.available_reference),
            f"{row.available:.1%} of {row.rows:,} shown providers are available, in training "
            f"{row.available_reference:.1%}",
        )
        for row in tuples(judged)
        if _hardly_any(1 - row.available, 1 - row.available_reference, row.decisions, limits, level)
    ]


def _hardly_any(share: float, usual: float, decisions: int, limits: Limits, level: float) -> bool:
    if share >= limits.unavailable_left * usual:
        return False
    return bool(binom.cdf(round(share * decisions), decisions, usual) < level)
