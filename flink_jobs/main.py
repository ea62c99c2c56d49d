"""The application: reads its settings, checks the streams, and starts the selected jobs.

On the service this is the entry point; elsewhere ``flink run -py`` starts it. ``--check`` stops
before Flink is touched, so that a wrong setting or a missing stream is known in a second.
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from flink_jobs import kinesis
from flink_jobs.event_schemas import DEAD_LETTER
from flink_jobs.settings import PROPERTIES_VARIABLE, Settings, SettingsError, load
from flink_jobs.views import inputs_of, read_together


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code."""
    options = _parser().parse_args(arguments)
    try:
        settings = load(options.properties)
        arns = _find_streams(settings)
        if options.check:
            views = ", ".join(settings.jobs.selected)
            sys.stdout.write(f"settings and streams are usable; views: {views}\n")
            return 0
        _submit(settings, arns)
    except (SettingsError, kinesis.StreamMissingError, kinesis.StreamUnreachableError) as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m flink_jobs.main",
        description="Compute the stream feature views from Kinesis and write them to Redis.",
    )
    parser.add_argument(
        "--properties",
        type=Path,
        help=f"settings file (default: {PROPERTIES_VARIABLE}, or the service's own)",
    )
    parser.add_argument(
        "--check", action="store_true", help="check settings and streams, start nothing"
    )
    return parser


def _find_streams(settings: Settings) -> dict[str, str]:
    if settings.streams.kind == "archive":
        return {}
    names = (*inputs_of(settings.jobs.selected), DEAD_LETTER)
    return kinesis.find_arns(kinesis.connect(settings.streams), names, settings.streams)


def _submit(settings: Settings, arns: Mapping[str, str]) -> None:
    """Build the job graph and hand it to the cluster that this process belongs to."""
    # Flink takes seconds to import; a wrong setting is told before.
    from pyflink.datastream import (  # noqa: PLC0415
        RuntimeExecutionMode,
        StreamExecutionEnvironment,
    )
    from pyflink.table import StreamTableEnvironment, Table  # noqa: PLC0415

    from flink_jobs import pipeline, sources  # noqa: PLC0415

    env = StreamExecutionEnvironment.get_execution_environment()
    is_backfill = settings.streams.kind == "archive"
    if is_backfill:
        env.set_runtime_mode(RuntimeExecutionMode.BATCH)
    tables = StreamTableEnvironment.create(env)
    pipeline.configure(tables, settings.event_time)

    def raw(stream: str) -> Table:
        if is_backfill:
            return sources.archive_table(env, tables, stream, settings)
        return sources.kinesis_table(env, tables, stream, arns[stream], settings)

    views = settings.jobs.selected
    pipeline.create_events(tables, read_together(views), raw, settings.event_time)
    pipeline.create_inputs(tables, views)
    add = pipeline.add_backfill if is_backfill else pipeline.add_live
    add(tables, settings).attach_as_datastream()
    env.execute(settings.jobs.name)


if __name__ == "__main__":
    sys.exit(main())
