"""The candidates of one request, and every stored feature of theirs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Texts = Mapping[str, npt.NDArray[Any]]

_TEXT_KINDS = "SUO"

UnusableRows = dict[str, dict[str, int]]
"""Views to how many rows could not be used, by why: missing, stale (older than the view's
maximum age), expired (older even than its TTL), or mismatched (of another schema)."""


class StackedColumns(dict[str, npt.NDArray[Any]]):
    """Columns by full feature name that lie in one array, so that rows are taken of all at once.

    Args:
        names: Of the columns of ``values``.
        values: float64 [columns, n].
        texts: Columns of text, bytes [n]; one of the same name in ``values`` is not seen.
    """

    def __init__(self, names: Sequence[str], values: Floats, texts: Texts) -> None:
        super().__init__(zip(names, values, strict=True))
        self.update(texts)
        self._names, self._values, self._texts = names, values, texts

    @classmethod
    def of(cls, columns: Mapping[str, npt.NDArray[Any]]) -> Self:
        """Stack single columns, n values each."""
        texts = {n: column for n, column in columns.items() if column.dtype.kind in _TEXT_KINDS}
        numbers = {name: column for name, column in columns.items() if name not in texts}
        return cls(tuple(numbers), np.array(list(numbers.values()), dtype=np.float64), texts)

    def take(self, rows: npt.NDArray[np.intp]) -> Self:
        """Return the columns of only these rows."""
        texts = {name: column.take(rows) for name, column in self._texts.items()}
        return type(self)(self._names, self._values.take(rows, axis=1), texts)


@dataclass(frozen=True)
class CandidateTable:
    """The candidates and what is known of them.

    Attributes:
        provider_ids: n candidates.
        columns: Full feature names to n values.
        unusable: How many rows could not be used; their values are NaN, or get so when the stale
            ones are blanked (``model_matrix``).
    """

    provider_ids: list[str]
    columns: StackedColumns
    unusable: UnusableRows

    def take(self, mask: npt.NDArray[np.bool_]) -> "CandidateTable":
        """Return the table of only the rows of a mask, bool [n]."""
        rows = np.flatnonzero(mask)
        return CandidateTable(
            provider_ids=[self.provider_ids[row] for row in rows.tolist()],
            columns=self.columns.take(rows),
            unusable=self.unusable,
        )
