"""The offline rows of a Feast view as a DuckDB table, ready for the point-in-time join."""

import warnings
from collections.abc import Mapping
from datetime import date
from pathlib import Path

import ibis
from feast import FeatureView
from feast.data_source import DataSource
from feast.infra.offline_stores.file_source import FileSource
from feast.types import from_feast_to_pyarrow_type
from ibis.expr import datatypes
from ibis.expr.types import Table
from ibis.formats.pyarrow import PyArrowType

from feature_repo.offline.files import files_between
from feature_repo.offline.point_in_time import CREATED, EVENT, TimedRows

_UTC = datatypes.Timestamp(timezone="UTC")


def read_rows(
    source: DataSource,
    repo_path: str,
    first: date | None = None,
    last: date | None = None,
) -> Table:
    """Return the rows of the files that may hold events of the days from first to last.

    A column that only newer files have is null in the older ones.

    Raises:
        TypeError: The source is no file source; the message names it and the remedy.
        FileNotFoundError: The source has no file.
    """
    if not isinstance(source, FileSource):
        raise TypeError(
            f"source {source.name!r} is a {type(source).__name__}, and this offline store reads "
            "Parquet files: use the settings file that the repository was applied with"
        )
    paths = files_between(Path(repo_path) / source.path, first, last)
    # A connection of its own: views of files would pile up in the one that Feast shares.
    connection = ibis.duckdb.connect()
    with warnings.catch_warnings():
        # ibis asks DuckDB 2 for a table's columns by the name that this was called before
        warnings.filterwarnings("ignore", "fetch_arrow_table", DeprecationWarning)
        return connection.read_parquet(paths, union_by_name=True, hive_partitioning=False)


def timed_rows(table: Table, view: FeatureView, features: Mapping[str, str]) -> TimedRows:
    """Return a view's rows with the names of the result.

    Args:
        table: The rows as read.
        view: The view, which names keys, timestamps and TTL.
        features: The view's features to their names in the result.
    """
    source = view.batch_source
    assert source is not None  # a view of ours has one
    table = table.rename({new: old for old, new in source.field_mapping.items() if old in table})
    keys = join_keys(view)
    event = table[source.timestamp_field].cast(_UTC)
    created = source.created_timestamp_column
    selected = table.select(
        **{entity_key: table[view_key] for view_key, entity_key in keys.items()},
        **{EVENT: event, CREATED: table[created].cast(_UTC) if created else event},
        **{name: _feature(table, view, feature) for feature, name in features.items()},
    )
    ttl = view.ttl or None
    return TimedRows(selected, tuple(keys.values()), tuple(features.values()), ttl)


def join_keys(view: FeatureView) -> dict[str, str]:
    """Return the view's join keys to their names in the entity rows."""
    return view.projection.join_key_map or {field.name: field.name for field in view.entity_columns}


def _feature(table: Table, view: FeatureView, name: str) -> ibis.Value:
    """Return a column, or nulls where no file has it yet: a feature may be newer than its rows."""
    if name in table.columns:
        return table[name]
    (field,) = (field for field in view.features if field.name == name)
    return ibis.null(PyArrowType.to_ibis(from_feast_to_pyarrow_type(field.dtype)))
