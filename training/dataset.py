"""The training set: labels and features as of each request, ``python -m training.dataset``."""

import argparse
import functools
import operator
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pyarrow.compute as pc
from rich.console import Console
from rich.progress import Progress

from feature_repo.model_matrix import MODEL_FEATURES
from training.errors import exit_on_errors
from training.files import (
    ARCHIVE_ORIGIN,
    DECISIONS,
    LABELS,
    TRAINING_SET,
    clear_table,
    read_frame,
    table_days,
    write_part,
)
from training.retrieval import open_store, with_features
from training.selection import (
    CALIBRATE,
    DEFAULT_LIMITS,
    TEST,
    TRAIN,
    Archive,
    Limits,
    choose,
    rows_of_day,
)


@dataclass(frozen=True)
class Summary:
    """How large a training set is: its rows, and its labelled ones by split."""

    rows: int = 0
    train: int = 0
    calibrate: int = 0
    test: int = 0

    def plus(self, rows: pd.DataFrame) -> "Summary":
        """Return the summary with some more rows."""
        split = rows.loc[rows["grade"].notna(), "split"]
        more = (int((split == name).sum()) for name in (TRAIN, CALIBRATE, TEST))
        counts = zip((self.train, self.calibrate, self.test), more, strict=True)
        return Summary(self.rows + len(rows), *(a + b for a, b in counts))


def build(
    data: Path,
    feature_repo: Path,
    work: Path,
    limits: Limits = DEFAULT_LIMITS,
    progress: Callable[[float], None] = lambda _share: None,
) -> Summary:
    """Write ``training_set`` to the work directory, a chunk of rows at a time.

    Columns: the keys, ``cell``, ``offered_ts``, ``split``, ``offered``, ``propensity`` (of being
    offered first), ``stage_propensity``, ``grade``, ``success``, ``minutes_to_arrival``, the true
    ``success_probability`` where the archive knows it, and ``MODEL_FEATURES`` (float32). Which
    rows: see ``selection``.

    Args:
        data: The archive.
        feature_repo: An applied Feast repository over the archive's offline rows.
        work: Where the labels are.
        limits: How much is taken.
        progress: Called with the share done, 0 to 1.

    Raises:
        DataError: The archive or the feature repository is not as it must be.
    """
    days = table_days(data / DECISIONS, ARCHIVE_ORIGIN)
    table_days(work / LABELS, "`python -m training.labels`")
    archive = Archive(data, work)
    chosen = choose(archive, limits)
    store = open_store(feature_repo, data / "offline")
    clear_table(work / TRAINING_SET)
    summary = Summary()
    for done, day in enumerate(days, start=1):
        for part, rows in enumerate(rows_of_day(archive, chosen, day, limits.chunk_rows)):
            write_part(with_features(rows, store), work / TRAINING_SET, day, part)
            summary = summary.plus(rows)
        progress(done / len(days))
    return summary


def read(work: Path, split: str | None = None, *, labelled: bool = False) -> pd.DataFrame:
    """Return a training set, or one split of it, or only the offers that have a label.

    Raises:
        DataError: There is none.
    """
    wanted = []
    if split is not None:
        wanted.append(pc.field("split") == split)
    if labelled:
        wanted.append(pc.field("grade").is_valid())
    filters = functools.reduce(operator.and_, wanted) if wanted else None
    return read_frame(work / TRAINING_SET, "`python -m training.dataset`", filters=filters)


def add_limits(parser: argparse.ArgumentParser) -> None:
    """Add the options that ``limits_of`` reads."""
    parser.add_argument(
        "--most-offers", type=int, default=DEFAULT_LIMITS.most_offers,
        help="labelled offers to take, about; of more, whole events are drawn by their id's hash",
    )  # fmt: skip
    parser.add_argument(
        "--whole-events", type=int, default=DEFAULT_LIMITS.whole_events,
        help="test events of which all candidates are taken",
    )  # fmt: skip


def limits_of(options: argparse.Namespace) -> Limits:
    """Return the limits given on the command line."""
    return Limits(most_offers=options.most_offers, whole_events=options.whole_events)


def main(arguments: list[str] | None = None) -> int:
    """Run the step; return its exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m training.dataset",
        description="Join the labels with the features as of each request.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--data", type=Path, required=True, help="the archive")
    parser.add_argument("--work", type=Path, required=True, help="where the labels are")
    parser.add_argument(
        "--feature-repo", type=Path, default=Path("feature_repo"), help="an applied Feast repo"
    )
    add_limits(parser)
    options = parser.parse_args(arguments)
    places = (options.data, options.feature_repo, options.work)
    with exit_on_errors("training.dataset"), Progress(console=Console(stderr=True)) as progress:
        bar = progress.add_task("Joining features", total=1.0)
        summary = build(
            *places, limits_of(options), lambda share: progress.update(bar, completed=share)
        )
        sys.stdout.write(f"{options.work / TRAINING_SET}: {describe(summary)}\n")
    return 0


def describe(summary: Summary) -> str:
    """Return the size of a training set as a person reads it."""
    parts = ", ".join(f"{getattr(summary, name):,} {name}" for name in (TRAIN, CALIBRATE, TEST))
    return f"{summary.rows:,} rows x {len(MODEL_FEATURES)} features; labelled: {parts}"


if __name__ == "__main__":
    sys.exit(main())
