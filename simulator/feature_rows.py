"""The stream views' rows that some decision could read, in the offline store's files.

For histories too long to be played through Flink. A row is written once, however often it is read,
and rows that nobody could read are not written: a history of every row would be ten times as long.
"""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from simulator.daily_files import DailyFiles, moments
from simulator.journal import Decision, Record
from simulator.luck import Ints
from simulator.observed import OBSERVED_VIEWS, Observed
from simulator.observed_windows import Rows

_ROWS_A_PIECE = 100_000
_ARROW_TYPES = {
    "Float32": pa.float32(),
    "Float64": pa.float64(),
    "Int32": pa.int32(),
    "UnixTimestamp": pa.timestamp("us", tz="UTC"),
}
_LATEST_ROW_S = 86_400.0


@dataclass(frozen=True)
class _Noting:
    """Tells a record of decisions, and notes what each of them reads."""

    record: Record
    noted: list[Decision]

    def opened(self, decision: Decision) -> None:
        self.noted.append(decision)
        self.record.opened(decision)

    def closed(self, decision: Decision) -> None:
        self.record.closed(decision)


class _Numbers(dict[str, int]):
    """Numbers join keys in the order in which they come."""

    def __missing__(self, key: str) -> int:
        number = self[key] = len(self)
        return number


class _ViewFile:
    """Rows of one view, until there are enough of them for a piece."""

    def __init__(self, files: DailyFiles, view: str) -> None:
        self.written = 0
        self._files = files
        self._view = OBSERVED_VIEWS[view]
        self._pending: list[tuple[npt.NDArray[np.str_], Rows]] = []
        self._pending_rows = 0
        self._numbers = _Numbers()
        self._last_made_us = np.empty(0)

    def add(self, keys: Sequence[str], rows: Rows) -> None:
        """Add rows, but none that was added before or is not there at all.

        Args:
            keys: Whose each row is, n join keys.
            rows: n rows; of one entity, rows are read in the order in which they were made.
        """
        new = self._new(keys, rows.created_us)
        if not len(new):
            return
        columns = {name: column[new] for name, column in rows.columns.items()}
        kept = Rows(columns, rows.event_us[new], rows.created_us[new])
        self._pending.append((np.array(keys)[new], kept))
        self._pending_rows += len(new)
        self.written += len(new)
        if self._pending_rows >= _ROWS_A_PIECE:
            self.flush()

    def _new(self, keys: Sequence[str], made_us: npt.NDArray[np.float64]) -> Ints:
        """Return which rows were made after the last one added of their entity, each once."""
        entity = np.fromiter(map(self._numbers.__getitem__, keys), np.int64, len(keys))
        unseen = len(self._numbers) - len(self._last_made_us)
        self._last_made_us = np.append(self._last_made_us, np.full(unseen, -np.inf))
        later = np.flatnonzero(made_us > self._last_made_us[entity])
        order = later[np.lexsort((made_us[later], entity[later]))]
        same = (entity[order[1:]] == entity[order[:-1]]) & (
            made_us[order[1:]] == made_us[order[:-1]]
        )
        new = np.sort(order[np.append(True, ~same)]) if len(order) else order
        np.maximum.at(self._last_made_us, entity[new], made_us[new])
        return new

    def flush(self) -> None:
        """Write what is pending."""
        if not self._pending:
            return
        keys = np.concatenate([keys for keys, _ in self._pending])
        columns = {
            name: _column(np.concatenate([rows.columns[name] for _, rows in self._pending]), kind)
            for name, kind in self._view.kinds.items()
        }
        event_us = _micros(np.concatenate([rows.event_us for _, rows in self._pending]))
        created_us = _micros(np.concatenate([rows.created_us for _, rows in self._pending]))
        self._pending, self._pending_rows = [], 0
        table = pa.table(
            {
                self._view.join_key: pa.array(keys).dictionary_encode(),
                **columns,
                "event_timestamp": moments(event_us),
                "created_timestamp": moments(created_us),
            }
        )
        self._files.write(table, event_us)
        self._files.finish_before(int(event_us.max() - 1e6 * _LATEST_ROW_S))


class FeatureRows:
    """Writes the rows of all stream views for one metro."""

    def __init__(self, offline: Path, metro: str) -> None:
        self._noted: list[Decision] = []
        self._stack = ExitStack()
        self._views = {
            view: _ViewFile(self._stack.enter_context(DailyFiles(offline / view, metro)), view)
            for view in OBSERVED_VIEWS
        }

    @property
    def written(self) -> int:
        """How many rows there are by now."""
        return sum(view.written for view in self._views.values())

    def noting(self, record: Record) -> Record:
        """Return a record that also notes what the decisions read."""
        return _Noting(record, self._noted)

    def write_noted(self, observed: Observed | None) -> None:
        """Write the rows that the decisions since the last call read: once a tick."""
        if observed is None or not self._noted:
            return
        decisions = self._noted[:]
        self._noted.clear()
        ids = decisions[0].choice.providers.ids
        times = np.array([round(decision.choice.now_s * 1000) for decision in decisions])
        cells = [decision.request.cell for decision in decisions]
        providers, provider_times = _distinct(decisions, times)
        for view, file in self._views.items():
            if OBSERVED_VIEWS[view].join_key == "cell":
                file.add(cells, observed.cell_rows(view, cells, times))
            else:
                rows = observed.provider_rows(view, providers, provider_times)
                file.add([ids[index] for index in providers.tolist()], rows)

    def __enter__(self) -> "FeatureRows":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            for file in self._views.values():
                file.flush()
        self._stack.close()


def _distinct(decisions: list[Decision], times_ms: Ints) -> tuple[Ints, Ints]:
    """Return the candidates and when they were read, by time."""
    sizes = [len(decision.offer_rank) for decision in decisions]
    candidates = np.concatenate([decision.choice.candidates for decision in decisions])
    return candidates, np.repeat(times_ms, sizes)


def _column(values: npt.NDArray[Any], kind: str) -> pa.Array:
    if kind == "String":
        unknown = values == b""
        return pa.array(values.astype("U16"), mask=unknown).dictionary_encode()
    unknown = np.isnan(values)
    known = np.where(unknown, 0.0, values)
    if kind in {"Int32", "UnixTimestamp"}:
        return pa.array(known.astype(np.int64), mask=unknown).cast(_ARROW_TYPES[kind])
    return pa.array(known, mask=unknown).cast(_ARROW_TYPES[kind])


def _micros(values: npt.NDArray[np.float64]) -> Ints:
    return values.astype(np.int64)
