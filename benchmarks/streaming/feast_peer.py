"""Feast as it comes: its own Redis store and its push API, with our view of provider motion."""

from pathlib import Path
from urllib.parse import urlsplit

from feast import FeatureStore, RepoConfig
from feast.infra.online_stores.redis import RedisOnlineStoreConfig
from feast.repo_config import RegistryConfig

from feature_repo.views import provider, provider_motion


def open_store(redis_url: str, registry: str) -> FeatureStore:
    """Return a feature store whose cache of the registry does not expire.

    Feast's push reads the file again once a call all the same (``_precompute_for_push``).
    """
    address = urlsplit(redis_url)
    return FeatureStore(
        config=RepoConfig(
            project="roadside",
            provider="local",
            registry=RegistryConfig(path=registry, cache_ttl_seconds=0),
            online_store=RedisOnlineStoreConfig(
                connection_string=f"{address.hostname}:{address.port}"
            ),
            offline_store={"type": "duckdb"},
            entity_key_serialization_version=3,
        )
    )


def register(redis_url: str, registry: Path) -> None:
    """Register the view."""
    open_store(redis_url, str(registry)).apply([provider, provider_motion])
