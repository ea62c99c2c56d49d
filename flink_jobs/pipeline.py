"""Putting the application together, in streaming and in batch alike: checks, views, sinks.

raw records ─► checked_query ─► CheckedEvents ─► a view's SQL ─► its rows ─► Redis, Parquet
                one event         neighbours          │
                     └────────────────┴─ dead letters ─► their stream, or a file
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pyflink.java_gateway import get_gateway
from pyflink.table import StatementSet, StreamTableEnvironment, Table

from flink_jobs import offline
from flink_jobs.settings import EventTime, FeatureStore, Settings
from flink_jobs.sinks import dead_letter_writer, view_writer
from flink_jobs.validation import CHECKS, StreamCheck, checked_query
from flink_jobs.views import JOBS, ViewJob

FUNCTIONS = {
    "parse_event": "roadside.flink.ParseEvent",
    "motion": "roadside.flink.Motion",
    "availability": "roadside.flink.Availability",
    "h3_cell": "roadside.flink.CellOf",
}
"""SQL names of the jar's functions."""

WRITTEN_AT = "written_at"
"""The column of what the writer answered."""

RawTable = Callable[[str], Table]
"""Gives the raw records of a stream, by the stream's name."""

WriterFactory = Callable[[str, FeatureStore], Any]
"""Gives the function that writes a view's rows: ``sinks.view_writer``, or a peer to measure."""


def configure(tables: StreamTableEnvironment, times: EventTime) -> None:
    """Set what the SQL relies on, and name the jar's functions."""
    config = tables.get_config()
    config.set_local_timezone("UTC")
    config.set("table.exec.state.ttl", f"{times.state_ttl_h} h")
    # A provider has about one event a slide: there is nothing to sum up before the exchange.
    config.set("table.optimizer.agg-phase-strategy", "ONE_PHASE")
    for name, java_class in FUNCTIONS.items():
        tables.create_java_temporary_system_function(name, java_class)


def create_events(
    tables: StreamTableEnvironment,
    groups: Iterable[Sequence[str]],
    raw: RawTable,
    times: EventTime,
) -> None:
    """Create the table of each stream's valid events, and the one of all dead letters.

    Args:
        tables: Gets the tables.
        groups: Streams that some view reads together share one event time (``read_together``).
        raw: Gives each stream's records.
        times: How long is waited.
    """
    letters = []
    for streams in groups:
        checked = {stream: _checked(tables, CHECKS[stream], raw, times) for stream in streams}
        for stream in streams:
            check = CHECKS[stream]
            events = _judge(tables, checked, check, times)
            tables.create_temporary_view(check.table, Table(events.valid(), tables))
            refused = _row_streams().table(tables._j_tenv, events.refused())
            letters_name = f"{check.table}_refused"
            tables.create_temporary_view(letters_name, Table(refused, tables))
            letters.append(f"SELECT * FROM {letters_name}")
    tables.execute_sql(f"CREATE TEMPORARY VIEW dead_letters AS {' UNION ALL '.join(letters)}")


@dataclass(frozen=True)
class _Checked:
    """A stream's events with what each shows by itself: as the query says, and as Java's rows."""

    table: Table
    rows: Any


def _checked(
    tables: StreamTableEnvironment, check: StreamCheck, raw: RawTable, times: EventTime
) -> _Checked:
    raw_name = f"{check.table}_raw"
    tables.create_temporary_view(raw_name, raw(check.stream))
    table = tables.sql_query(checked_query(check, raw_name, times))
    return _Checked(table, _row_streams().of(tables._j_tenv, table._j_table))


def _judge(
    tables: StreamTableEnvironment,
    checked: Mapping[str, _Checked],
    check: StreamCheck,
    times: EventTime,
) -> Any:
    """Return the jar's ``CheckedEvents`` of one of the streams that are read together."""
    java = get_gateway().jvm.roadside.flink.CheckedEvents
    max_age_ms = round(times.max_age_s * 1000)
    own = checked[check.stream]
    beside = get_gateway().jvm.java.util.ArrayList()
    for other in checked.values():
        if other is not own:
            beside.add(other.rows)
    stream = (tables._j_tenv, own.rows, beside, own.table._j_table, check.stream, check.key)
    if check.windows is None:
        return java.ofChanges(*stream, check.several_at_once, max_age_ms)
    length_s, slide_s = check.windows(times)
    return java.ofWindows(
        *stream, length_s * 1000, slide_s * 1000, float(check.max_speed_kph), max_age_ms
    )


def create_inputs(tables: StreamTableEnvironment, views: Iterable[str]) -> None:
    """Create the tables that some jobs' queries read."""
    for view in views:
        for statement in JOBS[view].prepare:
            tables.execute_sql(statement)


def view_query(job: ViewJob, times: EventTime) -> str:
    """Return a view's SQL with the columns in the writer's order and types."""
    columns = ", ".join(f"CAST({n} AS {t}) AS {n}" for n, t in job.written_columns)
    return f"SELECT {columns} FROM ({job.query(times)})"


def add_live(
    tables: StreamTableEnvironment, settings: Settings, writer: WriterFactory = view_writer
) -> StatementSet:
    """Write every selected view to Redis, and to Parquet if that is asked for.

    Returns:
        What writes the dead letters; it starts with everything else when the environment does.
    """
    for view in settings.jobs.selected:
        served = _serve(tables, JOBS[view], settings, writer)
        if settings.feature_store.offline_dir:
            folder = settings.feature_store.offline_dir
            offline.write(tables, JOBS[view], served, folder, created=WRITTEN_AT)
        else:
            get_gateway().jvm.roadside.flink.ViewRows.discard(tables._j_tenv, served._j_table)
    tables.create_temporary_system_function(
        "write_dead_letters", dead_letter_writer(settings.streams, settings.jobs.name)
    )
    tables.execute_sql(
        "CREATE TEMPORARY TABLE letters_written (n INT) WITH ('connector' = 'blackhole')"
    )
    return tables.create_statement_set().add_insert_sql(
        "INSERT INTO letters_written SELECT "
        "write_dead_letters(source, record_text, code, reason, received_ts) FROM dead_letters"
    )


def _serve(
    tables: StreamTableEnvironment, job: ViewJob, settings: Settings, writer: WriterFactory
) -> Table:
    """Write a view's rows to Redis; return those that were written, after they were."""
    view, store = job.schema.name, settings.feature_store
    rows = tables.sql_query(view_query(job, settings.event_time))
    java = get_gateway().jvm.roadside.flink.ViewRows
    beating = java.withHeartbeat(
        tables._j_tenv, rows._j_table, view, store.beacon_interval_s * 1000
    )
    tables.create_temporary_view(f"{view}_rows", Table(beating, tables))
    tables.create_temporary_system_function(f"write_{view}", writer(view, store))
    names = ", ".join((*(name for name, _ in job.written_columns), java.WATERMARK))
    written = tables.sql_query(f"SELECT *, write_{view}({names}) AS {WRITTEN_AT} FROM {view}_rows")
    return Table(java.served(tables._j_tenv, written._j_table, view, WRITTEN_AT), tables)


def add_backfill(tables: StreamTableEnvironment, settings: Settings) -> StatementSet:
    """Write every selected view, and what was refused, to the files of the offline store."""
    folder = settings.feature_store.offline_dir or ""
    for view in settings.jobs.selected:
        rows = tables.sql_query(view_query(JOBS[view], settings.event_time))
        offline.write(tables, JOBS[view], rows, folder)
    return offline.write_dead_letters(tables, folder)


def _row_streams() -> Any:
    return get_gateway().jvm.roadside.flink.RowStreams
