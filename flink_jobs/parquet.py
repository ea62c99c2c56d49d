"""The Python edge of a backfill: Arrow batches of rows to the offline store's Parquet."""

import uuid
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyflink.table import DataTypes
from pyflink.table.udf import FunctionContext, udf

from feature_repo.schema import Kind, ViewSchema
from flink_jobs.rows import ViewRows, view_rows
from flink_jobs.sinks import Writer
from flink_jobs.views import JOBS

MOMENT = pa.timestamp("us", tz="UTC")
ARROW_TYPES = {
    Kind.FLOAT32: pa.float32(),
    Kind.FLOAT64: pa.float64(),
    Kind.INT32: pa.int32(),
    Kind.INT64: pa.int64(),
    Kind.BOOL: pa.bool_(),
    Kind.STRING: pa.string(),
    Kind.TIMESTAMP: MOMENT,
}


class ParquetWriter(Writer):
    """Writes the rows of one view, a file a batch and day, under ``<folder>/<view>/date=.../``.

    Its arguments are the columns of ``ViewJob.written_columns``.
    """

    def __init__(self, view: str, folder: str) -> None:
        self._view = view
        self._folder = folder

    def open(self, function_context: FunctionContext) -> None:
        """Find the job whose rows these are."""
        self._job = JOBS[self._view]
        self._written = function_context.get_metric_group().counter("rows_written")

    def eval(self, *values: "pd.Series[Any]") -> "pd.Series[Any]":
        """Write one batch; return a zero a row, as a sink has nothing to say."""
        table = to_table(self._job.schema, view_rows(self._job, list(values)))
        write_days(table, Path(self._folder) / self._view)
        self._written.inc(len(values[0]))
        return pd.Series(np.zeros(len(values[0]), dtype=np.int32))


def arrow_schema(schema: ViewSchema) -> pa.Schema:
    """Return a view's columns offline: join keys, features, the two timestamps."""
    return pa.schema(
        [(key, pa.string()) for key in schema.join_keys]
        + [(column.name, ARROW_TYPES[column.kind]) for column in schema.columns]
        + [("event_timestamp", MOMENT), ("created_timestamp", MOMENT)]
    )


def to_table(schema: ViewSchema, rows: ViewRows) -> pa.Table:
    """Return rows as the offline store has them.

    ``created_timestamp`` is when the live job would have made the row, not when the backfill ran:
    a backfill stands for rows that were there at the time, and retrieval as of then must see
    them, and none that came later.
    """
    moments = pa.array(rows.event_us).cast(MOMENT)
    made = pa.array(rows.made_us).cast(MOMENT)
    keys = [
        pa.array([values[index] for values in rows.entities], pa.string())
        for index in range(len(schema.join_keys))
    ]
    features = [
        moments
        if column.name == schema.observed_at
        else _to_arrow(rows.columns[column.name], column.kind)
        for column in schema.columns
    ]
    return pa.table([*keys, *features, moments, made], schema=arrow_schema(schema))


def _to_arrow(values: Any, kind: Kind) -> pa.Array:
    """Return one feature; NaN and None, which both mean unknown, become null."""
    if kind is Kind.TIMESTAMP:
        return pa.array(values, pa.int64(), from_pandas=True).cast(MOMENT)
    return pa.array(values, ARROW_TYPES[kind], from_pandas=True)


def write_days(table: pa.Table, folder: Path) -> None:
    """Write the rows of each day to a file of its own."""
    days = pc.strftime(table["event_timestamp"], format="%Y-%m-%d")
    for day in pc.unique(days).to_pylist():
        directory = folder / f"date={day}"
        directory.mkdir(parents=True, exist_ok=True)
        of_day = table.filter(pc.equal(days, day))
        pq.write_table(of_day, directory / f"{uuid.uuid4().hex}.parquet")


def write_empty(schema: ViewSchema, folder: Path) -> None:
    """Write a file without rows, so that a view that had no event can be read all the same."""
    directory = folder / "date=1970-01-01"
    directory.mkdir(parents=True, exist_ok=True)
    pq.write_table(arrow_schema(schema).empty_table(), directory / "empty.parquet")


def parquet_writer(view: str, folder: str) -> Any:
    """Return the UDF that writes a view."""
    return udf(
        ParquetWriter(view, folder),
        result_type=DataTypes.INT(),
        func_type="pandas",
    )
