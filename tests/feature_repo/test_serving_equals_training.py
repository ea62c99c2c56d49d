"""One decision, two ways to its features: the row store at the time, and history afterwards."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import redis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from feature_repo.analyst_frames import request_columns, stored_columns
from feature_repo.model_matrix import MODEL_FEATURES, STORED_FEATURES, model_matrix
from feature_repo.online.reader import FeatureReader, Lookup
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
    ProviderStatus,
    ViewSchema,
)
from tests.support.offline_rows import ARROW_TYPES, AS_OF_JOIN, MOMENT, open_store, write_days

pytestmark = [
    pytest.mark.integration,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
]

DECIDED = pd.Timestamp("2026-01-05 18:00:00.123", tz="UTC")
DECIDED_US = DECIDED.value // 1000
PROJECT = "roadside"
KEYS = {"provider_id": "p1", "service": "tow", "cell": "c1"}
ROWS_A_VIEW = 6


@dataclass(frozen=True)
class TwoWays:
    """A folder of offline rows with a store over it, and a Redis."""

    folder: Path
    store: Any
    client: redis.Redis


@pytest.fixture(scope="module")
def two_ways(redis_server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TwoWays]:
    """The project's views over rows that each test writes."""
    directory = tmp_path_factory.mktemp("two_ways")
    generator = np.random.default_rng(0)
    for schema in VIEWS.values():
        write_days(_history(schema, generator), directory / "rows" / schema.name)
    store = open_store(directory / "repo", directory / "rows", AS_OF_JOIN)
    client = redis.Redis.from_url(redis_server)
    yield TwoWays(directory / "rows", store, client)
    client.close()


def _history(schema: ViewSchema, generator: np.random.Generator) -> pa.Table:
    """Return rows of one entity around the decision: late ones, ties, nulls, and some to come."""
    span_us = int(schema.ttl_s * 2) * 1_000_000
    grid_us = span_us // 4  # so coarse that events tie
    event_us = DECIDED_US - generator.integers(-1, 4, ROWS_A_VIEW) * grid_us
    delay_us = np.arange(1, ROWS_A_VIEW + 1) * 7 + generator.choice([0, grid_us], ROWS_A_VIEW)
    columns = {key: pa.array([KEYS[key]] * ROWS_A_VIEW) for key in schema.join_keys}
    for column in schema.columns:
        values = _values(column.kind, event_us, generator)
        if column.name == schema.observed_at:
            columns[column.name] = pa.array(event_us).cast(MOMENT)
        elif column.kind is Kind.TIMESTAMP:
            columns[column.name] = pa.array(values, pa.int64()).cast(MOMENT)
        else:
            columns[column.name] = pa.array(values, ARROW_TYPES[column.kind])
    columns["event_timestamp"] = pa.array(event_us).cast(MOMENT)
    columns["created_timestamp"] = pa.array(event_us + delay_us).cast(MOMENT)
    return pa.table(columns)


def _values(kind: Kind, event_us: Any, generator: np.random.Generator) -> list[Any]:
    """Return a value a row, of which a fifth is null."""
    count = len(event_us)
    made: Any = {
        Kind.FLOAT32: generator.normal(20, 30, count).astype(np.float32),
        Kind.FLOAT64: generator.uniform(-60, 60, count),
        Kind.INT32: generator.integers(0, 9, count),
        Kind.INT64: generator.integers(0, 9, count),
        Kind.BOOL: generator.random(count) < 0.5,
        Kind.STRING: generator.choice([status.value for status in ProviderStatus], count),
        Kind.TIMESTAMP: event_us - generator.integers(0, 10**8, count),
    }[kind]
    nulls = generator.random(count) < 0.2
    return [None if null else value for null, value in zip(nulls, made.tolist(), strict=True)]


def _serve(ways: TwoWays, tables: dict[str, pa.Table], order: np.random.Generator) -> Any:
    """Return the matrix of the gateway: rows made by then are written, in any order, and read."""
    ways.client.flushall()
    writer = RowWriter(ways.client, PROJECT)
    for name, table in tables.items():
        made = table.filter(pa.compute.less_equal(table["created_timestamp"], DECIDED))
        made = made.take(order.permutation(len(made)))
        schema = VIEWS[name]
        keys = [tuple(KEYS[key] for key in schema.join_keys)] * len(made)
        columns = {c.name: _plain(made[c.name], c.kind) for c in schema.columns}
        times = (_micros(made[f"{kind}_timestamp"]) for kind in ("event", "created"))
        writer.write(schema, keys, columns, *times)
    rows = FeatureReader(ways.client, PROJECT).read(
        [
            Lookup((PROVIDER_MOTION, PROVIDER_AVAILABILITY, PROVIDER_PROFILE), [("p1",)]),
            Lookup((PROVIDER_HISTORY,), [("p1", "tow")]),
            Lookup((CELL_CONDITIONS, CELL_DEMAND), [("c1",)]),
        ],
        DECIDED_US,
    )
    columns = {k: v for found in rows.values() for k, v in found.columns.items()}
    return model_matrix(columns, request_columns(_request()))


def _plain(values: pa.ChunkedArray, kind: Kind) -> list[Any]:
    return (values.cast(pa.int64()) if kind is Kind.TIMESTAMP else values).to_pylist()


def _micros(values: pa.ChunkedArray) -> Any:
    return values.cast(pa.int64()).to_numpy()


def _train(ways: TwoWays, tables: dict[str, pa.Table]) -> Any:
    """Return the matrix of the training set, from all rows, those after the decision included."""
    for name, table in tables.items():
        for path in (ways.folder / name).rglob("*.parquet"):
            path.unlink()
        write_days(table, ways.folder / name)
    history = ways.store.get_historical_features(
        _request().assign(event_timestamp=DECIDED, **{key: [KEYS[key]] for key in KEYS}),
        [name.replace("__", ":", 1) for name in STORED_FEATURES],
        full_feature_names=True,
        filter_by_created_timestamp=True,
    ).to_df()
    return model_matrix(stored_columns(history), request_columns(history))


def _request() -> pd.DataFrame:
    return pd.DataFrame(
        {"request_ts": [DECIDED], "request_lat": 39.7, "request_lon": -104.9,
         "requested_service": "tow", "vehicle_class": np.int32(1), "promised_minutes": 45.0,
         "available_candidates": np.int32(2)}
    )  # fmt: skip


@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(seed=st.integers(0, 2**32 - 1))
def test_training_sees_the_bits_that_were_served(two_ways: TwoWays, seed: int) -> None:
    """Rows late, tied, corrected or still to come: the two matrices are equal bit for bit."""
    generator = np.random.default_rng(seed)
    tables = {name: _history(schema, generator) for name, schema in VIEWS.items()}
    served, trained = _serve(two_ways, tables, generator), _train(two_ways, tables)
    differing = [
        (name, served[0, index], trained[0, index])
        for index, name in enumerate(MODEL_FEATURES)
        if served[:, index].tobytes() != trained[:, index].tobytes()
    ]
    assert differing == []
