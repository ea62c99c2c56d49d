"""Answers queries over an archive: a question a line on stdin, its rows a line on stdout."""

import json
import sys

from pyflink.common import Configuration
from pyflink.datastream import StreamExecutionEnvironment
from pyflink.table import StreamTableEnvironment

from flink_jobs import pipeline, sources
from flink_jobs.settings import EventTime, Streams
from flink_jobs.views import JOBS, inputs_of


def main() -> None:
    """Answer until stdin ends."""
    jar, archive = sys.argv[1:]
    config = Configuration()
    config.set_string("pipeline.jars", f"file://{jar}")
    config.set_string("execution.runtime-mode", "BATCH")
    config.set_string("parallelism.default", "1")
    env = StreamExecutionEnvironment.get_execution_environment(config)
    tables = StreamTableEnvironment.create(env)
    times, streams = EventTime(), Streams(kind="archive", archive_dir=archive)
    pipeline.configure(tables, times)
    pipeline.create_checked_tables(
        tables,
        inputs_of(JOBS),
        lambda stream: sources.archive_table(tables, stream, streams),
        times,
    )
    pipeline.create_inputs(tables, JOBS)
    for line in sys.stdin:
        question = json.loads(line)
        view = question.get("view")
        sql = pipeline.view_query(JOBS[view], times) if view else question["sql"]
        table = tables.sql_query(sql)
        names = table.get_resolved_schema().get_column_names()
        with table.execute().collect() as rows:
            found = [dict(zip(names, row, strict=True)) for row in rows]
        sys.stdout.write(json.dumps(found) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
