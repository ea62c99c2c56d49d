from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from feature_repo.online import read_route
from feature_repo.online.read_route import ReadRoute
from feature_repo.online.reader import FeatureReader, Lookup
from feature_repo.online.redis_settings import RedisSettings
from feature_repo.online.row_writer import RowWriter
from feature_repo.schema import PROVIDER_PROFILE
from tests.support import rows
from tests.support.redis_servers import RedisServer, redis_running

PROJECT = "test"
T0 = 1_700_000_000_000_000


def _answering(down: set[str]) -> object:
    def question(client: str) -> str:
        if client in down:
            raise redis.ConnectionError(f"{client} is down")
        return client

    return question


def _asked(route: ReadRoute[str], down: set[str], times: int) -> list[str]:
    return [route.ask(_answering(down)) for _ in range(times)]  # type: ignore[arg-type]


def test_without_replicas_the_primary_answers() -> None:
    """A store of one server is asked itself, and its error is the answer's."""
    route = ReadRoute("primary")
    assert _asked(route, set(), 2) == ["primary"] * 2
    with pytest.raises(redis.ConnectionError, match="primary is down"):
        _asked(route, {"primary"}, 1)


def test_replicas_take_turns() -> None:
    """Reads are spread over the replicas; the primary is left to the writers."""
    route = ReadRoute("primary", ["a", "b"])
    assert sorted(_asked(route, set(), 6)) == ["a"] * 3 + ["b"] * 3


def test_a_replica_that_is_down_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """The others answer for it; after its rest it is asked again."""
    route = ReadRoute("primary", ["a", "b"])
    assert set(_asked(route, {"a"}, 4)) == {"b"}
    assert _asked(route, {"a", "b"}, 2) == ["primary"] * 2
    now = read_route.time.monotonic() + read_route.REST_S
    monkeypatch.setattr(read_route.time, "monotonic", lambda: now)
    assert set(_asked(route, set(), 4)) == {"a", "b"}


def test_an_error_that_is_no_absence_is_not_hidden() -> None:
    """What a replica refuses (a wrong type) is the answer; nobody else is asked."""

    def question(client: str) -> str:
        raise redis.ResponseError(f"{client}: WRONGTYPE")

    with pytest.raises(redis.ResponseError, match="replica: WRONGTYPE"):
        ReadRoute("primary", ["replica"]).ask(question)


async def test_the_async_route_is_the_same() -> None:
    """Asked with asyncio, a replica that is down is passed over too."""

    async def question(client: str) -> str:
        return _answering({"a"})(client)  # type: ignore[operator, no-any-return]

    route = ReadRoute("primary", ["a", "b"])
    assert [await route.ask_async(question) for _ in range(2)] == ["b", "b"]


@pytest.fixture
def primary(tmp_path: Path) -> Iterator[RedisServer]:
    """A server that writers write to."""
    with redis_running(tmp_path) as server:
        yield server


@pytest.mark.integration
def test_a_real_replica_is_read_and_outlived(primary: RedisServer, tmp_path: Path) -> None:
    """Rows written to the primary are read from its replica, or, when that dies, from itself."""
    link = ("--replicaof", "127.0.0.1", str(primary.port), "--repl-diskless-sync-delay", "0")
    with redis_running(tmp_path, *link) as replica:
        settings = RedisSettings(primary.url(), replica_urls=(replica.url(),))
        client = settings.primary()
        rows.write(RowWriter(client, PROJECT), PROVIDER_PROFILE, ["p1"], T0, radius_km=12.0)
        assert client.wait(1, 10_000) == 1
        reader = FeatureReader(client, PROJECT, settings.replicas())
        lookup = Lookup((PROVIDER_PROFILE,), [("p1",)])

        def radius() -> float:
            found = reader.read([lookup], T0)["provider_profile"]
            return float(found.columns["provider_profile__radius_km"][0])

        before = _reads(primary)
        assert radius() == 12.0
        assert (_reads(primary) - before, _reads(replica)) == (0, 1)
        replica.kill()
        assert radius() == 12.0


def _reads(server: RedisServer) -> int:
    with redis.Redis.from_url(server.url()) as client:
        stats = client.info("commandstats")
    return int(stats.get("cmdstat_hmget", {"calls": 0})["calls"])
