"""The rows of many entities as columns of numbers, without a loop over values.

Neighbouring features of one type are cast together, so that a view costs a few numpy calls however
many features and entities it has.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np
import numpy.typing as npt

from feature_repo.online.row_codec import HEADER_DTYPE
from feature_repo.schema import NUMPY_DTYPES, Kind, ViewSchema


@dataclass(frozen=True)
class _Run:
    """Neighbouring number features of one type: their places and where their bytes lie."""

    dtype: str
    places: slice
    span: slice


class ViewColumns:
    """How one view's rows become columns; made once a view."""

    def __init__(self, schema: ViewSchema) -> None:
        self._runs = tuple(_runs(schema))
        self._names = schema.column_names
        self._is_text = [column.kind is Kind.STRING for column in schema.columns]

    def of(
        self, rows: npt.NDArray[np.void], usable: npt.NDArray[np.bool_]
    ) -> dict[str, npt.NDArray[Any]]:
        """Return each feature's n values: float64, NaN where null or not usable; text as bytes.

        Args:
            rows: Structured array [n] of ``row_dtype(schema)``, zeros where there is none.
            usable: bool [n]: which of them may be used.
        """
        numbers = np.empty((len(self._names), len(rows)))
        values = rows.view(np.uint8).reshape(len(rows), rows.dtype.itemsize)
        for run in self._runs:
            numbers[run.places] = np.ascontiguousarray(values[:, run.span]).view(run.dtype).T
        nulls = rows["header"]["nulls"]
        if nulls.any():
            np.copyto(numbers, np.nan, where=_is_null(nulls, len(self._names)))
        blank = None if usable.all() else ~usable
        if blank is not None:
            numbers[:, blank] = np.nan
        return {
            name: _text(rows["values"][name], blank) if is_text else numbers[place]
            for place, (name, is_text) in enumerate(zip(self._names, self._is_text, strict=True))
        }


def _is_null(nulls: npt.NDArray[np.uint64], columns: int) -> npt.NDArray[np.bool_]:
    """Return bool [columns, n] from the rows' null bits."""
    octets = np.ascontiguousarray(nulls).view(np.uint8).reshape(len(nulls), 8)
    bits = np.unpackbits(octets, axis=1, bitorder="little", count=columns)
    return bits.T.view(np.bool_)


def _text(values: npt.NDArray[np.bytes_], blank: npt.NDArray[np.bool_] | None) -> npt.NDArray[Any]:
    """Return text, empty where there is none: what is null is stored as zeros."""
    return values if blank is None else np.where(blank, b"", values)


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
