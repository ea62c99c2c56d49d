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

_EVENT_US, _USABLE, _MISMATCHED = range(3)
_ABOUT = 3
"""What is known about a row, behind its values."""

Numbers = npt.NDArray[np.intp]
"""Entities by number, intp [n], none twice."""


class RowTable:
    """One view's rows by entity number."""

    def __init__(self, view: ViewSchema) -> None:
        self._decode = ViewColumns(view).decode
        self._count = len(view.columns)
        # All that is known of an entity lies together: a few hundred of many thousand are taken at
        # a time, and each is a walk to another place of the memory.
        self._rows = np.zeros((0, self._count + _ABOUT))
        dtypes = {name: view.values_dtype[name] for name in text_columns(view)}
        self._texts = {name: np.zeros(0, dtype) for name, dtype in dtypes.items()}
        self._asked_s = np.zeros(0)  # by itself: it is looked at for rows that are not taken

    def put(self, numbers: Numbers, stored: Sequence[bytes | None], asked_s: float) -> None:
        """Take what Redis has answered, None where there is no row, and when it was asked."""
        decoded = self._decode(stored)
        rows = np.empty((self._count + _ABOUT, len(numbers)))
        rows[: self._count] = decoded.values
        rows[self._count + _EVENT_US] = decoded.event_us
        rows[self._count + _USABLE] = decoded.usable
        rows[self._count + _MISMATCHED] = decoded.mismatched
        self._rows[numbers] = rows.T
        for name, texts in decoded.texts.items():
            self._texts[name][numbers] = texts
        self._asked_s[numbers] = asked_s

    def get(self, numbers: Numbers) -> Decoded:
        """Return the rows as columns; those never read are neither usable nor mismatched."""
        rows = self._rows.take(numbers, axis=0).T
        return Decoded(
            values=rows[: self._count],
            texts={name: texts.take(numbers) for name, texts in self._texts.items()},
            event_us=rows[self._count + _EVENT_US],
            usable=rows[self._count + _USABLE] == 1,
            mismatched=rows[self._count + _MISMATCHED] == 1,
        )

    def columns(self, places: Sequence[int]) -> npt.NDArray[np.float64]:
        """Return some columns of all entities, float64 [places, entities or more]."""
        return np.stack([self._rows[:, place] for place in places])

    def read_before(
        self, numbers: Numbers, moment_s: float | npt.NDArray[np.float64]
    ) -> npt.NDArray[np.bool_]:
        """Return bool [n]: whether the row was read before a moment (one, or n), or never."""
        before: npt.NDArray[np.bool_] = self._asked_s.take(numbers) < moment_s
        return before

    def make_room(self, entities: int) -> None:
        """Have a place for entities with numbers below this one."""
        missing = entities - len(self._rows)
        if missing <= 0:
            return
        more = max(missing, len(self._rows), _ENTITIES_AT_FIRST)
        never_read = np.full(self._count + _ABOUT, np.nan)
        never_read[self._count + _USABLE] = never_read[self._count + _MISMATCHED] = 0
        self._rows = _longer(self._rows, more, never_read)
        self._texts = {name: _longer(texts, more, b"") for name, texts in self._texts.items()}
        self._asked_s = _longer(self._asked_s, more, -np.inf)


def _longer(array: npt.NDArray[Any], more: int, value: object) -> npt.NDArray[Any]:
    return np.concatenate([array, np.full((more, *array.shape[1:]), value, array.dtype)])


class KnownRows:
    """The rows read last, a table for each view and further join keys; entities share numbers."""

    def __init__(self) -> None:
        self._numbers = _Counting()
        self._tables: dict[tuple[str, tuple[str, ...]], RowTable] = {}
        self._changed_s = np.zeros(0)

    def __len__(self) -> int:
        return len(self._numbers)

    def numbers(self, ids: Sequence[str]) -> Numbers:
        """Return the numbers of entities by their first join key; new ones get the next."""
        return np.fromiter(map(self._numbers.__getitem__, ids), dtype=np.intp, count=len(ids))

    def changed(self, ids: Sequence[str] | None, now_s: float) -> None:
        """Note that rows of some entities were written; None is of any."""
        self._make_room()
        if ids is None:
            self._changed_s[:] = now_s
        elif ids:
            found = map(self._numbers.get, ids)
            self._changed_s[[number for number in found if number is not None]] = now_s

    def changed_s(self, numbers: Numbers) -> npt.NDArray[np.float64]:
        """Return when entities' rows were last said to be written, float64 [n]; -inf is never."""
        self._make_room()
        return self._changed_s.take(numbers)

    def _make_room(self) -> None:
        missing = len(self._numbers) - len(self._changed_s)
        if missing > 0:
            self._changed_s = _longer(self._changed_s, max(missing, len(self._changed_s)), -np.inf)

    @property
    def ids(self) -> Sequence[str]:
        """The entities' first join keys, in the order of their numbers."""
        return self._numbers.ids

    def table(self, view: ViewSchema, rest: tuple[str, ...]) -> RowTable:
        """Return the table of a view for entities with these further join keys."""
        table = self._tables.get((view.name, rest))
        if table is None:
            table = self._tables[view.name, rest] = RowTable(view)
        table.make_room(len(self._numbers))
        return table


class _Counting(dict[str, int]):
    """Numbers ids in the order in which they come."""

    def __init__(self) -> None:
        super().__init__()
        self.ids: list[str] = []

    def __missing__(self, entity: str) -> int:
        number = self[entity] = len(self)
        self.ids.append(entity)
        return number
