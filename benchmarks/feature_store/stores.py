"""Feast on its own Redis store and on the row store, each with the project's views."""

import warnings
from pathlib import Path
from typing import Any

from feast import FeatureStore, RepoConfig
from feast.repo_config import RegistryConfig

from benchmarks.feature_store.servers import Server
from deploy.local.ports import HOST
from feature_repo import views
from feature_repo.schema import VIEWS

PROJECT = "roadside"


def feasts_own(server: Server, directory: Path) -> FeatureStore:
    """Return Feast as it comes: its own Redis store."""
    return _applied(own_settings(server.port), directory / "feast.db", registry_s=0)


def own_settings(port: int) -> dict[str, Any]:
    """Return the online store's settings of Feast as it comes."""
    return {"type": "redis", "connection_string": f"{HOST}:{port}"}


def on_rows(server: Server, directory: Path, registry_s: int = 0) -> FeatureStore:
    """Return Feast on the row store, whose registry is read again after so many seconds."""
    online = {"type": "feature_repo.online.row_store.RowOnlineStore", "url": server.url}
    return _applied(online, directory / "rows.db", registry_s)


def _applied(online: dict[str, Any], registry: Path, registry_s: int) -> FeatureStore:
    registry.unlink(missing_ok=True)
    store = opened(online, registry, registry_s)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        store.apply([*views.ENTITIES.values(), *(getattr(views, name) for name in VIEWS)])
    return store


def opened(online: dict[str, Any], registry: Path, registry_s: int) -> FeatureStore:
    """Return Feast on a registry that is there."""
    return FeatureStore(
        config=RepoConfig(
            project=PROJECT,
            provider="local",
            registry=RegistryConfig(path=str(registry), cache_ttl_seconds=registry_s),
            online_store=online,
            offline_store={"type": "duckdb"},
            entity_key_serialization_version=3,
        )
    )
