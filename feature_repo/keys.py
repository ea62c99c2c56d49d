"""The names of things in Redis: entity keys, the row's hash field, the geo index, beacons."""

import struct
from collections.abc import Sequence
from functools import cache

from feature_repo.schema import ViewSchema

_STRING_TYPE = 2
"""``feast.types.ValueType.STRING``."""


def entity_key(project: str, schema: ViewSchema, values: Sequence[str]) -> bytes:
    """Return the Redis key of an entity, byte for byte the one that Feast's own Redis store uses.

    Feast's entity key serialisation, version 3: u32 count of join keys | for each name: u32 type,
    u32 length, text | for each value: u32 type, u32 length, text | the project. Writing these
    bytes here keeps Feast (seconds to import) out of the jobs and the gateway; a test holds the
    result equal to Feast's.

    Args:
        project: The Feast project.
        schema: The view, which names the join keys in Feast's order.
        values: One text value a join key, in that order.
    """
    return _key_prefix(schema.join_keys) + b"".join(map(_text, values)) + project.encode()


def value_margins(project: str, schema: ViewSchema) -> tuple[int, int]:
    """Return how many bytes stand before and after the value in a key of one join key."""
    return len(_key_prefix(schema.join_keys)) + len(_text("")), len(project.encode())


def row_field(schema: ViewSchema) -> bytes:
    """Return the hash field that holds the view's row."""
    return b"row:" + schema.name.encode()


def geo_index_key(project: str) -> str:
    """Return the key of the geo index: the newest position of every provider not offline."""
    return f"{project}:geo"


def beacon_key(project: str, view: str) -> str:
    """Return the key of a view's beacon: how far its pipeline has come, and when it said so."""
    return f"{project}:beacon:{view}"


@cache
def _key_prefix(join_keys: tuple[str, ...]) -> bytes:
    return struct.pack("<I", len(join_keys)) + b"".join(map(_text, join_keys))


def _text(value: str) -> bytes:
    encoded = value.encode()
    return struct.pack("<II", _STRING_TYPE, len(encoded)) + encoded
