"""Deleting a view: its rows, and what else in Redis follows from them."""

from itertools import islice

from redis import Redis

from feature_repo.online.keys import (
    beacon_key,
    entity_prefix,
    geo_index_key,
    is_entity_key,
    row_field_of,
)
from feature_repo.schema import PROVIDER_MOTION

KEYS_PER_TRIP = 1000


def delete_view(client: Redis, project: str, view: str, join_keys: tuple[str, ...]) -> None:
    """Delete every row of a view, its beacon, and the geo index with the view that makes it.

    Rows of other views, and of projects and entities of similar names, stay.
    """
    pattern = _escape_glob(entity_prefix(join_keys)) + b"*" + _escape_glob(project.encode())
    keys = client.scan_iter(pattern, count=KEYS_PER_TRIP)
    ours = (key for key in keys if is_entity_key(key, project, join_keys))
    while batch := list(islice(ours, KEYS_PER_TRIP)):
        pipeline = client.pipeline(transaction=False)
        for key in batch:
            pipeline.hdel(key, row_field_of(view))  # type: ignore[arg-type]
        pipeline.execute()
    client.delete(beacon_key(project, view))
    if view == PROVIDER_MOTION.name:
        client.delete(geo_index_key(project))


def _escape_glob(text: bytes) -> bytes:
    special = b"\\*?[]^-"
    return b"".join(b"\\" + bytes([c]) if c in special else bytes([c]) for c in text)
