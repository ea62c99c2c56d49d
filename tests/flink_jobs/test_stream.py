"""The job on a real cluster: from Kinesis to Redis, broken events, and a resume after a kill."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import h3
import pandas as pd
import pyarrow.parquet as pq
import pytest
import redis

from deploy.local import flink_rest
from feature_repo.keys import beacon_key, entity_key, geo_index_key, row_field
from feature_repo.row_codec import decode_rows, null_mask
from feature_repo.schema import STREAM_VIEWS, VIEWS
from flink_jobs.dead_letters import DeadLetter
from flink_jobs.event_schemas import DEAD_LETTER
from flink_jobs.validation import CHECKS
from tests.flink_jobs.cluster import RunningCluster
from tests.flink_jobs.emulator import REGION, Emulator
from tests.flink_jobs.events import CELL, encode, gps, state, step, traffic, weather

pytestmark = [pytest.mark.flink, pytest.mark.integration]

PROJECT = "roadside"
SHARDS = {"provider-availability": 2, "provider-gps": 2, "dispatch-events": 2}
FEATURES_S = 60.0


class Live:
    """A job that runs, what it reads and what it writes."""

    def __init__(
        self, cluster: RunningCluster, emulator: Emulator, store: redis.Redis, jar: Path
    ) -> None:
        self.cluster = cluster
        self.emulator = emulator
        self.store: Any = store
        self._jar = jar
        self.job_id = ""
        self.offline = cluster.flink.run_dir / "offline"

    def submit(self, restore_from: str | None = None) -> None:
        """Start the job, at the streams' ends or from a checkpoint."""
        url = self.store.connection_pool.connection_kwargs
        groups = {
            "streams": {
                "endpoint_url": self.emulator.url,
                "region": REGION,
                "access_key": "test",
                "secret_key": "test",
                # Without its checkpoint a job that was down would miss what came meanwhile.
                "initial_position": "LATEST",
            },
            "event_time": {"conditions_slide_s": "15", "demand_slide_s": "15"},
            "feature_store": {
                "redis_url": f"redis://127.0.0.1:{url['port']}/0",
                "offline_dir": str(self.offline),
            },
        }
        self.job_id = self.cluster.submit(self._jar, groups, restore_from)

    def row(self, view: str, entity: str) -> dict[str, Any] | None:
        """Return an entity's row of a view."""
        schema = VIEWS[view]
        stored = self.store.hget(entity_key(PROJECT, schema, (entity,)), row_field(schema))
        rows, usable, _ = decode_rows(schema, [stored])
        if not usable[0]:
            return None
        return {
            name: None if null_mask(schema, rows, name)[0] else rows["values"][name][0].item()
            for name in schema.column_names
        }

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


def wait_until(done: Callable[[], Any], timeout_s: float, what: str) -> Any:
    """Ask until the answer is not false; return it."""
    deadline = time.monotonic() + timeout_s
    while True:
        answer = done()
        if answer:
            return answer
        assert time.monotonic() < deadline, f"{what}: not after {timeout_s:g} s"
        time.sleep(0.5)


@pytest.fixture(scope="module")
def live(
    jar: Path, emulator: Emulator, redis_server: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Live]:
    """The job with all views, running, with its sources at the streams' ends."""
    for stream in (*CHECKS, DEAD_LETTER):
        emulator.create(stream, SHARDS.get(stream, 1))
    store = redis.Redis.from_url(redis_server)
    store.flushall()
    cluster = RunningCluster(tmp_path_factory.mktemp("flink"))
    running = Live(cluster, emulator, store, jar)
    try:
        cluster.start()
        running.submit()

        def reads() -> bool:
            # Of many providers, so that each shard has events and none holds back the others.
            for i in range(8):
                running.put(f"first{i}")
            return all(running.row("provider_availability", f"first{i}") for i in range(8))

        wait_until(reads, FEATURES_S, "first rows")
        yield running
    finally:
        cluster.stop()
        store.close()


def test_events_of_every_stream_become_rows_of_every_view(live: Live) -> None:
    """Each view's row of a live entity has the values of the events that were put."""
    provider = "p-moving"
    cell = h3.latlng_to_cell(41.25, -75.0, 7)

    def rows() -> dict[str, dict[str, Any]] | None:
        for i in range(8):
            live.put(f"first{i}")
        live.put(provider, "en_route", 41.25)
        found = {
            "provider_motion": live.row("provider_motion", provider),
            "provider_availability": live.row("provider_availability", provider),
            "cell_conditions": live.row("cell_conditions", CELL),
            "cell_demand": live.row("cell_demand", CELL),
        }
        present = {view: row for view, row in found.items() if row is not None}
        return present if len(present) == len(found) else None

    found = wait_until(rows, FEATURES_S, "rows of every view")

    moved = found["provider_motion"]
    assert (moved["lat"], moved["lon"], moved["h3_cell"]) == (41.25, -75.0, cell.encode())
    assert moved["ping_count"] >= 1
    assert moved["distance_km"] == 0
    said = found["provider_availability"]
    assert (said["status"], said["active_jobs"], said["free_capacity"]) == (b"en_route", 1, 1)
    assert said["offers_30m"] == 0
    assert found["cell_conditions"]["precip_mm_h"] == 2.5
    assert found["cell_conditions"]["speed_ratio_mean"] == 0.5
    assert found["cell_demand"]["open_requests"] == found["cell_demand"]["requests_60m"] > 0
    position = live.store.geopos(geo_index_key(PROJECT), provider)[0]
    assert position == pytest.approx((-75.0, 41.25), abs=1e-4)


def test_every_view_has_a_beacon_that_keeps_up_with_the_clock(live: Live) -> None:
    """A beacon's wall time is of now even when no event comes, and its watermark is real."""
    time.sleep(8)  # longer than the interval, and no event meanwhile
    for view in STREAM_VIEWS:
        beacon = live.store.hgetall(beacon_key(PROJECT, view.name))
        now_us = time.time_ns() // 1000
        assert now_us - int(beacon[b"wall_us"]) < 15_000_000
        assert 0 < now_us - int(beacon[b"watermark_us"]) < 120_000_000


def test_broken_events_arrive_as_dead_letters_with_record_and_reason(live: Live) -> None:
    """What cannot be used is found on its stream, whole, and makes no row."""
    now = time.time_ns() // 1_000_000
    live.emulator.put("provider-gps", ["{broken", gps("p-north", now, lat=95.0)])
    live.emulator.put("provider-availability", [state("p-hour", now + 3_600_000)])

    def letters() -> dict[str, DeadLetter] | None:
        live.put("first0")
        found = {letter.reason: letter for letter in live.emulator.letters()}
        return found if len(found) >= 3 else None

    found = wait_until(letters, FEATURES_S, "three dead letters")

    assert next(v for k, v in found.items() if k.startswith("not JSON")).raw == "{broken"
    north = next(v for k, v in found.items() if "'lat' is out of range: 95.0" in k)
    assert (north.source, north.job, north.code) == (
        "provider-gps",
        "roadside-features",
        "out_of_range",
    )
    assert now - 1000 <= north.received_ts <= north.ts
    hour = next(v for k, v in found.items() if "ahead of its arrival" in k)
    assert hour.source == "provider-availability"
    assert live.row("provider_motion", "p-north") is None
    assert live.row("provider_availability", "p-hour") is None


def test_what_only_its_neighbours_show_is_a_dead_letter_too(live: Live) -> None:
    """A copy, a jump no truck can make and a fix whose windows are all past have their reasons."""
    now = time.time_ns() // 1_000_000
    copied, jumped = gps("p-twice", now), gps("p-jump", now + 1000, lat=41.0)
    late = gps("p-late", now - 300_000)
    live.emulator.put("provider-gps", [copied, copied, gps("p-jump", now), jumped, late])

    def letters() -> dict[str, str] | None:
        for i in range(8):
            live.put(f"first{i}")
        found = {letter.code: letter.raw for letter in live.emulator.letters()}
        return found if {"duplicate", "impossible_speed", "late"} <= found.keys() else None

    found = wait_until(letters, FEATURES_S, "three dead letters")

    assert found["duplicate"] == encode(copied)
    assert found["impossible_speed"] == encode(jumped)
    assert found["late"] == encode(late)


def test_a_status_that_comes_late_still_counts(live: Live) -> None:
    """A provider's word, ten seconds on its way, is its newest and so its row."""
    now = time.time_ns() // 1_000_000
    live.emulator.put("provider-availability", [state("p-slow", now - 10_000, "on_scene")])

    def row() -> dict[str, Any] | None:
        for i in range(8):
            live.put(f"first{i}")
        return live.row("provider_availability", "p-slow")

    found = wait_until(row, FEATURES_S, "a row of the late word")

    assert found["status"] == b"on_scene"
    assert found["status_reported_at"] == (now - 10_000) * 1000


def test_a_provider_who_goes_offline_leaves_the_geo_index(live: Live) -> None:
    """It is there while it moves and is not after its word, though its windows go on."""

    def position(status: str) -> Any:
        for i in range(8):
            live.put(f"first{i}")
        live.put("p-leaving", status, 40.5)
        return live.store.geopos(geo_index_key(PROJECT), "p-leaving")[0]

    wait_until(lambda: position("available") is not None, FEATURES_S, "an entry")
    wait_until(lambda: position("offline") is None, FEATURES_S, "no entry")
    row = live.row("provider_motion", "p-leaving")
    wait_until(
        lambda: position("offline") is None and live.row("provider_motion", "p-leaving") != row,
        FEATURES_S,
        "another window",
    )


def test_metrics_say_what_was_refused_and_how_old_rows_are(live: Live) -> None:
    """Letters by reason, the watermark's lag and the delay to Redis are on Flink's REST page."""

    def metrics() -> dict[str, float]:
        for i in range(8):
            live.put(f"first{i}")
        return flink_rest.task_metrics(live.cluster.flink, live.job_id)

    def all_there() -> dict[str, float] | None:
        live.emulator.put("weather", ["{broken"])
        found = metrics()
        wanted = (
            "stream.weather.reason.not_json.dead_letters",
            "view.provider_motion.watermark_lag_ms",
            "view.provider_motion.event_to_redis_ms_p99",
            "view.provider_motion.rows_written",
        )
        picked = {
            name: value for name in wanted for key, value in found.items() if key.endswith(name)
        }
        return picked if len(picked) == len(wanted) and all(picked.values()) else None

    found = wait_until(all_there, FEATURES_S, "metrics")

    assert flink_rest.root_cause(live.cluster.flink, live.job_id) == "no exception recorded"
    assert 0 < found["view.provider_motion.watermark_lag_ms"] < 60_000
    assert 0 < found["view.provider_motion.event_to_redis_ms_p99"] < 300_000


def test_the_live_job_writes_the_offline_store_as_well(live: Live) -> None:
    """What was served lies in Parquet by day, with the row's two times, in UTC."""

    def files() -> list[Path]:
        for i in range(8):
            live.put(f"first{i}")
        return list(live.offline.glob("provider_availability/date=*/part-*.parquet"))

    tables = [pq.read_table(f, partitioning=None) for f in wait_until(files, FEATURES_S, "files")]
    found = pd.concat(table.to_pandas() for table in tables)

    schema = VIEWS["provider_availability"]
    times = ["event_timestamp", "created_timestamp"]
    assert list(found.columns) == [*schema.join_keys, *schema.column_names, *times]
    assert {str(found[name].dt.tz) for name in times} == {"UTC"}
    assert (found["created_timestamp"] >= found["event_timestamp"]).all()
    assert not found.duplicated(["provider_id", "event_timestamp", "created_timestamp"]).any()
    assert "available" in set(found["status"])


def test_after_kills_no_offer_is_missing_and_none_counts_twice(live: Live) -> None:
    """Task manager, then everything, is killed: counts are exactly those of the events put."""
    put: dict[str, int] = {}

    def offer(batch: int) -> None:
        now = time.time_ns() // 1_000_000
        steps = [
            step(f"{batch}-{i}-{j}", now + j, "offer", provider_id=f"r{i}")
            for i in range(12)
            for j in range(batch % 3 + 1)
        ]
        for event in steps:
            put[event["provider_id"]] = put.get(event["provider_id"], 0) + 1
        live.emulator.put("dispatch-events", steps)
        for i in range(8):
            live.put(f"first{i}")
        time.sleep(0.3)

    def checkpointed() -> None:
        before = flink_rest.completed_checkpoints(live.cluster.flink, live.job_id)
        wait_until(
            lambda: flink_rest.completed_checkpoints(live.cluster.flink, live.job_id) > before,
            FEATURES_S,
            "a checkpoint",
        )

    for batch in range(5):
        offer(batch)
    checkpointed()
    for batch in range(5, 10):
        offer(batch)  # after the checkpoint: these are read again
    live.cluster.kill("taskmanager")
    for batch in range(10, 15):
        offer(batch)
    live.cluster.start()
    flink_rest.wait_for_running(live.cluster.flink, 120)
    for batch in range(15, 20):
        offer(batch)
    checkpointed()
    for batch in range(20, 25):
        offer(batch)
    live.cluster.kill("taskmanager", "jobmanager")
    checkpoint = live.cluster.flink.newest_checkpoint(live.job_id)
    for batch in range(25, 30):
        offer(batch)
    live.cluster.start()
    live.submit(checkpoint)
    for batch in range(30, 35):
        offer(batch)

    def counted() -> dict[str, int]:
        for i in range(8):
            live.put(f"first{i}")
        rows = {name: live.row("provider_availability", name) for name in put}
        return {name: row["offers_1h"] if row else 0 for name, row in rows.items()}

    wait_until(lambda: sum(counted().values()) >= sum(put.values()), FEATURES_S, "all offers")
    assert counted() == put
