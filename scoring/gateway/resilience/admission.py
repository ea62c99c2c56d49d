"""The door: who is worked on now, who waits, who is refused at once.

At most ``AdaptiveLimit.limit`` requests are in work. Some more wait for their turn, first come
first served: as many as will have it soon enough, by how fast places have become free lately.
Everybody else is refused without waiting, as an answer that comes too late costs as much as one in
time. Who waits longer than is useful after all is refused then.

How soon is soon enough? Where nobody waited within the last ``BURST_S``, what comes now is a burst
or a stall: it passes, and is waited out (``BURST_PATIENCE``). Where somebody has waited all that
time, there is more to do than can be done, and every wait would only grow (``OVERLOAD_PATIENCE``);
so it stays until nobody was refused for ``CALM_S``, as a short queue is empty now and then. The
distinction is that of CoDel (Nichols and Jacobson, 2012) as servers use it (Maurer, "Fail at
Scale", 2015).
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NamedTuple

from scoring.gateway.errors import OverloadedError
from scoring.gateway.resilience.adaptive_limit import AdaptiveLimit
from scoring.gateway.resilience.clock import Clock, monotonic
from scoring.gateway.resilience.deadline import Deadline
from scoring.gateway.resilience.metrics import IN_WORK, REFUSED

QUEUE_REQUESTS = 64
BURST_S = 0.25
CALM_S = 1.0
SHEDDING_WAIT_S = 0.025
SHEDDING_S = 1.0
"""For so long after a request had to wait ``SHEDDING_WAIT_S`` or was refused, work is made
smaller; a shorter wait is one burst, and no reason."""
_SMOOTHING = 0.1
"""Weight of the newest time between two places that became free."""


class Patience(NamedTuple):
    """How long requests wait for their turn.

    Attributes:
        expected_s: Who has to expect a longer wait is refused at once, seconds.
        longest_s: Who waits for so long after all is refused then, seconds.
    """

    expected_s: float
    longest_s: float


BURST_PATIENCE = Patience(0.15, 0.1)
"""What a decision needs at least, on the lower rungs where it must, is left of 150 ms. More may be
expected than is waited for: in a stall places become free slowly, and soon after it quickly."""
OVERLOAD_PATIENCE = Patience(0.025, 0.05)
"""Somebody always waits then, so a longer queue would not do more; it would only take longer."""


class Admission:
    """The door of one event loop.

    Args:
        limit: How many are let in.
        queue: How many may wait.
        clock: What tells the time.
    """

    def __init__(
        self, limit: AdaptiveLimit, queue: int = QUEUE_REQUESTS, clock: Clock = monotonic
    ) -> None:
        self._limit = limit
        self._queue = queue
        self._clock = clock
        self._in_work = 0
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._nobody_waited_at_s = clock()
        self._refused_at_s = float("-inf")
        self._shedding_until_s = float("-inf")
        self._freed_at_s = clock()
        self._free_every_s = 0.0

    @property
    def shedding(self) -> bool:
        """Whether there was more to do lately than could be begun soon."""
        return self._clock() < self._shedding_until_s

    def check(self, deadline: Deadline) -> None:
        """Refuse who would be refused by ``place`` at once: before anything is begun for them.

        Raises:
            OverloadedError: There is no place, and will be none in time.
        """
        if not self._is_free():
            self._longest_wait_s(deadline)

    @asynccontextmanager
    async def place(self, deadline: Deadline) -> AsyncIterator[None]:
        """Hold a place among those in work.

        Raises:
            OverloadedError: There is none, and will be none in time.
        """
        await self._enter(deadline)
        started_s = self._clock()
        try:
            yield
        finally:
            self._limit.finished(self._clock() - started_s, self._in_work)
            self._leave()

    async def _enter(self, deadline: Deadline) -> None:
        if self._is_free():
            self._take()
        else:
            await self._wait(self._longest_wait_s(deadline))

    def _is_free(self) -> bool:
        return self._in_work < self._limit.limit and not self._waiting

    def _longest_wait_s(self, deadline: Deadline) -> float:
        """Return how long a request may wait; refuse it where that will not be enough."""
        patience = self._patience()
        expected_s = (len(self._waiting) + 1) * self._free_every_s
        if expected_s > SHEDDING_WAIT_S:
            self._shedding_until_s = self._clock() + SHEDDING_S
        too_long = expected_s > deadline.within(patience.expected_s)
        if too_long or len(self._waiting) >= self._queue:
            raise self._refusal("queue_full", "as many requests wait as may wait")
        return deadline.within(patience.longest_s)

    def _patience(self) -> Patience:
        now_s = self._clock()
        is_burst = not self._waiting or now_s - self._nobody_waited_at_s < BURST_S
        is_calm = now_s - self._refused_at_s >= CALM_S
        return BURST_PATIENCE if is_burst and is_calm else OVERLOAD_PATIENCE

    def _refusal(self, label: str, why: str) -> OverloadedError:
        self._refused_at_s = self._clock()
        REFUSED.labels(why=label).inc()
        return OverloadedError(
            f"there is more to do than can be done in time: {why}",
            field="load",
            value="too many requests",
            remedy="ask again after the seconds in Retry-After; operations add processes",
        )

    async def _wait(self, longest_s: float) -> None:
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if not self._waiting:
            self._nobody_waited_at_s = self._clock()
        self._waiting.append(turn)
        try:
            async with asyncio.timeout(longest_s):
                await turn
        except TimeoutError:
            self._give_up(turn)
            raise self._refusal("waited_too_long", "its turn did not come in time") from None
        except BaseException:
            self._give_up(turn)
            raise

    def _give_up(self, turn: "asyncio.Future[None]") -> None:
        """Leave the queue, or hand on the place that came in the same moment."""
        if turn in self._waiting:
            self._waiting.remove(turn)
        elif turn.done() and not turn.cancelled():
            self._leave()

    def _take(self) -> None:
        self._in_work += 1
        IN_WORK.set(self._in_work)

    def _leave(self) -> None:
        self._in_work -= 1
        now_s = self._clock()
        if self._waiting:  # else, and until somebody waited, places are free for want of requests
            since_s = max(self._freed_at_s, self._nobody_waited_at_s)
            self._free_every_s += _SMOOTHING * (now_s - since_s - self._free_every_s)
        self._freed_at_s = now_s
        IN_WORK.set(self._in_work)
        while self._waiting and self._in_work < self._limit.limit:
            turn = self._waiting.popleft()
            if not turn.done():
                self._take()
                turn.set_result(None)
