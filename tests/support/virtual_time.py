"""Coroutines in virtual time: an hour's wait is over at once, and the clock is an hour on."""

import asyncio
import selectors
from collections.abc import Awaitable, Callable
from typing import TypeVar

Result = TypeVar("Result")


class _VirtualSelector(selectors.SelectSelector):
    """Moves the time on instead of waiting."""

    now_s = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        assert timeout is not None, "everything waits, and for nothing that time would bring"
        self.now_s += timeout
        return super().select(0)


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop that goes by its own time, from 0 s."""

    def __init__(self) -> None:
        self._virtual = _VirtualSelector()
        super().__init__(self._virtual)

    def time(self) -> float:
        """Return its time, seconds."""
        return self._virtual.now_s


def run(
    scenario: Callable[[Callable[[], float]], Awaitable[Result]],
) -> Result:
    """Run a scenario to its end and return what it returns; it is given the clock."""
    loop = VirtualLoop()
    try:
        return loop.run_until_complete(scenario(loop.time))
    finally:
        loop.close()
