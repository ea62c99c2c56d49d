"""From a query's Arrow batch to a view's rows, and what is said of them when they are written."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from flink_jobs.views import ViewJob


@dataclass(frozen=True)
class ViewRows:
    """Rows of one view.

    Attributes:
        entities: For each row, one text value a join key.
        columns: The features, but for ``observed_at``.
        event_us: Newest event inside each row, int64 [n], epoch microseconds.
        made_us: When the live job makes each row at the earliest, int64 [n], epoch microseconds.
    """

    entities: list[tuple[str, ...]]
    columns: dict[str, npt.NDArray[Any]]
    event_us: npt.NDArray[np.int64]
    made_us: npt.NDArray[np.int64]


def view_rows(job: ViewJob, values: list["pd.Series[Any]"]) -> ViewRows:
    """Return the rows of a batch whose series are ``job.written_columns``, in that order."""
    names = [name for name, _ in job.written_columns]
    columns: dict[str, npt.NDArray[Any]] = {
        name: series.to_numpy() for name, series in zip(names, values, strict=True)
    }
    entities = list(zip(*(columns.pop(key) for key in job.schema.join_keys), strict=True))
    event_us = columns.pop("observed_ts").astype(np.int64) * 1000
    made_us = columns.pop("made_ts").astype(np.int64) * 1000
    return ViewRows(entities, columns, event_us, made_us)


def written_at(is_row: npt.NDArray[np.bool_], now_us: int) -> "pd.Series[Any]":
    """Return when each row of a batch was in Redis, UTC, datetime64[us] [n]; null for no row.

    The last is written now, and each a microsecond after the one before it, so that of two rows of
    one entity and event it is known which was there last.
    """
    moments = (now_us + 1 + np.arange(-len(is_row), 0)).astype("datetime64[us]")
    return pd.Series(np.where(is_row, moments, np.datetime64("NaT")))
