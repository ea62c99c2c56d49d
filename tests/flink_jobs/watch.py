"""Somebody who looks at rows in Redis all the time, as the gateway does."""

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

import numpy as np
import redis

from feature_repo.online.keys import entity_key, row_field
from feature_repo.online.row_codec import decode_rows
from feature_repo.schema import VIEWS
from tests.flink_jobs.feed import MOVERS
from tests.flink_jobs.live import PROJECT
from tests.flink_jobs.redis_process import RedisProcess

PAUSE_S = 0.1
ANSWER_S = 1.0
US_PER_MS = 1000
USUAL_MS = 10_000


@dataclass(frozen=True)
class Look:
    """What was there at one moment: of each row, when its event was and when it was made."""

    at_us: int
    rows: tuple[tuple[int, int], ...]

    @property
    def oldest_us(self) -> int:
        """The newest event of the row whose newest event is oldest."""
        return min(event_us for event_us, _ in self.rows)

    @property
    def age_us(self) -> int:
        """How old that was."""
        return self.at_us - self.oldest_us


class Watch(threading.Thread):
    """Reads some rows of one view, ten times a second."""

    def __init__(self, process: RedisProcess, view: str, entities: Sequence[str] = MOVERS) -> None:
        super().__init__(name=f"watch-{view}")
        self.view = view
        self._schema = VIEWS[view]
        self._keys = [entity_key(PROJECT, self._schema, (entity,)) for entity in entities]
        self._client = process.client(ANSWER_S)
        self._ended = threading.Event()
        self._looks: list[Look] = []

    def run(self) -> None:
        """Look until it is ended."""
        while not self._ended.wait(PAUSE_S):
            # A test may have taken Redis away: nobody sees rows meanwhile.
            with suppress(redis.ConnectionError, redis.TimeoutError):
                self._look()
        self._client.close()

    def end(self) -> None:
        """Look no more."""
        self._ended.set()
        self.join()

    def went_back(self) -> list[tuple[Look, Look]]:
        """Return where a row was replaced by an older one, or was gone."""
        return [
            (before, after)
            for before, after in pairwise(self._looks)
            if any(new < old for old, new in zip(before.rows, after.rows, strict=True))
        ]

    def came(self) -> dict[tuple[int, int], tuple[int, int]]:
        """Return of each row that came when it was not there yet, and when it was, epoch us."""
        return {
            new: (before.at_us, after.at_us)
            for before, after in pairwise(self._looks)
            for old, new in zip(before.rows, after.rows, strict=True)
            if new > old
        }

    def over_at_ms(self, since_ms: int) -> int | None:
        """Return when every row had an event of after ``since_ms``, epoch milliseconds."""
        since_us = since_ms * US_PER_MS
        return next(
            (look.at_us // US_PER_MS for look in self._looks if look.oldest_us > since_us), None
        )

    def usual_age_ms(self, before_ms: int) -> float:
        """Return how old the oldest row was in the seconds before some time, at the median."""
        span = range((before_ms - USUAL_MS) * US_PER_MS, before_ms * US_PER_MS)
        seen = [look for look in self._looks if look.at_us in span and look.oldest_us > 0]
        return median(look.age_us for look in seen) / US_PER_MS

    def worst_age_ms(self, since_ms: int) -> float:
        """Return how old the oldest row was at worst since some time."""
        since_us = since_ms * US_PER_MS
        return max(look.age_us for look in self._looks if look.at_us >= since_us) / US_PER_MS

    def _look(self) -> None:
        pipeline = self._client.pipeline(transaction=False)
        for key in self._keys:
            pipeline.hget(key, row_field(self._schema))
        stored = pipeline.execute()
        rows, usable, _ = decode_rows(self._schema, stored)
        header = rows["header"]
        times = np.where(usable, header["event_us"], 0), np.where(usable, header["created_us"], 0)
        pairs = tuple(zip(times[0].tolist(), times[1].tolist(), strict=True))
        self._looks.append(Look(time.time_ns() // 1000, pairs))


@contextmanager
def watching(process: RedisProcess, *views: str) -> Iterator[list[Watch]]:
    """Give somebody for each view, who looks at the rows of the feed's providers."""
    watches = [Watch(process, view) for view in views]
    for watch in watches:
        watch.start()
    try:
        yield watches
    finally:
        for watch in watches:
            watch.end()
