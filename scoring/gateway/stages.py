"""How long each stage took."""

import time
from collections.abc import Iterator
from contextlib import contextmanager


class StageClock:
    """Measures the stages of one request, milliseconds by name."""

    def __init__(self) -> None:
        self._started = time.perf_counter()
        self.stage_ms: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Measure the block as the stage ``name``; a stage that is entered twice adds up."""
        started = time.perf_counter()
        try:
            yield
        finally:
            elapsed_ms = (time.perf_counter() - started) * 1000
            self.stage_ms[name] = self.stage_ms.get(name, 0.0) + elapsed_ms

    def total_ms(self) -> float:
        """Return the milliseconds since the clock was made."""
        return (time.perf_counter() - self._started) * 1000
