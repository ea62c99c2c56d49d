"""The ranker's input: which features, in which order, made by one function for all paths."""

import hashlib

import numpy as np
import numpy.typing as npt

from feature_repo import request_time
from feature_repo.request_time import Columns, RequestColumns
from feature_repo.schema import VIEWS, Kind

_NOT_NUMBERS = {Kind.STRING, Kind.TIMESTAMP}
_COORDINATES = {"lat", "lon", "base_lat", "base_lon"}
"""Raw coordinates would let a model learn places by heart; distances are features instead."""


def full_name(view: str, feature: str) -> str:
    """Return a feature's full name, the one Feast gives with ``full_feature_names=True``."""
    return f"{view}__{feature}"


STORED_FEATURES: tuple[str, ...] = tuple(
    full_name(view.name, column.name) for view in VIEWS.values() for column in view.columns
)
"""Every stored feature: what retrieval, historical or online, must bring."""

_STORED: tuple[str, ...] = tuple(
    full_name(view.name, column.name)
    for view in VIEWS.values()
    for column in view.columns
    if column.kind not in _NOT_NUMBERS and column.name not in _COORDINATES
)

MODEL_FEATURES: tuple[str, ...] = _STORED + tuple(
    full_name("request_time", column.name) for column in request_time.OUTPUTS
)
"""The model matrix's columns, in order."""

MODEL_FINGERPRINT = hashlib.blake2b("|".join(MODEL_FEATURES).encode(), digest_size=8).hexdigest()
"""Changes with any name or the order; endpoint and bundle refuse a matrix with another."""


def model_matrix(columns: Columns, request: RequestColumns) -> npt.NDArray[np.float32]:
    """Return the ranker's input, float32 [n, len(MODEL_FEATURES)], NaN for what is unknown.

    Args:
        columns: Every name of ``STORED_FEATURES`` to n values. Values of a view beyond its
            ``max_age_s`` count as unknown here, whatever the caller passes.
        request: The request, n values each, or one that is the same for all rows.
    """
    usable = without_stale_values(columns, request)
    computed = request_time.compute(usable, request)
    # Filled column by column, then turned: a column of a row-major matrix is a slow place to write.
    by_column = np.empty((len(MODEL_FEATURES), len(columns[_STORED[0]])), dtype=np.float32)
    for index, name in enumerate(_STORED):
        by_column[index] = usable[name]
    for index, column in enumerate(request_time.OUTPUTS, start=len(_STORED)):
        by_column[index] = computed[column.name]
    return np.ascontiguousarray(by_column.T)


def without_stale_values(columns: Columns, request: RequestColumns) -> Columns:
    """Return the columns with every value older than its view allows made unknown.

    What its age is counted from stays, so that the age is still told.
    """
    fresh = dict(columns)
    for view in VIEWS.values():
        if view.max_age_s is None or view.age_feature is None:
            continue  # age is no matter
        observed_us = columns[full_name(view.name, view.age_feature)]
        stale = is_stale(observed_us, request.request_us, view.max_age_s)
        if not stale.any():
            continue
        for column in view.columns:
            if column.name not in {view.observed_at, view.age_feature}:
                name = full_name(view.name, column.name)
                unknown = b"" if column.kind is Kind.STRING else np.nan
                fresh[name] = np.where(stale, unknown, columns[name])
    return fresh


def is_stale(
    observed_us: npt.NDArray[np.float64],
    request_us: npt.NDArray[np.float64] | int,
    max_age_s: float,
) -> npt.NDArray[np.bool_]:
    """Return bool [n], true where a row's observation is too old for a request."""
    stale: npt.NDArray[np.bool_] = request_us - observed_us > max_age_s * 1e6
    return stale
