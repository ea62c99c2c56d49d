"""The Python edge of the jobs: Arrow batches of rows to Redis, dead letters to Kinesis.

Each is a pandas UDF that has written its batch when it returns. Flink completes a checkpoint only
after the batches before it, so what a checkpoint covers is written; a row held back here would be
lost when the worker dies.
"""

import time
from typing import Any

import msgspec
import numpy as np
import pandas as pd
from pyflink.table import DataTypes
from pyflink.table.udf import FunctionContext, ScalarFunction, udf

from flink_jobs.event_schemas import DEAD_LETTER
from flink_jobs.rows import view_rows
from flink_jobs.settings import FeatureStore, Streams
from flink_jobs.views import JOBS


class Writer(ScalarFunction):  # type: ignore[misc]
    """What the writers share: the planner must neither fold a call nor leave one out."""

    def is_deterministic(self) -> bool:
        """Return false: a call has an effect."""
        return False


class ViewWriter(Writer):
    """Writes the rows of one view to the row store, and its beacon at every heartbeat.

    Its arguments are the columns of ``ViewJob.written_columns``, then the watermark, epoch ms. A
    row without a join key is a heartbeat.
    """

    def __init__(self, view: str, store: FeatureStore) -> None:
        self._view = view
        self._store = store

    def open(self, function_context: FunctionContext) -> None:
        """Connect to Redis."""
        import redis  # noqa: PLC0415 - the worker's, not the submitting client's

        from feature_repo.row_writer import RowWriter  # noqa: PLC0415

        self._job = JOBS[self._view]
        assert self._store.redis_url is not None, "the settings' check lets no such job start"
        client = redis.Redis.from_url(
            self._store.redis_url, socket_connect_timeout=5, socket_timeout=10
        )
        self._writer = RowWriter(client, self._store.project)
        metrics = function_context.get_metric_group().add_group("view", self._view)
        self._written = metrics.counter("rows_written")
        self._stale = metrics.counter("rows_stale")

    def eval(self, *columns: "pd.Series[Any]") -> "pd.Series[Any]":
        """Write one batch; return a zero a row, as a sink has nothing to say."""
        *values, watermarks = columns
        is_row = values[0].notna().to_numpy()
        if is_row.any():
            self._write([column[is_row] for column in values])
        if not is_row.all():
            # Null until the first event has come: the pipeline lives, and knows of no time yet.
            watermark_us = int(watermarks.fillna(0).max()) * 1000
            self._writer.beacon(self._view, watermark_us, time.time_ns() // 1000)
        return pd.Series(np.zeros(len(is_row), dtype=np.int32))

    def _write(self, values: list["pd.Series[Any]"]) -> None:
        rows = view_rows(self._job, values)
        # Not the clock: a replay that makes an old window's row again must not look newer.
        counts = self._writer.write(
            self._job.schema,
            rows.entities,
            rows.columns,
            rows.event_us,
            rows.made_us,
            rows.positions,
        )
        self._written.inc(counts.written)
        self._stale.inc(counts.stale)


class DeadLetterWriter(Writer):
    """Puts one stream's dead letters on theirs: the record, why, by which job and when."""

    def __init__(self, source: str, streams: Streams, job: str) -> None:
        self._source = source
        self._streams = streams
        self._job = job

    def open(self, function_context: FunctionContext) -> None:
        """Connect to Kinesis."""
        from flink_jobs.kinesis import connect  # noqa: PLC0415

        self._client = connect(self._streams)
        self._letters = function_context.get_metric_group().counter("dead_letters")

    def eval(self, raw: "pd.Series[str]", reason: "pd.Series[str]") -> "pd.Series[Any]":
        """Put one batch; return a zero a row."""
        from flink_jobs.kinesis import put_all  # noqa: PLC0415

        now_ms = time.time_ns() // 1_000_000
        letters = [
            (self._source, DeadLetter(self._source, record, why, self._job, now_ms).encode())
            for record, why in zip(raw, reason, strict=True)
        ]
        put_all(self._client, DEAD_LETTER, letters)
        self._letters.inc(len(letters))
        return pd.Series(np.zeros(len(letters), dtype=np.int32))


class DeadLetter(msgspec.Struct, frozen=True):
    """A record that could not be used (stream ``dead-letter``, keyed by source).

    Attributes:
        source: The stream it came on.
        raw: The record as text.
        reason: What is wrong with it.
        job: The Flink job that refused it.
        ts: When, epoch milliseconds.
    """

    source: str
    raw: str
    reason: str
    job: str
    ts: int

    def encode(self) -> bytes:
        """Return the letter as JSON."""
        return msgspec.json.encode(self)


def view_writer(view: str, store: FeatureStore) -> Any:
    """Return the UDF that writes a view."""
    return udf(
        ViewWriter(view, store),
        result_type=DataTypes.INT(),
        func_type="pandas",
    )


def dead_letter_writer(source: str, streams: Streams, job: str) -> Any:
    """Return the UDF that writes the dead letters of the stream ``source``."""
    return udf(
        DeadLetterWriter(source, streams, job),
        result_type=DataTypes.INT(),
        func_type="pandas",
    )
