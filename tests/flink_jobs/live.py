"""The whole job, live: events on Kinesis, rows in Redis and in Parquet."""

import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from deploy.local import flink_rest
from feature_repo.online.keys import entity_key, row_field
from feature_repo.online.row_codec import decode_rows, null_mask
from feature_repo.schema import VIEWS
from flink_jobs.dead_letters import DeadLetter
from flink_jobs.event_schemas import DEAD_LETTER
from flink_jobs.validation import CHECKS
from tests.flink_jobs.cluster import RunningCluster
from tests.flink_jobs.emulator import REGION, Emulator
from tests.flink_jobs.events import gps, state, step, traffic, weather
from tests.flink_jobs.redis_process import RedisProcess

PROJECT = "roadside"
SHARDS = {"provider-availability": 2, "provider-gps": 2, "dispatch-events": 2}
FEATURES_S = 90.0
MOTION_SLIDE_S = 5


class Live:
    """A job that runs, what it reads and what it writes."""

    def __init__(
        self, cluster: RunningCluster, emulator: Emulator, redis: RedisProcess, jar: Path
    ) -> None:
        self.cluster = cluster
        self.emulator = emulator
        self.redis = redis
        self.store = redis.client()
        self._jar = jar
        self.job_id = ""
        self.offline = cluster.flink.run_dir / "offline"

    def submit(self, restore_from: str | None = None) -> None:
        """Start the job, at the streams' ends or from a checkpoint."""
        groups = {
            "streams": {
                "endpoint_url": self.emulator.url,
                "region": REGION,
                "access_key": "test",
                "secret_key": "test",
                # Without its checkpoint a job that was down would miss what came meanwhile.
                "initial_position": "LATEST",
            },
            "event_time": {
                # More often than in production, so that tests wait less for the next window.
                "motion_slide_s": str(MOTION_SLIDE_S),
                "conditions_slide_s": "15",
                "demand_slide_s": "15",
            },
            "feature_store": {"redis_url": self.redis.url, "offline_dir": str(self.offline)},
        }
        self.job_id = self.cluster.submit(self._jar, groups, restore_from)

    def stored(self, view: str, entity: str) -> bytes | None:
        """Return an entity's row of a view as it is in Redis."""
        found: bytes | None = self.store.hget(*_place(view, entity))
        return found

    def store_newer(self, view: str, entity: str, like: str) -> bytes:
        """Store a row like another entity's, of a minute from now, as a job that is ahead would."""
        rows, _, _ = decode_rows(VIEWS[view], [self.stored(view, like)])
        newer = rows.copy()
        newer["header"]["event_us"] = (time.time_ns() // 1000) + 60_000_000
        self.store.hset(*_place(view, entity), newer.tobytes())
        return newer.tobytes()

    def row(self, view: str, entity: str) -> dict[str, Any] | None:
        """Return an entity's row of a view."""
        schema = VIEWS[view]
        rows, usable, _ = decode_rows(schema, [self.stored(view, entity)])
        if not usable[0]:
            return None
        return {
            name: None if null_mask(schema, rows, name)[0] else rows["values"][name][0].item()
            for name in schema.column_names
        }

    def metric(self, name: str) -> float:
        """Return the sum of a metric over all operators that have it."""
        found = flink_rest.task_metrics(self.cluster.flink, self.job_id)
        return sum(value for key, value in found.items() if key.endswith(f".{name}"))

    def letters(self, records: Collection[str]) -> dict[str, list[DeadLetter]] | None:
        """Return the dead letters of some records, by their text, once all have one."""
        found: dict[str, list[DeadLetter]] = {}
        for letter in self.emulator.letters():
            if letter.raw in records:
                found.setdefault(letter.raw, []).append(letter)
        return found if found.keys() == set(records) else None

    def put(self, provider: str, status: str = "available", lat: float = 40.0) -> int:
        """Put an event of every kind, of now; return its time."""
        now = time.time_ns() // 1_000_000
        self.emulator.put("provider-gps", [gps(provider, now, lat)])
        self.emulator.put("provider-availability", [state(provider, now, status, active_jobs=1)])
        self.emulator.put("weather", [weather(now, precip_mm_h=2.5)])
        self.emulator.put("traffic", [traffic(now, speed_ratio=0.5)])
        request = [step(f"{provider}-{now}", now, "request")]
        self.emulator.put("dispatch-events", request)
        return now


def _place(view: str, entity: str) -> tuple[bytes, bytes]:
    schema = VIEWS[view]
    return entity_key(PROJECT, schema, (entity,)), row_field(schema)


def wait_until(done: Callable[[], Any], timeout_s: float, what: str) -> Any:
    """Ask until the answer is not false; return it."""
    deadline = time.monotonic() + timeout_s
    while True:
        answer = done()
        if answer:
            return answer
        assert time.monotonic() < deadline, f"{what}: not after {timeout_s:g} s"
        time.sleep(0.5)


def wait_for(found: Callable[[], Any], wanted: Any, timeout_s: float, what: str) -> None:
    """Ask until the answer is the one that is wanted; tell the last one if it never is."""
    deadline = time.monotonic() + timeout_s
    while (answer := found()) != wanted:
        late = time.monotonic() > deadline
        assert not late, f"{what}: after {timeout_s:g} s {answer}, wanted {wanted}"
        time.sleep(0.5)


@contextmanager
def running(jar: Path, emulator: Emulator, directory: Path) -> Iterator[Live]:
    """Give the job with all views, running, with its sources at the streams' ends."""
    for stream in (*CHECKS, DEAD_LETTER):
        emulator.create(stream, SHARDS.get(stream, 1))
    redis = RedisProcess(directory)
    redis.start()
    cluster = RunningCluster(directory)
    live = Live(cluster, emulator, redis, jar)

    def reads() -> bool:
        # Of many providers, so that each shard has events and none holds back the others.
        for i in range(8):
            live.put(f"first{i}")
        return all(live.row("provider_availability", f"first{i}") for i in range(8))

    try:
        cluster.start()
        live.submit()
        wait_until(reads, FEATURES_S, "first rows")
        yield live
    finally:
        cluster.stop()
        live.store.close()
        redis.stop()
