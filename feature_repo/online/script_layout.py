"""Where ``write_rows.lua`` finds, in rows and keys, what decides who is in the geo index.

The script has no such number of its own, so that a change of a schema or of the row's header cannot
leave it reading other bytes. Positions count from 1, as in Lua.
"""

import msgspec
import numpy as np

from feature_repo.online.keys import row_field, value_margins
from feature_repo.online.row_codec import HEADER_DTYPE, row_dtype
from feature_repo.schema import (
    PROVIDER_AVAILABILITY,
    PROVIDER_MOTION,
    TEXT_BYTES,
    ProviderStatus,
    ViewSchema,
)

GEO_INDEX_MAX_LAT_DEG = 85.05112878
"""Redis indexes no place nearer to a pole: its cells are those of the Mercator projection."""
GEO_INDEX_MAX_LON_DEG = 180.0

Layout = dict[str, object]


def layout_arguments(project: str) -> list[bytes]:
    """Return the script's arguments that are the same for every batch of a Feast project."""
    layout: Layout = {
        "header": _header(),
        "motion": _motion(),
        "availability": _availability(),
        "provider_id": _provider_id(project),
        "max_lat": GEO_INDEX_MAX_LAT_DEG,
        "max_lon": GEO_INDEX_MAX_LON_DEG,
    }
    views = (PROVIDER_MOTION, PROVIDER_AVAILABILITY)
    return [msgspec.json.encode(layout), *(v.fingerprint.to_bytes(8, "little") for v in views)]


def _header() -> Layout:
    return {
        "bytes": HEADER_DTYPE.itemsize,
        "fingerprint": _span(HEADER_DTYPE, "fingerprint"),
        "event_us": _position(HEADER_DTYPE, "event_us"),
        "created_us": _position(HEADER_DTYPE, "created_us"),
    }


def _motion() -> Layout:
    degrees = {name: _number(PROVIDER_MOTION, name) for name in ("lat", "lon")}
    return {**_view(PROVIDER_MOTION), **degrees}


def _availability() -> Layout:
    first, last = _span(PROVIDER_AVAILABILITY.values_dtype, "status")
    return {
        **_view(PROVIDER_AVAILABILITY),
        "status": (HEADER_DTYPE.itemsize + first, HEADER_DTYPE.itemsize + last),
        "offline": ProviderStatus.OFFLINE.value.ljust(TEXT_BYTES, "\0"),
    }


def _view(schema: ViewSchema) -> Layout:
    return {"field": row_field(schema).decode(), "bytes": row_dtype(schema).itemsize}


def _number(schema: ViewSchema, name: str) -> Layout:
    """Return where a number lies, and the byte and the bit in it that say whether it is null."""
    null_byte, null_bit = divmod(schema.column_names.index(name), 8)
    return {
        "at": HEADER_DTYPE.itemsize + _position(schema.values_dtype, name),
        "null_byte": _position(HEADER_DTYPE, "nulls") + null_byte,
        "null_mask": 1 << null_bit,
    }


def _provider_id(project: str) -> tuple[int, int]:
    """Return the first and last byte of the id in a provider's key, the last from the key's end."""
    before, after = value_margins(project, PROVIDER_MOTION)
    return before + 1, -(after + 1)


def _span(dtype: np.dtype[np.void], name: str) -> tuple[int, int]:
    first = _position(dtype, name)
    return first, first + dtype[name].itemsize - 1


def _position(dtype: np.dtype[np.void], name: str) -> int:
    assert dtype.fields is not None
    return int(dtype.fields[name][1]) + 1
