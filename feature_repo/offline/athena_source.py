"""An Athena table, partitioned by day, as a source of Feast's that stays so."""

from typing import Any

from feast.infra.offline_stores.contrib.athena_offline_store.athena_source import AthenaSource
from feast.protos.feast.core.DataSource_pb2 import DataSource as DataSourceProto


class DailyAthenaSource(AthenaSource):
    """Feast's Athena source, which forgets its partition column on the way through the registry.

    Without that column every retrieval reads the whole table. Feast 0.67 writes it to the registry
    and does not read it back (``AthenaSource.from_proto``).
    """

    @staticmethod
    def from_proto(data_source: DataSourceProto) -> "DailyAthenaSource":
        """Return the source that the registry holds."""
        options = data_source.athena_options
        return DailyAthenaSource(
            name=data_source.name,
            table=options.table,
            query=options.query,
            database=options.database,
            data_source=options.data_source,
            timestamp_field=data_source.timestamp_field,
            created_timestamp_column=data_source.created_timestamp_column,
            date_partition_column=data_source.date_partition_column,
            description=data_source.description,
            tags=dict(data_source.tags),
        )

    def source_type(self) -> Any:
        """Return Feast's type of sources that are read by a class of their own."""
        return DataSourceProto.CUSTOM_SOURCE

    def _to_proto_impl(self) -> DataSourceProto:
        proto = super()._to_proto_impl()
        proto.type = DataSourceProto.CUSTOM_SOURCE
        proto.data_source_class_type = f"{__name__}.{type(self).__name__}"
        return proto
