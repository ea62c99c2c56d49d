"""The Python edge of the jobs: Arrow batches of rows to Redis, dead letters to Kinesis.

Each is a pandas UDF that has written its batch when it returns. Flink completes a checkpoint only
after the batches before it, so what a checkpoint covers is written; a row held back here would be
lost when the worker dies. A store that is away is waited for, batch in hand: that holds up the job
(as it must), and costs no restart.
"""

import time
from collections import Counter
from typing import Any

import numpy as np
import pandas as pd
from pyflink.metrics import MetricGroup
from pyflink.table import DataTypes
from pyflink.table.udf import FunctionContext, ScalarFunction, udf

from flink_jobs.dead_letters import DeadLetter, pack, partition_key
from flink_jobs.event_schemas import DEAD_LETTER
from flink_jobs.rows import view_rows, written_at
from flink_jobs.settings import FeatureStore, Streams
from flink_jobs.views import JOBS

PUBLISHED = "kinesisanalytics"
"""The managed service publishes the metrics of this group, and no others of ours, to CloudWatch."""

FIRST_PAUSE_S = 0.1
LONGEST_PAUSE_S = 2.0
"""Short enough that the job goes on within seconds of Redis's return."""


class Writer(ScalarFunction):  # type: ignore[misc]
    """What the writers share: the planner must neither fold a call nor leave one out."""

    def is_deterministic(self) -> bool:
        """Return false: a call has an effect."""
        return False


class ViewWriter(Writer):
    """Writes the rows of one view to the row store, and its beacon at every heartbeat.

    Its arguments are the columns of ``ViewJob.written_columns``, then the watermark, epoch ms. A
    row is answered with when it was in Redis. One without a join key is a heartbeat, answered with
    null.
    """

    def __init__(self, view: str, store: FeatureStore) -> None:
        self._view = view
        self._store = store

    def open(self, function_context: FunctionContext) -> None:
        """Connect to Redis."""
        import redis  # noqa: PLC0415 - the worker's, not the submitting client's
        import tenacity  # noqa: PLC0415

        from feature_repo.online.row_writer import RowWriter  # noqa: PLC0415

        self._job = JOBS[self._view]
        assert self._store.redis_url is not None, "the settings' check lets no such job start"
        client = redis.Redis.from_url(
            self._store.redis_url, socket_connect_timeout=5, socket_timeout=10
        )
        self._writer = RowWriter(client, self._store.project)
        published = function_context.get_metric_group().add_group(PUBLISHED)
        metrics = published.add_group("view", self._view)
        self._written = metrics.counter("rows_written")
        self._stale = metrics.counter("rows_stale")
        retries = metrics.counter("redis_retries")
        self._patiently = tenacity.Retrying(
            # A read-only answer is a replica's, for the seconds of a failover.
            retry=tenacity.retry_if_exception_type(
                (redis.ConnectionError, redis.TimeoutError, redis.exceptions.ReadOnlyError)
            ),
            wait=tenacity.wait_random_exponential(FIRST_PAUSE_S, LONGEST_PAUSE_S),
            stop=tenacity.stop_after_delay(self._store.redis_patience_s),
            before_sleep=lambda _: retries.inc(),
            reraise=True,
        )

    def eval(self, *columns: "pd.Series[Any]") -> "pd.Series[Any]":
        """Write one batch, then its beacon if it holds a heartbeat; return ``written_at``."""
        *values, watermarks = columns
        is_row = values[0].notna().to_numpy()
        if is_row.any():
            self._write([column[is_row] for column in values])
        answer = written_at(is_row, time.time_ns() // 1000)
        if not is_row.all():
            # Null until the first event has come: the pipeline lives, and knows of no time yet.
            watermark_us = int(watermarks.fillna(0).max()) * 1000
            self._patiently(self._writer.beacon, self._view, watermark_us, time.time_ns() // 1000)
        return answer

    def _write(self, values: list["pd.Series[Any]"]) -> None:
        rows = view_rows(self._job, values)
        # Not the clock: a replay that makes an old window's row again must not look newer.
        counts = self._patiently(
            self._writer.write,
            self._job.schema,
            rows.entities,
            rows.columns,
            rows.event_us,
            rows.made_us,
        )
        self._written.inc(counts.written)
        self._stale.inc(counts.stale)


class DeadLetterWriter(Writer):
    """Puts dead letters on their stream: the record, why, by which job and when."""

    def __init__(self, streams: Streams, job: str) -> None:
        self._streams = streams
        self._job = job

    def open(self, function_context: FunctionContext) -> None:
        """Connect to Kinesis."""
        from flink_jobs.kinesis import connect  # noqa: PLC0415

        self._client = connect(self._streams, patient=True)
        self._metrics: MetricGroup = function_context.get_metric_group().add_group(PUBLISHED)
        self._counters: dict[tuple[str, str], Any] = {}

    def eval(
        self,
        source: "pd.Series[str]",
        raw: "pd.Series[str]",
        code: "pd.Series[Any]",
        reason: "pd.Series[str]",
        received_ts: "pd.Series[int]",
    ) -> "pd.Series[Any]":
        """Put one batch; return a one a letter, as a sink has nothing to say."""
        from flink_jobs.kinesis import put_all  # noqa: PLC0415

        now_ms = time.time_ns() // 1_000_000
        letters = [
            DeadLetter(stream, text, problem, why, self._job, now_ms, arrival)
            for stream, text, problem, why, arrival in zip(
                source, raw, code, reason, received_ts, strict=True
            )
        ]
        records = [
            (partition_key(stream, data), data)
            for stream in source.unique()
            for data in pack(letter for letter in letters if letter.source == stream)
        ]
        put_all(self._client, DEAD_LETTER, records)
        for (stream, problem), count in Counter((x.source, x.code) for x in letters).items():
            self._counter(stream, problem).inc(count)
        return pd.Series(np.ones(len(letters), dtype=np.int32))

    def _counter(self, stream: str, code: str) -> Any:
        if (stream, code) not in self._counters:
            group = self._metrics.add_group("stream", stream).add_group("reason", code)
            self._counters[stream, code] = group.counter("dead_letters")
        return self._counters[stream, code]


def view_writer(view: str, store: FeatureStore) -> Any:
    """Return the UDF that writes a view."""
    return udf(
        ViewWriter(view, store),
        result_type=DataTypes.TIMESTAMP_LTZ(6),
        func_type="pandas",
    )


def dead_letter_writer(streams: Streams, job: str) -> Any:
    """Return the UDF that writes dead letters."""
    return udf(
        DeadLetterWriter(streams, job),
        result_type=DataTypes.INT(),
        func_type="pandas",
    )
