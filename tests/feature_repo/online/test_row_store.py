import asyncio
import gc
import warnings
from datetime import timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import redis

from feature_repo.online.keys import geo_index_key
from feature_repo.schema import PROVIDER_AVAILABILITY, PROVIDER_MOTION, ViewSchema
from tests.feature_repo.conftest import NOW, FeastRepository
from tests.support import feast_stores
from tests.support.certificates import make_certificates
from tests.support.feast_stores import NUMBER, ROWS, StoreUnderTest, apply, frame, view_of
from tests.support.redis_servers import redis_running

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from feast import types
    from feast.protos.feast.types.EntityKey_pb2 import EntityKey
    from feast.protos.feast.types.Value_pb2 import Value

pytestmark = [
    pytest.mark.integration,
    # Feast, ibis and DuckDB warn of one another's deprecations.
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
]

HELD = {"FLOAT32", "FLOAT64", "INT32", "INT64", "BOOL", "STRING", "UNIX_TIMESTAMP"}
NOT_HELD = [
    *(kind for kind in types.PrimitiveFeastType if kind.name not in {*HELD, "INVALID"}),
    types.Array(types.Float32),
    types.Set(types.String),
    types.Struct({"field": types.Int32}),
]


@pytest.fixture(scope="module")
def project_store(feast_repository: FeastRepository) -> Any:
    """The SDK on the applied repository."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from feast import FeatureStore  # noqa: PLC0415 - seconds to import

        return FeatureStore(fs_yaml_file=feast_repository.settings)


@pytest.fixture
def rows_store(redis_client: redis.Redis, redis_server: str, tmp_path: Path) -> Any:
    """A feature store of one view, on an empty row store."""
    assert redis_client.dbsize() == 0
    store = StoreUnderTest(ROWS, redis_server).open(tmp_path)
    apply(store, *view_of("view", NUMBER, tmp_path))
    return store


def _push(store: Any, schema: ViewSchema, after_s: int, **given: object) -> None:
    moment = NOW + pd.Timedelta(seconds=after_s)
    row = {column.name: None for column in schema.columns} | given
    times = {"event_timestamp": moment, "created_timestamp": moment}
    store.push(f"{schema.name}_push", pd.DataFrame([{"provider_id": "pushed", **row, **times}]))


def test_a_push_keeps_the_geo_index(project_store: Any, feast_repository: FeastRepository) -> None:
    """Rows pushed through Feast's SDK put a provider on the map and take it off, as a job's do."""
    client = redis.Redis.from_url(feast_repository.redis_url)
    key = geo_index_key(project_store.project)
    _push(project_store, PROVIDER_MOTION, 1, lat=39.74, lon=-104.99)
    assert client.geopos(key, "pushed")[0] == pytest.approx((-104.99, 39.74), abs=1e-4)
    _push(project_store, PROVIDER_AVAILABILITY, 1, status="offline")
    assert client.geopos(key, "pushed") == [None]
    _push(project_store, PROVIDER_AVAILABILITY, 2, status="available")
    assert client.geopos(key, "pushed")[0] == pytest.approx((-104.99, 39.74), abs=1e-4)


def test_a_teardown_empties_the_map(project_store: Any, feast_repository: FeastRepository) -> None:
    """With the rows of the project's views, the geo index and the beacons are gone."""
    client = redis.Redis.from_url(feast_repository.redis_url)
    _push(project_store, PROVIDER_MOTION, 3, lat=39.74, lon=-104.99)
    client.hset(f"{project_store.project}:beacon:provider_motion", "wall_us", 1)
    views = project_store.list_feature_views()
    provider = project_store._get_provider()
    provider.online_store.teardown(project_store.config, views, [])
    assert client.keys() == []


@pytest.mark.parametrize("kind", NOT_HELD, ids=str)
def test_apply_refuses_a_type_without_a_fixed_width(
    rows_store: Any, tmp_path: Path, kind: Any
) -> None:
    """View, feature and type are named, with what to use instead, and nothing is registered."""
    view, entities = view_of("wide", {"feature": kind}, tmp_path)
    with pytest.raises(
        ValueError, match=r"view 'wide': feature 'feature' is .*; use one of Float32"
    ):
        apply(rows_store, view, entities)
    rows_store.refresh_registry()
    assert [view.name for view in rows_store.list_feature_views()] == ["view"]


def test_apply_refuses_more_features_than_a_row_holds(rows_store: Any, tmp_path: Path) -> None:
    """A view of 65 features is refused with its name; one of 64 is not."""
    for count in (64, 65):
        view, entities = view_of(
            f"view_{count}", {f"f{n}": types.Bool for n in range(count)}, tmp_path
        )
        if count == 64:
            apply(rows_store, view, entities)
            continue
        with pytest.raises(ValueError, match=r"'view_65' has 65 features, .* at most 64; split"):
            apply(rows_store, view, entities)


def test_a_view_without_a_row_is_deleted_without_others(
    rows_store: Any, redis_server: str, redis_client: redis.Redis, tmp_path: Path
) -> None:
    """Deleting a view leaves a project whose name ends like this one's, and another's entities."""
    other = tmp_path / "other"
    other.mkdir()
    longer = StoreUnderTest(ROWS, redis_server).open(other, f"my_{rows_store.project}")
    apply(longer, *view_of("view", NUMBER, other))
    for store in (rows_store, longer):
        store.push("view_push", frame([{"driver": "a", "number": 1.0}]))
    view = rows_store.get_feature_view("view")
    rows_store.apply([], objects_to_delete=[view], partial=False)
    left = [key for key in redis_client.scan_iter() if key.endswith(b"contract")]
    assert len(left) == 1
    answer = longer.get_online_features(["view:number"], [{"driver": "a"}]).to_dict()
    assert answer["number"] == [1.0]


def test_rows_of_equal_event_time_are_told_by_when_they_were_made(rows_store: Any) -> None:
    """A correction of the same moment replaces the row; Feast's own store keeps the first."""
    for made, number in ((1, 1.0), (3, 3.0), (2, 2.0)):
        row = {"driver": "a", "number": number,
               "created_timestamp": feast_stores.NOW + timedelta(seconds=made)}  # fmt: skip
        rows_store.push("view_push", frame([row]))
    answer = rows_store.get_online_features(["view:number"], [{"driver": "a"}]).to_dict()
    assert answer["number"] == [3.0]


@pytest.mark.usefixtures("redis_client")
@pytest.mark.parametrize("number", [-(2**63) + 1, 2**63 - 1])
def test_the_largest_integers_are_held(redis_server: str, tmp_path: Path, number: int) -> None:
    """64 bits are kept exactly, where the caller gives them as Feast's values."""
    store = StoreUnderTest(ROWS, redis_server).open(tmp_path)
    view, entities = view_of("view", {"number": types.Int64}, tmp_path)
    apply(store, view, entities)
    online, table = store._get_provider().online_store, store.get_feature_view("view")
    key = EntityKey(join_keys=["driver"], entity_values=[Value(string_val="a")])
    values = {"number": Value(int64_val=number)}
    told: list[int] = []
    online.online_write_batch(
        store.config, table, [(key, values, feast_stores.NOW, None)], told.append
    )
    assert told == [1]
    assert online.online_read(store.config, table, [key]) == [(feast_stores.NOW, values)]


def test_async_works_in_one_event_loop_after_another(rows_store: Any) -> None:
    """A store that was used in an event loop that has ended goes on in the next."""
    asked = ["view:number"], [{"driver": "a"}]

    async def push_and_read(number: float, *, leave_open: bool) -> Any:
        await rows_store.push_async("view_push", frame([{"driver": "a", "number": number}]))
        answer = await rows_store.get_online_features_async(*asked)
        if not leave_open:
            await rows_store.close()
        return answer.to_dict()["number"]

    with warnings.catch_warnings():
        # What a closed loop leaves open, Python says of itself.
        warnings.simplefilter("ignore", ResourceWarning)
        assert asyncio.run(push_and_read(1.0, leave_open=True)) == [1.0]
        assert asyncio.run(push_and_read(2.0, leave_open=False)) == [2.0]
        gc.collect()


def test_async_goes_on_after_a_restart(tmp_path: Path) -> None:
    """The script that a restarted server has forgotten is loaded again."""
    with redis_running(tmp_path) as server:
        store = StoreUnderTest(ROWS, server.url()).open(tmp_path)
        apply(store, *view_of("view", NUMBER, tmp_path))

        async def push_restart_push() -> Any:
            row = frame([{"driver": "a", "number": 1.0}])
            await store.push_async("view_push", row)
            server.kill()
            server.start()
            await store.push_async("view_push", row)
            answer = await store.get_online_features_async(["view:number"], [{"driver": "a"}])
            await store.close()
            return answer.to_dict()["number"]

        assert asyncio.run(push_restart_push()) == [1.0]


def test_tls_password_and_replica_are_settings_of_the_block(tmp_path: Path) -> None:
    """The online store's block takes them, sync and async; the replica answers the reads."""
    certificates = make_certificates(tmp_path)
    safe = (*certificates.redis_arguments(), "--requirepass", "secret")
    with redis_running(tmp_path, *safe) as primary:
        link = (*safe, "--masterauth", "secret", "--tls-replication", "yes", "--replicaof",
                "127.0.0.1", str(primary.port), "--repl-diskless-sync-delay", "0")  # fmt: skip
        with redis_running(tmp_path, *link) as replica:
            store = StoreUnderTest(ROWS, primary.url("rediss")).open(
                tmp_path,
                password="secret",
                ca_file=str(certificates.ca),
                replica_urls=[replica.url("rediss")],
            )
            apply(store, *view_of("view", NUMBER, tmp_path))
            store.push("view_push", frame([{"driver": "a", "number": 1.0}]))
            assert store._get_provider().online_store._sync.primary.wait(1, 10_000) == 1
            primary.kill()
            asked = ["view:number"], [{"driver": "a"}]
            sync = store.get_online_features(*asked).to_dict()

            async def read() -> Any:
                answer = await store.get_online_features_async(*asked)
                await store.close()
                return answer.to_dict()

            assert sync == asyncio.run(read()) == {"driver": ["a"], "number": [1.0]}
