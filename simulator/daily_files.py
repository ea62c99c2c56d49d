"""Parquet files a day, written piece by piece: ``<table>/date=YYYY-MM-DD/<metro>.parquet``."""

from pathlib import Path
from types import TracebackType

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from simulator.luck import Ints

_DAY_US = 86_400_000_000
_ALL_DIFFERENT = frozenset({"propensity", "success_probability", "lat", "lon", "distance_km"})
"""Columns of which a dictionary would only be a second copy."""


class DailyFiles:
    """The files of one table and one metro; each piece is a row group of its day's file."""

    def __init__(self, directory: Path, metro: str) -> None:
        self._directory = directory
        self._name = f"{metro}.parquet"
        self._open: dict[int, pq.ParquetWriter] = {}

    def write(self, rows: pa.Table, at_us: Ints) -> None:
        """Write rows to the days (UTC) of some times, epoch microseconds, int64 [n]."""
        days = at_us // _DAY_US
        for day in np.unique(days).tolist():
            piece = rows.filter(pa.array(days == day)) if (days != day).any() else rows
            self._writer(day, rows.schema).write_table(piece)

    def finish_before(self, day_us: int) -> None:
        """Close the files of the days before an epoch time: no more rows come for them."""
        for day in [day for day in self._open if day < day_us // _DAY_US]:
            self._open.pop(day).close()

    def __enter__(self) -> "DailyFiles":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for writer in self._open.values():
            writer.close()
        self._open.clear()

    def _writer(self, day: int, schema: pa.Schema) -> pq.ParquetWriter:
        if day not in self._open:
            date = np.datetime64(day, "D")
            path = self._directory / f"date={date}" / self._name
            path.parent.mkdir(parents=True, exist_ok=True)
            self._open[day] = pq.ParquetWriter(
                path,
                schema,
                compression="zstd",
                use_dictionary=[name for name in schema.names if name not in _ALL_DIFFERENT],
                # else texts that are written as dictionaries would be read as categories
                store_schema=not any(pa.types.is_dictionary(kind) for kind in schema.types),
            )
        return self._open[day]


def texts(values: list[str], indices: Ints) -> pa.DictionaryArray:
    """Return a text column whose cells repeat some values: int64 [n] into the values."""
    distinct = {value: code for code, value in enumerate(dict.fromkeys(values))}
    codes = np.array([distinct[value] for value in values], dtype=np.int32)
    return pa.DictionaryArray.from_arrays(pa.array(codes[indices]), pa.array(list(distinct)))


def moments(times_us: Ints) -> pa.Array:
    """Return a column of moments, UTC, from epoch microseconds."""
    return pa.array(times_us).cast(pa.timestamp("us", tz="UTC"))
