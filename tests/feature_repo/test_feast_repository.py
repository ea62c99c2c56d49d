import json
import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest
import redis

from feature_repo.analyst_frames import request_columns, stored_columns
from feature_repo.model_matrix import MODEL_FEATURES, model_matrix
from feature_repo.online.reader import FeatureReader, Lookup
from feature_repo.request_time import OUTPUTS
from feature_repo.schema import (
    CELL_CONDITIONS,
    CELL_DEMAND,
    PROVIDER_AVAILABILITY,
    PROVIDER_HISTORY,
    PROVIDER_MOTION,
    PROVIDER_PROFILE,
    STREAM_VIEWS,
)
from tests.feature_repo.conftest import NOW, FeastRepository

pytestmark = [
    pytest.mark.integration,
    # Feast, ibis and DuckDB warn of one another's deprecations.
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:On demand feature view"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
]


@pytest.fixture(scope="module")
def store(feast_repository: FeastRepository) -> Any:
    """The SDK on the applied repository, with the batch and stream rows in the online store."""
    end = (NOW + pd.Timedelta(minutes=1)).strftime("%Y-%m-%dT%H:%M:%S")
    feast_repository.run("materialize-incremental", end)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from feast import FeatureStore  # noqa: PLC0415 - seconds to import

        return FeatureStore(fs_yaml_file=feast_repository.settings)


def _requests() -> pd.DataFrame:
    frame = pd.DataFrame({"provider_id": ["p1", "p2", "p3"], "cell": ["c1"] * 3})
    frame["service"] = frame["requested_service"] = "tow"
    frame["event_timestamp"] = frame["request_ts"] = NOW
    frame["request_lat"], frame["request_lon"] = 39.7, -104.9
    frame["vehicle_class"] = np.int32(1)
    frame["promised_minutes"] = 45.0
    frame["available_candidates"] = np.int32(2)
    return frame


def test_the_command_line_reads_what_it_materialised(
    store: Any, feast_repository: FeastRepository
) -> None:
    """`feast apply`, `materialize-incremental` and `get-online-features` work from the shell."""
    assert store.project == "roadside"
    told = feast_repository.run(
        "get-online-features", "-e", "provider_id=p1", "-f", "provider_profile:radius_km"
    )
    answer = json.loads(told)
    expected = pd.read_parquet(feast_repository.data / "provider_profile")
    assert answer["radius_km"] == [pytest.approx(float(expected["radius_km"][0]))]


def test_the_serving_reader_equals_get_online_features(
    store: Any, feast_repository: FeastRepository
) -> None:
    """Every stored value, null and all, is the same through the reader and through Feast's SDK."""
    client = redis.Redis.from_url(feast_repository.redis_url)
    read = FeatureReader(client, store.project).read(
        [
            Lookup((PROVIDER_MOTION, PROVIDER_AVAILABILITY, PROVIDER_PROFILE),
                   [("p1",), ("p2",), ("p3",)]),
            Lookup((PROVIDER_HISTORY,), [("p1", "tow"), ("p2", "tow"), ("p3", "tow")]),
            Lookup((CELL_CONDITIONS, CELL_DEMAND), [("c1",), ("c1",), ("c1",)]),
        ],
        NOW.value // 1000,
    )  # fmt: skip
    request = _requests().drop(columns="event_timestamp")
    online = store.get_online_features(
        store.get_feature_service("ranking"), request.to_dict("records"), full_feature_names=True
    ).to_df()
    columns = stored_columns(online)
    for view_rows in read.values():
        for name, values in view_rows.columns.items():
            theirs = columns[name]
            if values.dtype.kind == "S":
                assert [v.decode() for v in values.tolist()] == theirs.tolist(), name
            else:
                np.testing.assert_array_equal(values, theirs, err_msg=name)


def test_serving_equals_training_bit_for_bit(store: Any, feast_repository: FeastRepository) -> None:
    """A decision's matrix is the same from historical retrieval and from the row store."""
    requests = _requests()
    history = store.get_historical_features(
        requests, store.get_feature_service("ranking"), full_feature_names=True
    ).to_df()
    assert len(history) == len(requests)
    history = history.sort_values("provider_id", ignore_index=True)
    training = model_matrix(stored_columns(history), request_columns(history))
    client = redis.Redis.from_url(feast_repository.redis_url)
    reader = FeatureReader(client, store.project)
    ids = [("p1",), ("p2",), ("p3",)]
    read = reader.read(
        [
            Lookup((PROVIDER_MOTION, PROVIDER_AVAILABILITY, PROVIDER_PROFILE), ids),
            Lookup((PROVIDER_HISTORY,), [(p, "tow") for (p,) in ids]),
            Lookup((CELL_CONDITIONS, CELL_DEMAND), [("c1",)]),
        ],
        NOW.value // 1000,
    )
    columns = {k: v for rows in read.values() for k, v in broadcast_rows(rows.columns).items()}
    serving = model_matrix(columns, request_columns(requests))
    differing = [
        name
        for index, name in enumerate(MODEL_FEATURES)
        if training[:, index].tobytes() != serving[:, index].tobytes()
    ]
    assert differing == []


def broadcast_rows(columns: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Repeat single rows (a cell's) for the three providers."""
    first = next(iter(columns.values()))
    return {n: v.repeat(3) for n, v in columns.items()} if len(first) == 1 else columns


def test_analysts_get_the_request_time_features(store: Any) -> None:
    """Historical retrieval of the on-demand view brings every request-time feature by its name."""
    history = store.get_historical_features(
        _requests(), store.get_feature_service("ranking"), full_feature_names=True
    ).to_df()
    names = {f"request_time__{column.name}" for column in OUTPUTS}
    assert names <= set(history.columns)
    assert history["request_time__motion_age_s"].tolist() == [60.0] * 3


def test_a_pushed_row_is_read_at_once(store: Any) -> None:
    """Feast's push API writes to the row store, and an older push does not overwrite a newer."""
    moment = NOW + pd.Timedelta(seconds=5)
    row = {column.name: None for column in STREAM_VIEWS[3].columns}
    row |= {"cell": "pushed", "event_timestamp": moment, "created_timestamp": moment}
    for requests_15m, age_s in ((7, 0), (3, 60)):
        when = moment - pd.Timedelta(seconds=age_s)
        frame = pd.DataFrame(
            [{**row, "requests_15m": requests_15m, "requests_60m": 9, "open_requests": 1,
              "demand_observed_at": when, "event_timestamp": when}]
        )  # fmt: skip
        store.push("cell_demand_push", frame)
    answer = store.get_online_features(["cell_demand:requests_15m"], [{"cell": "pushed"}]).to_dict()
    assert answer["requests_15m"] == [7]
