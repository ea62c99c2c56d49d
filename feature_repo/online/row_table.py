"""The rows of a view that were read last, as columns by entity number.

A row is decoded once, when it comes, however many requests use it. Its event time is kept, and
with it its true age.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from feature_repo.online.row_columns import Decoded, ViewColumns, text_columns
from feature_repo.schema import ViewSchema

_ENTITIES_AT_FIRST = 1_024

Numbers = npt.NDArray[np.intp]
"""Entities by number, intp [n], none twice."""


class RowTable:
    """One view's rows by entity number."""

    def __init__(self, view: ViewSchema) -> None:
        self._decode = ViewColumns(view).decode
        # A row's values lie together: rows are taken by number, a few hundred of many thousand.
        self._values = np.zeros((0, len(view.columns)))
        dtypes = {name: view.values_dtype[name] for name in text_columns(view)}
        self._texts = {name: np.zeros(0, dtype) for name, dtype in dtypes.items()}
        self._event_us = np.zeros(0)
        self._usable = np.zeros(0, dtype=np.bool_)
        self._mismatched = np.zeros(0, dtype=np.bool_)
        self._read_s = np.zeros(0)

    def put(self, numbers: Numbers, stored: Sequence[bytes | None], now_s: float) -> None:
        """Take what Redis has just answered, None where there is no row."""
        rows = self._decode(stored)
        self._values[numbers] = rows.values.T
        for name, texts in rows.texts.items():
            self._texts[name][numbers] = texts
        self._event_us[numbers] = rows.event_us
        self._usable[numbers] = rows.usable
        self._mismatched[numbers] = rows.mismatched
        self._read_s[numbers] = now_s

    def get(self, numbers: Numbers) -> Decoded:
        """Return the rows as columns; those never read are neither usable nor mismatched."""
        return Decoded(
            values=self._values.take(numbers, axis=0).T,
            texts={name: texts.take(numbers) for name, texts in self._texts.items()},
            event_us=self._event_us.take(numbers),
            usable=self._usable.take(numbers),
            mismatched=self._mismatched.take(numbers),
        )

    def read_before(self, numbers: Numbers, moment_s: float) -> npt.NDArray[np.bool_]:
        """Return bool [n]: whether the row was read before a moment, or never."""
        before: npt.NDArray[np.bool_] = self._read_s.take(numbers) < moment_s
        return before

    def make_room(self, entities: int) -> None:
        """Have a place for entities with numbers below this one."""
        missing = entities - len(self._values)
        if missing <= 0:
            return
        more = max(missing, len(self._values), _ENTITIES_AT_FIRST)
        self._values = _longer(self._values, more, np.nan)
        self._texts = {name: _longer(texts, more, b"") for name, texts in self._texts.items()}
        self._event_us = _longer(self._event_us, more, np.nan)
        self._usable = _longer(self._usable, more, value=False)
        self._mismatched = _longer(self._mismatched, more, value=False)
        self._read_s = _longer(self._read_s, more, -np.inf)


def _longer(array: npt.NDArray[Any], more: int, value: object) -> npt.NDArray[Any]:
    return np.concatenate([array, np.full((more, *array.shape[1:]), value, array.dtype)])


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

    def ids(self) -> list[str]:
        """Return the entities' first join keys, in the order of their numbers."""
        return list(self._numbers)

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
