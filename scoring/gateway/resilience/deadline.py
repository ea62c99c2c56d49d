"""By when a request is to be answered, carried through its stages."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Self

from scoring.gateway.resilience.clock import Clock, monotonic

LATE_S = 0.01
"""A timer that rings so late tells of an event loop that was busy: the answer may have come."""


class DeadlineExceededError(Exception):
    """The request's own time is over; of what it waited for, that says nothing."""


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

    @asynccontextmanager
    async def limit(self, limit_s: float, keep_s: float = 0.0) -> AsyncIterator[None]:
        """End the block after ``limit_s``, or sooner, so that ``keep_s`` is left.

        Raises:
            TimeoutError: It took ``limit_s``.
            DeadlineExceededError: There was less time than that, or this process itself was late.
        """
        allowed_s = self.within(limit_s, keep_s)
        ends_s = self.clock() + allowed_s
        try:
            async with asyncio.timeout(allowed_s):
                yield
        except TimeoutError as error:
            if allowed_s < limit_s or self.clock() - ends_s > LATE_S:
                raise DeadlineExceededError(f"no answer in the {allowed_s:.3f} s left") from error
            raise
