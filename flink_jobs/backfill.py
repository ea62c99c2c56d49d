"""The same jobs over an archive, in batch: the same SQL, written to the offline store's Parquet."""

from pathlib import Path

from pyflink.table import StatementSet, StreamTableEnvironment

from flink_jobs.parquet import parquet_writer, write_empty
from flink_jobs.pipeline import view_query
from flink_jobs.settings import Settings
from flink_jobs.validation import CHECKS
from flink_jobs.views import JOBS, inputs_of

DEAD_LETTER_FOLDER = "dead_letter"


def add_jobs(tables: StreamTableEnvironment, settings: Settings) -> StatementSet:
    """Return the statements that write every selected view, and what was refused, to files."""
    folder = settings.feature_store.offline_dir or ""
    views = settings.jobs.selected
    tables.execute_sql("CREATE TEMPORARY TABLE done (outcome INT) WITH ('connector' = 'blackhole')")
    statements = tables.create_statement_set()
    for view in views:
        job, name = JOBS[view], f"archive_{view}"
        write_empty(job.schema, Path(folder) / view)
        tables.create_temporary_system_function(name, parquet_writer(view, folder))
        columns = ", ".join(column for column, _ in job.written_columns)
        query = view_query(job, settings.event_time)
        statements.add_insert_sql(f"INSERT INTO done SELECT {name}({columns}) FROM ({query})")
    _add_dead_letters(tables, statements, views, Path(folder) / DEAD_LETTER_FOLDER)
    return statements


def _add_dead_letters(
    tables: StreamTableEnvironment, statements: StatementSet, views: tuple[str, ...], folder: Path
) -> None:
    tables.execute_sql(f"""
CREATE TEMPORARY TABLE refused (`source` STRING, `raw` STRING, `reason` STRING) WITH (
  'connector' = 'filesystem', 'path' = '{folder.resolve().as_uri()}', 'format' = 'json')""")
    for stream in inputs_of(views):
        statements.add_insert_sql(
            f"INSERT INTO refused SELECT '{stream}', record_text, reason "
            f"FROM {CHECKS[stream].table}_checked WHERE reason IS NOT NULL"
        )
