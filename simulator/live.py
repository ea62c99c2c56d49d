"""The world in real time on Kinesis."""

import logging
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import Protocol

from simulator.case import Event
from simulator.kinesis import Publisher

_TICK_S = 1.0
_REPORT_EVERY_S = 5.0

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Pace:
    """How fast to play: the world's seconds for each second of the wall clock."""

    speed: float = 1.0


class Played(Protocol):
    """A world, or several."""

    @property
    def now_s(self) -> float:
        """The time to which it has moved on, epoch seconds."""
        ...

    def everything(self) -> list[Event]:
        """Return a report of everything as it is now."""
        ...

    def tick(self, until_s: float) -> list[Event]:
        """Move on and return what happened."""
        ...


def play(world: Played, publisher: Publisher, pace: Pace, stop: threading.Event) -> int:
    """Play until ``stop`` is set; return how many events were put on the streams.

    The first round is a report of everything, so that whatever reads the streams knows the whole
    state at once. A round that takes too long is followed by a longer one: no event is left out
    and none is stamped ahead of its time.

    Raises:
        simulator.kinesis.StreamError: A stream does not take records.
    """
    began, began_s = time.monotonic(), world.now_s
    total = reported = 0
    last_report = began
    events = world.everything()
    while True:
        publisher.publish(events)
        total += len(events)
        now = time.monotonic()
        if now - last_report >= _REPORT_EVERY_S:
            rate = (total - reported) / (now - last_report)
            _log.info("%d events, %.0f events/s", total, rate)
            last_report, reported = now, total
        if stop.wait(max(0.0, _TICK_S - (now - began) % _TICK_S)):
            return total
        until_s = began_s + (time.monotonic() - began) * pace.speed
        events = world.tick(max(until_s, world.now_s))


@contextmanager
def stopped_by_signals() -> Iterator[threading.Event]:
    """Give an event that SIGINT or SIGTERM sets; put the old handlers back afterwards."""
    stop = threading.Event()

    def handle(_signal: int, _frame: FrameType | None) -> None:
        stop.set()

    numbers = (signal.SIGINT, signal.SIGTERM)
    old: list[Callable[..., object] | int | None] = [signal.signal(n, handle) for n in numbers]
    try:
        yield stop
    finally:
        for number, handler in zip(numbers, old, strict=True):
            signal.signal(number, handler)
