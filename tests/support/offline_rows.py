"""Offline rows of any view, in the files' own form, and a Feast store over them."""

import warnings
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from feature_repo.schema import VIEWS, Column, Kind, ViewSchema
from feature_repo.sources import FEATURE_DATA_DIR_VARIABLE

FEAST_JOIN = "duckdb"
AS_OF_JOIN = "feature_repo.offline.store.AsOfOfflineStore"
MOMENT = pa.timestamp("us", tz="UTC")
ARROW_TYPES: dict[Kind, pa.DataType] = {
    Kind.FLOAT32: pa.float32(),
    Kind.FLOAT64: pa.float64(),
    Kind.INT32: pa.int32(),
    Kind.INT64: pa.int64(),
    Kind.BOOL: pa.bool_(),
    Kind.STRING: pa.string(),
    Kind.TIMESTAMP: MOMENT,
}
_SETTINGS = """
project: roadside
provider: local
registry: {registry}
online_store: null
offline_store:
  type: {offline_store}
entity_key_serialization_version: 3
"""


def arrow_schema(schema: ViewSchema) -> pa.Schema:
    """Return the columns of a view's files: join keys, features, the two times."""
    return pa.schema(
        [
            *((key, pa.string()) for key in schema.join_keys),
            *((column.name, ARROW_TYPES[column.kind]) for column in schema.columns),
            ("event_timestamp", MOMENT),
            ("created_timestamp", MOMENT),
        ]
    )


def values_of(column: Column, numbers: Sequence[int]) -> pa.Array:
    """Return a value a row that tells its number, a null where the number divides by seven."""
    if column.kind is Kind.STRING:
        plain: list[Any] = [f"s{number}" for number in numbers]
    elif column.kind is Kind.BOOL:
        plain = [number % 2 == 0 for number in numbers]
    elif column.kind is Kind.TIMESTAMP:
        plain = [1_700_000_000_000_000 + number for number in numbers]
    else:
        plain = list(numbers)
    known = [
        None if number % 7 == 0 else value for number, value in zip(numbers, plain, strict=True)
    ]
    if column.kind is Kind.TIMESTAMP:
        return pa.array(known, pa.int64()).cast(MOMENT)
    return pa.array(known, ARROW_TYPES[column.kind])


def table_of(
    schema: ViewSchema,
    entities: Sequence[tuple[str, ...]],
    event: Sequence[pd.Timestamp],
    created: Sequence[pd.Timestamp],
    numbers: Sequence[int] | None = None,
) -> pa.Table:
    """Return rows of a view whose values tell their numbers (by default, their places)."""
    told = range(len(entities)) if numbers is None else numbers
    columns = {
        key: pa.array([values[index] for values in entities], pa.string())
        for index, key in enumerate(schema.join_keys)
    }
    columns |= {column.name: values_of(column, told) for column in schema.columns}
    columns["event_timestamp"] = pa.array(event, MOMENT)
    columns["created_timestamp"] = pa.array(created, MOMENT)
    return pa.table(columns)


def write_days(table: pa.Table, folder: Path, name: str = "part-0.parquet") -> None:
    """Write rows to ``<folder>/date=YYYY-MM-DD/<name>``, by the day of the event."""
    days = pd.Series(table["event_timestamp"].to_pandas()).dt.strftime("%Y-%m-%d").to_numpy()
    for day in np.unique(days):
        directory = folder / f"date={day}"
        directory.mkdir(parents=True, exist_ok=True)
        pq.write_table(table.filter(pa.array(days == day)), directory / name)


def open_store(directory: Path, offline: Path, offline_store: str) -> Any:
    """Apply the project's views over some offline rows; return Feast's SDK on them."""
    directory.mkdir(parents=True, exist_ok=True)
    settings = _SETTINGS.format(registry=directory / "registry.db", offline_store=offline_store)
    (directory / "feature_store.yaml").write_text(settings)
    with warnings.catch_warnings(), pytest.MonkeyPatch.context() as patch:
        warnings.simplefilter("ignore")  # Feast's and its libraries' deprecations
        patch.setenv(FEATURE_DATA_DIR_VARIABLE, str(offline))
        from feast import FeatureStore  # noqa: PLC0415 - seconds to import

        from feature_repo import views  # noqa: PLC0415

        store = FeatureStore(repo_path=str(directory))
        made = [views._view(schema) for schema in VIEWS.values()]
        store.apply([*views.ENTITIES.values(), *made])
    return store


def references(schemas: Iterable[ViewSchema]) -> list[str]:
    """Return Feast's names of every feature of some views."""
    return [f"{schema.name}:{name}" for schema in schemas for name in schema.column_names]
