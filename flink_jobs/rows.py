"""From a query's Arrow batch to a view's rows: the one place for what Python derives."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from feature_repo.schema import H3_RESOLUTION
from flink_jobs.views import ViewJob


@dataclass(frozen=True)
class ViewRows:
    """Rows of one view.

    Attributes:
        entities: For each row, one text value a join key.
        columns: The features, but for ``observed_at``.
        event_us: Newest event inside each row, int64 [n], epoch microseconds.
        made_us: When the live job makes each row at the earliest, int64 [n], epoch microseconds.
        positions: Latitudes and longitudes of the view whose rows have them, float64 [n] each.
    """

    entities: list[tuple[str, ...]]
    columns: dict[str, npt.NDArray[Any]]
    event_us: npt.NDArray[np.int64]
    made_us: npt.NDArray[np.int64]
    positions: tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]] | None


def view_rows(job: ViewJob, values: list["pd.Series[Any]"]) -> ViewRows:
    """Return the rows of a batch whose series are ``job.written_columns``, in that order."""
    names = [name for name, _ in job.written_columns]
    columns: dict[str, npt.NDArray[Any]] = {
        name: series.to_numpy() for name, series in zip(names, values, strict=True)
    }
    entities = list(zip(*(columns.pop(key) for key in job.schema.join_keys), strict=True))
    event_us = columns.pop("observed_ts").astype(np.int64) * 1000
    made_us = columns.pop("made_ts").astype(np.int64) * 1000
    positions = None
    if "h3_cell" in job.derived:
        positions = (columns["lat"], columns["lon"])
        columns["h3_cell"] = h3_cells(*positions)
    return ViewRows(entities, columns, event_us, made_us, positions)


def h3_cells(lat: npt.NDArray[np.float64], lon: npt.NDArray[np.float64]) -> npt.NDArray[Any]:
    """Return the H3 cells of n positions, text [n]."""
    import h3  # noqa: PLC0415 - the worker's, not the submitting client's

    cells = [h3.latlng_to_cell(a, b, H3_RESOLUTION) for a, b in zip(lat, lon, strict=True)]
    return np.array(cells, dtype=object)
