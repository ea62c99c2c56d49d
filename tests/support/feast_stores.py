"""Feature stores over a registry of their own, on one of the online stores under test."""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pandas as pd

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from feast import Entity, FeatureStore, FeatureView, Field, FileSource, PushSource, RepoConfig
    from feast.types import FeastType, Float64, String
    from feast.value_type import ValueType

ROWS, FEAST = "rows", "feast"
NOW = datetime.now(UTC).replace(microsecond=123_456)
NUMBER: dict[str, FeastType] = {"number": Float64}


@dataclass(frozen=True)
class StoreUnderTest:
    """An online store: which one, and the server it is on."""

    name: str
    redis_url: str

    def open(self, directory: Path, project: str = "contract", **settings: Any) -> FeatureStore:
        """Return a feature store with this online store, over the registry in a directory."""
        return FeatureStore(
            config=RepoConfig(
                project=project,
                provider="local",
                registry=str(directory / "registry.db"),
                online_store={**self._online_store(), **settings},
                offline_store={"type": "duckdb"},
                entity_key_serialization_version=3,
            )
        )

    def _online_store(self) -> dict[str, str]:
        if self.name == ROWS:
            return {"type": "feature_repo.online.row_store.RowOnlineStore", "url": self.redis_url}
        address = urlsplit(self.redis_url)
        return {"type": "redis", "connection_string": f"{address.hostname}:{address.port}"}


def rows_path(view: str, directory: Path) -> Path:
    """Return where a view's Parquet lies; a view may be called what no file can be."""
    return directory / f"{view.encode().hex()}.parquet"


def view_of(
    name: str,
    features: Mapping[str, FeastType],
    directory: Path,
    join_keys: Mapping[str, FeastType] | None = None,
) -> tuple[FeatureView, list[Entity]]:
    """Return a view with a push source, and its entities; its Parquet lies in the directory."""
    keys = join_keys or {"driver": String}
    entities = [
        Entity(name=key, join_keys=[key], value_type=ValueType[kind.to_value_type().name])
        for key, kind in keys.items()
    ]
    source = FileSource(
        name=f"{name}_rows",
        path=str(rows_path(name, directory)),
        timestamp_field="event_timestamp",
        created_timestamp_column="created_timestamp",
    )
    schema = [Field(name=n, dtype=t) for n, t in {**keys, **features}.items()]
    view = FeatureView(
        name=name,
        entities=entities,
        schema=schema,
        source=PushSource(name=f"{name}_push", batch_source=source),
    )
    return view, entities


def apply(store: FeatureStore, view: FeatureView, entities: Sequence[Entity]) -> None:
    """Register a view as ``feast apply`` does."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        store.apply([*entities, view])


def frame(rows: Sequence[Mapping[str, Any]], event: datetime = NOW) -> pd.DataFrame:
    """Return rows with both of their times, and values as they are: no int becomes a float."""
    times = {"event_timestamp": event, "created_timestamp": event}
    timed = [{**times, **row} for row in rows]
    return pd.DataFrame(
        {
            name: pd.Series([row[name] for row in timed], dtype=None if name in times else object)
            for name in timed[0]
        }
    )
