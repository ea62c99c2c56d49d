"""Putting a job together: checked tables, views, writers, in one statement set."""

from collections.abc import Callable, Iterable

from pyflink.datastream import DataStream
from pyflink.java_gateway import get_gateway
from pyflink.table import Schema, StatementSet, StreamTableEnvironment, Table

from flink_jobs.settings import EventTime, Settings
from flink_jobs.sinks import dead_letter_writer, view_writer
from flink_jobs.validation import CHECKS, StreamCheck, checked_query
from flink_jobs.views import JOBS, ViewJob, inputs_of

FUNCTIONS = {
    "parse_event": "roadside.flink.ParseEvent",
    "motion": "roadside.flink.Motion",
    "availability": "roadside.flink.Availability",
}
"""SQL names of the jar's functions."""

EVENT_TIME = Schema.new_builder().watermark("event_time", "SOURCE_WATERMARK()").build()
RawTable = Callable[[str], Table]
"""Gives the raw records of a stream, by the stream's name."""


def configure(tables: StreamTableEnvironment, times: EventTime) -> None:
    """Set what the SQL relies on, and name the jar's functions."""
    config = tables.get_config()
    config.set_local_timezone("UTC")
    config.set("table.exec.state.ttl", f"{times.state_ttl_h} h")
    for name, java_class in FUNCTIONS.items():
        tables.create_java_temporary_system_function(name, java_class)


def create_checked_tables(
    tables: StreamTableEnvironment, streams: Iterable[str], raw: RawTable, times: EventTime
) -> None:
    """Create, for each stream, its checked table and its table of valid events.

    The checked table goes through a data stream, because only there a computed column can be
    made the event time; the watermarks are the source's.
    """
    for stream in streams:
        check = CHECKS[stream]
        raw_name = f"{check.table}_raw"
        tables.create_temporary_view(raw_name, raw(stream))
        checked = tables.sql_query(checked_query(check, raw_name, times))
        with_watermark = tables.from_data_stream(tables.to_data_stream(checked), EVENT_TIME)
        tables.create_temporary_view(f"{check.table}_checked", with_watermark)
        create_valid_table(tables, check)


def create_valid_table(tables: StreamTableEnvironment, check: StreamCheck) -> None:
    """Create the table of a stream's valid events from its checked table."""
    names = ", ".join(f"`{name}`" for name in check.fields)
    tables.execute_sql(
        f"CREATE TEMPORARY VIEW {check.table} AS "
        f"SELECT {names}, event_time FROM {check.table}_checked WHERE reason IS NULL"
    )


def view_query(job: ViewJob, times: EventTime) -> str:
    """Return a view's SQL with the columns in the writer's order and types."""
    columns = ", ".join(f"CAST({n} AS {t}) AS {n}" for n, t in job.written_columns)
    return f"SELECT {columns} FROM ({job.query(times)})"


def create_inputs(tables: StreamTableEnvironment, views: Iterable[str]) -> None:
    """Create the views that some jobs' queries read."""
    for view in views:
        for statement in JOBS[view].prepare:
            tables.execute_sql(statement)


def add_jobs(tables: StreamTableEnvironment, settings: Settings) -> StatementSet:
    """Return the statements that write every selected view and the dead letters."""
    tables.execute_sql(
        "CREATE TEMPORARY TABLE written (outcome INT) WITH ('connector' = 'blackhole')"
    )
    statements = tables.create_statement_set()
    for view in settings.jobs.selected:
        statements.add_insert_sql(_write_view(tables, JOBS[view], settings))
    for stream in inputs_of(settings.jobs.selected):
        statements.add_insert_sql(_write_dead_letters(tables, CHECKS[stream], settings))
    return statements


def _write_view(tables: StreamTableEnvironment, job: ViewJob, settings: Settings) -> str:
    """Create what the writing of a view needs; return the statement."""
    view = job.schema.name
    query = view_query(job, settings.event_time)
    rows = tables.to_data_stream(
        tables.sql_query(f"SELECT *, CAST(NULL AS BIGINT) AS watermark_ms FROM ({query})")
    )
    tables.create_temporary_view(
        f"{view}_rows",
        tables.from_data_stream(
            _with_heartbeat(rows, job, settings.feature_store.beacon_interval_s)
        ),
    )
    tables.create_temporary_system_function(
        f"write_{view}", view_writer(view, settings.feature_store)
    )
    names = ", ".join((*(name for name, _ in job.written_columns), "watermark_ms"))
    return f"INSERT INTO written SELECT write_{view}({names}) FROM {view}_rows"


def _with_heartbeat(rows: DataStream, job: ViewJob, interval_s: int) -> DataStream:
    """Add the rows that carry beacons: they flow even while a stream is silent."""
    operator = get_gateway().jvm.roadside.flink.Heartbeat(
        interval_s * 1000, len(job.written_columns) + 1
    )
    java = rows._j_data_stream
    return DataStream(java.transform(f"heartbeat-{job.schema.name}", java.getType(), operator))


def _write_dead_letters(
    tables: StreamTableEnvironment, check: StreamCheck, settings: Settings
) -> str:
    """Create the writer of a stream's dead letters; return the statement."""
    name = f"write_dead_letters_{check.table}"
    tables.create_temporary_system_function(
        name, dead_letter_writer(check.stream, settings.streams, settings.jobs.name)
    )
    return (
        f"INSERT INTO written SELECT {name}(record_text, reason) FROM {check.table}_checked "
        "WHERE reason IS NOT NULL"
    )
