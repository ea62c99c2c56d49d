"""Writing rows to Redis: last writer wins, atomically, from a Flink worker or from Feast."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from redis import Redis

from feature_repo.keys import beacon_key, entity_key, geo_index_key, row_field
from feature_repo.row_codec import ColumnValues, Int64s, encode_rows
from feature_repo.schema import ViewSchema
from feature_repo.script_layout import layout_arguments

ROWS_PER_CALL = 125
"""Rows in one script call: large enough to amortise the call, short enough (under 1 ms) not to
hold up the gateway's reads, since Redis runs one script at a time."""

WRITE_ROWS_LUA = Path(__file__).with_name("write_rows.lua").read_text()


@dataclass(frozen=True)
class WriteCounts:
    """What became of a batch: rows written, and rows older than what was there."""

    written: int
    stale: int


class RowWriter:
    """Writes rows of any view for one Feast project.

    The geo index follows in the same atomic step: it has each provider whose newest motion row
    has a position and whose newest availability row, if there is one, does not say offline.
    """

    def __init__(self, client: Redis, project: str) -> None:
        self._client: Any = client
        self._project = project
        self._layout = layout_arguments(project)
        self._script = self._client.register_script(WRITE_ROWS_LUA)

    def write(
        self,
        schema: ViewSchema,
        entity_values: Sequence[tuple[str, ...]],
        columns: Mapping[str, ColumnValues],
        event_us: Int64s,
        created_us: Int64s,
    ) -> WriteCounts:
        """Write n rows, each only if none newer is there.

        Args:
            schema: The view.
            entity_values: For each row, one text value a join key.
            columns: As for ``row_codec.encode_rows``.
            event_us: Newest event inside each row, int64 [n], epoch microseconds.
            created_us: When each row was made, int64 [n], epoch microseconds.

        Raises:
            RowError: A value does not fit the row.
            redis.RedisError: Redis did not take the rows; writing them again is safe.
        """
        rows = encode_rows(schema, columns, event_us, created_us)
        keys = [entity_key(self._project, schema, values) for values in entity_values]
        return self.write_encoded(schema, keys, rows)

    def write_encoded(
        self, schema: ViewSchema, keys: Sequence[bytes], rows: Sequence[bytes]
    ) -> WriteCounts:
        """Write rows that are already encoded (see ``write``)."""
        pipeline = self._client.pipeline(transaction=False)
        geo_key = geo_index_key(self._project)
        for start in range(0, len(rows), ROWS_PER_CALL):
            part = slice(start, start + ROWS_PER_CALL)
            self._script(
                keys=[geo_key, *keys[part]],
                args=[row_field(schema), *self._layout, *rows[part]],
                client=pipeline,
            )
        written = sum(pipeline.execute())
        return WriteCounts(written=written, stale=len(rows) - written)

    def beacon(self, view: str, watermark_us: int, wall_us: int) -> None:
        """Say how far a view's pipeline has come: its watermark and the wall time, epoch us."""
        self._client.hset(
            beacon_key(self._project, view),
            mapping={"watermark_us": watermark_us, "wall_us": wall_us},
        )
