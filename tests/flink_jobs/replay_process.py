"""Answers questions over an archive: one a line on stdin, its rows a line on stdout."""

import json
import sys
import time
from pathlib import Path

from pyflink.common import Configuration
from pyflink.datastream import StreamExecutionEnvironment
from pyflink.table import DataTypes, StreamTableEnvironment, Table
from pyflink.table.expressions import call
from pyflink.table.udf import ScalarFunction, udf

from flink_jobs import pipeline, sources
from flink_jobs.settings import EventTime, FeatureStore, Jobs, Settings, Streams
from flink_jobs.views import JOBS, read_together

CRASHING_STREAM = "dispatch-events"
PAUSE_S = 0.05
"""Between two records, while a checkpoint is waited for."""


def main() -> None:
    """Answer until stdin ends."""
    jar, archive, mode = sys.argv[1:]
    settings = Settings(
        Jobs(), Streams(kind="archive", archive_dir=archive), EventTime(), FeatureStore()
    )
    env = StreamExecutionEnvironment.get_execution_environment(_configuration(jar, mode, archive))
    tables = StreamTableEnvironment.create(env)
    pipeline.configure(tables, settings.event_time)
    crash = Path(archive).with_suffix(".crash")
    tables.create_temporary_system_function(
        "crash_at",
        udf(CrashAt(str(crash), str(_checkpoints(archive))), result_type=DataTypes.STRING()),
    )

    def raw(stream: str) -> Table:
        table = sources.archive_table(env, tables, stream, settings)
        if mode != "crashing" or stream != CRASHING_STREAM:
            return table
        text = call("crash_at", table.record_text).alias("record_text")
        return table.select(text, table.received_at)

    pipeline.create_events(tables, read_together(JOBS), raw, settings.event_time)
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


def _configuration(jar: str, mode: str, archive: str) -> Configuration:
    config = Configuration()
    config.set_string("pipeline.jars", f"file://{jar}")
    config.set_string("execution.runtime-mode", "BATCH" if mode == "batch" else "STREAMING")
    config.set_string("parallelism.default", "1")
    if mode == "crashing":
        config.set_string("execution.checkpointing.dir", _checkpoints(archive).as_uri())
        config.set_string("execution.checkpointing.interval", "50 ms")
        config.set_string("restart-strategy.type", "fixed-delay")
        config.set_string("restart-strategy.fixed-delay.attempts", "1")
        config.set_string("restart-strategy.fixed-delay.delay", "10 ms")
        # A checkpoint waits for the end of a bundle.
        config.set_string("python.fn-execution.bundle.size", "1")
    return config


def _checkpoints(archive: str) -> Path:
    return Path(archive).with_suffix(".checkpoints")


class CrashAt(ScalarFunction):  # type: ignore[misc]
    """Gives back its text, and fails once: soon after the text that a file names.

    It waits for a checkpoint that has come so far, so that the job goes on from there and not from
    its beginning. The file is gone after that, and the second try goes through.
    """

    def __init__(self, file: str, checkpoints: str) -> None:
        self._file = file
        self._checkpoints = checkpoints
        self._armed_at: float | None = None

    def is_deterministic(self) -> bool:
        """Return false: a call has an effect."""
        return False

    def eval(self, text: str) -> str:
        """Return the text, or fail."""
        file = Path(self._file)
        if self._armed_at is None and file.exists() and file.read_text() == text:
            self._armed_at = time.time()
        if self._armed_at is not None:
            complete = Path(self._checkpoints).glob("*/chk-*/_metadata")
            if any(path.stat().st_mtime > self._armed_at for path in complete):
                file.unlink()
                raise RuntimeError("the crash that was asked for")
            time.sleep(PAUSE_S)
        return text


if __name__ == "__main__":
    main()
