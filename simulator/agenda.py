"""What happens when: steps on a heap, played in the order of their times."""

import heapq
from collections.abc import Callable

Step = Callable[[float], None]
"""Called with its own time, epoch seconds."""


class Agenda:
    """Steps to come; equal times are played in the order in which they were put down."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Step]] = []
        self._count = 0

    def at(self, time_s: float, step: Step) -> None:
        """Put down a step for an epoch time in seconds."""
        self._count += 1
        heapq.heappush(self._heap, (time_s, self._count, step))

    def advance(self, until_s: float) -> None:
        """Play every step up to and including an epoch time, with those that they put down."""
        while self._heap and self._heap[0][0] <= until_s:
            time_s, _, step = heapq.heappop(self._heap)
            step(time_s)
