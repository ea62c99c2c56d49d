"""By when a request is to be answered, carried through its stages."""

from dataclasses import dataclass
from typing import Self

from scoring.gateway.resilience.clock import Clock, monotonic


@dataclass(frozen=True)
class Deadline:
    """A moment of a clock.

    Attributes:
        at_s: The moment, seconds of ``clock``.
        clock: What tells the time.
    """

    at_s: float
    clock: Clock = monotonic

    @classmethod
    def after(cls, seconds: float, clock: Clock = monotonic) -> Self:
        """Return the deadline so many seconds from now."""
        return cls(clock() + seconds, clock)

    def remaining_s(self) -> float:
        """Return the seconds left, 0 when it has passed."""
        return max(self.at_s - self.clock(), 0.0)

    def within(self, limit_s: float, keep_s: float = 0.0) -> float:
        """Return how long something may take: ``limit_s``, or less, so that ``keep_s`` is left."""
        return min(limit_s, max(self.remaining_s() - keep_s, 0.0))
