"""One day, examined: every comparison, and what it found."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pandas as pd

from training.monitoring import ages, availability, drift, feeds, lag, quality, skew
from training.monitoring.decisions import Decisions
from training.monitoring.findings import Finding, Kind, Severity
from training.monitoring.limits import Limits
from training.monitoring.quality import Quality
from training.monitoring.reference import BundleReference

if TYPE_CHECKING:
    from feast import FeatureStore

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Known:
    """What the day is compared with.

    Attributes:
        store: The feature repository over the offline rows.
        reference: The bundle's.
        model_version: The bundle's.
        outcomes: What became of offers.
        as_of: Outcomes known by then count.
        maturity: Age at which a label is final.
    """

    store: "FeatureStore"
    reference: BundleReference
    model_version: str
    outcomes: pd.DataFrame
    as_of: datetime
    maturity: timedelta


@dataclass(frozen=True)
class Examined:
    """The tables of each part (see the modules of their names), and the findings.

    Attributes:
        decisions: Decisions examined.
        total: Decisions of the day.
        own: Share of the candidates' decisions that the bundle made.
        lags: None where too few values differ to look for a lag.
    """

    decisions: int
    total: int
    own: float
    skew: pd.DataFrame
    lags: pd.DataFrame | None
    drift: pd.DataFrame
    feeds: pd.DataFrame
    availability: pd.DataFrame
    ages: pd.DataFrame
    exclusions: pd.Series
    quality: Quality
    findings: tuple[Finding, ...]


def examine(
    day: Decisions, known: Known, limits: Limits, progress: Progress = lambda _name: None
) -> Examined:
    """Compare a day's decisions with history, with training and with outcomes.

    Args:
        day: The decisions.
        known: What they are compared with.
        limits: What is allowed.
        progress: Called with each part's name before it begins.

    Raises:
        DataError: Retrieval gave back other rows than it was asked for, or a column is missing.
    """
    served, sample = day.served, known.reference.sample
    progress("skew: retrieving history at each decision")
    rows = skew.with_available_candidates(served, day.candidates, known.store)
    compared = skew.compare(rows, known.store)
    skewed = skew.table(compared)
    lags = None
    if lag.is_worth_it(compared):
        progress("lag: retrieving history before each decision")
        lags = lag.table(compared, known.store)
    progress("drift: comparing with the bundle's reference")
    drifted = drift.table(served, known.reference, limits)
    repeated = feeds.table(served, known.reference.statistics.repeat_share)
    available = availability.table(served, sample)
    aged = ages.table(served, sample)
    excluded = ages.exclusions(day.candidates)
    progress("quality: grading outcomes")
    # where nobody could be sent no model was asked
    scored = day.candidates[day.candidates["model_version"] != ""]
    own = scored["model_version"] == known.model_version
    told = quality.measure(scored[own], known.outcomes, known.as_of, known.maturity)
    return Examined(
        decisions=day.count,
        total=day.total,
        own=float(own.mean()),
        skew=skewed,
        lags=lags,
        drift=drifted,
        feeds=repeated,
        availability=available,
        ages=aged,
        exclusions=excluded,
        quality=told,
        findings=(
            *skew.findings(skewed, compared, limits),
            *(lag.findings(lags, limits) if lags is not None else ()),
            *drift.findings(drifted, limits),
            *feeds.findings(repeated, limits),
            *availability.findings(available, limits),
            *ages.findings(aged, limits),
            *ages.exclusion_findings(excluded, limits),
            *quality.findings(told, limits),
            *_other_models(float(own.mean()), known.model_version),
        ),
    )


def _other_models(own: float, version: str) -> list[Finding]:
    if own == 1:
        return []
    return [
        Finding(
            Severity.TELL, Kind.OTHER_MODEL, "model_version", "all", own, 1.0,
            f"{1 - own:.1%} of the candidates were scored by another bundle than {version}",
        )
    ]  # fmt: skip
