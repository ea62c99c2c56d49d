"""A steady stream of events of every kind, that knows what it has put."""

import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager

from tests.flink_jobs.emulator import Emulator
from tests.flink_jobs.events import Event, gps, state, step, traffic, weather

PROVIDERS = 8
"""Enough that every shard has some."""
MOVERS = tuple(f"mover-{i}" for i in range(PROVIDERS))
"""Those who send fixes and statuses."""
CELL = "872751154ffffff"
"""Of its own, so that what other tests put elsewhere keeps its values."""
TICK_S = 0.5
FIRST = "before"


class Feed(threading.Thread):
    """Puts a tick of events every half second.

    A tick has a fix and a status of each of eight providers, weather, traffic, and an offer to
    each of eight others, who change when a test says so and get nothing else.
    """

    def __init__(self, emulator: Emulator) -> None:
        super().__init__(name="feed")
        self._emulator = emulator
        self._ended = threading.Event()
        self._round = FIRST
        self._lock = threading.Lock()
        self._fixes: list[Event] = []
        self._offers: dict[str, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))

    def run(self) -> None:
        """Put events until it is ended."""
        while not self._ended.wait(TICK_S):
            self._tick()

    def end(self) -> None:
        """Put nothing more."""
        self._ended.set()
        self.join()

    def begin(self, name: str) -> None:
        """From now on make the offers to the eight providers of this name; the others are done."""
        with self._lock:
            self._round = name

    def offers(self, name: str) -> dict[str, list[int]]:
        """Return the times of all offers that were put for each provider of a round."""
        with self._lock:
            return {provider: list(times) for provider, times in self._offers[name].items()}

    def fixes(self) -> list[Event]:
        """Return all fixes that were put."""
        with self._lock:
            return list(self._fixes)

    def _tick(self) -> None:
        now = time.time_ns() // 1_000_000
        fixes = [gps(name, now) for name in MOVERS]
        self._emulator.put("provider-gps", fixes)
        self._emulator.put("provider-availability", [state(name, now) for name in MOVERS])
        self._emulator.put("weather", [weather(now, CELL)])
        self._emulator.put("traffic", [traffic(now, CELL)])
        with self._lock:
            self._fixes += fixes
            self._offer(now)

    def _offer(self, now: int) -> None:
        offered = [f"{self._round}-{i}" for i in range(PROVIDERS)]
        self._emulator.put(
            "dispatch-events",
            [step(f"{name}-{now}", now, "offer", CELL, provider_id=name) for name in offered],
        )
        for name in offered:
            self._offers[self._round][name].append(now)


@contextmanager
def feeding(emulator: Emulator) -> Iterator[Feed]:
    """Give a feed that runs."""
    feed = Feed(emulator)
    feed.start()
    try:
        yield feed
    finally:
        feed.end()
