"""Rows of a view to the offline store's Parquet, the same from the live job and from a backfill.

``event_timestamp`` is the newest event inside a row. ``created_timestamp`` is when it could be
read, so that retrieval as of a decision sees what the decision could see: live, when Redis had it,
seconds after it was due; in a backfill, when it was due. ``made_timestamp`` is when the row was
due, live and in a backfill alike: by it a row that a replay makes again is known.
"""

from pyflink.java_gateway import get_gateway
from pyflink.table import StatementSet, StreamTableEnvironment, Table

from feature_repo.schema import Column, Kind, ViewSchema
from flink_jobs.views import SQL_TYPES, ViewJob

MOMENT = "TIMESTAMP_LTZ(6)"
DEAD_LETTER_FOLDER = "dead_letter"


def _moment(epoch_ms: str) -> str:
    return f"CAST(TO_TIMESTAMP_LTZ({epoch_ms}, 3) AS {MOMENT})"


DUE = _moment("made_ts")
"""SQL of when a row was due: when the live job makes it at the earliest."""


def write(
    tables: StreamTableEnvironment, job: ViewJob, rows: Table, folder: str, created: str = DUE
) -> None:
    """Write a view's rows to ``<folder>/<view>/date=YYYY-MM-DD/part-*.parquet``.

    Args:
        tables: Gets a table of the rows.
        job: The view's.
        rows: Have ``ViewJob.written_columns``.
        folder: Above the views.
        created: SQL of when a row could be read.
    """
    view = job.schema.name
    tables.create_temporary_view(f"{view}_kept", rows)
    kept = tables.sql_query(f"SELECT {offline_columns(job.schema, created)} FROM {view}_kept")
    get_gateway().jvm.roadside.flink.OfflineFiles.write(
        tables._j_tenv, kept._j_table, f"{folder}/{view}", "event_timestamp", f"offline-{view}"
    )


def offline_columns(schema: ViewSchema, created: str) -> str:
    """Return the SQL of a view's columns offline: join keys, features, the three timestamps."""
    columns = [*schema.join_keys, *(_feature(schema, column) for column in schema.columns)]
    times = {
        "event_timestamp": _moment("observed_ts"),
        "created_timestamp": created,
        "made_timestamp": DUE,
    }
    columns += [f"{moment} AS {name}" for name, moment in times.items()]
    return ", ".join(columns)


def _feature(schema: ViewSchema, column: Column) -> str:
    if column.name == schema.observed_at:
        return f"{_moment('observed_ts')} AS {column.name}"
    if column.kind is Kind.TIMESTAMP:
        return f"{_moment(f'{column.name} / 1000')} AS {column.name}"
    sql_type = "FLOAT" if column.kind is Kind.FLOAT32 else SQL_TYPES[column.kind]
    return f"CAST({column.name} AS {sql_type}) AS {column.name}"


def write_dead_letters(tables: StreamTableEnvironment, folder: str) -> StatementSet:
    """Return what writes the dead letters of a backfill, as JSON lines."""
    tables.execute_sql(f"""
CREATE TEMPORARY TABLE refused (
  `source` STRING, `raw` STRING, `code` STRING, `reason` STRING, `received_ts` BIGINT
) WITH (
  'connector' = 'filesystem', 'path' = '{folder}/{DEAD_LETTER_FOLDER}', 'format' = 'json')""")
    return tables.create_statement_set().add_insert_sql(
        "INSERT INTO refused "
        "SELECT source, record_text, code, reason, received_ts FROM dead_letters"
    )
