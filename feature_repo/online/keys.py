"""The names of things in Redis: entity keys, the row's hash field, the geo index, beacons."""

import struct
from collections.abc import Iterable, Sequence
from functools import cache
from itertools import repeat

from feature_repo.schema import ViewSchema

_STRING_TYPE = 2
"""``feast.types.ValueType.STRING``."""

_TYPE_AND_LENGTH = struct.Struct("<II")


class _Leads(dict[int, bytes]):
    """What stands before a text of so many bytes: its type and length, made once a length."""

    def __init__(self, before: bytes = b"") -> None:
        super().__init__()
        self._before = before

    def __missing__(self, length: int) -> bytes:
        lead = self[length] = self._before + _TYPE_AND_LENGTH.pack(_STRING_TYPE, length)
        return lead


_LEADS = _Leads()


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
    return entity_keys(project, schema, [values])[0]


def entity_keys(project: str, schema: ViewSchema, entities: Iterable[Sequence[str]]) -> list[bytes]:
    """Return the keys of many entities (see ``entity_key``)."""
    first, after = _first_leads(schema.join_keys), project.encode()
    leads = (first, *repeat(_LEADS, len(schema.join_keys) - 1))
    columns = [_texts(*of_key) for of_key in zip(zip(*entities, strict=True), leads, strict=False)]
    if len(columns) == 1:
        return [text + after for text in columns[0]]
    return [b"".join(texts) + after for texts in zip(*columns, strict=True)]


def entity_prefix(join_keys: Sequence[str]) -> bytes:
    """Return what the keys of all entities with these join keys begin with."""
    return _key_prefix(tuple(sorted(join_keys)))


def is_entity_key(key: bytes, project: str, join_keys: Sequence[str]) -> bool:
    """Return whether a key is an entity's of these join keys (of any type) and this project.

    A pattern cannot tell: the key of project ``fast`` ends like one of project ``st``.
    """
    prefix = entity_prefix(join_keys)
    if not key.startswith(prefix):
        return False
    position = len(prefix)
    for _ in join_keys:
        if position + _TYPE_AND_LENGTH.size > len(key):
            return False
        _, length = _TYPE_AND_LENGTH.unpack_from(key, position)
        position += _TYPE_AND_LENGTH.size + length
    return position <= len(key) and key[position:] == project.encode()


def value_margins(project: str, schema: ViewSchema) -> tuple[int, int]:
    """Return how many bytes stand before and after the value in a key of one join key."""
    return len(_key_prefix(schema.join_keys)) + _TYPE_AND_LENGTH.size, len(project.encode())


def row_field(schema: ViewSchema) -> bytes:
    """Return the hash field that holds the view's row."""
    return row_field_of(schema.name)


def row_field_of(view: str) -> bytes:
    """Return the hash field that holds the row of the view of this name."""
    return b"row:" + view.encode()


def geo_index_key(project: str) -> str:
    """Return the key of the geo index: the newest position of every provider not offline."""
    return f"{project}:geo"


def beacon_key(project: str, view: str) -> str:
    """Return the key of a view's beacon: how far its pipeline has come, and when it said so."""
    return f"{project}:beacon:{view}"


@cache
def _key_prefix(join_keys: tuple[str, ...]) -> bytes:
    return struct.pack("<I", len(join_keys)) + b"".join(_texts(join_keys))


@cache
def _first_leads(join_keys: tuple[str, ...]) -> _Leads:
    return _Leads(_key_prefix(join_keys))


def _texts(values: Iterable[str], leads: _Leads = _LEADS) -> list[bytes]:
    return [leads[len(text)] + text for text in map(str.encode, values)]
