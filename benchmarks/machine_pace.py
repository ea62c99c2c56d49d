"""How evenly this machine runs: no percentile of latency shows what is below its own stalls.

A virtual machine shares its processors. It may be stopped (a gap between two instructions), or run
slowly without any gap, which no counter of the guest tells. Both are seen by a loop that does the
same again and again, and counts how often it came round in each millisecond.
"""

import time
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

WINDOW_S = 0.001
SLOW = 0.5
"""Under this share of the usual pace, a window counts as slow."""


@dataclass(frozen=True)
class Pace:
    """What a loop saw while nothing else was asked of the machine.

    Attributes:
        slow_share: Of the time, that in which the machine ran at less than half its usual pace.
        longest_slow_ms: The longest stretch of such time.
        slowest_times: How many times slower than usual it was in one window of a hundred.
    """

    slow_share: float
    longest_slow_ms: float
    slowest_times: float

    def __str__(self) -> str:
        """Return it as a sentence."""
        return (
            f"the machine itself ran at less than half its usual pace in {self.slow_share:.1%} of "
            f"the time, for {self.longest_slow_ms:.0f} ms at most, and {self.slowest_times:.1f} "
            "times slower in one millisecond of a hundred"
        )


def measure(seconds: float) -> Pace:
    """Keep one processor busy for so long, and return how evenly it ran."""
    return pace(*_windows(seconds))


def pace(rounds: npt.NDArray[np.int64], took_s: npt.NDArray[np.float64]) -> Pace:
    """Return the pace of windows, [n] each: rounds made in each, and how long each took."""
    rates = rounds / took_s
    usual = float(np.median(rates))
    slow = rates < SLOW * usual
    return Pace(
        slow_share=float(took_s[slow].sum() / took_s.sum()),
        longest_slow_ms=_longest_s(slow, took_s) * 1e3,
        slowest_times=usual / float(np.quantile(rates, 0.01)),
    )


def _longest_s(slow: npt.NDArray[np.bool_], took_s: npt.NDArray[np.float64]) -> float:
    """Return the longest sum of neighbouring slow windows."""
    total_s = np.concatenate([[0.0], np.cumsum(np.where(slow, took_s, 0.0))])
    before_s = np.maximum.accumulate(np.where(slow, 0.0, total_s[1:]))
    return float(np.max(total_s[1:] - before_s, initial=0.0))


def _windows(seconds: float) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    rounds, took_s = list[int](), list[float]()
    now_s = time.perf_counter
    at_s = began_s = now_s()
    until_s, count = at_s + seconds, 0
    while at_s < until_s:
        at_s = now_s()
        count += 1
        if at_s - began_s >= WINDOW_S:
            rounds.append(count)
            took_s.append(at_s - began_s)
            began_s, count = at_s, 0
    return np.array(rounds), np.array(took_s)
