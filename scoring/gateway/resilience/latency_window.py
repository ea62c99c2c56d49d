"""A percentile of the latest latencies."""

import math
from collections import deque

WINDOW_CALLS = 512
COUNTED_AGAIN_AFTER_CALLS = 32
LEAST_CALLS = 64


class LatencyWindow:
    """Keeps the latencies of the last calls.

    Args:
        percentile: Which one is asked for, 0 to 1.
    """

    def __init__(self, percentile: float) -> None:
        self._percentile = percentile
        self._latencies_s: deque[float] = deque(maxlen=WINDOW_CALLS)
        self._uncounted = 0
        self._counted_s: float | None = None

    def add(self, latency_s: float) -> None:
        """Take one call's latency, seconds."""
        self._latencies_s.append(latency_s)
        self._uncounted += 1
        if len(self._latencies_s) >= LEAST_CALLS and self._uncounted >= COUNTED_AGAIN_AFTER_CALLS:
            ordered = sorted(self._latencies_s)
            self._counted_s = ordered[math.ceil(self._percentile * len(ordered)) - 1]
            self._uncounted = 0

    def percentile_s(self) -> float | None:
        """Return the percentile, seconds; None before ``LEAST_CALLS`` calls."""
        return self._counted_s
