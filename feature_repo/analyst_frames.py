"""Between Feast's data frames and the columns that ``request_time`` and the model take."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from feature_repo.model_matrix import STORED_FEATURES
from feature_repo.request_time import OUTPUTS, REQUEST_INPUTS, RequestColumns, compute
from feature_repo.schema import VIEWS, Kind


def stored_columns(frame: pd.DataFrame) -> dict[str, npt.NDArray[Any]]:
    """Return the stored features of a retrieval as ``request_time.Columns``.

    Args:
        frame: What Feast returned with ``full_feature_names=True``; features that it lacks are
            unknown.
    """
    columns: dict[str, npt.NDArray[Any]] = {}
    for name in STORED_FEATURES:
        view, feature = name.split("__", 1)
        kind = VIEWS[view].column(feature).kind
        columns[name] = (
            as_column(frame[name], kind)
            if name in frame
            else np.full(len(frame), "" if kind is Kind.STRING else np.nan)
        )
    return columns


def request_columns(frame: pd.DataFrame) -> RequestColumns:
    """Return the request's columns (``REQUEST_INPUTS``) of a frame.

    Raises:
        KeyError: A column is missing; the message names it.
    """
    return RequestColumns.from_mapping(
        {column.name: as_column(frame[column.name], column.kind) for column in REQUEST_INPUTS}
    )


def request_time_frame(inputs: pd.DataFrame) -> pd.DataFrame:
    """Compute the request-time features of Feast's input frame: one row out for each row in."""
    computed = compute(stored_columns(inputs), request_columns(inputs))
    return pd.DataFrame({column.name: computed[column.name] for column in OUTPUTS})


def as_column(values: pd.Series, kind: Kind) -> npt.NDArray[Any]:
    """Return one column as ``request_time.Columns`` wants it."""
    if kind is Kind.STRING:
        return values.fillna("").to_numpy(dtype=object)
    if kind is Kind.TIMESTAMP:
        return _microseconds(values)
    return values.to_numpy(dtype=np.float64, na_value=np.nan)


def _microseconds(values: pd.Series) -> npt.NDArray[np.float64]:
    """Return timestamps as float64 epoch microseconds, NaN where missing."""
    times = pd.to_datetime(values, utc=True)
    micros = times.dt.tz_localize(None).to_numpy(dtype="datetime64[us]")
    return np.where(np.isnat(micros), np.nan, micros.astype(np.int64).astype(np.float64))
