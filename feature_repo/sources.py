"""Where the rows of a view lie offline: Parquet, partitioned by day."""

import os
from pathlib import Path

from feast import FileSource, PushSource
from feast.data_format import ParquetFormat

from feature_repo.schema import ViewSchema

FEATURE_DATA_DIR_VARIABLE = "FEATURE_DATA_DIR"
DEFAULT_FEATURE_DATA_DIR = Path(__file__).parent.parent / ".run" / "data" / "offline"


def feature_data_dir() -> Path:
    """Return the folder of the offline rows: ``$FEATURE_DATA_DIR``, or the local stack's."""
    configured = os.environ.get(FEATURE_DATA_DIR_VARIABLE)
    return Path(configured).absolute() if configured else DEFAULT_FEATURE_DATA_DIR


def batch_source(schema: ViewSchema) -> FileSource:
    """Return the Parquet source of a view: every file below ``<data dir>/<view>/``."""
    return FileSource(
        name=f"{schema.name}_rows",
        path=str(feature_data_dir() / schema.name),
        file_format=ParquetFormat(),
        timestamp_field="event_timestamp",
        created_timestamp_column="created_timestamp",
    )


def push_source(schema: ViewSchema) -> PushSource:
    """Return the source of a stream view: rows are pushed online, and lie in Parquet offline."""
    return PushSource(name=f"{schema.name}_push", batch_source=batch_source(schema))
