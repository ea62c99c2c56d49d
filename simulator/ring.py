"""The newest reports of each of many sources, in columns that are written round and round."""

import numpy as np
import numpy.typing as npt

from simulator.luck import Ints

Values = npt.NDArray[np.float64]
NEVER_MS = -(1 << 60)
"""The time of an entry that was not written yet."""


class Ring:
    """The last ``depth`` reports of each source. A report is a time and some numbers."""

    def __init__(self, sources: int, fields: tuple[str, ...], depth: int) -> None:
        self._fields = fields
        self._depth = depth
        self._next: Ints = np.zeros(sources, dtype=np.int64)
        self._ts_ms: Ints = np.full((sources, depth), NEVER_MS, dtype=np.int64)
        self._values: Values = np.full((len(fields), sources, depth), np.nan)

    def add(self, who: Ints, ts_ms: int, values: list[npt.NDArray[np.generic]]) -> None:
        """Add a report of each of some sources, none twice, and none older than its last one.

        Args:
            who: Sources, int64 [n].
            ts_ms: When, epoch milliseconds.
            values: A column a field, [n].
        """
        at = self._next[who]
        self._ts_ms[who, at] = ts_ms
        for column, value in zip(self._values, values, strict=True):
            column[who, at] = value
        self._next[who] = (at + 1) % self._depth

    def of(self, who: Ints) -> tuple[Ints, dict[str, Values]]:
        """Return times (epoch ms) and fields of some sources, oldest first, each [n, depth]."""
        order = (self._next[who][:, None] + np.arange(self._depth)) % self._depth
        rows = who[:, None]
        return self._ts_ms[rows, order], {
            name: column[rows, order]
            for name, column in zip(self._fields, self._values, strict=True)
        }

    def newest(self, source: int, field: str) -> float:
        """Return a field of a source's last report; NaN without one."""
        column = self._values[self._fields.index(field)]
        return float(column[source, self._next[source] - 1])

    def would_forget_ms(self, source: int) -> int:
        """Return the time of the report that the next one of a source will replace."""
        return int(self._ts_ms[source, self._next[source]])

    def deepened(self) -> "Ring":
        """Return a ring of twice the depth with the same reports."""
        deeper = Ring(len(self._next), self._fields, 2 * self._depth)
        ts_ms, values = self.of(np.arange(len(self._next)))
        deeper._ts_ms[:, self._depth :] = ts_ms
        deeper._values[:, :, self._depth :] = np.stack([values[name] for name in self._fields])
        return deeper
