import warnings
from typing import Any

import numpy as np
import pytest
import redis
from hypothesis import given, settings
from hypothesis import strategies as st

from feature_repo.analyst_frames import stored_columns
from feature_repo.model_matrix import full_name
from feature_repo.online.reader import FeatureReader, Lookup, ViewRows
from feature_repo.online.row_writer import RowWriter
from feature_repo.schema import (
    CELL_CONDITIONS,
    CELL_DEMAND,
    PROVIDER_AVAILABILITY,
    PROVIDER_HISTORY,
    PROVIDER_MOTION,
    PROVIDER_PROFILE,
    VIEWS,
    Kind,
    ViewSchema,
)
from tests.feature_repo.conftest import FeastRepository
from tests.support import rows

pytestmark = [
    pytest.mark.integration,
    # Feast, ibis and DuckDB warn of one another's deprecations.
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:On demand feature view"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
]

PROVIDERS = ("p1", "p2", "p3")
T0 = 1_700_000_000_000_000
VALUES: dict[Kind, st.SearchStrategy[Any]] = {
    Kind.FLOAT32: st.floats(width=32, allow_nan=False),
    Kind.FLOAT64: st.floats(allow_nan=False),
    Kind.INT32: st.integers(-(2**31), 2**31 - 1),
    Kind.BOOL: st.booleans(),
    Kind.STRING: st.text("abcdef0123456789_", max_size=16),
    Kind.TIMESTAMP: st.integers(0, 7_000_000_000).map(lambda seconds: seconds * 1_000_000),
}
ROW = {
    view.name: st.fixed_dictionaries(
        {column.name: st.none() | VALUES[column.kind] for column in view.columns}
    )
    for view in VIEWS.values()
}


@pytest.fixture(scope="module")
def store(feast_repository: FeastRepository) -> Any:
    """The SDK on the applied repository, whose online store is empty."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from feast import FeatureStore  # noqa: PLC0415 - seconds to import

        return FeatureStore(fs_yaml_file=feast_repository.settings)


def _entity(schema: ViewSchema, provider: str) -> tuple[str, ...]:
    values = {"provider_id": provider, "service": "tow", "cell": f"cell of {provider}"}
    return tuple(values[key] for key in schema.join_keys)


def _lookups(providers: tuple[str, ...]) -> list[Lookup]:
    together = (
        (PROVIDER_MOTION, PROVIDER_AVAILABILITY, PROVIDER_PROFILE),
        (PROVIDER_HISTORY,),
        (CELL_CONDITIONS, CELL_DEMAND),
    )
    return [Lookup(views, [_entity(views[0], p) for p in providers]) for views in together]


@settings(deadline=None, max_examples=40)
@given(
    written=st.fixed_dictionaries(
        {view: st.dictionaries(st.sampled_from(PROVIDERS), row) for view, row in ROW.items()}
    )
)
def test_it_equals_get_online_features(
    store: Any,
    feast_repository: FeastRepository,
    written: dict[str, dict[str, dict[str, Any]]],
) -> None:
    """Any rows of any views, some absent, some null: value for value what Feast's SDK says."""
    with redis.Redis.from_url(feast_repository.redis_url) as client:
        client.flushall()
        writer = RowWriter(client, store.project)
        for view, rows_of_view in written.items():
            for provider, row in rows_of_view.items():
                rows.write(writer, VIEWS[view], [_entity(VIEWS[view], provider)], T0, **row)
        read = FeatureReader(client, store.project).read(_lookups(PROVIDERS), T0)
    features = [f"{view.name}:{column.name}" for view in VIEWS.values() for column in view.columns]
    asked = [{"provider_id": p, "service": "tow", "cell": f"cell of {p}"} for p in PROVIDERS]
    online = store.get_online_features(features, asked, full_feature_names=True).to_df()
    theirs = stored_columns(online)
    for view in VIEWS.values():
        ours = read[view.name]
        assert ours.missing.tolist() == [p not in written[view.name] for p in PROVIDERS]
        for column in view.columns:
            name = full_name(view.name, column.name)
            _assert_equal(ours.columns[name], theirs[name], name)


def _assert_equal(ours: np.ndarray, theirs: np.ndarray, name: str) -> None:
    if ours.dtype.kind == "S":
        assert [text.decode() for text in ours.tolist()] == theirs.tolist(), name
    else:
        np.testing.assert_array_equal(ours, theirs.astype(np.float64), err_msg=name)


def _motion(client: redis.Redis, *providers: str) -> ViewRows:
    lookup = Lookup((PROVIDER_MOTION,), [(provider,) for provider in providers])
    return FeatureReader(client, "test").read([lookup], T0)["provider_motion"]


def test_ages_count_from_the_newest_event(redis_client: redis.Redis) -> None:
    """Each row has its age in seconds, whether or not a feature tells it; none has NaN."""
    writer = RowWriter(redis_client, "test")
    rows.write(writer, PROVIDER_MOTION, ["p1"], T0)
    rows.write(writer, PROVIDER_MOTION, ["p2"], T0 - 2_500_000)
    ages = _motion(redis_client, "p1", "unseen", "p2").ages_s(T0 + 1_000_000)
    assert ages.dtype == np.float32
    np.testing.assert_array_equal(ages, [1.0, np.nan, 3.5])


def test_a_row_beyond_its_ttl_is_expired(redis_client: redis.Redis) -> None:
    """What history no longer sees is not served: no value, no age, and a count of its own."""
    ttl_us = round(PROVIDER_AVAILABILITY.ttl_s * 1e6)
    writer, reader = RowWriter(redis_client, "test"), FeatureReader(redis_client, "test")
    for provider, age_us in (("at it", ttl_us), ("beyond", ttl_us + 1)):
        rows.write(
            writer, PROVIDER_AVAILABILITY, [provider], T0 - age_us,
            status="available", active_jobs=1,
        )  # fmt: skip
    lookup = Lookup((PROVIDER_AVAILABILITY,), [("at it",), ("beyond",), ("nobody",)])
    found = reader.read([lookup], T0)["provider_availability"]
    assert found.expired.tolist() == [False, True, False]
    assert found.missing.tolist() == [False, False, True]
    assert found.columns["provider_availability__status"].tolist() == [b"available", b"", b""]
    jobs = found.columns["provider_availability__active_jobs"]
    np.testing.assert_array_equal(jobs, [1.0, np.nan, np.nan])
    np.testing.assert_array_equal(np.isnan(found.ages_s(T0)), [False, True, True])


def test_what_is_no_row_is_mismatched(redis_client: redis.Redis) -> None:
    """Bytes of another length, and a row of another view: NaN and counted, never interpreted."""
    writer = RowWriter(redis_client, "test")
    rows.write(writer, PROVIDER_MOTION, ["p1", "short", "other"], T0)
    rows.write(writer, PROVIDER_PROFILE, ["other"], T0)
    keys = {key: row for key in redis_client.scan_iter() if (row := _row_of(redis_client, key))}
    for key, row in keys.items():
        if b"short" in key:
            redis_client.hset(key, "row:provider_motion", row[:-1])
        if b"other" in key:
            profile = redis_client.hget(key, "row:provider_profile")
            redis_client.hset(key, "row:provider_motion", profile.ljust(len(row), b"\0"))
    found = _motion(redis_client, "p1", "short", "other")
    assert found.mismatched.tolist() == [False, True, True]
    assert not found.missing.any()
    speed = found.columns["provider_motion__speed_mean_kph"]
    assert np.isnan(speed).tolist() == [False, True, True]


def _row_of(client: redis.Redis, key: bytes) -> Any:
    return client.hget(key, "row:provider_motion") if client.type(key) == b"hash" else None


def test_one_round_trip_however_many_views(
    redis_client: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All views of all entities are asked for before any answer is waited for."""
    reader = FeatureReader(redis_client, "test")
    reader.read(_lookups(PROVIDERS), T0)
    told: list[str] = []
    connection = redis_client.connection_pool.get_connection()
    redis_client.connection_pool.release(connection)
    send, receive = connection.send_packed_command, connection._parser.read_from_socket

    def sending(command: list[bytes]) -> None:
        told.extend(["sent"] * command[0].count(b"HMGET"))
        send(command)

    def receiving(**options: object) -> bool:
        if not options:  # else the pool looks, without waiting, whether the connection is clean
            told.append("waited")
        return bool(receive(**options))

    monkeypatch.setattr(connection, "send_packed_command", sending)
    monkeypatch.setattr(connection._parser, "read_from_socket", receiving)
    reader.read(_lookups(PROVIDERS), T0)
    asked = 3 * len(PROVIDERS)
    assert told[:asked] == ["sent"] * asked
    assert set(told[asked:]) == {"waited"}


def test_no_entities_are_no_rows(redis_client: redis.Redis) -> None:
    """A request without candidates gets empty columns of every feature."""
    read = FeatureReader(redis_client, "test").read(_lookups(()), T0)
    assert set(read) == set(VIEWS)
    assert all(len(values) == 0 for found in read.values() for values in found.columns.values())
