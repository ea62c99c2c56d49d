import warnings
from typing import Any

import pandas as pd
import pytest
import redis

from feature_repo.keys import geo_index_key
from feature_repo.schema import PROVIDER_AVAILABILITY, PROVIDER_MOTION, ViewSchema
from tests.feature_repo.conftest import NOW, FeastRepository

pytestmark = [
    pytest.mark.integration,
    # Feast, ibis and DuckDB warn of one another's deprecations.
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
]


@pytest.fixture(scope="module")
def store(feast_repository: FeastRepository) -> Any:
    """The SDK on the applied repository."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from feast import FeatureStore  # noqa: PLC0415 - seconds to import

        return FeatureStore(fs_yaml_file=feast_repository.settings)


def _push(store: Any, schema: ViewSchema, after_s: int, **given: object) -> None:
    moment = NOW + pd.Timedelta(seconds=after_s)
    row = {column.name: None for column in schema.columns} | given
    times = {"event_timestamp": moment, "created_timestamp": moment}
    store.push(f"{schema.name}_push", pd.DataFrame([{"provider_id": "pushed", **row, **times}]))


def test_a_push_keeps_the_geo_index(store: Any, feast_repository: FeastRepository) -> None:
    """Rows pushed through Feast's SDK put a provider on the map and take it off, as a job's do."""
    client = redis.Redis.from_url(feast_repository.redis_url)
    key = geo_index_key(store.project)
    _push(store, PROVIDER_MOTION, 1, lat=39.74, lon=-104.99)
    assert client.geopos(key, "pushed")[0] == pytest.approx((-104.99, 39.74), abs=1e-4)
    _push(store, PROVIDER_AVAILABILITY, 1, status="offline")
    assert client.geopos(key, "pushed") == [None]
    _push(store, PROVIDER_AVAILABILITY, 2, status="available")
    assert client.geopos(key, "pushed")[0] == pytest.approx((-104.99, 39.74), abs=1e-4)
