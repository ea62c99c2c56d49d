"""Decisions, outcomes and the twin's truth as columns of the archive."""

from collections.abc import Callable, Sequence
from itertools import chain

import numpy as np
import pandas as pd
import pyarrow as pa

from simulator.daily_files import moments, texts
from simulator.journal import Decision, Outcome
from simulator.luck import Ints

_OUTCOME_TIMES: dict[str, Callable[[Outcome], float | None]] = {
    "arrived_ts": lambda outcome: outcome.arrived_s,
    "completed_ts": lambda outcome: outcome.completed_s,
    "cancelled_ts": lambda outcome: outcome.cancelled_s,
    "satisfaction_ts": lambda outcome: outcome.satisfaction_s,
}
_NULLABLE = pd.DataFrame(
    {
        "accepted": pd.Series(dtype="boolean"),
        "satisfaction": pd.Series(dtype="Int32"),
    }
)
"""Types that pandas would lose: it reads them back from the file's metadata."""


def decision_table(decisions: Sequence[Decision]) -> tuple[pa.Table, Ints]:
    """Return a row a candidate, and the times of their requests (epoch us, int64 [n])."""
    repeats = _repeats(decisions)
    requests = [decision.request for decision in decisions]
    rank = np.concatenate([decision.offer_rank for decision in decisions]).astype(np.int32)
    request_us = _micros([request.time_s for request in requests])[repeats]

    def numbers(values: list[float] | list[int], dtype: type[np.generic]) -> pa.Array:
        return pa.array(np.array(values, dtype=dtype)[repeats])

    columns = {
        "event_id": texts([request.event_id for request in requests], repeats),
        "request_ts": moments(request_us),
        "request_lat": numbers([request.lat for request in requests], np.float64),
        "request_lon": numbers([request.lon for request in requests], np.float64),
        "requested_service": texts([request.service for request in requests], repeats),
        "vehicle_class": numbers([request.vehicle_class for request in requests], np.int32),
        "promised_minutes": numbers([request.promised_minutes for request in requests], np.float64),
        "available_candidates": numbers(
            [decision.available_candidates for decision in decisions], np.int32
        ),
        "cell": texts([request.cell for request in requests], repeats),
        # the entity key of the provider's record
        "service": texts([request.service for request in requests], repeats),
        "provider_id": _provider_ids(decisions),
        "offered": pa.array(rank > 0),
        "offer_rank": pa.array(rank),
        "propensity": pa.array(np.concatenate([d.propensity for d in decisions])),
    }
    return pa.table(columns), request_us


def truth_table(decisions: Sequence[Decision]) -> pa.Table:
    """Return each candidate's true chance of success, in the order of ``decision_table``."""
    return pa.table(
        {
            "event_id": texts([d.request.event_id for d in decisions], _repeats(decisions)),
            "provider_id": _provider_ids(decisions),
            "success_probability": pa.array(
                np.concatenate([d.success_probability for d in decisions])
            ),
        }
    )


def outcome_table(outcomes: Sequence[Outcome]) -> tuple[pa.Table, Ints]:
    """Return a row an outcome, and the times of the offers (epoch us, int64 [n])."""
    offered_us = _micros([outcome.offered_s for outcome in outcomes])
    columns = {
        "event_id": pa.array([outcome.event_id for outcome in outcomes]),
        "provider_id": pa.array([outcome.provider_id for outcome in outcomes]),
        "offered_ts": moments(offered_us),
        "accepted": pa.array([outcome.accepted for outcome in outcomes], pa.bool_()),
        "promised_arrival_ts": moments(_micros([o.promised_arrival_s for o in outcomes])),
        **{
            name: _perhaps([time_of(outcome) for outcome in outcomes])
            for name, time_of in _OUTCOME_TIMES.items()
        },
        "satisfaction": pa.array([outcome.satisfaction for outcome in outcomes], pa.int32()),
        "recorded_ts": moments(_micros([outcome.recorded_s for outcome in outcomes])),
    }
    table = pa.table(columns)
    return table.replace_schema_metadata(_pandas_metadata(table)), offered_us


def _pandas_metadata(table: pa.Table) -> dict[bytes, bytes]:
    frame = table.slice(0, 0).to_pandas().assign(**_NULLABLE)
    metadata: dict[bytes, bytes] = pa.Schema.from_pandas(frame, preserve_index=False).metadata
    return metadata


def _repeats(decisions: Sequence[Decision]) -> Ints:
    """Return for each candidate the position of its decision, int64 [n]."""
    sizes = [len(decision.offer_rank) for decision in decisions]
    return np.repeat(np.arange(len(sizes)), sizes)


def _provider_ids(decisions: Sequence[Decision]) -> pa.DictionaryArray:
    index = np.concatenate([decision.choice.candidates for decision in decisions])
    used, position = np.unique(index, return_inverse=True)
    ids = decisions[0].choice.providers.ids
    return texts([ids[i] for i in used], position)


def _micros(times_s: list[float]) -> Ints:
    """Return epoch microseconds, to the millisecond, as streams have it."""
    millis: Ints = np.round(np.array(times_s, dtype=np.float64) * 1000).astype(np.int64)
    return millis * 1000


def _perhaps(times_s: list[float | None]) -> pa.Array:
    known = [time_s for time_s in times_s if time_s is not None]
    told = iter(_micros(known).tolist())
    column = [None if time_s is None else next(told) for time_s in times_s]
    return pa.array(column, pa.int64()).cast(pa.timestamp("us", tz="UTC"))


def outcomes_of(decisions: Sequence[Decision]) -> list[Outcome]:
    """Return what became of the decisions' offers."""
    return list(chain.from_iterable(decision.outcomes for decision in decisions))
