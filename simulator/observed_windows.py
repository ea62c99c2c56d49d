"""What rows of the stream views are made of, for all of them: windows, times and types."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from simulator.luck import Floats, Ints
from simulator.ring import NEVER_MS

LATE_MS = 2000
"""How long the jobs wait for late events: a row is made so long after its window or its event."""


@dataclass(frozen=True)
class Rows:
    """Rows of one view, one for each question; NaN (text: empty) where nothing is known.

    Attributes:
        columns: Each feature, float64 [n] (moments: epoch microseconds) or S16 [n].
        event_us: The newest event inside each row, float64 [n]; NaN where there is no row.
        created_us: When the job made each row, float64 [n].
    """

    columns: dict[str, npt.NDArray[Any]]
    event_us: Floats
    created_us: Floats


def last_windows(
    newest_ms: Ints, as_of_ms: Ints, size_ms: int, slide_ms: int
) -> tuple[Ints, npt.NDArray[np.bool_]]:
    """Return the ends of the newest windows that were made by then, and whether there is one.

    Args:
        newest_ms: The newest event before ``last_end``, int64 [n].
        as_of_ms: When is asked, int64 [n].
        size_ms: Length of a window, which has its start and not its end.
        slide_ms: From one window to the next.
    """
    latest = newest_ms + size_ms
    end = np.minimum(last_end(as_of_ms, slide_ms), latest - latest % slide_ms)
    return end, newest_ms > NEVER_MS


def last_end(as_of_ms: Ints, slide_ms: int) -> Ints:
    """Return the end of the last window whose rows were made by then, int64 [n]."""
    waited: Ints = as_of_ms - LATE_MS
    return waited - waited % slide_ms


def reports_kept(size_ms: int, slide_ms: int, interval_s: float, tick_s: float) -> int:
    """Return of how many reports of one source a window that is asked for may be made.

    Args:
        size_ms: Length of a window.
        slide_ms: From one window to the next.
        interval_s: Between two reports of a source.
        tick_s: What is asked may be as old.
    """
    kept_s = (size_ms + LATE_MS + slide_ms) / 1000 + tick_s
    # ticks gather what is due: two reports of one source can be a tick closer than usual
    return int(kept_s // max(interval_s, tick_s)) + 3


def newest_before(ts_ms: Ints, end_ms: Ints) -> Ints:
    """Return the newest of each row's times [n, k] that is before an end [n], else NEVER_MS."""
    newest: Ints = np.where(ts_ms < end_ms[:, None], ts_ms, NEVER_MS).max(axis=1)
    return newest


def within(ts_ms: Ints, end_ms: Ints, size_ms: int) -> npt.NDArray[np.bool_]:
    """Return which of each row's times [n, k] are in the window that ends at [n]."""
    inside: npt.NDArray[np.bool_] = (ts_ms < end_ms[:, None]) & (ts_ms >= end_ms[:, None] - size_ms)
    return inside


def mean(values: Floats, where: npt.NDArray[np.bool_]) -> Floats:
    """Return each row's mean of the values that count, NaN without any, float64 [n]."""
    count = where.sum(axis=1)
    total = np.where(where, values, 0.0).sum(axis=1)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def highest(values: Floats, where: npt.NDArray[np.bool_]) -> Floats:
    """Return each row's highest value that counts, NaN without any, float64 [n]."""
    found = np.where(where, values, -np.inf).max(axis=1)
    return np.where(where.any(axis=1), found, np.nan)


def float32(values: Floats) -> Floats:
    """Return the values as a float32 column gives them back."""
    return values.astype(np.float32).astype(np.float64)


def rows_of(
    columns: dict[str, npt.NDArray[Any]],
    event_ms: Ints,
    made_ms: Ints,
    there: npt.NDArray[np.bool_],
) -> Rows:
    """Return rows with nothing where there is none."""
    blanked = {
        name: np.where(there, column, b"" if column.dtype.kind == "S" else np.nan)
        for name, column in columns.items()
    }
    return Rows(
        blanked,
        np.where(there, event_ms * 1000.0, np.nan),
        np.where(there, made_ms * 1000.0, np.nan),
    )
