import itertools
from collections.abc import AsyncIterator

import pytest
import redis

from feature_repo.online.async_reader import AsyncFeatureReader, Entities, Group
from feature_repo.online.read_route import ReadRoute
from feature_repo.online.redis_settings import RedisSettings
from feature_repo.online.row_writer import RowWriter
from feature_repo.online.wire import wires
from feature_repo.schema import PROVIDER_MOTION, PROVIDER_PROFILE
from scoring.gateway.last_positions import RADIUS_KM, nearest
from scoring.gateway.messages import Location
from tests.support import rows

pytestmark = pytest.mark.integration

DENVER = Location(39.7392, -104.9903)
KM_A_DEGREE = 111.2
PROJECT = "test"
NOW_US = 1_800_000_000_000_000


class Known:
    """A reader, and what it has read."""

    def __init__(self, client: redis.Redis, reader: AsyncFeatureReader) -> None:
        self._writer = RowWriter(client, PROJECT)
        self.reader = reader

    async def read(self, provider_id: str, north: float | None, east_deg: float = 0.0) -> None:
        """Have a provider read that is so many km north; with None its position is unknown."""
        lat = None if north is None else DENVER.lat + north / KM_A_DEGREE
        lon = None if north is None else DENVER.lon + east_deg
        rows.write(self._writer, PROVIDER_MOTION, [provider_id], NOW_US, lat=lat, lon=lon)
        await self._read(provider_id)

    async def at_base(self, provider_id: str, north: float) -> None:
        """Have a provider read of whom only the base is known."""
        base = {"base_lat": DENVER.lat + north / KM_A_DEGREE, "base_lon": DENVER.lon}
        rows.write(self._writer, PROVIDER_PROFILE, [provider_id], NOW_US, **base)
        await self._read(provider_id)

    async def _read(self, provider_id: str) -> None:
        views = Group((PROVIDER_MOTION, PROVIDER_PROFILE))
        await self.reader.read([Entities([provider_id], (views,))], NOW_US)

    def near(self, at_most: int = 10) -> list[str]:
        """Return who is near."""
        return nearest(self.reader, DENVER, at_most)


@pytest.fixture
async def known(redis_server: str, redis_client: redis.Redis) -> AsyncIterator[Known]:
    """A reader of an empty Redis that has read nothing."""
    wire, _ = wires(RedisSettings(redis_server))
    much_later = itertools.count(step=1_000).__next__  # what was read is due again each time
    reader = AsyncFeatureReader(ReadRoute(wire), PROJECT, clock=much_later)
    yield Known(redis_client, reader)
    await wire.close()


async def test_the_nearest_come_first_and_those_too_far_not_at_all(known: Known) -> None:
    """The order and the radius are those of the geo index."""
    assert known.near() == []
    for name, north in {"far": 90.0, "near": 1.0, "out": RADIUS_KM + 2, "middle": -40.0}.items():
        await known.read(name, north)
    assert known.near() == ["near", "middle", "far"]
    assert known.near(2) == ["near", "middle"]


async def test_who_has_no_position_is_taken_to_be_at_its_base(known: Known) -> None:
    """The position counts where it is known, the base where it is not, and else nobody is near."""
    await known.at_base("based", 2.0)
    await known.at_base("moved", 0.1)
    await known.read("moved", 5.0)
    await known.read("nowhere", None)
    assert known.near() == ["based", "moved"]


async def test_longitude_counts_too(known: Known) -> None:
    """East is as far as north, where a degree is shorter."""
    await known.read("east", 0.0, east_deg=1.0)
    await known.read("north", 90.0)
    assert known.near() == ["east", "north"]
