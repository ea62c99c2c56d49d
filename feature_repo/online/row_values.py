"""Between Feast's protobufs and rows: a view's layout, and the values of many rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
from feast import FeatureView
from feast.protos.feast.types.EntityKey_pb2 import EntityKey
from feast.protos.feast.types.Value_pb2 import Value
from feast.types import Bool, FeastType, Float32, Float64, Int32, Int64, String, UnixTimestamp

from feature_repo.online.row_codec import MAX_COLUMNS, decode_rows, encode_rows, null_mask
from feature_repo.schema import Column, Kind, ViewSchema

Row = tuple[EntityKey, dict[str, Value], datetime, datetime | None]
"""What Feast writes: entity, values, event time, created time."""
ReadRow = tuple[datetime | None, dict[str, Value] | None]
"""What Feast reads: event time and values; None and None where there is no row."""

_US_PER_S = 1_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NO_TIME_S = -(2**63)
"""What Feast makes of a timestamp that is missing in a data frame (pandas' NaT)."""


@dataclass(frozen=True)
class _Held:
    """A Feast type that a row holds: our kind, and the field of Feast's value."""

    kind: Kind
    value_field: str


_HELD: dict[FeastType, _Held] = {
    Float32: _Held(Kind.FLOAT32, "float_val"),
    Float64: _Held(Kind.FLOAT64, "double_val"),
    Int32: _Held(Kind.INT32, "int32_val"),
    Int64: _Held(Kind.INT64, "int64_val"),
    Bool: _Held(Kind.BOOL, "bool_val"),
    String: _Held(Kind.STRING, "string_val"),
    UnixTimestamp: _Held(Kind.TIMESTAMP, "unix_timestamp_val"),
}
_VALUE_FIELDS = {held.kind: held.value_field for held in _HELD.values()}


class UnsupportedViewError(ValueError):
    """A view that a fixed-width row cannot hold; raised by ``feast apply``."""


def schema_of(table: FeatureView) -> ViewSchema:
    """Return the row layout of a Feast view.

    Raises:
        UnsupportedViewError: A feature's type has no fixed width, or there are too many features.
    """
    if len(table.features) > MAX_COLUMNS:
        raise UnsupportedViewError(
            f"view {table.name!r} has {len(table.features)} features, and a row holds at most "
            f"{MAX_COLUMNS}; split the view"
        )
    for field in table.features:
        if field.dtype not in _HELD:
            raise UnsupportedViewError(
                f"view {table.name!r}: feature {field.name!r} is {field.dtype}, which a row of "
                f"fixed width cannot hold; use one of {', '.join(kind.value for kind in Kind)}"
            )
    return ViewSchema(
        name=table.name,
        join_keys=tuple(sorted(table.join_keys)),
        columns=tuple(Column(f.name, _HELD[f.dtype].kind, f.description) for f in table.features),
        max_age_s=None,
        ttl_s=table.ttl.total_seconds() if table.ttl else 0.0,
    )


def to_rows(schema: ViewSchema, data: Sequence[Row]) -> list[bytes]:
    """Encode what Feast writes; without a created time a row was made at its event time.

    Raises:
        RowError: A value does not fit the row.
    """
    columns = {c.name: [_plain(c, row[1].get(c.name)) for row in data] for c in schema.columns}
    event_us = np.array([_to_us(row[2]) for row in data], dtype=np.int64)
    created_us = np.array([_to_us(row[3] or row[2]) for row in data], dtype=np.int64)
    return encode_rows(schema, columns, event_us, created_us)


def to_values(
    schema: ViewSchema, stored: Sequence[bytes | None], names: Sequence[str]
) -> list[ReadRow]:
    """Decode the features that Feast asks for; a row of another schema is as good as none."""
    rows, usable, _ = decode_rows(schema, stored)
    columns = [_values(schema, rows, name) for name in names]
    event_us = rows["header"]["event_us"].tolist()
    return [
        (_from_us(moment), dict(zip(names, values, strict=True))) if is_usable else (None, None)
        for moment, is_usable, *values in zip(event_us, usable, *columns, strict=True)
    ]


def _plain(column: Column, value: Value | None) -> Any:
    if value is None or value.WhichOneof("val") is None:
        return None
    raw = getattr(value, _VALUE_FIELDS[column.kind])
    if column.kind is not Kind.TIMESTAMP:
        return raw
    return None if raw == _NO_TIME_S else raw * _US_PER_S


def _values(schema: ViewSchema, rows: np.ndarray[Any, Any], name: str) -> list[Value]:
    """Return one feature of every row as Feast values; Feast's timestamps are whole seconds."""
    column = schema.column(name)
    field = _VALUE_FIELDS[column.kind]
    raw = rows["values"][name]
    if column.kind is Kind.TIMESTAMP:
        raw = raw // _US_PER_S
    plain = [v.decode() for v in raw.tolist()] if column.kind is Kind.STRING else raw.tolist()
    nulls = null_mask(schema, rows, name).tolist()
    return [
        Value() if is_null else Value(**{field: value})
        for value, is_null in zip(plain, nulls, strict=True)
    ]


def _to_us(moment: datetime) -> int:
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    delta = aware - _EPOCH
    return (delta.days * 86_400 + delta.seconds) * _US_PER_S + delta.microseconds


def _from_us(microseconds: int) -> datetime:
    seconds, micros = divmod(microseconds, _US_PER_S)
    return datetime.fromtimestamp(seconds, tz=UTC).replace(microsecond=micros)
