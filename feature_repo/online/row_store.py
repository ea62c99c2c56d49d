"""A Feast online store that keeps one row a view, so that serving reads need no SDK.

Feast's ``apply``, ``materialize``, ``push`` and ``get_online_features`` work on it as on any
store; the keys of the entities are those of Feast's own Redis store.
"""

from collections.abc import Callable, Sequence
from typing import Any, Literal

from feast import Entity, FeatureView, RepoConfig
from feast.infra.online_stores.helpers import _redis_key
from feast.infra.online_stores.online_store import OnlineStore
from feast.infra.supported_async_methods import SupportedAsyncMethods
from feast.protos.feast.types.EntityKey_pb2 import EntityKey
from feast.repo_config import FeastConfigBaseModel
from pydantic import SecretStr

from feature_repo.online.async_rows import AsyncRows
from feature_repo.online.bulk_read import Wanted, read_fields
from feature_repo.online.keys import row_field
from feature_repo.online.read_route import ReadRoute
from feature_repo.online.redis_settings import RedisSettings
from feature_repo.online.row_deletion import delete_view
from feature_repo.online.row_values import ReadRow, Row, schema_of, to_rows, to_values
from feature_repo.online.row_writer import RowWriter


class RowOnlineStoreConfig(FeastConfigBaseModel):
    """The ``online_store`` block of ``feature_store.yaml``; see ``RedisSettings`` for the fields.

    Attributes:
        type: This class's path.
    """

    type: Literal["feature_repo.online.row_store.RowOnlineStore"] = (
        "feature_repo.online.row_store.RowOnlineStore"
    )
    url: str = "redis://127.0.0.1:16379/0"
    replica_urls: tuple[str, ...] = ()
    password: SecretStr | None = None
    ca_file: str | None = None
    cert_file: str | None = None
    key_file: str | None = None
    connect_s: float = 1.0
    answer_s: float = 5.0
    retries: int = 5

    def settings(self) -> RedisSettings:
        """Return how Redis is reached.

        Raises:
            RedisSettingsError: The settings contradict one another.
        """
        given = self.model_dump(exclude={"type", "password"})
        password = self.password.get_secret_value() if self.password else None
        return RedisSettings(**given, password=password)


class _Rows:
    """The sync connections of one store: writes go to the primary, reads along the route."""

    def __init__(self, settings: RedisSettings, project: str) -> None:
        self.primary = settings.primary()
        self._replicas = settings.replicas()
        self.route = ReadRoute(self.primary, self._replicas)
        self.writer = RowWriter(self.primary, project)

    def close(self) -> None:
        """Close the connections."""
        for client in (self.primary, *self._replicas):
            client.close()


class RowOnlineStore(OnlineStore):
    """Feast's interface, sync and async, over rows."""

    _sync: _Rows | None = None
    _async: AsyncRows | None = None

    @property
    def async_supported(self) -> SupportedAsyncMethods:
        """Both ways."""
        return SupportedAsyncMethods(read=True, write=True)

    def online_write_batch(
        self,
        config: RepoConfig,
        table: FeatureView,
        data: list[Row],
        progress: Callable[[int], Any] | None,
    ) -> None:
        """Write rows, each only if none newer is there (see ``RowWriter``)."""
        schema = schema_of(table)
        self._rows(config).writer.write_encoded(schema, _keys(config, data), to_rows(schema, data))
        if progress:
            progress(len(data))

    async def online_write_batch_async(
        self,
        config: RepoConfig,
        table: FeatureView,
        data: list[Row],
        progress: Callable[[int], Any] | None,
    ) -> None:
        """Write rows as ``online_write_batch`` does."""
        schema = schema_of(table)
        rows = await self._async_rows(config)
        await rows.write(schema, _keys(config, data), to_rows(schema, data))
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
        keys = [_key(config, entity_key) for entity_key in entity_keys]
        wanted = [Wanted(len(keys), keys.__getitem__, [row_field(schema)], list)]
        (answers,) = self._rows(config).route.ask(lambda client: read_fields(client, wanted))
        stored = [row for (row,) in answers]
        return to_values(schema, stored, requested_features or schema.column_names)

    async def online_read_async(
        self,
        config: RepoConfig,
        table: FeatureView,
        entity_keys: list[EntityKey],
        requested_features: list[str] | None = None,
    ) -> list[ReadRow]:
        """Read rows as ``online_read`` does."""
        schema = schema_of(table)
        rows = await self._async_rows(config)
        stored = await rows.read(schema, [_key(config, entity_key) for entity_key in entity_keys])
        return to_values(schema, stored, requested_features or schema.column_names)

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
            self._delete(config, table)

    def teardown(
        self,
        config: RepoConfig,
        tables: Sequence[FeatureView],
        entities: Sequence[Entity],  # noqa: ARG002
    ) -> None:
        """Delete every row of the views."""
        for table in tables:
            self._delete(config, table)

    async def close(self) -> None:
        """Close the connections; they are made anew when needed."""
        if self._async is not None:
            await self._async.close()
        if self._sync is not None:
            self._sync.close()
        self._async = self._sync = None

    def _delete(self, config: RepoConfig, table: FeatureView) -> None:
        client = self._rows(config).primary
        delete_view(client, config.project, table.name, tuple(table.join_keys))

    def _rows(self, config: RepoConfig) -> _Rows:
        if self._sync is None:
            self._sync = _Rows(config.online_store.settings(), config.project)
        return self._sync

    async def _async_rows(self, config: RepoConfig) -> AsyncRows:
        """Return the connections of the running event loop: those of another one are of no use."""
        if self._async is None or not self._async.is_of_this_loop():
            self._async = AsyncRows(config.online_store.settings(), config.project)
        return self._async


def _keys(config: RepoConfig, data: Sequence[Row]) -> list[bytes]:
    return [_key(config, row[0]) for row in data]


def _key(config: RepoConfig, entity_key: EntityKey) -> bytes:
    return _redis_key(config.project, entity_key, config.entity_key_serialization_version)
