import asyncio
import itertools
from collections.abc import AsyncIterator
from typing import Any

import pytest
import redis

from feature_repo.online.async_reader import AsyncFeatureReader, Entities, Group, Keep
from feature_repo.online.changes import Changes
from feature_repo.online.keys import entity_key
from feature_repo.online.read_route import ReadRoute
from feature_repo.online.redis_settings import RedisSettings
from feature_repo.online.row_writer import RowWriter
from feature_repo.online.wire import Wire, wires
from feature_repo.schema import CELL_DEMAND, PROVIDER_MOTION, PROVIDER_PROFILE
from tests.support import rows

pytestmark = pytest.mark.integration

PROJECT = "test"
NOW_US = 1_800_000_000_000_000
TOLD_S = 0.2
"""Redis tells at once; a busy machine hears it later."""


class Told:
    """A reader that is told what changes, its Redis, and a clock."""

    def __init__(self, client: redis.Redis, wire: Wire, changes: Changes) -> None:
        self.client = client
        self.changes = changes
        self.now_s = 1_000.0
        self._wire = wire
        self._writer = RowWriter(client, PROJECT)
        route = ReadRoute(wire)
        self.reader = AsyncFeatureReader(route, PROJECT, Keep(), changes, self._clock)
        self._written = NOW_US

    def _clock(self) -> float:
        self.now_s += 1e-6
        return self.now_s

    def write(self, provider_id: str, speed: float) -> None:
        """Write a newer row of a provider."""
        self._written += 1
        rows.write(self._writer, PROVIDER_MOTION, [provider_id], self._written, speed_max_kph=speed)

    async def speeds(self, *ids: str, later_s: float = 0.01) -> list[float]:
        """Return what is read, a moment later by the clock."""
        self.now_s += later_s
        read = await self.reader.read([Entities(ids, (Group((PROVIDER_MOTION,)),))], NOW_US)
        speeds = read["provider_motion"].columns["provider_motion__speed_max_kph"]
        return [float(speed) for speed in speeds]

    async def eventually(self, expected: list[float], *ids: str) -> None:
        """Read until the rows are these."""
        async with asyncio.timeout(5):
            while await self.speeds(*ids) != expected:
                await asyncio.sleep(0.01)

    def questions(self) -> int:
        """Return how many rows Redis was asked for so far."""
        stats: Any = self.client.info("commandstats")
        return int(stats.get("cmdstat_hmget", {"calls": 0})["calls"])


@pytest.fixture
async def told(redis_server: str, redis_client: redis.Redis) -> AsyncIterator[Told]:
    """A reader of an empty Redis."""
    changes = Changes(PROJECT)
    wire, _ = wires(RedisSettings(redis_server), changes)
    yield Told(redis_client, wire, changes)
    await wire.close()


async def test_a_row_is_read_again_when_it_was_written(told: Told) -> None:
    """A write is seen as soon as Redis has told of it, however young the row at hand is."""
    told.write("p1", 1.0)
    told.write("p2", 10.0)
    assert await told.speeds("p1", "p2") == [1.0, 10.0]
    for speed in (2.0, 3.0):
        told.write("p1", speed)
        await told.eventually([speed, 10.0], "p1", "p2")


async def test_a_row_that_was_not_written_is_not_read_again(told: Told) -> None:
    """Other providers' writes, and the same provider's in another project, cost nothing."""
    told.write("p1", 1.0)
    await told.speeds("p1")
    told.write("p2", 1.0)
    rows.write(RowWriter(told.client, "other"), PROVIDER_MOTION, ["p1"], NOW_US, lat=1.0)
    await asyncio.sleep(TOLD_S)
    before = told.questions()
    assert await told.speeds("p1", later_s=20.0) == [1.0]
    assert told.questions() == before
    assert await told.speeds("p1", later_s=20.0) == [1.0]
    assert told.questions() == before + 1, "not longer than Keep.told_s"


class Slow:
    """A Redis whose answers come when the test says."""

    def __init__(self) -> None:
        self.asked: list[asyncio.Future[list[Any]]] = []

    async def ask(self, commands: bytes, count: int) -> list[Any]:
        """Wait for the answer."""
        assert (commands.count(b"HMGET"), count) == (1, 1)
        self.asked.append(asyncio.get_running_loop().create_future())
        return await self.asked[-1]


async def test_an_answer_that_is_older_than_a_write_is_not_kept() -> None:
    """A row that was asked for before it was written is read again, whenever the answer came."""
    changes, slow, moments = Changes(PROJECT), Slow(), itertools.count(1)
    route: Any = ReadRoute(slow)
    reader = AsyncFeatureReader(route, PROJECT, Keep(), changes, lambda: float(next(moments)))
    older, newer = (rows.encoded(PROVIDER_MOTION, NOW_US, speed_max_kph=s) for s in (1.0, 2.0))

    def read() -> asyncio.Task[Any]:
        return asyncio.create_task(
            reader.read([Entities(["p1"], (Group((PROVIDER_MOTION,)),))], NOW_US)
        )

    first = read()
    await asyncio.sleep(0)
    changes.told([b"invalidate", [entity_key(PROJECT, PROVIDER_MOTION, ("p1",))]])
    second = read()
    await asyncio.sleep(0)
    for answer, row, reading in ((1, newer, second), (0, older, first)):
        slow.asked[answer].set_result([[row]])
        await reading
    third = read()
    await asyncio.sleep(0)
    slow.asked[2].set_result([[newer]])
    speeds = (await third)["provider_motion"].columns["provider_motion__speed_max_kph"]
    assert speeds.tolist() == [2.0]


async def test_after_a_lost_connection_anything_may_have_changed(told: Told) -> None:
    """What was written while nobody listened is read."""
    told.write("p1", 1.0)
    assert await told.speeds("p1") == [1.0]
    told.client.client_kill_filter(_type="normal", skipme=True)
    told.write("p1", 2.0)
    await told.eventually([2.0], "p1")


async def test_after_a_flush_nothing_is_at_hand(told: Told) -> None:
    """That all rows are gone is told, too."""
    told.write("p1", 1.0)
    assert await told.speeds("p1") == [1.0]
    told.client.flushall()
    async with asyncio.timeout(5):
        while (await told.speeds("p1"))[0] == 1.0:
            await asyncio.sleep(0.01)


async def test_more_than_is_kept_counts_as_anything(
    told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When nobody reads for long, what is told is not kept without bound, and no write is lost."""
    monkeypatch.setattr("feature_repo.online.changes.KEYS_KEPT", 3)
    for number in range(3):
        told.write(f"p{number}", 1.0)
    assert await told.speeds("p0", "p1", "p2") == [1.0, 1.0, 1.0]
    for number in range(10):
        told.write(f"p{number}", 2.0)
    await told.eventually([2.0, 2.0, 2.0], "p0", "p1", "p2")


async def test_a_server_that_does_not_tell_is_asked_more_often(
    told: Told, caplog: pytest.LogCaptureFixture
) -> None:
    """Refused tracking is noted in the log once, and rows are kept for ``Keep.live_s``."""
    told.changes.subscription = lambda: (b"*1\r\n$7\r\nNONSENS\r\n", 1)  # type: ignore[method-assign]
    told.write("p1", 1.0)
    assert await told.speeds("p1") == [1.0]
    assert "does not tell what changes" in caplog.text
    told.write("p1", 2.0)
    assert await told.speeds("p1", later_s=0.5) == [1.0]
    assert await told.speeds("p1", later_s=0.6) == [2.0]


async def test_cells_are_told_of_as_providers_are(told: Told) -> None:
    """A cell's row is read again when it was written; a profile keeps its own time."""
    writer = RowWriter(told.client, PROJECT)

    async def seen() -> tuple[float, float]:
        told.now_s += 0.01
        asked = [
            Entities(["cell"], (Group((CELL_DEMAND,)),)),
            Entities(["p1"], (Group((PROVIDER_PROFILE,)),)),
        ]
        read = await told.reader.read(asked, NOW_US)
        return (
            float(read["cell_demand"].columns["cell_demand__open_requests"][0]),
            float(read["provider_profile"].columns["provider_profile__radius_km"][0]),
        )

    def write(event_us: int, value: float) -> None:
        rows.write(writer, CELL_DEMAND, ["cell"], event_us, open_requests=int(value))
        rows.write(writer, PROVIDER_PROFILE, ["p1"], event_us, radius_km=value)

    write(NOW_US, 1.0)
    assert await seen() == (1.0, 1.0)
    write(NOW_US + 1, 2.0)
    await asyncio.sleep(TOLD_S)
    async with asyncio.timeout(5):
        while await seen() != (2.0, 1.0):
            await asyncio.sleep(0.01)
