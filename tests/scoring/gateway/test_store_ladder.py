"""The store's rungs over a real Redis that is taken away, seen from the gateway's answers."""

import time
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

from feature_repo.online.row_writer import RowWriter
from feature_repo.schema import PROVIDER_AVAILABILITY
from scoring.gateway.admit import LONGEST_DEADLINE_MS
from scoring.gateway.metrics import DEGRADED
from scoring.gateway.pipeline_watch import STALLED_S
from tests.scoring.gateway.conftest import DENVER, PROJECT, Providers
from tests.support.redis_servers import RedisServer, redis_running

pytestmark = pytest.mark.integration

_DONE: list[int] = []


@pytest.fixture
def own_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """A Redis that the test may kill."""
    with redis_running(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture
def redis_server(own_redis: RedisServer) -> str:
    """The gateway's store, in place of the session's."""
    return own_redis.url()


def _ask(gateway: TestClient, **given: Any) -> Any:
    _DONE.append(1)
    request = {
        "event_id": f"e{len(_DONE)}",
        "location": {"lat": DENVER[0], "lon": DENVER[1]},
        "service": "tow",
        **given,
    }
    patient = {"X-Deadline-Ms": str(LONGEST_DEADLINE_MS)}
    return gateway.post("/v1/recommendations", json=request, headers=patient)


def _ids(answer: Any) -> list[str]:
    return [item["provider_id"] for item in answer.json()["recommendations"]]


def _taken(rung: str) -> float:
    value: float = DEGRADED.labels(reason=rung)._value.get()
    return value


def test_without_redis_the_rows_read_last_are_ranked_with_their_true_age(
    gateway: TestClient, providers: Providers, own_redis: RedisServer
) -> None:
    """The same candidates, the same scores but for their age, and the rung is named and counted."""
    rung = "feature_store_unavailable_last_rows"
    for number in range(5):
        providers.add(f"p{number}", km_north=2 + 5 * number, age_s=20)
    healthy, before = _ask(gateway), _taken(rung)
    assert healthy.json()["degraded"] == []
    own_redis.kill()
    time.sleep(1.1)
    fallen = _ask(gateway)
    assert fallen.json()["degraded"] == [rung]
    assert _taken(rung) == before + 1
    assert sorted(_ids(fallen)) == sorted(_ids(healthy))
    assert fallen.json()["recommendations"][0]["stalest"]["age_s"] == pytest.approx(21.5, abs=1)


def test_named_candidates_are_recalled_and_strangers_are_not_made_up(
    gateway: TestClient, providers: Providers, own_redis: RedisServer
) -> None:
    """Of a list, those who were read before are ranked; the others have no known profile."""
    providers.add("known")
    _ask(gateway)
    own_redis.kill()
    answer = _ask(gateway, candidates=["known", "stranger"])
    assert _ids(answer) == ["known"]
    assert answer.json()["excluded"] == {"profile_unknown": 1}


def test_a_gateway_that_knows_nobody_refuses_clearly(
    gateway: TestClient, providers: Providers, own_redis: RedisServer
) -> None:
    """Without Redis and without memory the answer is 503, with when to ask again."""
    providers.add("never-read")
    own_redis.kill()
    for asked in ({}, {"candidates": ["never-read"]}):
        answer = _ask(gateway, **asked)
        assert answer.status_code == 503
        assert answer.headers["Retry-After"] == "1"


def test_when_no_availability_can_be_had_the_profile_decides(
    gateway: TestClient, providers: Providers, own_redis: RedisServer
) -> None:
    """Rows too old to trust: ranked by profile, named; who was last known offline stays out."""
    providers.add("old", age_s=300, km_north=5)
    providers.add("offline", age_s=300, status="offline")
    providers.add("busy", age_s=300, free_capacity=0)
    providers.add("heavy", age_s=300, can_tow=False)
    named = {"candidates": ["old", "offline", "busy", "heavy"]}
    assert _ask(gateway, **named).status_code == 404
    own_redis.kill()
    answer = _ask(gateway, **named)
    assert _ids(answer) == ["old"]
    assert answer.json()["degraded"] == [
        "feature_store_unavailable_last_rows",
        "availability_unknown_profile_only",
    ]
    assert answer.json()["excluded"] == {
        "offline": 1, "no_free_capacity": 1, "service_not_offered": 1,
    }  # fmt: skip


def test_a_redis_that_is_back_is_used_again(
    gateway: TestClient, providers: Providers, own_redis: RedisServer
) -> None:
    """After the breaker's pause the store is asked again, and nothing is degraded."""
    providers.add("p0")
    _ask(gateway)
    own_redis.kill()
    for _ in range(10):
        assert _ask(gateway).json()["degraded"]
    own_redis.start()
    providers.add("p1")
    deadline = time.monotonic() + 20
    while (answer := _ask(gateway)).json().get("degraded"):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert _ids(answer) == ["p1"]


def test_a_stalled_pipeline_makes_its_view_unknown(
    gateway: TestClient, providers: Providers
) -> None:
    """The job's beacon is old: nobody counts as available by it, and the rungs say why."""
    providers.add("p0", age_s=70)
    before = _ask(gateway).json()
    assert before["degraded"] == []
    writer, now_us = RowWriter(providers.client, PROJECT), time.time_ns() // 1000
    stalled_us = now_us - int((STALLED_S + 5) * 1e6)
    writer.beacon(PROVIDER_AVAILABILITY.name, stalled_us, stalled_us)
    deadline = time.monotonic() + 10
    while not (answer := _ask(gateway).json())["degraded"]:
        assert time.monotonic() < deadline
        time.sleep(0.2)
    assert answer["degraded"] == [
        "pipeline_stalled:provider_availability",
        "availability_unknown_profile_only",
    ]
    assert answer["recommendations"][0]["provider_id"] == "p0"
    now_us = time.time_ns() // 1000
    writer.beacon(PROVIDER_AVAILABILITY.name, now_us, now_us)
    while _ask(gateway).json()["degraded"]:
        assert time.monotonic() < deadline + 10
        time.sleep(0.2)


@pytest.mark.parametrize("header", ["soon", "0", "-5", "1.5", "100000", "²"])
def test_a_deadline_that_is_none_is_refused(gateway: TestClient, header: str) -> None:
    """The header's value, its field and the remedy are named."""
    answer = gateway.post(
        "/v1/recommendations", content=b"{}", headers={"X-Deadline-Ms": header.encode()}
    )
    assert answer.status_code == 422
    assert answer.json()["field"] == "X-Deadline-Ms"
