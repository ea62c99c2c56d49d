"""The rows of many entities as columns of numbers, without a loop over values.

Neighbouring features of one type are cast together, so that a view costs a few numpy calls however
many features and entities it has.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np
import numpy.typing as npt

from feature_repo.online.row_codec import HEADER_DTYPE, decode_rows
from feature_repo.schema import NUMPY_DTYPES, Kind, ViewSchema

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class _Run:
    """Neighbouring number features of one type: their places and where their bytes lie."""

    dtype: str
    places: slice
    span: slice


@dataclass(frozen=True)
class Decoded:
    """n rows of one view as columns, whatever time it is.

    Attributes:
        values: float64 [columns, n] in the view's order; NaN where null, not usable, or text.
        texts: Text columns by name to bytes [n], empty where null or not usable.
        event_us: float64 [n]: the newest event inside each row, epoch us; NaN without a usable row.
        usable: bool [n]: a row of this schema was there.
        mismatched: bool [n]: a row of another schema was there, and was not interpreted.
    """

    values: Floats
    texts: dict[str, npt.NDArray[Any]]
    event_us: Floats
    usable: Mask
    mismatched: Mask


class ViewColumns:
    """How one view's rows become columns; made once a view."""

    def __init__(self, schema: ViewSchema) -> None:
        self._schema = schema
        self._runs = tuple(_runs(schema))
        self._count = len(schema.columns)
        self._texts = text_columns(schema)

    def decode(self, stored: Sequence[bytes | None]) -> Decoded:
        """Return stored rows, None where there is none, as columns."""
        rows, usable, mismatched = decode_rows(self._schema, stored)
        values = np.full((self._count, len(rows)), np.nan)
        octets = rows.view(np.uint8).reshape(len(rows), rows.dtype.itemsize)
        for run in self._runs:
            values[run.places] = np.ascontiguousarray(octets[:, run.span]).view(run.dtype).T
        nulls = rows["header"]["nulls"]
        if nulls.any():
            np.copyto(values, np.nan, where=_is_null(nulls, self._count))
        event_us = rows["header"]["event_us"].astype(np.float64)
        if not usable.all():
            values[:, ~usable] = np.nan
            event_us[~usable] = np.nan
        # What is null is stored as zeros, and so is what is not usable: as text, nothing.
        texts = {name: rows["values"][name] for name in self._texts}
        return Decoded(values, texts, event_us, usable, mismatched)


def text_columns(schema: ViewSchema) -> tuple[str, ...]:
    """Return the names of the view's columns of text."""
    return tuple(column.name for column in schema.columns if column.kind is Kind.STRING)


def _is_null(nulls: npt.NDArray[np.uint64], columns: int) -> Mask:
    """Return bool [columns, n] from the rows' null bits."""
    octets = np.ascontiguousarray(nulls).view(np.uint8).reshape(len(nulls), 8)
    bits = np.unpackbits(octets, axis=1, bitorder="little", count=columns)
    return bits.T.view(np.bool_)


def _runs(schema: ViewSchema) -> Iterator[_Run]:
    offsets = [schema.values_dtype.fields[name][1] for name in schema.column_names]  # type: ignore[index]
    for kind, group in groupby(enumerate(schema.columns), key=lambda item: item[1].kind):
        places = [place for place, _ in group]
        if kind is Kind.STRING:
            continue
        dtype = NUMPY_DTYPES[kind]
        first = HEADER_DTYPE.itemsize + offsets[places[0]]
        size = np.dtype(dtype).itemsize * len(places)
        yield _Run(dtype, slice(places[0], places[-1] + 1), slice(first, first + size))
