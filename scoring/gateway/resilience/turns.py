"""Lets one request compute at each turn of the event loop, the one with the least time left first.

A step of a decision is a millisecond or two of computation. Where one packet of Redis's, or one
look at the sockets, wakes eight decisions, the loop would run their steps one after another before
it looks at a socket again, and whoever is to be refused would wait for all of them.
"""

import asyncio
import heapq

from scoring.gateway.resilience.deadline import Deadline


class Turns:
    """The turns of one event loop."""

    def __init__(self) -> None:
        self._waiting: list[tuple[float, int, asyncio.Future[None]]] = []
        self._came = 0
        self._taken = False

    async def take(self, by: Deadline) -> None:
        """Return when nobody else computes at this turn of the loop.

        Args:
            by: Of the request; who has the least time left is next.
        """
        loop = asyncio.get_running_loop()
        if not self._taken:
            self._taken = True
            loop.call_soon(self._next)
            return
        turn: asyncio.Future[None] = loop.create_future()
        self._came += 1
        heapq.heappush(self._waiting, (by.at_s, self._came, turn))
        await turn

    def _next(self) -> None:
        """Give the loop's next turn to somebody; it looks at the sockets before that."""
        while self._waiting:
            _, _, turn = heapq.heappop(self._waiting)
            if not turn.done():  # else who waited for it was cancelled
                turn.set_result(None)
                asyncio.get_running_loop().call_soon(self._next)
                return
        self._taken = False
