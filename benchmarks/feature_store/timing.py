"""What one call costs: by the wall, by our processor time, and by Redis's."""

import gc
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np

from benchmarks.feature_store.servers import Server

MS_PER_S = 1e3


@dataclass
class Costs:
    """Milliseconds of every call of one contestant."""

    wall_ms: list[float] = field(default_factory=list)
    client_ms: list[float] = field(default_factory=list)
    redis_ms: list[float] = field(default_factory=list)

    def measure(self, server: Server, call: Callable[[], object]) -> None:
        """Make one call and add its costs."""
        redis, client, wall = server.cpu_s(), time.process_time(), time.perf_counter()
        call()
        self.wall_ms.append((time.perf_counter() - wall) * MS_PER_S)
        self.client_ms.append((time.process_time() - client) * MS_PER_S)
        self.redis_ms.append((server.cpu_s() - redis) * MS_PER_S)

    def wall(self, quantile: float) -> float:
        """Return a quantile of the wall times."""
        return float(np.quantile(self.wall_ms, quantile))

    @property
    def client(self) -> float:
        """The median of our processor time."""
        return float(np.median(self.client_ms))

    @property
    def redis(self) -> float:
        """The median of Redis's processor time."""
        return float(np.median(self.redis_ms))


@contextmanager
def loaded_kept() -> Iterator[None]:
    """Keep what is loaded by now, Feast above all, out of every collection's way."""
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
