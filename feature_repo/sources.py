"""Where the rows of a view lie offline: Parquet, partitioned by day, here or in Athena's reach.

The settings file that Feast is started with decides which: the views are the same.
"""

import os
from pathlib import Path

from feast import FileSource, PushSource
from feast.data_format import ParquetFormat
from feast.data_source import DataSource

from feature_repo import store_settings
from feature_repo.offline.athena_source import DailyAthenaSource
from feature_repo.schema import ViewSchema

FEATURE_DATA_DIR_VARIABLE = "FEATURE_DATA_DIR"
DEFAULT_FEATURE_DATA_DIR = Path(__file__).parent.parent / ".run" / "data" / "offline"
DAY_COLUMN = "date"
"""The partition: the UTC day of event_timestamp."""


def feature_data_dir() -> Path:
    """Return the folder of the offline rows: ``$FEATURE_DATA_DIR``, or the local stack's."""
    configured = os.environ.get(FEATURE_DATA_DIR_VARIABLE)
    return Path(configured).absolute() if configured else DEFAULT_FEATURE_DATA_DIR


def batch_source(schema: ViewSchema) -> DataSource:
    """Return the source of a view's rows."""
    store = store_settings.offline_store()
    if store["type"] == "athena":
        return athena_table(schema, store["database"], store["data_source"])
    return parquet_files(schema)


def parquet_files(schema: ViewSchema) -> FileSource:
    """Return the files of a view: all below ``<data dir>/<view>/``."""
    return FileSource(
        name=f"{schema.name}_rows",
        path=str(feature_data_dir() / schema.name),
        file_format=ParquetFormat(),
        timestamp_field="event_timestamp",
        created_timestamp_column="created_timestamp",
    )


def athena_table(schema: ViewSchema, database: str, catalog: str) -> DailyAthenaSource:
    """Return the table of a view, named as the view; ``athena_tables.py`` has its definition.

    A row may lie in two files (a backfill that ran twice, two events in one millisecond), and
    Feast's SQL for Athena would return an entity row twice: hence DISTINCT.
    """
    return DailyAthenaSource(
        name=f"{schema.name}_rows",
        query=f'SELECT DISTINCT * FROM "{catalog}"."{database}"."{schema.name}"',  # noqa: S608 - settings
        database=database,
        data_source=catalog,
        timestamp_field="event_timestamp",
        created_timestamp_column="created_timestamp",
        date_partition_column=DAY_COLUMN,
    )


def push_source(schema: ViewSchema) -> PushSource:
    """Return the source of a stream view: rows are pushed online, and lie in Parquet offline."""
    return PushSource(name=f"{schema.name}_push", batch_source=batch_source(schema))
