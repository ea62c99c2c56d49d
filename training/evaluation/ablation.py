"""Is each feature view worth its cost? The models trained again without it, on the same events."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from feature_repo import request_time
from feature_repo.model_matrix import MODEL_FEATURES, STORED_FEATURES, full_name
from feature_repo.request_time import Columns, RequestColumns, eta_minutes
from feature_repo.schema import CELL_CONDITIONS, CELL_DEMAND, VIEWS, Kind
from training import models
from training.evaluation.cases import Cases, predict
from training.evaluation.intervals import Estimate, EventSums, differences
from training.evaluation.measures import event_sums

REQUEST_TIME = "request_time"
GROUPS = (*VIEWS, REQUEST_TIME)
"""What is left out in turn: each view, and all that is computed at the request."""
_DISTANCE = full_name(REQUEST_TIME, "driver_distance_km")
_ETA, _MARGIN = full_name(REQUEST_TIME, "eta_min"), full_name(REQUEST_TIME, "eta_margin_min")
_PROMISE, _SURGE = full_name(REQUEST_TIME, "promise_min"), full_name(REQUEST_TIME, "surge_ratio")
_OPEN_REQUESTS = full_name(CELL_DEMAND.name, "open_requests")


@dataclass(frozen=True)
class Ablation:
    """What a group of features is worth: each metric with it less the metric without it."""

    group: str
    gained: dict[str, Estimate]


def measure(
    frame: pd.DataFrame, cases: Cases, with_all: EventSums, seed: int
) -> Iterator[Ablation]:
    """Yield what each group of ``GROUPS`` is worth, training all models again for each.

    Args:
        frame: The training set.
        cases: Its test rows.
        with_all: The sums of the models that know every feature.
        seed: That they were trained with.
    """
    for group in GROUPS:
        ablated = models.train(without(frame, group), seed)
        said = predict(ablated, without(cases.rows, group))
        yield Ablation(group, differences(with_all, event_sums(cases, said), seed))


def without(frame: pd.DataFrame, group: str) -> pd.DataFrame:
    """Return the frame as it would be if a view did not exist, or nothing computed at the request.

    The view's features are unknown, and those computed from it are what
    ``request_time.compute`` makes of the unknown: unknown too, or what it assumes instead.
    """
    if group == REQUEST_TIME:
        gone = {name for name in MODEL_FEATURES if name.startswith(f"{REQUEST_TIME}__")}
        return _unknown(frame, gone)
    own = {name for name in MODEL_FEATURES if name.startswith(f"{group}__")}
    computed = {full_name(REQUEST_TIME, name) for name in unknown_without(group)}
    return _unknown(frame, own | computed).assign(**_assumed_without(frame, group))


def _unknown(frame: pd.DataFrame, names: set[str]) -> pd.DataFrame:
    return frame.assign(**dict.fromkeys(names, np.float32(np.nan)))


def _assumed_without(frame: pd.DataFrame, view: str) -> dict[str, pd.Series]:
    """Return the request-time features that are not unknown without a view, but other."""
    if view == CELL_CONDITIONS.name:
        nothing = np.full(len(frame), np.nan)
        distance = frame[_DISTANCE].to_numpy(dtype=np.float64)
        eta = eta_minutes(distance, speed_ratio=nothing, precip_mm_h=nothing, snow_cm=nothing)
        free_flow = pd.Series(eta.astype(np.float32), index=frame.index)
        return {_ETA: free_flow, _MARGIN: frame[_PROMISE] - free_flow}
    if view == CELL_DEMAND.name:
        return {_SURGE: frame[_SURGE] / (frame[_OPEN_REQUESTS].fillna(0) + 1)}
    return {}


def unknown_without(view: str) -> set[str]:
    """Return the request-time features that cannot be computed without a view.

    Found out by computing them with and without it, so no list has to be kept.
    """
    known = {name: _probe(name) for name in STORED_FEATURES}
    lacking = {
        name: _nothing_known(name) if name.startswith(f"{view}__") else values
        for name, values in known.items()
    }
    return _unknown_outputs(lacking) - _unknown_outputs(known)


def _unknown_outputs(columns: Columns) -> set[str]:
    one = np.ones(1)
    computed = request_time.compute(columns, RequestColumns(one, one, one, one, one, one, one))
    return {name for name, values in computed.items() if np.isnan(values).any()}


def _probe(name: str) -> request_time.Floats:
    values: request_time.Floats = np.array(["x"]) if _is_text(name) else np.ones(1)
    return values


def _nothing_known(name: str) -> request_time.Floats:
    values: request_time.Floats = np.array([""]) if _is_text(name) else np.full(1, np.nan)
    return values


def _is_text(name: str) -> bool:
    view, feature = name.split("__", 1)
    return VIEWS[view].column(feature).kind is Kind.STRING
