"""By when a request is to be answered, carried through its stages."""

import asyncio
from dataclasses import dataclass
from types import TracebackType
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

    def limit(self, limit_s: float, keep_s: float = 0.0) -> "_Limit":
        """End an ``async with`` block after ``limit_s``, or sooner, so that ``keep_s`` is left.

        Raises:
            TimeoutError: It took ``limit_s``.
            DeadlineExceededError: There was less time than that, or this process itself was late.
        """
        return _Limit(self, limit_s, self.within(limit_s, keep_s))


class _Limit:
    """The block that ``Deadline.limit`` ends; a generator would cost as much as the timer."""

    def __init__(self, deadline: Deadline, limit_s: float, allowed_s: float) -> None:
        self._clock = deadline.clock
        self._limit_s = limit_s
        self._allowed_s = allowed_s

    async def __aenter__(self) -> None:
        self._ends_s = self._clock() + self._allowed_s
        self._timeout = asyncio.timeout(self._allowed_s)
        await self._timeout.__aenter__()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            await self._timeout.__aexit__(kind, error, trace)
        except TimeoutError as over:
            self._tell(over)
            raise
        if isinstance(error, TimeoutError):
            self._tell(error)

    def _tell(self, over: TimeoutError) -> None:
        if self._allowed_s < self._limit_s or self._clock() - self._ends_s > LATE_S:
            raise DeadlineExceededError(f"no answer in the {self._allowed_s:.3f} s left") from over
