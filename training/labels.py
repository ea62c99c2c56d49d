"""What became of each offer, as a grade: ``python -m training.labels``.

Grades: 0 declined or no answer, 1 accepted but not completed, 2 completed late, 3 on time, 4 on
time and satisfied. The promise runs from the offer, so a provider does not answer for the time
that earlier offers took.

A label is final only when its offer is older than the maturity window. A younger one is dropped
and counted, whatever is known of it already: to keep the quick declines and wait for the slow
completions would make the newest providers look bad.
"""

import argparse
import sys
from dataclasses import astuple, dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd

from training.errors import DataError, exit_on_errors
from training.files import (
    ARCHIVE_ORIGIN,
    LABELS,
    OUTCOMES,
    clear_table,
    read_frame,
    table_days,
    write_part,
)

DEFAULT_MATURITY = timedelta(hours=6)
"""All but a few of a hundred satisfaction scores are in by then."""
SATISFIED_SCORE = 4
SUCCESS_GRADE = 3
"""From this grade on a dispatch is a success."""

KEYS = ["event_id", "provider_id"]
_ORIGIN = f"an archive: {ARCHIVE_ORIGIN}"
_TIMES = ("arrived_ts", "completed_ts", "cancelled_ts", "satisfaction_ts")
_NEEDED = (
    *KEYS,
    "offered_ts",
    "accepted",
    "promised_arrival_ts",
    *_TIMES,
    "satisfaction",
    "recorded_ts",
)


@dataclass(frozen=True)
class LabelCounts:
    """What became of the outcomes.

    Attributes:
        labelled: Offers with a final label.
        unripe: Offers younger than the maturity window: dropped.
        corrected: Outcomes replaced by a later record of the same offer.
        contradictory: Offers whose record contradicts itself (completed without an arrival or
            without having been accepted): dropped.
    """

    labelled: int = 0
    unripe: int = 0
    corrected: int = 0
    contradictory: int = 0

    def __add__(self, other: "LabelCounts") -> "LabelCounts":
        """Return the counts of both."""
        return LabelCounts(*(a + b for a, b in zip(astuple(self), astuple(other), strict=True)))


def newest_known(outcomes: pd.DataFrame) -> datetime:
    """Return the newest time that the outcomes know of: when the archive was closed."""
    newest = max(
        outcomes[name].max()
        for name in ("recorded_ts", "offered_ts", *_TIMES)
        if outcomes[name].notna().any()
    )
    return pd.Timestamp(newest).to_pydatetime()


def label(
    outcomes: pd.DataFrame, as_of: datetime, maturity: timedelta = DEFAULT_MATURITY
) -> tuple[pd.DataFrame, LabelCounts]:
    """Grade each offer with what was known at ``as_of``.

    Args:
        outcomes: One row an offer, and another with a later ``recorded_ts`` for each correction.
        as_of: Later records and later happenings are not known yet.
        maturity: Offers younger than this are dropped.

    Returns:
        ``event_id, provider_id, offered_ts, grade`` (int8), ``success`` (bool) and
        ``minutes_to_arrival`` (float64, from the offer; NaN where nobody arrived), sorted by
        event and provider; and the counts.

    Raises:
        DataError: A column is missing.
    """
    _require_columns(outcomes)
    known_until = pd.Timestamp(as_of)
    # a column in which nothing has happened yet may come without its type
    times = ("offered_ts", "promised_arrival_ts", "recorded_ts", *_TIMES)
    outcomes = outcomes.assign(**{t: pd.to_datetime(outcomes[t], utc=True) for t in times})
    known = outcomes[outcomes["recorded_ts"] <= known_until]
    latest = known.sort_values("recorded_ts", kind="stable").drop_duplicates(KEYS, keep="last")
    ripe = latest[latest["offered_ts"] <= known_until - maturity]
    happened = ripe.assign(**{name: ripe[name].where(ripe[name] <= known_until) for name in _TIMES})
    graded = _with_grades(happened)
    sound = graded[~_contradictory(happened)]
    columns = [*KEYS, "offered_ts", "grade", "success", "minutes_to_arrival"]
    counts = LabelCounts(
        labelled=len(sound),
        unripe=len(latest) - len(ripe),
        corrected=len(known) - len(latest),
        contradictory=len(graded) - len(sound),
    )
    return sound[columns].sort_values(KEYS).reset_index(drop=True), counts


def _with_grades(happened: pd.DataFrame) -> pd.DataFrame:
    accepted = happened["accepted"].fillna(False).astype(bool)  # no answer is a decline
    completed = accepted & happened["completed_ts"].notna()
    on_time = completed & (happened["arrived_ts"] <= happened["promised_arrival_ts"])
    told = happened["satisfaction_ts"].notna()
    satisfied = on_time & told & (happened["satisfaction"].fillna(0) >= SATISFIED_SCORE)
    # each step needs the one before it, so the grade is the number of steps taken
    steps = [accepted, completed, on_time, satisfied.astype(bool)]
    grade = np.sum([step.to_numpy(dtype=np.int8) for step in steps], axis=0, dtype=np.int8)
    travelled = happened["arrived_ts"] - happened["offered_ts"]
    return happened.assign(
        grade=grade,
        success=grade >= SUCCESS_GRADE,
        minutes_to_arrival=travelled.dt.total_seconds() / 60,
    )


def _contradictory(happened: pd.DataFrame) -> pd.Series:
    accepted = happened["accepted"].fillna(False).astype(bool)
    completed = happened["completed_ts"].notna()
    return completed & (~accepted | happened["arrived_ts"].isna())


def _require_columns(outcomes: pd.DataFrame) -> None:
    missing = [name for name in _NEEDED if name not in outcomes]
    if missing:
        raise DataError(
            f"outcomes: columns {missing} are missing; it has {list(outcomes.columns)}; "
            "see `python -m simulator history --help` for an archive of the right form"
        )


def build(
    data: Path, work: Path, as_of: datetime | None = None, maturity: timedelta = DEFAULT_MATURITY
) -> LabelCounts:
    """Read an archive's outcomes and write ``labels`` to the work directory, a day at a time.

    A correction is known by its offer, so it must lie in the folder of the offer's day.

    Raises:
        DataError: There are no outcomes, or none is ripe.
    """
    outcomes = data / OUTCOMES
    days = table_days(outcomes, _ORIGIN)
    known_until = as_of or max(newest_known(_of_day(outcomes, day)) for day in days)
    clear_table(work / LABELS)
    counts = LabelCounts()
    for day in days:
        labels, of_day = label(_of_day(outcomes, day), known_until, maturity)
        counts += of_day
        if not labels.empty:
            write_part(labels, work / LABELS, day)
    if not counts.labelled:
        raise DataError(
            f"{outcomes}: none of {counts.unripe} offers is older than the maturity window of "
            f"{maturity}; wait, or give a later --as-of"
        )
    return counts


def _of_day(outcomes: Path, day: date) -> pd.DataFrame:
    return read_frame(outcomes, _ORIGIN, [day])


def main(arguments: list[str] | None = None) -> int:
    """Run the step; return its exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m training.labels",
        description="Grade each offer of an archive, once its label is final.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--data", type=Path, required=True, help="the archive")
    parser.add_argument("--work", type=Path, required=True, help="where the labels go")
    parser.add_argument(
        "--as-of", type=moment, default=None, help="ISO 8601, UTC; none is the archive's end"
    )
    parser.add_argument(
        "--maturity-hours", type=float, default=DEFAULT_MATURITY / timedelta(hours=1),
        help="age at which a label is final",
    )  # fmt: skip
    options = parser.parse_args(arguments)
    with exit_on_errors("training.labels"):
        counts = build(
            options.data, options.work, options.as_of, timedelta(hours=options.maturity_hours)
        )
        sys.stdout.write(f"{options.work / LABELS}: {describe(counts)}\n")
    return 0


def describe(counts: LabelCounts) -> str:
    """Return the counts as a person reads them."""
    return (
        f"{counts.labelled:,} labels; dropped {counts.unripe:,} unripe and "
        f"{counts.contradictory:,} contradictory; {counts.corrected:,} corrected"
    )


def moment(text: str) -> datetime:
    """Return a time given on the command line; without a zone it is UTC."""
    value = datetime.fromisoformat(text)
    return value if value.tzinfo else value.replace(tzinfo=UTC)


if __name__ == "__main__":
    sys.exit(main())
