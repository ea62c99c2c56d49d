"""One row of one view as bytes: the layout that the jobs write and the gateway reads.

Layout, little-endian: fingerprint u64 | event time i64 us | created time i64 us | null bits u64 |
the values at fixed offsets (``ViewSchema.values_dtype``). Fixed widths let a reader view the rows
of all candidates as one numpy structured array, with no loop over values. Bit ``i`` of the null
bits set means that column ``i`` is null; its stored value is zero and means nothing.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from feature_repo.schema import TEXT_BYTES, Column, Kind, ViewSchema

MAX_COLUMNS = 64
"""One null bit a column in a u64."""

HEADER_DTYPE = np.dtype(
    [("fingerprint", "<u8"), ("event_us", "<i8"), ("created_us", "<i8"), ("nulls", "<u8")]
)

Int64s = npt.NDArray[np.int64]
ColumnValues = npt.NDArray[Any] | Sequence[Any]
Interpreted = tuple[npt.NDArray[np.void], npt.NDArray[np.bool_], npt.NDArray[np.bool_]]
"""Rows, usable, mismatched: see ``decode_rows``."""


class RowError(ValueError):
    """A value that a row cannot hold; the message names view, feature, value and remedy."""


def row_dtype(schema: ViewSchema) -> np.dtype[np.void]:
    """Return the packed layout of a whole row of ``schema``: header, then values."""
    return _row_dtype(schema.values_dtype)


@cache
def _row_dtype(values: np.dtype[np.void]) -> np.dtype[np.void]:
    return np.dtype([("header", HEADER_DTYPE), ("values", values)])


def encode_rows(
    schema: ViewSchema,
    columns: Mapping[str, ColumnValues],
    event_us: Int64s,
    created_us: Int64s,
) -> list[bytes]:
    """Encode n rows.

    Args:
        schema: The view.
        columns: Every feature of the view to its n values, but for ``observed_at``, which is
            ``event_us``. Null is None, NaN (floats) or a masked element; text is str or bytes;
            TIMESTAMP is int64 microseconds.
        event_us: Newest event inside each row, int64 [n], epoch microseconds.
        created_us: When each row was made, int64 [n], epoch microseconds.

    Raises:
        RowError: A column is missing, has another length, or holds a value it cannot hold.
    """
    count = len(event_us)
    rows = np.zeros(count, dtype=row_dtype(schema))
    rows["header"]["fingerprint"] = schema.fingerprint
    rows["header"]["event_us"] = event_us
    rows["header"]["created_us"] = created_us
    nulls = np.zeros(count, dtype=np.uint64)
    for index, column in enumerate(schema.columns):
        if column.name == schema.observed_at:
            rows["values"][column.name] = event_us
            continue
        if column.name not in columns:
            raise RowError(
                f"view {schema.name!r}: feature {column.name!r} was not given; "
                "give every feature of the view, null where it is unknown"
            )
        values, is_null = _to_fixed_width(schema, column, columns[column.name])
        if len(values) != count:
            raise RowError(
                f"view {schema.name!r}: feature {column.name!r} has {len(values)} values "
                f"for {count} rows; give one value a row"
            )
        rows["values"][column.name] = values
        nulls |= is_null.astype(np.uint64) << np.uint64(index)
    rows["header"]["nulls"] = nulls
    data, size = rows.tobytes(), rows.dtype.itemsize
    return [data[start : start + size] for start in range(0, len(data), size)]


def decode_rows(schema: ViewSchema, rows: Sequence[bytes | None]) -> Interpreted:
    """View n stored rows as one structured array.

    Returns:
        rows: Structured array [n] of ``row_dtype(schema)``; zeros where there is no usable row.
        usable: bool [n]: a row of this schema's fingerprint was there.
        mismatched: bool [n]: a row of another schema was there; it is never interpreted.
    """
    dtype = row_dtype(schema)
    stacked, present = _stack(dtype, rows)
    usable = present & (stacked["header"]["fingerprint"] == schema.fingerprint)
    mismatched = present & ~usable
    if mismatched.any():
        stacked = stacked.copy()
        stacked[mismatched] = np.zeros((), dtype=dtype)
    return stacked, usable, mismatched


def _stack(
    dtype: np.dtype[np.void], rows: Sequence[bytes | None]
) -> tuple[npt.NDArray[np.void], npt.NDArray[np.bool_]]:
    """Return n stored rows as a structured array, and bool [n] whether any row was there.

    A row of another size than the schema's is one of another schema: it becomes zeros.
    """
    size, blank = dtype.itemsize, bytes(dtype.itemsize)
    present = np.ones(len(rows), dtype=np.bool_)
    if None in rows:
        present = np.array([row is not None for row in rows], dtype=np.bool_)
        rows = [row or blank for row in rows]
    if set(map(len, rows)) - {size}:  # type: ignore[arg-type]  # none is None here
        rows = [row if row is not None and len(row) == size else blank for row in rows]
    return np.frombuffer(b"".join(rows), dtype=dtype), present  # type: ignore[arg-type]


def null_mask(schema: ViewSchema, rows: npt.NDArray[np.void], name: str) -> npt.NDArray[np.bool_]:
    """Return bool [n]: feature ``name`` is null in the row."""
    index = schema.column_names.index(name)
    bits = rows["header"]["nulls"] >> np.uint64(index)
    mask: npt.NDArray[np.bool_] = (bits & np.uint64(1)).astype(np.bool_)
    return mask


def _to_fixed_width(
    schema: ViewSchema, column: Column, values: ColumnValues
) -> tuple[npt.NDArray[Any], npt.NDArray[np.bool_]]:
    """Return the values at their stored dtype, zero where null, and the null mask."""
    dtype = schema.values_dtype[column.name]
    # As objects, text keeps a trailing NUL, which a numpy text array drops unseen.
    plain = np.array(values, dtype=object) if column.kind is Kind.STRING else values
    masked: Any = np.ma.MaskedArray(plain)  # type: ignore[no-untyped-call]
    is_null = np.array(np.broadcast_to(masked.mask, masked.shape), dtype=np.bool_)
    data: npt.NDArray[Any] = masked.data
    if data.dtype.kind == "O":
        is_null |= np.fromiter((v is None or _is_nan(v) for v in data), np.bool_, len(data))
    elif data.dtype.kind == "f":
        is_null |= np.isnan(data)
    if column.kind is Kind.STRING:
        return _encode_text(schema, column, np.where(is_null, "", data)), is_null
    try:
        filled = np.where(is_null, 0, data)
        fixed = filled.astype(dtype)
    except (TypeError, ValueError, OverflowError) as error:
        raise RowError(
            f"view {schema.name!r}: feature {column.name!r} is {column.kind.value}, "
            f"and its values are not ({error}); cast them before writing"
        ) from error
    if dtype.kind == "i" and not np.array_equal(
        fixed.astype(np.float64), filled.astype(np.float64)
    ):
        raise RowError(
            f"view {schema.name!r}: feature {column.name!r} is {column.kind.value}, "
            "and a value is a fraction or out of range; round it or widen the type"
        )
    return fixed, is_null


def _is_nan(value: object) -> bool:
    return isinstance(value, float) and np.isnan(value).item()


def _encode_text(
    schema: ViewSchema, column: Column, values: npt.NDArray[Any]
) -> npt.NDArray[np.bytes_]:
    encoded = [v if isinstance(v, bytes) else str(v).encode() for v in values]
    for text in encoded:
        if len(text) > TEXT_BYTES or text.endswith(b"\0"):
            raise RowError(
                f"view {schema.name!r}: feature {column.name!r} holds {text!r}; a text value is "
                f"at most {TEXT_BYTES} bytes and does not end in NUL: shorten it"
            )
    return np.array(encoded, dtype=f"S{TEXT_BYTES}")
