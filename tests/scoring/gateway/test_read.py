import time
from pathlib import Path

import numpy as np
import pytest
import redis
from starlette.testclient import TestClient

from feature_repo.online.async_reader import AsyncFeatureReader
from feature_repo.online.keys import entity_key
from feature_repo.online.read_route import ReadRoute
from feature_repo.online.redis_settings import RedisSettings
from feature_repo.online.wire import wires
from feature_repo.schema import PROVIDER_MOTION
from scoring.gateway.messages import Location, RecommendationRequest
from scoring.gateway.metrics import PROMETHEUS_VARIABLE
from scoring.gateway.read import read
from tests.scoring.gateway.conftest import DENVER, PROJECT, Providers

pytestmark = pytest.mark.integration

NAMES = ["fresh", "stale", "mismatched", "unseen"]


@pytest.fixture
def request_for_help(providers: Providers, redis_client: redis.Redis) -> RecommendationRequest:
    """A request whose candidates have a good row, a stale one, one of another schema, and none."""
    providers.add("fresh")
    providers.add("stale", motion_age_s=500.0)
    providers.add("mismatched")
    key = entity_key(PROJECT, PROVIDER_MOTION, ("mismatched",))
    row = redis_client.hget(key, "row:provider_motion")
    redis_client.hset(key, "row:provider_motion", b"another!" + row[8:])
    return RecommendationRequest("e", Location(*DENVER), "tow", candidates=NAMES)


async def test_what_cannot_be_used_is_counted_by_why(
    request_for_help: RecommendationRequest, redis_server: str
) -> None:
    """Missing, stale, of another schema: each is counted in its view; what is no row is NaN."""
    wire, _ = wires(RedisSettings(redis_server))
    reader = AsyncFeatureReader(ReadRoute(wire), PROJECT)
    table = await read(reader, request_for_help, time.time_ns() // 1000, NAMES)
    await wire.close()
    assert table.unusable["provider_motion"] == {
        "missing": 1, "stale": 1, "expired": 0, "mismatched": 1,
    }  # fmt: skip
    only_missing = {"missing": 1, "stale": 0, "expired": 0, "mismatched": 0}
    assert table.unusable["provider_profile"] == only_missing
    assert table.unusable["cell_conditions"] == only_missing
    speed = table.columns["provider_motion__speed_mean_kph"]
    assert np.isnan(speed).tolist() == [False, False, True, True]


def test_the_counts_are_metrics(
    request_for_help: RecommendationRequest,
    gateway: TestClient,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Operations see how many rows could not be used, also where Feast set a library's variable."""
    monkeypatch.setenv(PROMETHEUS_VARIABLE, str(tmp_path))
    before = _stale(gateway)
    location = {"lat": DENVER[0], "lon": DENVER[1]}
    asked = {"event_id": "e", "location": location, "service": "tow", "candidates": NAMES}
    assert gateway.post("/v1/recommendations", json=asked).status_code == 200
    assert request_for_help.candidates == NAMES
    assert _stale(gateway) == before + 1


def _stale(gateway: TestClient) -> float:
    name = 'gateway_unusable_rows_total{view="provider_motion",why="stale"} '
    lines = gateway.get("/metrics").text.splitlines()
    return sum(float(line.removeprefix(name)) for line in lines if line.startswith(name))
