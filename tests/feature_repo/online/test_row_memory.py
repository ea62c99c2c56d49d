import time

import pytest
import redis

from feature_repo.online.read_route import ReadRoute
from feature_repo.online.reader import AsyncFeatureReader, Lookup
from feature_repo.online.redis_settings import RedisSettings
from feature_repo.online.row_memory import RowMemory
from feature_repo.online.row_writer import RowWriter
from feature_repo.online.wire import wires
from feature_repo.schema import PROVIDER_HISTORY, PROVIDER_MOTION, PROVIDER_PROFILE
from tests.support import rows

VIEWS = (PROVIDER_MOTION, PROVIDER_PROFILE)


def test_the_last_answer_is_what_is_known() -> None:
    """A later answer replaces an earlier one, also where Redis has no row any more."""
    memory = RowMemory()
    memory.remember(VIEWS, [("a",), ("b",)], [[b"1", b"2"], [b"3", None]])
    memory.remember(VIEWS, [("a",)], [[None, b"4"]])
    assert memory.recall(VIEWS, [("b",), ("a",), ("c",)]) == [
        (b"3", None), (None, b"4"), (None, None),
    ]  # fmt: skip


def test_views_that_are_read_apart_are_known_apart() -> None:
    """The history of a provider for a service is not its profile."""
    memory = RowMemory()
    memory.remember((PROVIDER_HISTORY,), [("a", "tow")], [[b"1"]])
    assert memory.recall(VIEWS, [("a",)]) == [(None, None)]
    assert memory.recall((PROVIDER_HISTORY,), [("a", "tow")]) == [(b"1",)]


def test_it_does_not_grow_without_bound() -> None:
    """Beyond the bound those known for longest are forgotten."""
    memory = RowMemory(at_most=10)
    for number in range(1000):
        memory.remember(VIEWS, [(str(number),)], [[b"1", b"2"]])
    assert sum(len(rows) for rows in memory._rows.values()) == 10
    assert memory.recall(VIEWS, [("999",), ("989",)]) == [(b"1", b"2"), (None, None)]


@pytest.mark.integration
async def test_what_is_recalled_is_what_was_read_with_its_true_age(
    redis_server: str, redis_client: redis.Redis
) -> None:
    """With Redis empty or away, the rows read last come back: same values, same event times."""
    writer, event_us = RowWriter(redis_client, "test"), time.time_ns() // 1000 - 30_000_000
    rows.write(writer, PROVIDER_MOTION, ["p1"], event_us, lat=39.7, lon=-105.0)
    wire, _ = wires(RedisSettings(redis_server))
    reader = AsyncFeatureReader(ReadRoute(wire), "test", RowMemory())
    lookups = [Lookup((PROVIDER_MOTION,), [("p1",), ("stranger",)])]
    read = (await reader.read(lookups, event_us))["provider_motion"]
    redis_client.flushall()
    later_us = event_us + 90_000_000
    recalled = reader.recall(lookups, later_us)["provider_motion"]
    assert recalled.ages_s(later_us)[0] == pytest.approx(90)
    assert recalled.missing.tolist() == [False, True]
    for name, values in read.columns.items():
        assert repr(recalled.columns[name]) == repr(values)
    await wire.close()


async def test_a_row_beyond_its_ttl_is_not_recalled() -> None:
    """What history does not see any more, an outage does not bring back."""
    wire, _ = wires(RedisSettings("redis://127.0.0.1:1/0"))
    memory = RowMemory()
    row = rows.encoded(PROVIDER_MOTION, event_us=1_000_000, lat=1.0, lon=2.0)
    memory.remember((PROVIDER_MOTION,), [("p1",)], [[row]])
    reader = AsyncFeatureReader(ReadRoute(wire), "test", memory)
    as_of_us = int(1_000_000 + (PROVIDER_MOTION.ttl_s + 1) * 1e6)
    recalled = reader.recall([Lookup((PROVIDER_MOTION,), [("p1",)])], as_of_us)
    assert recalled["provider_motion"].expired.tolist() == [True]
