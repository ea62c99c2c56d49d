"""Every provider's rows of every view, in both layouts, and the memory that they take."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from benchmarks.feature_store.made_rows import MadeRows, World
from benchmarks.feature_store.servers import Server
from feature_repo.online.row_writer import RowWriter
from feature_repo.schema import VIEWS

Put = Callable[[MadeRows], object]


@dataclass(frozen=True)
class Memory:
    """What one layout's rows take in Redis."""

    name: str
    bytes_a_provider: float


def fill(
    name: str,
    server: Server,
    put: Put,
    world: World,
    done: Callable[[int], None],
) -> Memory:
    """Put the rows of all views into one server."""
    before, now_us = server.used_bytes(), time.time_ns() // 1000
    for schema in VIEWS.values():
        for rows in world.batches(schema, now_us):
            put(rows)
            done(len(rows.entities))
    return Memory(name, (server.used_bytes() - before) / len(world.providers))


def by_feast(store: Any) -> Put:
    """Return how Feast's own store takes rows, without the SDK's way from a data frame."""
    online = store._get_provider().online_store

    def put(rows: MadeRows) -> None:
        table = store.get_feature_view(rows.schema.name)
        online.online_write_batch(store.config, table, rows.protobufs(), None)

    return put


def by_writer(writer: RowWriter) -> Put:
    """Return how the jobs write."""
    return lambda rows: writer.write(
        rows.schema, rows.entities, rows.columns, rows.event_us, rows.event_us
    )
