"""Offline rows and entity rows for benchmarks: seeded, in the files' own form, with no meaning."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from feature_repo.schema import Kind, ViewSchema
from tests.support.offline_rows import arrow_schema, write_days

START_US = 1_767_571_200_000_000
"""2026-01-05 00:00 UTC."""
_US_PER_S = 1_000_000
_WRITTEN_AFTER_S = (1, 8)
_TEXTS = np.array(["available", "en_route", "on_scene", "offline"])


@dataclass(frozen=True)
class Size:
    """How much.

    Attributes:
        entity_rows: Rows that are asked for.
        entities: Different entities of each view.
        hours: The span of all times, from ``START_US``.
        row_every_s: Time between an entity's rows.
        rows_a_file: Flink writes a file a checkpoint, so a day has many.
    """

    entity_rows: int
    entities: int
    hours: float
    row_every_s: float
    rows_a_file: int


def entity_ids(prefix: str, count: int) -> npt.NDArray[Any]:
    """Return so many names."""
    return np.array([f"{prefix}-{number:06d}" for number in range(count)], dtype=object)


def write_view(schema: ViewSchema, size: Size, folder: Path, seed: int) -> int:
    """Write a view's rows in the order of time, a file for every few; return their number."""
    generator = np.random.default_rng([seed, schema.fingerprint % 2**32])
    steps = int(size.hours * 3600 / size.row_every_s)
    entity = np.tile(np.arange(size.entities), steps)
    step_us = int(size.row_every_s * _US_PER_S)
    event_us = START_US + np.repeat(np.arange(steps), size.entities) * step_us
    event_us += generator.integers(0, step_us, len(event_us))
    for number, first in enumerate(range(0, len(entity), size.rows_a_file)):
        part = slice(first, first + size.rows_a_file)
        table = _rows(schema, entity[part], event_us[part], size, generator)
        write_days(table, folder / schema.name, f"part-{number:06d}.parquet")
    return len(entity)


def entity_rows(schemas: tuple[ViewSchema, ...], size: Size, seed: int) -> pd.DataFrame:
    """Return rows that ask about entities of every view at times spread over the span."""
    generator = np.random.default_rng([seed, 1])
    keys = sorted({key for schema in schemas for key in schema.join_keys})
    columns: dict[str, Any] = {
        key: entity_ids(key, size.entities)[generator.integers(0, size.entities, size.entity_rows)]
        for key in keys
    }
    span_ms = int(size.hours * 3_600_000)
    moments = START_US + generator.integers(0, span_ms, size.entity_rows) * 1000
    columns["event_timestamp"] = pd.to_datetime(moments, unit="us", utc=True)
    return pd.DataFrame(columns)


def _rows(
    schema: ViewSchema,
    entity: npt.NDArray[np.int64],
    event_us: npt.NDArray[np.int64],
    size: Size,
    generator: np.random.Generator,
) -> pa.Table:
    late_us = generator.integers(*_WRITTEN_AFTER_S, len(entity)) * _US_PER_S
    columns: list[Any] = [entity_ids(key, size.entities)[entity] for key in schema.join_keys]
    columns += [_values(column.kind, event_us, generator) for column in schema.columns]
    columns += [event_us, event_us + late_us]
    wanted = arrow_schema(schema)
    arrays = [pa.array(c).cast(f.type) for c, f in zip(columns, wanted, strict=True)]
    return pa.table(arrays, schema=wanted)


def _values(kind: Kind, event_us: npt.NDArray[np.int64], generator: np.random.Generator) -> Any:
    count = len(event_us)
    if kind is Kind.TIMESTAMP:
        return event_us
    if kind is Kind.STRING:
        return _TEXTS[generator.integers(0, len(_TEXTS), count)]
    if kind is Kind.BOOL:
        return generator.random(count) < 0.5
    if kind in {Kind.INT32, Kind.INT64}:
        return generator.integers(0, 9, count)
    return generator.random(count) * 50
