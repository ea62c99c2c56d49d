"""The job on a real cluster: from Kinesis to Redis, broken events, and a resume after a kill."""

import time
from pathlib import Path
from typing import Any

import h3
import pandas as pd
import pyarrow.parquet as pq
import pytest

from deploy.local import flink_rest
from feature_repo.online.keys import beacon_key, geo_index_key
from feature_repo.schema import STREAM_VIEWS, VIEWS
from flink_jobs.dead_letters import DeadLetter
from tests.flink_jobs.accounts import checkpointed
from tests.flink_jobs.events import CELL, encode, gps, state, step, traffic, weather
from tests.flink_jobs.live import FEATURES_S, MOTION_SLIDE_S, PROJECT, Live, wait_until
from tests.flink_jobs.watch import Watch

pytestmark = [pytest.mark.flink, pytest.mark.integration]

LOOK_US = 250_000
"""A look's own time is taken after it, and a row's after the batch that it came in."""
QUIET_CELL = h3.latlng_to_cell(35.0, -90.0, 7)


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
    text, north, hour = "{broken", gps("p-north", now, lat=95.0), state("p-hour", now + 3_600_000)
    live.emulator.put("provider-gps", [text, north])
    live.emulator.put("provider-availability", [hour])

    def letters() -> dict[str, list[DeadLetter]] | None:
        live.put("first0")
        return live.letters({text, encode(north), encode(hour)})

    found = wait_until(letters, FEATURES_S, "three dead letters")

    assert found[text][0].reason.startswith("not JSON")
    of_north, of_hour = found[encode(north)][0], found[encode(hour)][0]
    assert "'lat' is out of range: 95.0" in of_north.reason
    assert (of_north.source, of_north.job, of_north.code) == (
        "provider-gps",
        "roadside-features",
        "out_of_range",
    )
    assert now - 1000 <= of_north.received_ts <= of_north.ts
    assert "ahead of its arrival" in of_hour.reason
    assert of_hour.source == "provider-availability"
    assert live.row("provider_motion", "p-north") is None
    assert live.row("provider_availability", "p-hour") is None


def test_what_only_its_neighbours_show_is_a_dead_letter_too(live: Live) -> None:
    """A copy, a jump no truck can make and a fix whose windows are all past have their reasons."""
    now = time.time_ns() // 1_000_000
    copied, jumped = gps("p-twice", now), gps("p-jump", now + 1000, lat=41.0)
    late = gps("p-late", now - 300_000)
    live.emulator.put("provider-gps", [copied, copied, gps("p-jump", now), jumped, late])

    def letters() -> dict[str, list[DeadLetter]] | None:
        for i in range(8):
            live.put(f"first{i}")
        return live.letters({encode(copied), encode(jumped), encode(late)})

    found = wait_until(letters, FEATURES_S, "three dead letters")

    codes = [found[encode(event)][0].code for event in (copied, jumped, late)]
    assert codes == ["duplicate", "impossible_speed", "late"]


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


def test_the_last_events_before_a_silence_are_not_held_until_it_ends(live: Live) -> None:
    """A view goes on by the stream that has events, and nothing of the silent one is lost."""
    now = time.time_ns() // 1_000_000
    offers = [step(f"hushed-{i}", now, "offer", provider_id=f"hushed{i}") for i in range(8)]
    live.emulator.put("dispatch-events", offers)
    live.emulator.put("weather", [weather(now, QUIET_CELL, temp_c=-7.0)])

    def counted() -> bool:
        later = time.time_ns() // 1_000_000
        live.emulator.put("provider-availability", [state(f"first{i}", later) for i in range(8)])
        live.emulator.put("traffic", [traffic(later)])
        rows = [live.row("provider_availability", f"hushed{i}") for i in range(8)]
        return all(rows) and live.row("cell_conditions", QUIET_CELL) is not None

    wait_until(counted, FEATURES_S, "rows of what came before the silence")

    rows = [live.row("provider_availability", f"hushed{i}") for i in range(8)]
    assert [row["offers_1h"] for row in rows if row] == [1] * 8
    conditions = live.row("cell_conditions", QUIET_CELL)
    assert conditions is not None
    assert conditions["temp_c"] == -7.0


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
    """Letters by reason, the watermark's lag and the delay to Redis are on Flink's REST page.

    Counters and gauges are in the group that the managed service publishes.
    """
    began_ms = time.time_ns() // 1_000_000

    def metrics() -> dict[str, float]:
        for i in range(8):
            live.put(f"first{i}")
        return flink_rest.task_metrics(live.cluster.flink, live.job_id)

    def all_there() -> dict[str, float] | None:
        live.emulator.put("weather", ["{broken"])
        found = metrics()
        wanted = (
            "kinesisanalytics.stream.weather.reason.not_json.dead_letters",
            "kinesisanalytics.view.provider_motion.watermark_lag_ms",
            "view.provider_motion.event_to_redis_ms_p99",
            "kinesisanalytics.view.provider_motion.rows_written",
        )
        picked = {
            name: value for name in wanted for key, value in found.items() if key.endswith(name)
        }
        return picked if len(picked) == len(wanted) and all(picked.values()) else None

    found = wait_until(all_there, FEATURES_S, "metrics")

    assert live.cluster.failures(live.job_id, began_ms) == []
    assert 0 < found["kinesisanalytics.view.provider_motion.watermark_lag_ms"] < 60_000
    assert 0 < found["view.provider_motion.event_to_redis_ms_p99"] < 300_000


def test_the_live_job_writes_the_offline_store_as_well(live: Live) -> None:
    """What was served lies in Parquet by day, with the row's three times, in UTC."""

    def files() -> list[Path]:
        for i in range(8):
            live.put(f"first{i}")
        return list(live.offline.glob("provider_availability/date=*/part-*.parquet"))

    tables = [pq.read_table(f, partitioning=None) for f in wait_until(files, FEATURES_S, "files")]
    found = pd.concat(table.to_pandas() for table in tables)

    schema = VIEWS["provider_availability"]
    times = ["event_timestamp", "created_timestamp", "made_timestamp"]
    assert list(found.columns) == [*schema.join_keys, *schema.column_names, *times]
    assert {str(found[name].dt.tz) for name in times} == {"UTC"}
    assert (found["made_timestamp"] >= found["event_timestamp"]).all()
    ours = found[found["provider_id"].str.startswith("first")]
    assert not ours.duplicated(["provider_id", "event_timestamp", "created_timestamp"]).any()
    assert "available" in set(found["status"])


def test_history_knows_a_row_from_when_redis_had_it(live: Live) -> None:
    """``created_timestamp`` is when a row could be read, which is later than when it was due."""
    provider = "first0"
    watch = Watch(live.redis, "provider_motion", [provider])
    watch.start()
    for _ in range(4 * MOTION_SLIDE_S):
        for i in range(8):
            live.put(f"first{i}")
        time.sleep(1)
    watch.end()
    came = watch.came()
    checkpointed(live)

    tables = [
        pq.read_table(path, filters=[("provider_id", "=", provider)], partitioning=None)
        for path in live.offline.glob("provider_motion/date=*/part-*.parquet")
    ]
    kept = pd.concat(table.to_pandas() for table in tables)
    known = {
        (event.value // 1000, made.value // 1000): created.value // 1000
        for event, made, created in zip(
            kept["event_timestamp"], kept["made_timestamp"], kept["created_timestamp"], strict=True
        )
    }
    assert len(came) >= 3
    for row, (before_us, by_us) in came.items():
        assert before_us - LOOK_US < known[row] < by_us + LOOK_US
        assert known[row] > row[1]


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

    for batch in range(5):
        offer(batch)
    checkpointed(live)
    for batch in range(5, 10):
        offer(batch)  # after the checkpoint: these are read again
    live.cluster.kill("taskmanager")
    for batch in range(10, 15):
        offer(batch)
    live.cluster.start()
    flink_rest.wait_for_running(live.cluster.flink, 120)
    for batch in range(15, 20):
        offer(batch)
    checkpointed(live)
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
