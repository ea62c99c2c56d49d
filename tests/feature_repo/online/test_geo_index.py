from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import pytest
import redis
from hypothesis import given, settings
from hypothesis import strategies as st

from feature_repo.online import script_layout
from feature_repo.online.keys import geo_index_key
from feature_repo.online.row_writer import RowWriter
from feature_repo.schema import (
    PROVIDER_AVAILABILITY,
    PROVIDER_HISTORY,
    PROVIDER_MOTION,
    PROVIDER_PROFILE,
    ProviderStatus,
    ViewSchema,
)
from tests.support import rows

pytestmark = pytest.mark.integration

PROJECT = "test"
T0 = 1_700_000_000_000_000
PROVIDERS = ("p1", "p-with-a-long-name", "")
DENVER = {"lat": 39.74, "lon": -104.99}
PLACES = (DENVER, {"lat": -33.87, "lon": 151.21}, {"lat": 0.0, "lon": 0.0})
NO_PLACES = ({"lat": None, "lon": 20.0}, {"lat": 10.0, "lon": None}, {"lat": 89.0, "lon": 20.0})
Index = dict[str, tuple[float, float]]
Put = Callable[..., None]


def _reordered(schema: ViewSchema) -> ViewSchema:
    """Return a view of the same name with its columns the other way round."""
    return replace(schema, columns=schema.columns[::-1])


@pytest.fixture
def writer(redis_client: redis.Redis) -> RowWriter:
    """A writer to an empty store."""
    return RowWriter(redis_client, PROJECT)


def _index(client: redis.Redis) -> Index:
    """Return who is in the geo index, and where: latitude and longitude, to about 100 m."""
    key = geo_index_key(PROJECT)
    members = client.zrange(key, 0, -1)
    places = client.geopos(key, *members) if members else []
    return {
        member.decode(): (round(lat, 3) + 0.0, round(lon, 3) + 0.0)
        for member, (lon, lat) in zip(members, places, strict=True)
    }


def test_a_provider_who_goes_offline_leaves_and_comes_back(
    writer: RowWriter, redis_client: redis.Redis
) -> None:
    """Offline takes a provider off the map, moving keeps it off, any other status puts it back."""
    rows.write(writer, PROVIDER_MOTION, ["p1", "p2"], T0, **PLACES[1])
    rows.write(writer, PROVIDER_AVAILABILITY, ["p1"], T0, status="offline")
    assert set(_index(redis_client)) == {"p2"}
    rows.write(writer, PROVIDER_MOTION, ["p1"], T0 + 1, **DENVER)
    assert set(_index(redis_client)) == {"p2"}
    rows.write(writer, PROVIDER_AVAILABILITY, ["p1"], T0 + 1, status="on_scene")
    assert _index(redis_client)["p1"] == (39.74, -104.99)


@pytest.mark.parametrize("nowhere", NO_PLACES)
def test_a_row_without_a_place_takes_its_provider_off_the_map(
    writer: RowWriter, redis_client: redis.Redis, nowhere: dict[str, float | None]
) -> None:
    """Null, or nearer to a pole than Redis can index: the row is written, and the rest with it."""
    rows.write(writer, PROVIDER_MOTION, ["p1"], T0, **DENVER)
    given = {name: [value, DENVER[name]] for name, value in nowhere.items()}
    counts = rows.write(writer, PROVIDER_MOTION, ["p1", "p2"], T0 + 1, **given)
    assert counts.written == 2
    assert set(_index(redis_client)) == {"p2"}


def test_other_views_have_no_say(writer: RowWriter, redis_client: redis.Redis) -> None:
    """Only motion and availability decide who is on the map."""
    rows.write(writer, PROVIDER_MOTION, ["p1"], T0, **DENVER)
    before = _index(redis_client)
    rows.write(writer, PROVIDER_PROFILE, ["p1", "p2"], T0 + 1)
    rows.write(writer, PROVIDER_HISTORY, [("p1", "tow")], T0 + 1)
    assert _index(redis_client) == before


def test_the_script_follows_the_schema(
    redis_client: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the columns in another order, status, position and nulls are found where they are."""
    motion, availability = _reordered(PROVIDER_MOTION), _reordered(PROVIDER_AVAILABILITY)
    monkeypatch.setattr(script_layout, "PROVIDER_MOTION", motion)
    monkeypatch.setattr(script_layout, "PROVIDER_AVAILABILITY", availability)
    writer = RowWriter(redis_client, PROJECT)
    rows.write(writer, motion, ["p1", "p2", "p3"], T0, lat=[39.74, 39.74, None], lon=-104.99)
    rows.write(writer, availability, ["p1", "p2"], T0, status=["available", "offline"])
    assert _index(redis_client) == {"p1": (39.74, -104.99)}


def test_after_a_change_of_schema_the_next_row_is_judged(
    writer: RowWriter, redis_client: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A status whose predecessor cannot be read any more puts its provider back on the map."""
    rows.write(writer, PROVIDER_MOTION, ["p1"], T0, **DENVER)
    rows.write(writer, PROVIDER_AVAILABILITY, ["p1"], T0, status="offline")
    changed = _reordered(PROVIDER_AVAILABILITY)
    monkeypatch.setattr(script_layout, "PROVIDER_AVAILABILITY", changed)
    rows.write(RowWriter(redis_client, PROJECT), changed, ["p1"], T0 + 1, status="available")
    assert set(_index(redis_client)) == {"p1"}


def test_rows_that_change_no_place_cost_no_more_than_others(
    writer: RowWriter, redis_client: redis.Redis
) -> None:
    """A status that keeps its provider on or off the map, and a truck that stands, move nobody."""
    rows.write(writer, PROVIDER_MOTION, ["p1", "p2"], T0, **DENVER)
    rows.write(writer, PROVIDER_AVAILABILITY, ["p1", "p2"], T0, status=["available", "offline"])
    redis_client.config_resetstat()
    rows.write(writer, PROVIDER_MOTION, ["p1", "p2"], T0 + 1, **DENVER)
    rows.write(writer, PROVIDER_AVAILABILITY, ["p1", "p2"], T0 + 1, status=["on_scene", "offline"])
    commands = set(redis_client.info("commandstats"))
    assert commands.isdisjoint({"cmdstat_geoadd", "cmdstat_zrem", "cmdstat_hget"})
    assert set(_index(redis_client)) == {"p1"}


@dataclass(frozen=True)
class Write:
    """One row of one provider: ``value`` is a place or a status."""

    schema: ViewSchema
    provider: str
    times: tuple[int, int]
    value: dict[str, float | None] | str | None

    def put(self, writer: RowWriter) -> None:
        """Write the row."""
        values = self.value if isinstance(self.value, dict) else {"status": self.value}
        event_us, created_us = (T0 + moment for moment in self.times)
        rows.write(writer, self.schema, [self.provider], event_us, created_us, **values)


def _writes(
    schema: ViewSchema, values: Sequence[dict[str, float | None] | str | None]
) -> st.SearchStrategy[list[Write]]:
    """Return rows of a view, some of another schema, no two of one provider at the same times."""
    moment = st.integers(0, 2)
    write = st.builds(
        Write,
        st.sampled_from([schema, schema, schema, _reordered(schema)]),
        st.sampled_from(PROVIDERS),
        st.tuples(moment, moment),
        st.sampled_from(values),
    )
    return st.lists(write, max_size=8, unique_by=lambda row: (row.provider, row.times))


@st.composite
def _arrivals(draw: st.DrawFn) -> list[Write]:
    """Return rows of both views in any order, some of them more than once."""
    written = draw(_writes(PROVIDER_MOTION, [*PLACES, *PLACES, *NO_PLACES]))
    written += draw(_writes(PROVIDER_AVAILABILITY, [*ProviderStatus, "offline", None]))
    replayed = draw(st.lists(st.sampled_from(written), max_size=6)) if written else []
    return draw(st.permutations(written + replayed))


def _newest(writes: Sequence[Write], view: ViewSchema, provider: str) -> Write | None:
    """Return the provider's row of the view that is kept, if it can be read."""
    of_view = [w for w in writes if (w.schema.name, w.provider) == (view.name, provider)]
    newest = max(of_view, key=lambda write: write.times, default=None)
    return newest if newest and newest.schema == view else None


def _expected(writes: Sequence[Write]) -> Index:
    """Return the index that the newest rows alone make."""
    index: Index = {}
    for provider in PROVIDERS:
        motion = _newest(writes, PROVIDER_MOTION, provider)
        state = _newest(writes, PROVIDER_AVAILABILITY, provider)
        if motion and motion.value in PLACES and not (state and state.value == "offline"):
            index[provider] = (motion.value["lat"], motion.value["lon"])
    return index


@settings(deadline=None, max_examples=200)
@given(arrivals=_arrivals())
def test_the_index_is_a_function_of_the_newest_rows(
    redis_server: str, arrivals: list[Write]
) -> None:
    """Whatever the order of writes and replays, only the newest row of each view counts."""
    with redis.Redis.from_url(redis_server) as client:
        client.flushall()
        writer = RowWriter(client, PROJECT)
        for write in arrivals:
            write.put(writer)
        assert _index(client) == _expected(arrivals)
