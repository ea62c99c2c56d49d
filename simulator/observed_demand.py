"""``cell_demand`` as the jobs would have it: requests of 15 and 60 minutes, and those open."""

from collections import defaultdict
from dataclasses import dataclass

import numpy as np

from simulator.luck import Ints
from simulator.observed_windows import LATE_MS, Rows, last_end, last_windows, rows_of
from simulator.ring import NEVER_MS

_WINDOW_MS = 3_600_000
_RECENT_MS = 900_000
_KEPT_MS = _WINDOW_MS + 600_000
"""How long a request that has ended is remembered."""


@dataclass
class _Asked:
    """One request of a cell; epoch milliseconds."""

    requested_ms: int
    ended_ms: int | None = None


class ObservedDemand:
    """The requests of each cell. Cells are added as they come: some lie beyond the metro's."""

    def __init__(self, slide_s: float) -> None:
        self._slide_ms = round(1000 * slide_s)
        self._of_cell: dict[str, dict[str, _Asked]] = defaultdict(dict)

    def take(self, cell: str, event_id: str, kind: str, ts_ms: int) -> None:
        """Take a step of a request; only its beginning and its end are a matter here."""
        if kind == "request":
            asked = self._of_cell[cell]
            asked[event_id] = _Asked(ts_ms)
            self._forget(asked, ts_ms - _KEPT_MS)
        elif kind in {"complete", "cancel"}:
            self._of_cell[cell][event_id].ended_ms = ts_ms

    def as_of(self, cells: list[str], as_of_ms: Ints) -> Rows:
        """Return each cell's newest row at a time, int64 [n] epoch milliseconds."""
        before = last_end(as_of_ms, self._slide_ms).tolist()
        newest = [self._newest_ms(cell, end) for cell, end in zip(cells, before, strict=True)]
        newest_ms = np.array(newest, dtype=np.int64)
        end_ms, there = last_windows(newest_ms, as_of_ms, _WINDOW_MS, self._slide_ms)
        counts = np.array(
            [self._counts(cell, end) for cell, end in zip(cells, end_ms.tolist(), strict=True)],
            dtype=np.float64,
        ).reshape(-1, 3)
        columns = {
            "demand_observed_at": newest_ms * 1000.0,
            "requests_15m": counts[:, 0],
            "requests_60m": counts[:, 1],
            "open_requests": counts[:, 2],
        }
        return rows_of(columns, newest_ms, end_ms + LATE_MS, there)

    def _newest_ms(self, cell: str, before_ms: int) -> int:
        times = [
            ts_ms
            for asked in self._of_cell.get(cell, {}).values()
            for ts_ms in (asked.requested_ms, asked.ended_ms)
            if ts_ms is not None and ts_ms < before_ms
        ]
        return max(times, default=NEVER_MS)

    def _counts(self, cell: str, end_ms: int) -> tuple[int, int, int]:
        """Return requests of 15 and of 60 minutes, and those of 60 that are open."""
        asked = [
            one
            for one in self._of_cell.get(cell, {}).values()
            if end_ms - _WINDOW_MS <= one.requested_ms < end_ms
        ]
        recent = sum(one.requested_ms >= end_ms - _RECENT_MS for one in asked)
        is_open = sum(one.ended_ms is None or one.ended_ms >= end_ms for one in asked)
        return recent, len(asked), is_open

    def _forget(self, asked: dict[str, _Asked], before_ms: int) -> None:
        # requests are kept in the order in which they came
        for event_id, one in list(asked.items()):
            if one.requested_ms >= before_ms:
                return
            if one.ended_ms is not None and one.ended_ms < before_ms:
                del asked[event_id]
