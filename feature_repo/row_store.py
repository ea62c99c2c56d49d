"""A Feast online store that keeps one row a view, so that serving reads need no SDK.

Feast's ``apply``, ``materialize``, ``push`` and ``get_online_features`` work on it as on any
store; the keys of the entities are those of Feast's own Redis store.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, Literal

import numpy as np
import redis
from feast import Entity, FeatureView, RepoConfig
from feast.infra.online_stores.helpers import _redis_key, _redis_key_prefix
from feast.infra.online_stores.online_store import OnlineStore
from feast.protos.feast.types.EntityKey_pb2 import EntityKey
from feast.protos.feast.types.Value_pb2 import Value
from feast.repo_config import FeastConfigBaseModel
from feast.types import Bool, FeastType, Float32, Float64, Int32, Int64, String, UnixTimestamp

from feature_repo.keys import row_field
from feature_repo.row_codec import MAX_COLUMNS, decode_rows, encode_rows, null_mask
from feature_repo.row_writer import RowWriter
from feature_repo.schema import Column, Kind, ViewSchema

Row = tuple[EntityKey, dict[str, Value], datetime, datetime | None]
ReadRow = tuple[datetime | None, dict[str, Value] | None]

_KINDS: dict[FeastType, Kind] = {
    Float32: Kind.FLOAT32,
    Float64: Kind.FLOAT64,
    Int32: Kind.INT32,
    Int64: Kind.INT64,
    Bool: Kind.BOOL,
    String: Kind.STRING,
    UnixTimestamp: Kind.TIMESTAMP,
}
_VALUE_FIELDS: dict[Kind, str] = {
    Kind.FLOAT32: "float_val",
    Kind.FLOAT64: "double_val",
    Kind.INT32: "int32_val",
    Kind.INT64: "int64_val",
    Kind.BOOL: "bool_val",
    Kind.STRING: "string_val",
    Kind.TIMESTAMP: "unix_timestamp_val",
}
_US_PER_S = 1_000_000


class UnsupportedViewError(ValueError):
    """A view that a fixed-width row cannot hold; raised by ``feast apply``."""


class RowOnlineStoreConfig(FeastConfigBaseModel):
    """The ``online_store`` block of ``feature_store.yaml``.

    Attributes:
        type: This class's path.
        url: Where Redis is: ``redis://[[user]:password@]host:port/db``, ``rediss://`` for TLS.
    """

    type: Literal["feature_repo.row_store.RowOnlineStore"] = "feature_repo.row_store.RowOnlineStore"
    url: str = "redis://127.0.0.1:16379/0"


class RowOnlineStore(OnlineStore):
    """Feast's interface over ``RowWriter`` and ``row_codec``."""

    _client: redis.Redis | None = None

    def online_write_batch(
        self,
        config: RepoConfig,
        table: FeatureView,
        data: list[Row],
        progress: Callable[[int], Any] | None,
    ) -> None:
        """Write rows, each only if none newer is there (see ``RowWriter``)."""
        schema = schema_of(table)
        columns = {
            c.name: [_from_value(c, row[1].get(c.name)) for row in data] for c in schema.columns
        }
        event_us = np.array([_to_us(row[2]) for row in data], dtype=np.int64)
        created_us = np.array([_to_us(row[3] or row[2]) for row in data], dtype=np.int64)
        rows = encode_rows(schema, columns, event_us, created_us)
        keys = [self._key(config, row[0]) for row in data]
        RowWriter(self._redis(config), config.project).write_encoded(schema, keys, rows)
        if progress:
            progress(len(data))

    def online_read(
        self,
        config: RepoConfig,
        table: FeatureView,
        entity_keys: list[EntityKey],
        requested_features: list[str] | None = None,
    ) -> list[ReadRow]:
        """Read rows; an absent row, or one of another schema, is ``(None, None)``."""
        schema = schema_of(table)
        pipeline = self._redis(config).pipeline(transaction=False)
        for entity_key in entity_keys:
            pipeline.hget(self._key(config, entity_key), row_field(schema))  # type: ignore[arg-type]
        rows, usable, _ = decode_rows(schema, pipeline.execute())
        names = requested_features or list(schema.column_names)
        values = {name: _to_values(schema, rows, name) for name in names}
        event_us = rows["header"]["event_us"]
        return [
            (_from_us(int(event_us[i])), {name: values[name][i] for name in names})
            if usable[i]
            else (None, None)
            for i in range(len(entity_keys))
        ]

    def update(  # noqa: PLR0913, PLR0917 - Feast's signature
        self,
        config: RepoConfig,
        tables_to_delete: Sequence[FeatureView],
        tables_to_keep: Sequence[FeatureView],
        entities_to_delete: Sequence[Entity],  # noqa: ARG002
        entities_to_keep: Sequence[Entity],  # noqa: ARG002
        partial: bool,  # noqa: ARG002
    ) -> None:
        """Refuse views that a row cannot hold, then delete the rows of views that are gone.

        Raises:
            UnsupportedViewError: Naming view, feature, type and remedy.
        """
        for table in tables_to_keep:
            schema_of(table)
        for table in tables_to_delete:
            self._delete_rows(config, table)

    def teardown(
        self,
        config: RepoConfig,
        tables: Sequence[FeatureView],
        entities: Sequence[Entity],  # noqa: ARG002
    ) -> None:
        """Delete every row of the views."""
        for table in tables:
            self._delete_rows(config, table)

    def _delete_rows(self, config: RepoConfig, table: FeatureView) -> None:
        client = self._redis(config)
        prefix = _redis_key_prefix(list(table.join_keys))
        pattern = _escape_glob(prefix) + b"*" + _escape_glob(config.project.encode())
        field = b"row:" + table.name.encode()
        pipeline = client.pipeline(transaction=False)
        for key in client.scan_iter(pattern, count=1000):
            pipeline.hdel(key, field)  # type: ignore[arg-type]
        pipeline.execute()

    def _redis(self, config: RepoConfig) -> redis.Redis:
        if self._client is None:
            self._client = redis.Redis.from_url(config.online_store.url)
        return self._client

    @staticmethod
    def _key(config: RepoConfig, entity_key: EntityKey) -> bytes:
        return _redis_key(config.project, entity_key, config.entity_key_serialization_version)


def schema_of(table: FeatureView) -> ViewSchema:
    """Return the row layout of a Feast view.

    Raises:
        UnsupportedViewError: A feature's type has no fixed width, or there are too many features.
    """
    if len(table.features) > MAX_COLUMNS:
        raise UnsupportedViewError(
            f"view {table.name!r} has {len(table.features)} features, and a row holds at most "
            f"{MAX_COLUMNS}; split the view"
        )
    for field in table.features:
        if field.dtype not in _KINDS:
            raise UnsupportedViewError(
                f"view {table.name!r}: feature {field.name!r} is {field.dtype}, which a row of "
                f"fixed width cannot hold; use one of {', '.join(kind.value for kind in Kind)}"
            )
    return ViewSchema(
        name=table.name,
        join_keys=tuple(sorted(table.join_keys)),
        columns=tuple(Column(f.name, _KINDS[f.dtype], f.description) for f in table.features),
        max_age_s=None,
        ttl_s=table.ttl.total_seconds() if table.ttl else 0.0,
    )


def _from_value(column: Column, value: Value | None) -> Any:
    if value is None or value.WhichOneof("val") is None:
        return None
    raw = getattr(value, _VALUE_FIELDS[column.kind])
    return raw * _US_PER_S if column.kind is Kind.TIMESTAMP else raw


def _to_values(schema: ViewSchema, rows: np.ndarray[Any, Any], name: str) -> list[Value]:
    """Return one feature of every row as Feast values; Feast's timestamps are whole seconds."""
    column = schema.column(name)
    field = _VALUE_FIELDS[column.kind]
    raw = rows["values"][name]
    if column.kind is Kind.TIMESTAMP:
        raw = raw // _US_PER_S
    plain = [v.decode() for v in raw.tolist()] if column.kind is Kind.STRING else raw.tolist()
    nulls = null_mask(schema, rows, name).tolist()
    return [
        Value() if is_null else Value(**{field: value})
        for value, is_null in zip(plain, nulls, strict=True)
    ]


def _to_us(moment: datetime) -> int:
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    delta = aware - datetime(1970, 1, 1, tzinfo=UTC)
    return (delta.days * 86_400 + delta.seconds) * _US_PER_S + delta.microseconds


def _from_us(microseconds: int) -> datetime:
    seconds, micros = divmod(microseconds, _US_PER_S)
    return datetime.fromtimestamp(seconds, tz=UTC).replace(microsecond=micros)


def _escape_glob(text: bytes) -> bytes:
    special = b"\\*?[]^-"
    return b"".join(b"\\" + bytes([c]) if c in special else bytes([c]) for c in text)
