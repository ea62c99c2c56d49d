"""How long each stage took."""

import time
from collections.abc import Callable
from types import TracebackType


class StageClock:
    """Measures the stages of one request.

    Args:
        now_s: What tells the time, seconds.

    Attributes:
        stage_ms: Milliseconds by stage; a stage that was entered twice adds up.
        started_s: When the clock was made.
        passed: Each time that a stage was passed: its name, and from when to when, seconds.
    """

    def __init__(self, now_s: Callable[[], float] = time.perf_counter) -> None:
        self.now_s = now_s
        self.stage_ms: dict[str, float] = {}
        self.passed: list[tuple[str, float, float]] = []
        self.started_s = now_s()

    def stage(self, name: str) -> "_Stage":
        """Measure a ``with`` block as the stage ``name``."""
        return _Stage(self, name)

    def total_ms(self) -> float:
        """Return the milliseconds since the clock was made."""
        return (self.now_s() - self.started_s) * 1000


class _Stage:
    """One passing of a stage; a generator would cost as much as some of the stages."""

    __slots__ = ("_clock", "_from_s", "_name")

    def __init__(self, clock: StageClock, name: str) -> None:
        self._clock = clock
        self._name = name

    def __enter__(self) -> None:
        self._from_s = self._clock.now_s()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        clock, to_s = self._clock, self._clock.now_s()
        elapsed_ms = (to_s - self._from_s) * 1000
        clock.stage_ms[self._name] = clock.stage_ms.get(self._name, 0.0) + elapsed_ms
        clock.passed.append((self._name, self._from_s, to_s))
