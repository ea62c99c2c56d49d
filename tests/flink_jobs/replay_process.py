"""Answers questions over an archive: one a line on stdin, its rows a line on stdout."""

import json
import sys
import time
from pathlib import Path

from pyflink.common import Configuration
from pyflink.datastream import StreamExecutionEnvironment
from pyflink.table import DataTypes, StreamTableEnvironment, Table
from pyflink.table.expressions import call
from pyflink.table.udf import udf

from flink_jobs import pipeline, sources
from flink_jobs.settings import EventTime, FeatureStore, Jobs, Settings, Streams
from flink_jobs.views import JOBS, inputs_of

PAUSE_S = 0.004
"""Slow enough that some checkpoints are complete before the crash, which is in the middle."""


def main() -> None:
    """Answer until stdin ends."""
    jar, archive, mode = sys.argv[1:]
    settings = Settings(
        Jobs(), Streams(kind="archive", archive_dir=archive), EventTime(), FeatureStore()
    )
    env = StreamExecutionEnvironment.get_execution_environment(_configuration(jar, mode))
    tables = StreamTableEnvironment.create(env)
    pipeline.configure(tables, settings.event_time)
    crash = Path(archive).with_suffix(".crash")
    if mode == "crashing":
        tables.create_temporary_system_function("crash_at", crash_at(str(crash)))

    def raw(stream: str) -> Table:
        table = sources.archive_table(env, tables, stream, settings)
        if mode != "crashing":
            return table
        return table.select(
            call("crash_at", table.record_text).alias("record_text"), table.received_at
        )

    pipeline.create_events(tables, inputs_of(JOBS), raw, settings.event_time)
    pipeline.create_inputs(tables, JOBS)
    tables.execute_sql(f"CREATE TEMPORARY VIEW everything AS {_everything(settings.event_time)}")
    for line in sys.stdin:
        question = json.loads(line)
        crash_text = question.get("crash_at")
        if crash_text:
            crash.write_text(crash_text)
        table = tables.sql_query(question["sql"])
        names = table.get_resolved_schema().get_column_names()
        with table.execute().collect() as rows:
            found = [dict(zip(names, row, strict=True)) for row in rows]
        answer = {"rows": found, "crashed": bool(crash_text) and not crash.exists()}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


def _everything(times: EventTime) -> str:
    """Return the SQL of every view's rows and all dead letters as JSON: a single job is quicker."""
    tables = {view: pipeline.view_query(job, times) for view, job in JOBS.items()}
    columns = {view: [name for name, _ in job.written_columns] for view, job in JOBS.items()}
    letters = ("source", "code", "record_text")
    tables["dead_letters"] = "SELECT * FROM dead_letters"
    columns["dead_letters"] = list(letters)
    return " UNION ALL ".join(
        f"SELECT '{name}' AS made, JSON_OBJECT({_members(columns[name])}) AS content FROM ({sql})"  # noqa: S608
        for name, sql in tables.items()
    )


def _members(names: list[str]) -> str:
    return ", ".join(f"'{name}' VALUE {name}" for name in names)


def _configuration(jar: str, mode: str) -> Configuration:
    config = Configuration()
    config.set_string("pipeline.jars", f"file://{jar}")
    config.set_string("execution.runtime-mode", "BATCH" if mode == "batch" else "STREAMING")
    config.set_string("parallelism.default", "1")
    if mode == "crashing":
        config.set_string("execution.checkpointing.interval", "50 ms")
        config.set_string("restart-strategy.type", "fixed-delay")
        config.set_string("restart-strategy.fixed-delay.attempts", "1")
        config.set_string("restart-strategy.fixed-delay.delay", "10 ms")
        config.set_string("python.fn-execution.bundle.size", "5")
    return config


def crash_at(path: str) -> object:
    """Return a function that gives back its text, and fails once, at the text in a file.

    The file is gone after that, so the job's second try goes through.
    """

    def give_back(text: str) -> str:
        time.sleep(PAUSE_S)
        file = Path(path)
        if file.exists() and file.read_text() == text:
            file.unlink()
            raise RuntimeError("the crash that was asked for")
        return text

    return udf(give_back, result_type=DataTypes.STRING(), deterministic=False)


if __name__ == "__main__":
    main()
