"""From a query's Arrow batch to a view's rows."""

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
