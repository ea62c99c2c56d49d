"""The rows of a view that were read last, as they were stored, in one array.

Rows are kept as bytes, so that what is decoded of them later is what would be decoded of Redis:
their event times are inside, and with them their true age.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from feature_repo.online.row_codec import Interpreted, interpret_rows, row_dtype, stack_rows
from feature_repo.schema import ViewSchema

_ENTITIES_AT_FIRST = 1_024

Numbers = npt.NDArray[np.intp]
"""Entities by number, intp [n], none twice."""


class RowTable:
    """One view's rows by entity number."""

    def __init__(self, view: ViewSchema) -> None:
        self._view = view
        self._dtype = row_dtype(view)
        self._rows = np.zeros((0, self._dtype.itemsize), dtype=np.uint8)
        self._present = np.zeros(0, dtype=np.bool_)
        self._read_s = np.zeros(0)

    def put(self, numbers: Numbers, stored: Sequence[bytes | None], now_s: float) -> None:
        """Take what Redis has just answered, None where there is no row."""
        rows, self._present[numbers] = stack_rows(self._view, stored)
        self._rows[numbers] = rows.view(np.uint8).reshape(len(rows), self._dtype.itemsize)
        self._read_s[numbers] = now_s

    def get(self, numbers: Numbers) -> Interpreted:
        """Return the rows as ``decode_rows`` does; those never read are missing."""
        rows = self._rows.take(numbers, axis=0).view(self._dtype).reshape(len(numbers))
        return interpret_rows(self._view, rows, self._present.take(numbers))

    def read_before(self, numbers: Numbers, moment_s: float) -> npt.NDArray[np.bool_]:
        """Return bool [n]: whether the row was read before a moment, or never."""
        before: npt.NDArray[np.bool_] = self._read_s.take(numbers) < moment_s
        return before

    def make_room(self, entities: int) -> None:
        """Have a place for entities with numbers below this one."""
        missing = entities - len(self._rows)
        if missing <= 0:
            return
        more = max(missing, len(self._rows), _ENTITIES_AT_FIRST)
        self._rows = np.concatenate([self._rows, np.zeros((more, self._rows.shape[1]), np.uint8)])
        self._present = np.concatenate([self._present, np.zeros(more, np.bool_)])
        self._read_s = np.concatenate([self._read_s, np.full(more, -np.inf)])


class KnownRows:
    """The rows read last, a table for each view and further join keys; entities share numbers."""

    def __init__(self) -> None:
        self._numbers = _Counting()
        self._tables: dict[tuple[str, tuple[str, ...]], RowTable] = {}

    def __len__(self) -> int:
        return len(self._numbers)

    def numbers(self, ids: Sequence[str]) -> Numbers:
        """Return the numbers of entities by their first join key; new ones get the next."""
        return np.fromiter(map(self._numbers.__getitem__, ids), dtype=np.intp, count=len(ids))

    def table(self, view: ViewSchema, rest: tuple[str, ...]) -> RowTable:
        """Return the table of a view for entities with these further join keys."""
        table = self._tables.get((view.name, rest))
        if table is None:
            table = self._tables[view.name, rest] = RowTable(view)
        table.make_room(len(self._numbers))
        return table


class _Counting(dict[str, int]):
    """Numbers ids in the order in which they come."""

    def __missing__(self, entity: str) -> int:
        number = self[entity] = len(self)
        return number
