"""Other Python edges for the same rows: what the job's own writer is measured beside.

Each is what ``pipeline.add_live`` takes as ``writer``: given a view and the settings of the store,
the function that writes the rows. Their contract is ``sinks.ViewWriter``'s: the written columns and
the watermark in, null for a heartbeat out. For a row they answer 1: nothing is kept offline here.
"""

import time
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from pyflink.table import DataTypes
from pyflink.table.udf import FunctionContext, udf

from benchmarks.streaming.packing import RowPacker
from benchmarks.streaming.ways import ARROW, FEAST, ROWS
from feature_repo.online.keys import entity_key
from feature_repo.schema import VIEWS
from flink_jobs.settings import FeatureStore
from flink_jobs.sinks import Writer, view_writer
from flink_jobs.views import JOBS

WriterFactory = Callable[[str, FeatureStore], Any]


def factory(name: str, registry: str) -> WriterFactory:
    """Return the factory of a way of writing; ``registry`` is Feast's file, for Feast."""
    factories: dict[str, WriterFactory] = {
        ARROW: view_writer,
        FEAST: partial(_feast_writer, registry=registry),
        ROWS: _row_writer,
    }
    return factories[name]


def _row_writer(view: str, store: FeatureStore) -> Any:
    return udf(RowAtATime(view, store), result_type=DataTypes.INT(), func_type="general")


def _feast_writer(view: str, store: FeatureStore, registry: str) -> Any:
    function = FeastPush(view, store, registry)
    return udf(function, result_type=DataTypes.INT(), func_type="pandas")


class RowAtATime(Writer):
    """Writes each row by itself, in one call of Redis, through the same script."""

    def __init__(self, view: str, store: FeatureStore) -> None:
        self._view, self._store = view, store

    def open(self, function_context: FunctionContext) -> None:  # noqa: ARG002
        """Connect to Redis."""
        import redis  # noqa: PLC0415 - the worker's, not the submitting client's

        from feature_repo.online.row_writer import RowWriter  # noqa: PLC0415

        self._schema = VIEWS[self._view]
        self._names = [name for name, _ in JOBS[self._view].written_columns]
        self._packer = RowPacker(self._schema)
        client = redis.Redis.from_url(str(self._store.redis_url))
        self._writer = RowWriter(client, self._store.project)

    def eval(self, *cells: Any) -> int | None:
        """Write one row."""
        *values, watermark = cells
        if values[0] is None:
            now_us = time.time_ns() // 1000
            self._writer.beacon(self._view, (watermark or 0) * 1000, now_us)
            return None
        row = dict(zip(self._names, values, strict=True))
        keys = tuple(row[key] for key in self._schema.join_keys)
        packed = self._packer.pack(row, row["observed_ts"] * 1000, row["made_ts"] * 1000)
        key = entity_key(self._store.project, self._schema, keys)
        self._writer.write_encoded(self._schema, [key], [packed])
        return 1


class FeastPush(Writer):
    """Pushes each batch through Feast's SDK to Feast's own Redis store."""

    def __init__(self, view: str, store: FeatureStore, registry: str) -> None:
        self._view, self._store, self._registry = view, store, registry

    def open(self, function_context: FunctionContext) -> None:  # noqa: ARG002
        """Open the feature store."""
        from benchmarks.streaming.feast_peer import open_store  # noqa: PLC0415

        self._schema = VIEWS[self._view]
        self._names = [name for name, _ in JOBS[self._view].written_columns]
        self._feast = open_store(str(self._store.redis_url), self._registry)

    def eval(self, *columns: "pd.Series[Any]") -> "pd.Series[Any]":
        """Push one batch."""
        from feast.data_source import PushMode  # noqa: PLC0415

        *values, _ = columns
        is_row = values[0].notna().to_numpy()
        frame = pd.DataFrame(dict(zip(self._names, values, strict=True)))[is_row]
        if len(frame):
            event = pd.to_datetime(frame.pop("observed_ts").astype(np.int64), unit="ms", utc=True)
            made = pd.to_datetime(frame.pop("made_ts").astype(np.int64), unit="ms", utc=True)
            frame["event_timestamp"], frame["created_timestamp"] = event, made
            frame[self._schema.observed_at] = event
            self._feast.push(f"{self._view}_push", frame, to=PushMode.ONLINE)
        return pd.Series(np.where(is_row, 1.0, np.nan))
