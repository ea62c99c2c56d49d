"""The files by which the steps hand on their work: a table is a folder, with a folder a day.

``<table>/date=YYYY-MM-DD/*.parquet``, as in the archive and the offline rows, so that a step needs
to hold a day at most. The day is that of the request (UTC), for outcomes and labels that of the
offer.
"""

import shutil
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from feature_repo.offline.files import day_of
from training.errors import DataError

ARCHIVE_ORIGIN = "`python -m simulator history --out DIR`"
"""What makes an archive, for messages about one that is not there."""
DECISIONS = "decisions"
OUTCOMES = "outcomes"
TRUTH = "truth"
"""Only an archive of the simulator has it: each candidate's true chance of success."""
LABELS = "labels"
TRAINING_SET = "training_set"
MODELS = "models"
CALIBRATION = "calibration.json"
TUNING = "tuning.json"
"""Beside the models, where their hyper-parameters were searched for."""
METRICS = "metrics.json"
EVALUATION = "evaluation.html"


def read_frame(
    path: Path, origin: str, days: Sequence[date] | None = None, filters: Any = None
) -> pd.DataFrame:
    """Read a Parquet file or a table.

    Args:
        path: The file or the folder.
        origin: What makes it, for the message when it is not there.
        days: Which of a table to read; none is all.
        filters: Which rows to read, as ``pyarrow.parquet.read_table`` takes it; none is all.

    Raises:
        DataError: It is not there or cannot be read.
    """
    files = table_files(path, days)
    if not files:
        raise DataError(f"{path} isn't there; make it with {origin}")
    try:
        tables = [pq.read_table(file, filters=filters, partitioning=None) for file in files]
        # a column in which nothing has happened yet may come without its type
        whole = pa.concat_tables(tables, promote_options="permissive")
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"{path} cannot be read ({error}); make it again with {origin}") from error
    frame: pd.DataFrame = whole.to_pandas()
    return frame


def table_files(path: Path, days: Sequence[date] | None = None) -> list[Path]:
    """Return a table's files, by name, of some days or of all; of a file itself."""
    if path.is_file():
        return [path]
    found = sorted(path.glob("date=*/*.parquet"))
    return found if days is None else [file for file in found if day_of(file) in days]


def table_days(path: Path, origin: str) -> list[date]:
    """Return the days of a table, in order.

    Raises:
        DataError: It has none.
    """
    days = sorted({day for file in table_files(path) if (day := day_of(file)) is not None})
    if not days:
        raise DataError(f"{path} isn't there; make it with {origin}")
    return days


def clear_table(path: Path) -> None:
    """Remove what an earlier run left: it may have had other days."""
    shutil.rmtree(path, ignore_errors=True)


def write_part(frame: pd.DataFrame, table: Path, day: date, part: int = 0) -> None:
    """Write some rows of a day."""
    write_frame(frame, table / f"date={day}" / f"part-{part:05d}.parquet")


def write_frame(frame: pd.DataFrame, path: Path) -> None:
    """Write a Parquet file, making its directory."""
    path.parent.mkdir(parents=True, exist_ok=True)
    frame.to_parquet(path, index=False)
