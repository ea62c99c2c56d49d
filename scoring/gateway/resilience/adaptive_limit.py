"""How many requests are worked on at once: a limit that finds itself from their latency.

Additive increase, multiplicative decrease (Chiu and Jain, 1989; the AIMD limit of Netflix's
concurrency-limits): over each window of ``WINDOW_S`` the 90th percentile of the time in work is
compared with a target; above it the limit is cut, below it and with the limit in use it grows by
one.

Why not a gradient on the lowest latency seen (Netflix's Gradient2, Envoy's adaptive concurrency)?
Our latency has several bottoms (50 or 400 candidates, endpoint or in process), so "the latency
without load" is not one number, and a rung that is slower by itself would be taken for a queue.
What is promised is an absolute time, and AIMD holds to that. It also shares fairly: worker
processes with different limits and one processor between them come together, which a gradient does
not promise.
"""

import math
from dataclasses import dataclass

from scoring.gateway.resilience.clock import Clock, monotonic
from scoring.gateway.resilience.metrics import LIMIT

WINDOW_S = 0.25
LEAST_REQUESTS = 10
PERCENTILE = 0.9
CUT = 0.8


@dataclass(frozen=True)
class LimitSettings:
    """Between what the limit moves, and towards what.

    Attributes:
        target_s: Time in work that 90 % of requests are to keep within, seconds.
        first: Limit to begin with.
        least: The limit is never lower: decisions that wait for a slow dependency, 90 ms at most,
            must not keep the others out.
        most: The limit is never higher. A decision is mostly computation of one thread, so a few
            keep it busy; more of them only make every turn of the event loop longer, and with it
            each refusal.
    """

    target_s: float = 0.06
    first: int = 8
    least: int = 4
    most: int = 8


class AdaptiveLimit:
    """The limit of one event loop."""

    def __init__(
        self,
        settings: LimitSettings = LimitSettings(),
        clock: Clock = monotonic,
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._limit = float(settings.first)
        self._window_began_s = clock()
        self._latencies_s: list[float] = []
        self._most_in_work = 0

    @property
    def limit(self) -> int:
        """How many requests may be in work now."""
        return int(self._limit)

    def finished(self, latency_s: float, in_work: int) -> None:
        """Learn from a request that is answered.

        Args:
            latency_s: Its time in work, without waiting for its turn, seconds.
            in_work: How many were in work with it, itself included.
        """
        self._latencies_s.append(latency_s)
        self._most_in_work = max(self._most_in_work, in_work)
        long_enough = self._clock() - self._window_began_s >= WINDOW_S
        if long_enough and len(self._latencies_s) >= LEAST_REQUESTS:
            self._adapt()
            self._begin_window()

    def _adapt(self) -> None:
        settings = self._settings
        ordered = sorted(self._latencies_s)
        usual_s = ordered[math.ceil(PERCENTILE * len(ordered)) - 1]
        if usual_s > settings.target_s:
            self._limit = max(self._limit * CUT, settings.least)
        elif self._most_in_work >= self.limit:
            self._limit = min(self._limit + 1, settings.most)
        LIMIT.set(self.limit)

    def _begin_window(self) -> None:
        self._window_began_s = self._clock()
        self._latencies_s = []
        self._most_in_work = 0
