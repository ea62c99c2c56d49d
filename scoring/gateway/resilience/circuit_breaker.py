"""A circuit breaker: a dependency that fails is left alone for a while, not waited for each time.

Closed, every call is made, and the last ``WINDOW_CALLS`` outcomes are kept. When at least
``LEAST_CALLS`` are known and half of them failed, it opens: calls are refused at once. After a
pause one call at a time is let through as a probe (half open): if it succeeds the breaker closes,
if it fails the pause is doubled. Pauses are jittered, so that gateways do not probe in step.

The breakers that are to be had (pybreaker, aiobreaker, aiocircuitbreaker) count failures in a row
only: a dependency that fails nine calls of ten does not open them.
"""

import random
from collections import deque
from collections.abc import Awaitable, Callable
from enum import IntEnum
from typing import TypeVar

from scoring.gateway.resilience.clock import Clock, monotonic
from scoring.gateway.resilience.metrics import BREAKER_OPENED, BREAKER_REFUSED, BREAKER_STATE

WINDOW_CALLS = 20
LEAST_CALLS = 5
FAILED_SHARE = 0.5
FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 8.0
"""What a dependency that is back stays unused at most; the rung below answers meanwhile."""

Answer = TypeVar("Answer")


class BreakerState(IntEnum):
    """Where a breaker stands; the numbers are the metric's."""

    CLOSED = 0
    HALF_OPEN = 1
    OPEN = 2


class CircuitOpenError(Exception):
    """The call was not made: the dependency failed lately."""


class CircuitBreaker:
    """Watches the calls of one dependency.

    Args:
        name: Of the dependency, for messages and metrics.
        failures: The exceptions that tell that the dependency is not well; any other says nothing.
        clock: What tells the time.
        jitter: Returns numbers in [0, 1).
    """

    def __init__(
        self,
        name: str,
        failures: tuple[type[Exception], ...],
        clock: Clock = monotonic,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self.name = name
        self._failures = failures
        self._clock = clock
        self._jitter = jitter
        self._outcomes: deque[bool] = deque(maxlen=WINDOW_CALLS)
        self._open_until_s: float | None = None
        self._pause_s = FIRST_PAUSE_S
        self._probing = False
        self._close()

    @property
    def state(self) -> BreakerState:
        """Where it stands now."""
        if self._open_until_s is None:
            return BreakerState.CLOSED
        waiting = self._clock() < self._open_until_s
        return BreakerState.OPEN if waiting else BreakerState.HALF_OPEN

    async def call(self, ask: Callable[[], Awaitable[Answer]]) -> Answer:
        """Make a call if the breaker lets it through, and learn from its outcome.

        Raises:
            CircuitOpenError: It was not made.
        """
        probe = self._admit()
        outcomes = self._outcomes
        try:
            answer = await ask()
        except self._failures:
            if outcomes is self._outcomes:  # else it began before the breaker last changed
                self._failed()
            raise
        finally:
            if probe:
                self._probing = False
        if outcomes is self._outcomes:
            self._succeeded()
        return answer

    def _admit(self) -> bool:
        """Let a call through and return whether it is the probe."""
        state = self.state
        if state is BreakerState.CLOSED:
            return False
        if state is BreakerState.OPEN or self._probing:
            BREAKER_REFUSED.labels(dependency=self.name).inc()
            raise CircuitOpenError(f"{self.name} failed lately and is left alone")
        self._probing = True
        return True

    def _succeeded(self) -> None:
        if self._open_until_s is None:
            self._outcomes.append(True)
        else:
            self._close()

    def _failed(self) -> None:
        self._outcomes.append(False)
        failed = self._outcomes.count(False)
        enough = len(self._outcomes) >= LEAST_CALLS
        if self._open_until_s is not None or (
            enough and failed >= FAILED_SHARE * len(self._outcomes)
        ):
            self._open()

    def _open(self) -> None:
        self._outcomes = deque(maxlen=WINDOW_CALLS)
        self._open_until_s = self._clock() + self._pause_s * (0.5 + self._jitter() / 2)
        self._pause_s = min(2 * self._pause_s, LONGEST_PAUSE_S)
        BREAKER_OPENED.labels(dependency=self.name).inc()
        BREAKER_STATE.labels(dependency=self.name).set(BreakerState.OPEN)

    def _close(self) -> None:
        self._outcomes = deque(maxlen=WINDOW_CALLS)
        self._open_until_s = None
        self._pause_s = FIRST_PAUSE_S
        BREAKER_STATE.labels(dependency=self.name).set(BreakerState.CLOSED)
