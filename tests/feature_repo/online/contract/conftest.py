"""The stores that the contract is held to: the row store, and Feast's own on Redis."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import redis

from tests.support.feast_stores import FEAST, NUMBER, ROWS, StoreUnderTest, apply, view_of

Answer = dict[str, list[Any]]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let Feast, ibis and DuckDB warn of one another's deprecations."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            for category in ("DeprecationWarning", "FutureWarning"):
                item.add_marker(pytest.mark.filterwarnings(f"ignore::{category}"))
            item.add_marker(pytest.mark.integration)


@pytest.fixture(params=[ROWS, FEAST])
def under_test(request: pytest.FixtureRequest, redis_server: str) -> Iterator[StoreUnderTest]:
    """One of the two stores, on an empty Redis."""
    with redis.Redis.from_url(redis_server) as client:
        client.flushall()
    yield StoreUnderTest(request.param, redis_server)


@pytest.fixture
def store(under_test: StoreUnderTest, tmp_path: Path) -> Any:
    """A feature store in which a view of one number a driver is registered."""
    opened = under_test.open(tmp_path)
    apply(opened, *view_of("view", NUMBER, tmp_path))
    return opened


def read(store: Any, features: Sequence[str], entities: Sequence[dict[str, Any] | str]) -> Answer:
    """Return what ``get_online_features`` says of entities (drivers, if only a name is given)."""
    rows = [{"driver": entity} if isinstance(entity, str) else entity for entity in entities]
    answer: Answer = store.get_online_features(list(features), rows).to_dict()
    return {name: values for name, values in answer.items() if name not in rows[0]}


async def close(store: Any) -> None:
    """Close the async connections; Feast's own store leaves them open."""
    await store.close()
    client = getattr(store._get_provider().online_store, "_client_async", None)
    if client is not None:
        await client.aclose()
