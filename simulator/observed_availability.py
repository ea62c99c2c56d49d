"""``provider_availability`` as the jobs would have it: a row an event of the provider."""

import numpy as np

from simulator.fleet import STATUSES
from simulator.luck import Ints
from simulator.observed_windows import LATE_MS, Rows, newest_before, rows_of
from simulator.reports import Columns
from simulator.ring import NEVER_MS, Ring

_SAID = ("status", "active_jobs", "capacity", "shift_end_ts", "since_ms")
_SAID_DEPTH, _STEPS_DEPTH = 8, 16
_COUNTED = ("offer", "accept", "decline")
_SPANS_MS = {"30m": 1_800_000, "1h": 3_600_000}
_STEPS_KEPT_MS = 3_600_000 + 120_000
"""What a row of a minute or two ago counts must still be there."""
_STATUS_TEXTS = np.array([status.encode() for status in STATUSES], dtype="S16")


class ObservedAvailability:
    """What each provider said of itself, and its offers and answers of the last hour."""

    def __init__(self, providers: int) -> None:
        self._said = Ring(providers, _SAID, _SAID_DEPTH)
        self._steps = Ring(providers, ("kind",), _STEPS_DEPTH)
        self._status: Ints = np.full(providers, -1)
        self._since_ms: Ints = np.zeros(providers, dtype=np.int64)

    def take(self, said: Columns) -> None:
        """Take what some providers say of themselves at one time."""
        who, status = said.who, said.values["status"].astype(np.int64)
        new = self._status[who] != status
        self._status[who] = status
        self._since_ms[who[new]] = said.ts_ms
        fields = [said.values[name] for name in _SAID[:-1]]
        self._said.add(who, said.ts_ms, [*fields, self._since_ms[who]])

    def take_step(self, provider: int, kind: str, ts_ms: int) -> None:
        """Take an offer, or the answer to one; other steps of a request are no matter here."""
        if kind not in _COUNTED:
            return
        while self._steps.would_forget_ms(provider) > ts_ms - _STEPS_KEPT_MS:
            self._steps = self._steps.deepened()
        code = np.array([_COUNTED.index(kind)])
        self._steps.add(np.array([provider]), ts_ms, [code])

    def as_of(self, who: Ints, as_of_ms: Ints) -> Rows:
        """Return each provider's newest row at a time, int64 [n] epoch milliseconds."""
        waited_ms = as_of_ms - LATE_MS + 1
        said_ms, said = self._said.of(who)
        steps_ms, steps = self._steps.of(who)
        newest_said_ms = newest_before(said_ms, waited_ms)
        newest_ms = np.maximum(newest_said_ms, newest_before(steps_ms, waited_ms))
        at = (
            np.arange(len(who)),
            # of equal times the later one: it was said last
            said_ms.shape[1] - 1 - np.argmax((said_ms == newest_said_ms[:, None])[:, ::-1], axis=1),
        )
        there = newest_said_ms > NEVER_MS
        now = {name: np.where(there, column[at], 0.0) for name, column in said.items()}
        columns = {
            "availability_observed_at": newest_ms * 1000.0,
            "status": _STATUS_TEXTS[now["status"].astype(np.int64)],
            "active_jobs": now["active_jobs"],
            "free_capacity": np.maximum(now["capacity"] - now["active_jobs"], 0),
            "status_reported_at": newest_said_ms * 1000.0,
            "status_since": now["since_ms"] * 1000.0,
            "shift_end": now["shift_end_ts"] * 1000.0,
        }
        counted = steps_ms <= newest_ms[:, None]
        for span, length_ms in _SPANS_MS.items():
            recent = counted & (steps_ms > newest_ms[:, None] - length_ms)
            for code, kind in enumerate(_COUNTED):
                found = (recent & (steps["kind"] == code)).sum(axis=1)
                columns[f"{kind}s_{span}"] = found.astype(np.float64)
        return rows_of(columns, newest_ms, newest_ms + LATE_MS, there)
