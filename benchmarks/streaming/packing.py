"""One row of the row store packed by itself, for a peer that writes a row at a time."""

import struct
from typing import Any

from feature_repo.online.row_codec import HEADER_DTYPE
from feature_repo.schema import ViewSchema


class RowPacker:
    """Packs one row in the row store's format, without arrays, which one row would not repay."""

    def __init__(self, schema: ViewSchema) -> None:
        self._columns = [column.name for column in schema.columns]
        self._observed_at = schema.observed_at
        self._fingerprint = schema.fingerprint
        types = [schema.values_dtype[name] for name in self._columns]
        codes = {"b": "?", "i4": "i", "i8": "q", "f4": "f", "f8": "d"}
        values = [
            f"{t.itemsize}s" if t.kind == "S" else codes["b" if t.kind == "b" else t.str[1:]]
            for t in types
        ]
        self._struct = struct.Struct("<QqqQ" + "".join(values))
        assert self._struct.size == HEADER_DTYPE.itemsize + schema.values_dtype.itemsize
        self._blanks = [b"" if t.kind == "S" else 0 for t in types]

    def pack(self, values: dict[str, Any], event_us: int, made_us: int) -> bytes:
        """Return a row's bytes."""
        nulls, cells = 0, []
        for index, name in enumerate(self._columns):
            value = event_us if name == self._observed_at else values[name]
            if value is None:
                nulls |= 1 << index
                value = self._blanks[index]
            cells.append(value.encode() if isinstance(value, str) else value)
        return self._struct.pack(self._fingerprint, event_us, made_us, nulls, *cells)
