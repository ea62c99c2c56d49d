import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
import redis

from feature_repo.online.async_reader import AsyncFeatureReader, Entities, Group, Keep
from feature_repo.online.keys import entity_key
from feature_repo.online.read_route import ReadRoute
from feature_repo.online.reader import FeatureReader, Lookup, ViewRows
from feature_repo.online.redis_settings import RedisSettings
from feature_repo.online.row_writer import RowWriter
from feature_repo.online.wire import Wire, wires
from feature_repo.schema import (
    PROVIDER_AVAILABILITY,
    PROVIDER_HISTORY,
    PROVIDER_MOTION,
    PROVIDER_PROFILE,
)
from tests.support import rows

pytestmark = pytest.mark.integration

PROJECT = "test"
NOW_US = time.time_ns() // 1000
PROVIDER_VIEWS = (PROVIDER_MOTION, PROVIDER_AVAILABILITY, PROVIDER_PROFILE)


class Clock:
    """A clock that stands still."""

    def __init__(self) -> None:
        self.now_s = 1_000.0

    def __call__(self) -> float:
        """Tell the time."""
        return self.now_s


@pytest.fixture
async def wire(redis_server: str, redis_client: redis.Redis) -> AsyncIterator[Wire]:
    """A connection to an empty Redis."""
    assert redis_client.ping()
    made, _ = wires(RedisSettings(redis_server))
    yield made
    await made.close()


def _reader(wire: Wire, clock: Clock, keep: Keep | None = None) -> AsyncFeatureReader:
    return AsyncFeatureReader(ReadRoute(wire), PROJECT, keep or Keep(), clock=clock)


def _write(client: redis.Redis, event_us: int = NOW_US, **given: Any) -> None:
    writer = RowWriter(client, PROJECT)
    for view in PROVIDER_VIEWS:
        rows.write(writer, view, ["p1", "p2"], event_us, **given)
    rows.write(writer, PROVIDER_HISTORY, [("p1", "tow")], event_us, **given)


def _providers(ids: list[str]) -> list[Entities]:
    return [Entities(ids, (Group(PROVIDER_VIEWS),))]


def _same(one: ViewRows, other: ViewRows) -> bool:
    return repr(one) == repr(other)


def _hmgets(client: Any) -> int:
    return int(client.info("commandstats").get("cmdstat_hmget", {"calls": 0})["calls"])


async def test_it_reads_what_the_synchronous_reader_does(
    redis_client: redis.Redis, wire: Wire
) -> None:
    """Both readers give the same columns, ages and flags, for known and unknown entities."""
    _write(redis_client, status="on_scene")
    key = entity_key(PROJECT, PROVIDER_MOTION, ("p2",))
    stored: Any = redis_client
    stored.hset(key, "row:provider_motion", b"another version's row")
    ids = ["p1", "p2", "stranger"]
    read = await _reader(wire, Clock()).read(
        [Entities(ids, (Group(PROVIDER_VIEWS), Group((PROVIDER_HISTORY,), ("tow",))))], NOW_US
    )
    expected = FeatureReader(redis_client, PROJECT).read(
        [
            Lookup(PROVIDER_VIEWS, [(i,) for i in ids]),
            Lookup((PROVIDER_HISTORY,), [(i, "tow") for i in ids]),
        ],
        NOW_US,
    )
    assert list(read) == list(expected)
    assert all(_same(read[view], expected[view]) for view in expected)


async def test_a_row_at_hand_is_not_read_again_before_its_time(
    redis_client: redis.Redis, wire: Wire
) -> None:
    """A stream view's row is used for a second, a batch view's for ten minutes, then read anew."""
    clock = Clock()
    reader = _reader(wire, clock)
    _write(redis_client, NOW_US, speed_max_kph=1.0, radius_km=1.0)

    async def seen() -> tuple[float, float]:
        read = await reader.read(_providers(["p1"]), NOW_US + 2)
        return (
            float(read["provider_motion"].columns["provider_motion__speed_max_kph"][0]),
            float(read["provider_profile"].columns["provider_profile__radius_km"][0]),
        )

    assert await seen() == (1.0, 1.0)
    _write(redis_client, NOW_US + 1, speed_max_kph=2.0, radius_km=2.0)
    clock.now_s += 0.9
    assert await seen() == (1.0, 1.0)
    clock.now_s += 0.2
    assert await seen() == (2.0, 1.0)
    clock.now_s += 0.74 * Keep().daily_s
    assert await seen() == (2.0, 1.0)
    clock.now_s += 0.52 * Keep().daily_s
    assert await seen() == (2.0, 2.0)


async def test_rows_of_batch_views_are_not_all_due_at_once(
    redis_client: redis.Redis, wire: Wire
) -> None:
    """What was read at one moment is read again little by little, over half of the time kept."""
    clock, ids = Clock(), [f"p{number}" for number in range(400)]
    reader, asked = _reader(wire, clock), [Entities([*ids], (Group((PROVIDER_PROFILE,)),))]
    await reader.read(asked, NOW_US)
    counts = []
    clock.now_s += 0.75 * Keep().daily_s
    for _ in range(5):
        clock.now_s += 0.1 * Keep().daily_s
        before = _hmgets(redis_client)
        await reader.read(asked, NOW_US)
        counts.append(_hmgets(redis_client) - before)
    assert sum(counts) == len(ids)
    assert counts == pytest.approx([len(ids) / 5] * 5, rel=0.1)


async def test_only_what_is_due_is_asked_for(redis_client: redis.Redis, wire: Wire) -> None:
    """With all rows at hand Redis is not asked at all; a new provider costs only its own rows."""
    reader = _reader(wire, Clock())
    await reader.read(_providers(["p1", "p2"]), NOW_US)

    async def asked(ids: list[str]) -> int:
        before = _hmgets(redis_client)
        await reader.read(_providers(ids), NOW_US)
        return _hmgets(redis_client) - before

    assert await asked(["p2", "p1"]) == 0
    assert await asked(["p1", "p3", "p2"]) == 2  # its stream views, and its profile


async def test_what_is_recalled_is_what_was_read_with_its_true_age(
    redis_client: redis.Redis, wire: Wire
) -> None:
    """With Redis empty or away, the rows read last come back: same values, same event times."""
    _write(redis_client, NOW_US - 30_000_000, lat=39.7, lon=-105.0)
    reader, groups = _reader(wire, Clock()), _providers(["p1", "stranger"])
    read = (await reader.read(groups, NOW_US))["provider_motion"]
    redis_client.flushall()
    later_us = NOW_US + 60_000_000
    recalled = reader.recall(groups, later_us)["provider_motion"]
    assert recalled.ages_s(later_us)[0] == pytest.approx(90)
    assert recalled.missing.tolist() == [False, True]
    assert repr(recalled.columns) == repr(read.columns)
    expired_us = NOW_US + int((PROVIDER_MOTION.ttl_s + 1) * 1e6)
    assert reader.recall(groups, expired_us)["provider_motion"].expired.tolist() == [True, False]


async def test_a_row_that_is_gone_is_missing_once_it_is_read_again(
    redis_client: redis.Redis, wire: Wire
) -> None:
    """A later answer replaces an earlier one, also where Redis has no row any more."""
    _write(redis_client)
    clock = Clock()
    reader, groups = _reader(wire, clock), _providers(["p1"])
    await reader.read(groups, NOW_US)
    redis_client.flushall()
    clock.now_s += 2 * Keep().daily_s
    read = await reader.read(groups, NOW_US)
    assert all(view.missing.all() for view in read.values())
    assert reader.recall(groups, NOW_US)["provider_motion"].missing.all()


async def test_it_does_not_grow_without_bound(redis_client: redis.Redis, wire: Wire) -> None:
    """Beyond the bound all is forgotten, and each provider still gets its own rows."""
    writer = RowWriter(redis_client, PROJECT)
    for number in range(40):
        rows.write(writer, PROVIDER_MOTION, [f"p{number}"], NOW_US, speed_max_kph=float(number))
    reader = _reader(wire, Clock(), Keep(entities=10))
    for start in (0, 10, 20, 30, 0):
        ids = [f"p{start + i}" for i in range(10)]
        read = await reader.read([Entities(ids, (Group((PROVIDER_MOTION,)),))], NOW_US)
        speeds = read["provider_motion"].columns["provider_motion__speed_max_kph"]
        assert speeds.tolist() == [float(start + i) for i in range(10)]
        assert len(reader._known) <= 20
