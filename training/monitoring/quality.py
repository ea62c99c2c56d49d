"""What became of the decisions: calibration on ripe labels, and how labels ripen."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import pandas as pd
from scipy.stats import binomtest
from sklearn.metrics import roc_auc_score

from training.evaluation.calibration import bin_of, calibration_error, error_if_right
from training.labels import DEFAULT_MATURITY, KEYS, LabelCounts, label
from training.monitoring.findings import Finding, Kind, Severity
from training.monitoring.limits import Limits
from training.monitoring.tables import tuples

AGES_H = (0.5, 1.0, 2.0, 4.0, 6.0)
_SEED = 0
"""Of the draws that tell what luck alone makes of right chances."""
_LEAST_LABELS = 100
_TIMES = ("offered_ts", "promised_arrival_ts", "arrived_ts", "completed_ts", "cancelled_ts",
          "satisfaction_ts", "recorded_ts")  # fmt: skip
_RIPENING = ["age_h", "offers", "success", "brier", "auc", "calibration_error",
             "other_success", "other_grade"]  # fmt: skip
_MINUTE = "%Y-%m-%d %H:%M UTC"
_EPOCH = pd.Timestamp(0, tz="UTC")


@dataclass(frozen=True)
class Quality:
    """What is known of outcomes.

    Attributes:
        deciles: ``chance, happened, low, high, offers`` by tenth of the chance that was told.
        error: Expected calibration error; NaN without labels.
        error_if_right: What it stays below in 95 of 100 days if every chance is right.
        ripening: ``age_h, offers, success, brier, auc, calibration_error`` by labels as they stood
            at each age, and the shares whose success and grade are not the final ones,
            ``other_success, other_grade``.
        counts: What became of the outcomes.
        known_until: What was known by then counted.
        final_at: The maturity window after the last decision; None without decisions. Its offers
            are made minutes later.
    """

    deciles: pd.DataFrame
    error: float
    error_if_right: float
    ripening: pd.DataFrame
    counts: LabelCounts
    known_until: datetime
    final_at: datetime | None

    @property
    def labels(self) -> int:
        """Offers with a final label."""
        return int(self.deciles["offers"].sum())

    @property
    def awaited(self) -> str:
        """How many labels there are, and until when the others are waited for."""
        now = (
            f"{self.labels} ripe labels of these decisions, {self.counts.unripe} unripe, by "
            f"outcomes known until {self.known_until:{_MINUTE}}"
        )
        if self.final_at is None:
            return now
        return f"{now}; the last is final about {self.final_at:{_MINUTE}}"


def measure(
    candidates: pd.DataFrame,
    outcomes: pd.DataFrame,
    as_of: datetime,
    maturity: timedelta = DEFAULT_MATURITY,
) -> Quality:
    """Join the chances that were told with what became of the offers.

    Args:
        candidates: ``event_id, request_ts, provider_id, success_probability`` of one model's
            decisions.
        outcomes: As ``training.labels.label`` takes them.
        as_of: What is known by then counts.
        maturity: Age at which a label is final.
    """
    told = candidates.loc[candidates["success_probability"].notna(), [*KEYS, "success_probability"]]
    of_these = outcomes.merge(told[KEYS], on=KEYS)
    final, counts = label(of_these, as_of, maturity)
    judged = final.merge(told, on=KEYS, validate="one_to_one")
    deciles = by_decile(judged["success_probability"], judged["success"])
    ripe = of_these.merge(final[KEYS], on=KEYS)
    ripe = ripe[ripe["recorded_ts"] <= pd.Timestamp(as_of)]
    final_at = candidates["request_ts"].max() + maturity if len(candidates) else None
    ripening = _ripening(ripe, judged, maturity)
    return Quality(deciles, *_error(judged), ripening, counts, as_of, final_at)


def by_decile(chance: pd.Series, happened: pd.Series) -> pd.DataFrame:
    """Return the share that happened in each tenth, by the chance that was told.

    The intervals are those of Wilson (1927), 95 %.
    """
    frame = pd.DataFrame({"chance": chance, "happened": happened.astype(np.float64)})
    grouped = frame.groupby(bin_of(frame["chance"].to_numpy()) if len(frame) else [])
    deciles = grouped.agg(chance=("chance", "mean"), happened=("happened", "mean"))
    deciles["offers"] = grouped.size()
    bounds = [
        binomtest(round(row.happened * row.offers), row.offers).proportion_ci(method="wilson")
        for row in tuples(deciles)
    ]
    deciles["low"], deciles["high"] = [b.low for b in bounds], [b.high for b in bounds]
    return deciles.reset_index(drop=True)


def _error(judged: pd.DataFrame) -> tuple[float, float]:
    """Return the calibration error, and what it would stay below if every chance were right."""
    if judged.empty:
        return float("nan"), float("nan")
    chance = judged["success_probability"].to_numpy(dtype=np.float64)
    happened = judged["success"].to_numpy(dtype=np.float64)
    return calibration_error(chance, happened), error_if_right(chance, _SEED)


def _ripening(ripe: pd.DataFrame, final: pd.DataFrame, maturity: timedelta) -> pd.DataFrame:
    """Return quality by labels as they stood at each age, of offers whose final label is known."""
    since_offer = _counted_from_the_offer(ripe)
    rows = []
    for age in (timedelta(hours=h) for h in AGES_H if timedelta(hours=h) <= maturity):
        then, _ = label(since_offer, _EPOCH + age, age)
        both = final.merge(then[[*KEYS, "grade", "success"]], on=KEYS, suffixes=("", "_then"))
        rows.append((age / timedelta(hours=1), *_at_age(both)))
    return pd.DataFrame(rows, columns=_RIPENING)


def _counted_from_the_offer(outcomes: pd.DataFrame) -> pd.DataFrame:
    """Return the outcomes with times since the offer, so that one moment is one age of all."""
    times = {name: pd.to_datetime(outcomes[name], utc=True) for name in _TIMES}
    return outcomes.assign(
        **{name: _EPOCH + (values - times["offered_ts"]) for name, values in times.items()}
    )


def _at_age(both: pd.DataFrame) -> tuple[float, ...]:
    if both.empty:
        return (0, *[float("nan")] * 6)
    chance = both["success_probability"].to_numpy(dtype=np.float64)
    then = both["success_then"].to_numpy(dtype=np.float64)
    auc = roc_auc_score(then, chance) if len(np.unique(then)) > 1 else float("nan")
    return (
        len(both),
        float(then.mean()),
        float(np.mean((chance - then) ** 2)),
        float(auc),
        calibration_error(chance, then),
        float((both["success_then"] != both["success"]).mean()),
        float((both["grade_then"] != both["grade"]).mean()),
    )


def findings(quality: Quality, limits: Limits) -> list[Finding]:
    """Return whether chances are off, beyond what the number of labels allows to say."""
    if quality.labels < _LEAST_LABELS:
        return [
            Finding(
                Severity.TELL, Kind.UNRIPE, "success_probability", "all", quality.labels,
                _LEAST_LABELS, quality.awaited,
            )
        ]  # fmt: skip
    limit = max(limits.calibration_error, quality.error_if_right)
    if quality.error <= limit:
        return []
    worst = max(tuples(quality.deciles), key=lambda row: abs(row.chance - row.happened))
    return [
        Finding(
            Severity.STOP, Kind.CALIBRATION, "success_probability", "all", quality.error, limit,
            f"where {worst.chance:.0%} was told, {worst.happened:.0%} of {worst.offers} offers "
            f"succeeded (95 % interval {worst.low:.0%} to {worst.high:.0%})",
        )
    ]  # fmt: skip
