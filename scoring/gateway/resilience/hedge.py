"""A hedged call: when an answer takes longer than most, the question is asked a second time.

The second question is put when the 95th percentile of the latest latencies has passed without an
answer, the first good answer counts and the other question is cancelled (Dean and Barroso, "The
Tail at Scale", 2013). A budget keeps the second questions to ``EXTRA_SHARE`` of the first even
when everything becomes slow at once; while load is shed none is put, because then the second
question would make the first one slower.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from scoring.gateway.resilience.clock import Clock, monotonic
from scoring.gateway.resilience.latency_window import LatencyWindow
from scoring.gateway.resilience.metrics import HEDGES
from scoring.gateway.resilience.retry_budget import RetryBudget

PERCENTILE = 0.95
EXTRA_SHARE = 0.05

Answer = TypeVar("Answer")
Ask = Callable[[], Awaitable[Answer]]


class Hedge:
    """Hedges the calls of one dependency.

    Args:
        clock: What tells the time.
    """

    def __init__(self, clock: Clock = monotonic) -> None:
        self._clock = clock
        self._budget = RetryBudget(EXTRA_SHARE)
        self._latencies = LatencyWindow(PERCENTILE)

    async def call(self, ask: Ask[Answer], *, shedding: bool = False) -> Answer:
        """Return the first good answer; raise what the last question raised if there is none."""
        self._budget.request()
        after_s = None if shedding else self._latencies.percentile_s()
        started_s = self._clock()
        try:
            answer = await (ask() if after_s is None else self._either(ask, after_s))
        except asyncio.CancelledError:
            self._latencies.add(self._clock() - started_s)  # it took at least so long
            raise
        # Where the second question won, the first one took at least so long.
        self._latencies.add(self._clock() - started_s)
        return answer

    async def _either(self, ask: Ask[Answer], after_s: float) -> Answer:
        first = asyncio.ensure_future(ask())
        asked: set[asyncio.Future[Answer]] = {first}
        try:
            done, _ = await asyncio.wait(asked, timeout=after_s)
            if done:
                return first.result()
            if self._budget.take():
                HEDGES.inc()
                asked.add(asyncio.ensure_future(ask()))
            return await _first_good(asked)
        finally:
            for question in asked:
                question.cancel()


async def _first_good(asked: set[asyncio.Future[Answer]]) -> Answer:
    pending = asked
    while True:
        done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
        good = [question for question in done if question.exception() is None]
        if good or not pending:
            return (good or list(done))[0].result()
