"""The calls of ``write_rows.lua``, which writes rows: the keys and arguments that it gets."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from feature_repo.online.keys import geo_index_key, row_field
from feature_repo.online.script_layout import layout_arguments
from feature_repo.schema import ViewSchema

ROWS_PER_CALL = 125
"""Rows in one script call: large enough to amortise the call, short enough (under 1 ms) not to
hold up the gateway's reads, since Redis runs one script at a time."""

WRITE_ROWS_LUA = Path(__file__).with_name("write_rows.lua").read_text()
WRITE_ROWS_SHA = hashlib.sha1(WRITE_ROWS_LUA.encode(), usedforsecurity=False).hexdigest()
"""By which Redis knows the script once it has been loaded."""

Call = list[bytes | int]


@dataclass(frozen=True)
class WriteCounts:
    """What became of a batch: rows written, and rows older than what was there."""

    written: int
    stale: int


class RowScript:
    """The script's calls for one Feast project."""

    def __init__(self, project: str) -> None:
        self._geo_key = geo_index_key(project).encode()
        self._layout = layout_arguments(project)

    def calls(self, schema: ViewSchema, keys: Sequence[bytes], rows: Sequence[bytes]) -> list[Call]:
        """Return the calls' arguments, as EVALSHA takes them after the script."""
        return [
            self._call(schema, keys[start : start + ROWS_PER_CALL],
                       rows[start : start + ROWS_PER_CALL])
            for start in range(0, len(rows), ROWS_PER_CALL)
        ]  # fmt: skip

    def _call(self, schema: ViewSchema, keys: Sequence[bytes], rows: Sequence[bytes]) -> Call:
        return [1 + len(keys), self._geo_key, *keys, row_field(schema), *self._layout, *rows]
