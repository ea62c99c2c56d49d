"""From events on Kinesis to a recommendation, over every real part."""

import itertools
import json
import os
import signal
import socket
import time
import urllib.request
import warnings
from collections.abc import Callable
from dataclasses import fields
from typing import Any

import msgspec
import pandas as pd
import pytest

from feature_repo import bundle_manifest
from feature_repo.model_matrix import MODEL_FEATURES
from feature_repo.sources import FEATURE_DATA_DIR_VARIABLE
from tests.e2e.conftest import PLAYED, STOP_S, RunningStack

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]

SEEN_S = 60
KM_PER_DEGREE = 111.2
_numbers = itertools.count()


def _profile(stack: RunningStack) -> pd.Series:
    profiles = pd.read_parquet(stack.layout.offline / "provider_profile")
    return profiles[profiles["provider_id"] == PLAYED].iloc[0]


def _service(profile: pd.Series) -> str:
    offered = [name for name in profile.index if name.startswith("can_") and profile[name]]
    return str(offered[0]).removeprefix("can_")


def _get(url: str) -> Any:
    with urllib.request.urlopen(url) as response:  # noqa: S310 - our own address
        return json.load(response)


def _put(stack: RunningStack, stream: str, key: str, event: dict[str, Any]) -> None:
    stack.kinesis.put_record(StreamName=stream, PartitionKey=key, Data=json.dumps(event).encode())


def _report_position(stack: RunningStack, lat: float, lon: float) -> None:
    event = {"provider_id": PLAYED, "ts": time.time_ns() // 1_000_000, "lat": lat, "lon": lon,
             "speed_kph": 0.0, "heading_deg": 90.0, "accuracy_m": 5.0}  # fmt: skip
    _put(stack, "provider-gps", PLAYED, event)


def _report_status(stack: RunningStack, status: str) -> None:
    now_ms = time.time_ns() // 1_000_000
    event = {"provider_id": PLAYED, "ts": now_ms, "status": status, "active_jobs": 0,
             "capacity": 1, "shift_end_ts": now_ms + 4 * 3_600_000}  # fmt: skip
    _put(stack, "provider-availability", PLAYED, event)


def _ask(stack: RunningStack) -> tuple[str, dict[str, Any]]:
    """Ask for help at the played provider's base; the event's id and the answer."""
    profile = _profile(stack)
    event_id = f"e2e-{os.getpid()}-{next(_numbers)}"
    request = {
        "event_id": event_id,
        "location": {"lat": float(profile["base_lat"]), "lon": float(profile["base_lon"])},
        "service": _service(profile),
        "top_k": 50,
    }
    return event_id, stack.gateway.recommend(request)


def _played(answer: dict[str, Any]) -> dict[str, Any] | None:
    found = [i for i in answer.get("recommendations", []) if i["provider_id"] == PLAYED]
    return found[0] if found else None


def _eventually(stack: RunningStack, holds: Callable[[dict[str, Any]], bool]) -> tuple[str, Any]:
    """Ask until an answer fits; fail with the last answer when none does in time."""
    deadline = time.monotonic() + SEEN_S
    while True:
        event_id, answer = _ask(stack)
        if holds(answer):
            return event_id, answer
        assert time.monotonic() < deadline, json.dumps(answer, indent=1)[:4000]
        time.sleep(1)


def test_gps_and_availability_on_kinesis_change_the_recommendation(stack: RunningStack) -> None:
    """One provider's events, put on Kinesis, make it appear, come nearer, and be left out again."""
    lat, lon = (float(_profile(stack)[name]) for name in ("base_lat", "base_lon"))
    _, before = _ask(stack)
    assert _played(before) is None, "nothing has been heard of the provider yet"

    _report_status(stack, "available")
    _report_position(stack, lat + 8 / KM_PER_DEGREE, lon)
    _, far = _eventually(stack, lambda answer: _played(answer) is not None)
    assert _played(far)["distance_km"] == pytest.approx(8, abs=0.1)

    _report_status(stack, "available")
    for _ in range(2):  # no truck drives so fast; a second fix that agrees is believed
        _report_position(stack, lat + 0.5 / KM_PER_DEGREE, lon)
        time.sleep(0.1)
    _, near = _eventually(
        stack, lambda answer: (_played(answer) or {"distance_km": 8})["distance_km"] < 1
    )
    assert _played(near)["minutes_away"] < _played(far)["minutes_away"]
    assert _played(near)["score"] > _played(far)["score"]
    assert _played(near)["stalest"]["age_s"] < 120

    _report_status(stack, "offline")
    _eventually(stack, lambda answer: _played(answer) is None)
    event_id, _ = _ask(stack)
    table = _get(f"{stack.gateway.url}/v1/decisions/{event_id}")["candidates"]
    assert table
    assert PLAYED not in {candidate["provider_id"] for candidate in table}, "it left the map"


def test_every_real_part_took_part(stack: RunningStack) -> None:
    """The endpoint scored with the trained bundle, Flink runs the job, no rung was skipped."""
    _, answer = _ask(stack)
    assert answer["degraded"] == []
    manifest = bundle_manifest.load(stack.layout.bundle)
    assert answer["versions"]["model"] == manifest.version
    jobs = _get(f"http://127.0.0.1:{stack.ports.flink_web}/jobs")["jobs"]
    assert "RUNNING" in {job["status"] for job in jobs}
    checks = stack.gateway.checks()
    assert checks["endpoint"] == "answers /ping"
    assert checks["pipelines"].count("behind") == 4


def test_the_decision_is_on_its_stream(stack: RunningStack) -> None:
    """What was served is on the decisions stream, with the features as they were read."""
    event_id, answer = _ask(stack)
    decisions = _records(stack, "decisions", lambda d: d["request"]["event_id"] == event_id)
    assert decisions[0]["answer"] == answer
    assert all(len(row) == len(MODEL_FEATURES) for row in decisions[0]["features"].values())


def test_a_broken_event_becomes_a_dead_letter(stack: RunningStack) -> None:
    """An event that is not JSON, and one with an impossible latitude, arrive with their reason."""
    broken = f"not json {os.getpid()}"
    stack.kinesis.put_record(StreamName="provider-gps", PartitionKey=PLAYED, Data=broken.encode())
    _report_position(stack, 95.0, 0.0)
    letters = _records(stack, "dead-letter", lambda d: d["raw"] == broken or "95" in d["raw"], 2)
    assert {letter["source"] for letter in letters} == {"provider-gps"}
    assert any("lat" in letter["reason"] for letter in letters)


@pytest.mark.filterwarnings("ignore")
def test_feast_reads_what_the_jobs_wrote(stack: RunningStack) -> None:
    """Feast's own SDK reads a provider that is live, with every feature of its motion."""
    _, answer = _ask(stack)
    provider_id = answer["recommendations"][0]["provider_id"]
    os.environ[FEATURE_DATA_DIR_VARIABLE] = str(stack.layout.offline)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from feast import FeatureStore  # noqa: PLC0415 - seconds to import

        store = FeatureStore(fs_yaml_file=stack.layout.feature_store_yaml)
    online = store.get_online_features(
        ["provider_motion:lat", "provider_motion:ping_count", "provider_profile:radius_km"],
        [{"provider_id": provider_id}],
    ).to_dict()
    assert online["ping_count"][0] >= 1
    assert 39 < online["lat"][0] < 41
    assert online["radius_km"][0] > 0


def test_ctrl_c_ends_everything(stack: RunningStack) -> None:
    """After Ctrl-C the command exits with 0 and nothing listens on any of its ports."""
    os.killpg(stack.process.pid, signal.SIGINT)
    assert stack.process.wait(STOP_S) == 0
    for field in fields(stack.ports):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", getattr(stack.ports, field.name)))


def _records(
    stack: RunningStack, stream: str, wanted: Callable[[dict[str, Any]], bool], count: int = 1
) -> list[dict[str, Any]]:
    """Read a stream from its beginning until so many wanted records were there."""
    shard = stack.kinesis.list_shards(StreamName=stream)["Shards"][0]["ShardId"]
    iterator = stack.kinesis.get_shard_iterator(
        StreamName=stream, ShardId=shard, ShardIteratorType="TRIM_HORIZON"
    )["ShardIterator"]
    found: list[dict[str, Any]] = []
    deadline = time.monotonic() + SEEN_S
    while len(found) < count:
        answer = stack.kinesis.get_records(ShardIterator=iterator, Limit=1000)
        iterator = answer["NextShardIterator"]
        lines = (line for r in answer["Records"] for line in r["Data"].splitlines())
        found += filter(wanted, map(msgspec.json.decode, lines))
        assert time.monotonic() < deadline, f"{stream}: {found}"
        time.sleep(0.2)
    return found
