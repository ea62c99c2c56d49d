"""How long each stage took."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class StageClock:
    """Measures the stages of one request, milliseconds by name."""

    def __init__(self, now_s: Callable[[], float] = time.perf_counter) -> None:
        self._now_s = now_s
        self._started = now_s()
        self.stage_ms: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Measure the block as the stage ``name``; a stage that is entered twice adds up."""
        started = self._now_s()
        try:
            yield
        finally:
            elapsed_ms = (self._now_s() - started) * 1000
            self.stage_ms[name] = self.stage_ms.get(name, 0.0) + elapsed_ms

    def total_ms(self) -> float:
        """Return the milliseconds since the clock was made."""
        return (self._now_s() - self._started) * 1000
