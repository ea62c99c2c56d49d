"""Rows of any view, made up from a few values that a test cares about."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from feature_repo.online.row_codec import encode_rows
from feature_repo.online.row_script import WriteCounts
from feature_repo.online.row_writer import RowWriter
from feature_repo.schema import Kind, ViewSchema

_DEFAULTS: dict[Kind, Any] = {
    Kind.FLOAT32: 1.0,
    Kind.FLOAT64: 1.0,
    Kind.INT32: 1,
    Kind.INT64: 1,
    Kind.BOOL: True,
    Kind.STRING: "text",
    Kind.TIMESTAMP: 1_700_000_000_000_000,
}


def columns_of(schema: ViewSchema, count: int, given: Mapping[str, Any]) -> dict[str, list[Any]]:
    """Return every column of a view: what is given (a value, or one a row), else a default."""
    columns = {}
    for column in schema.columns:
        value = given.get(column.name, _DEFAULTS[column.kind])
        columns[column.name] = list(value) if isinstance(value, list) else [value] * count
    return columns


def write(
    writer: RowWriter,
    schema: ViewSchema,
    entities: Sequence[str | tuple[str, ...]],
    event_us: int,
    created_us: int | None = None,
    **given: Any,
) -> WriteCounts:
    """Write a row for each entity, made when its newest event was unless told otherwise."""
    count = len(entities)
    keys = [(entity,) if isinstance(entity, str) else entity for entity in entities]
    columns = columns_of(schema, count, given)
    events = np.full(count, event_us, dtype=np.int64)
    made = np.full(count, event_us if created_us is None else created_us, dtype=np.int64)
    return writer.write(schema, keys, columns, events, made)


def encoded(schema: ViewSchema, event_us: int, **given: Any) -> bytes:
    """Return one row as it is stored."""
    events = np.full(1, event_us, dtype=np.int64)
    (row,) = encode_rows(schema, columns_of(schema, 1, given), events, events)
    return row
