"""Writing rows to Redis: last writer wins, atomically, from a Flink worker or from Feast."""

from collections.abc import Mapping, Sequence
from typing import Any

from redis import Redis
from redis.exceptions import NoScriptError

from feature_repo.online.keys import beacon_key, entity_keys
from feature_repo.online.row_codec import ColumnValues, Int64s, encode_rows
from feature_repo.online.row_script import WRITE_ROWS_LUA, WRITE_ROWS_SHA, RowScript, WriteCounts
from feature_repo.schema import ViewSchema


class RowWriter:
    """Writes rows of any view for one Feast project.

    The geo index follows in the same atomic step: it has each provider whose newest motion row
    has a position and whose newest availability row, if there is one, does not say offline.
    """

    def __init__(self, client: Redis, project: str) -> None:
        self._client: Any = client
        self._project = project
        self._script = RowScript(project)

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
        return self.write_encoded(schema, entity_keys(self._project, schema, entity_values), rows)

    def write_encoded(
        self, schema: ViewSchema, keys: Sequence[bytes], rows: Sequence[bytes]
    ) -> WriteCounts:
        """Write rows that are already encoded (see ``write``)."""
        calls = self._script.calls(schema, keys, rows)
        try:
            written = self._run(calls)
        except NoScriptError:  # a server that has started since, or a failover
            self._client.script_load(WRITE_ROWS_LUA)
            written = self._run(calls)
        return WriteCounts(written=written, stale=len(rows) - written)

    def _run(self, calls: Sequence[Sequence[Any]]) -> int:
        pipeline = self._client.pipeline(transaction=False)
        for call in calls:
            pipeline.evalsha(WRITE_ROWS_SHA, *call)
        return sum(pipeline.execute())

    def beacon(self, view: str, watermark_us: int, wall_us: int) -> None:
        """Say how far a view's pipeline has come: its watermark and the wall time, epoch us."""
        self._client.hset(
            beacon_key(self._project, view),
            mapping={"watermark_us": watermark_us, "wall_us": wall_us},
        )
