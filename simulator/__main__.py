"""Command line: ``python -m simulator history`` and ``python -m simulator live``."""

import argparse
import logging
import os
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from simulator import batch_tables, history, live
from simulator.kinesis import Publisher, StreamError, connect
from simulator.metros import METROS
from simulator.reports import Intervals
from simulator.world import WorldSettings
from simulator.worlds import Worlds


def main(arguments: list[str] | None = None) -> int:
    """Run a command; return its exit code."""
    options = _parser().parse_args(arguments)
    try:
        settings = _settings(options)
        return int(options.run(options, settings))
    except (StreamError, ValueError, OSError) as error:
        sys.stderr.write(f"simulator: {error}\n")
        return 2


def _history(options: argparse.Namespace, settings: WorldSettings) -> int:
    end_s = options.end.timestamp()
    close_s = end_s - 3600 * options.tail_hours
    span = history.Span(close_s - 3600 * options.hours, close_s, end_s)
    began = time.monotonic()
    with Progress(console=Console(stderr=True), transient=True) as progress:
        bar = progress.add_task("Simulating", total=1.0)
        summary = history.write(
            settings,
            span,
            options.out,
            lambda share: progress.update(bar, completed=share),
            history.Contents(options.events, options.feature_rows),
            options.processes,
        )
    lines = [f"  {stream:24}{count:>11,} events" for stream, count in summary.events.items()]
    if options.feature_rows:
        lines.append(f"  {'stream views':24}{summary.feature_rows:>11,} rows")
    seconds = time.monotonic() - began
    sys.stdout.write(
        f"{options.out}: {options.hours:g} h of {settings.providers:,} providers in "
        f"{settings.metros} metros, {summary.decisions:,} decisions with "
        f"{summary.candidates:,} candidates, {summary.offers:,} offers, {seconds:.1f} s "
        f"({summary.decisions / seconds:,.0f} decisions/s)\n"
        + "".join(f"{line}\n" for line in lines)
    )
    return 0


def _live(options: argparse.Namespace, settings: WorldSettings) -> int:
    logging.basicConfig(
        level=logging.INFO, stream=sys.stderr, format="%(asctime)s simulator: %(message)s"
    )
    publisher = Publisher(connect(options.endpoint_url, options.region))
    publisher.check()
    start_s = time.time()
    worlds = Worlds(settings, start_s, f"live-{int(start_s)}")
    if options.batch_dir is not None:
        _write_batch_tables(worlds, options.batch_dir, settings.seed)
    with live.stopped_by_signals() as stop:
        total = live.play(worlds, publisher, live.Pace(options.speed), stop)
    sys.stderr.write(f"simulator: stopped after {total:,} events\n")
    return 0


def _write_batch_tables(worlds: Worlds, directory: Path, seed: int) -> None:
    today = batch_tables.midnight(worlds.now_s)
    for world in worlds.of_metros:
        metro = world.fields.cells.metro.name
        batch_tables.write_profiles(world.providers, directory, today, metro)
        batch_tables.write_records(
            world.providers, directory, today - batch_tables.ONE_DAY, today, (seed, metro)
        )


def _settings(options: argparse.Namespace) -> WorldSettings:
    excluded = getattr(options, "exclude_providers", "")
    return WorldSettings(
        providers=options.providers,
        seed=options.seed,
        metros=options.metros,
        requests_per_hour=options.requests_per_hour,
        intervals=Intervals(
            gps_s=options.gps_interval_s,
            availability_s=options.availability_interval_s,
            conditions_s=options.conditions_interval_s,
        ),
        exclude=frozenset(filter(None, excluded.split(","))),
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m simulator",
        description="A seeded world of providers, roads, weather and requests for help.",
    )
    commands = parser.add_subparsers(required=True, metavar="{history,live}")
    formatter = argparse.ArgumentDefaultsHelpFormatter
    past = commands.add_parser(
        "history", formatter_class=formatter, help="write an archive of events and outcomes"
    )
    past.set_defaults(run=_history)
    past.add_argument("--out", type=Path, required=True, help="directory of the archive")
    past.add_argument("--hours", type=_positive, default=6.0, help="hours with requests")
    past.add_argument(
        "--tail-hours",
        type=_positive,
        default=5.7,
        help="hours after them in which only outcomes come in",
    )
    past.add_argument(
        "--end",
        type=_moment,
        default=datetime.now(UTC).replace(minute=0, second=0, microsecond=0),
        help="when the archive ends, ISO 8601, UTC",
    )
    past.add_argument(
        "--events",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="write the streams' events, for the Flink jobs",
    )
    past.add_argument(
        "--feature-rows",
        action=argparse.BooleanOptionalAction,
        default=False,
        help="write the stream views' rows that the decisions' candidates could read",
    )
    past.add_argument(
        "--processes",
        type=_count,
        default=os.cpu_count() or 1,
        help="metros played at a time; the archive is the same whatever it is",
    )
    _world_options(past, Intervals(gps_s=60.0, availability_s=90.0, conditions_s=120.0))
    now = commands.add_parser(
        "live", formatter_class=formatter, help="play the world on Kinesis until stopped"
    )
    now.set_defaults(run=_live)
    now.add_argument("--endpoint-url", default=None, help="an emulator's address; none is AWS")
    now.add_argument("--region", default="us-east-1", help="AWS region")
    now.add_argument(
        "--speed",
        type=_positive,
        default=1.0,
        help="the world's seconds a second; above 1 its times run ahead of the wall clock",
    )
    now.add_argument(
        "--batch-dir",
        type=Path,
        default=None,
        help="also write provider_profile and the newest provider_history under this directory",
    )
    now.add_argument(
        "--exclude-providers", default="", help="ids, by commas, that somebody else plays"
    )
    _world_options(now, Intervals())
    return parser


def _world_options(parser: argparse.ArgumentParser, intervals: Intervals) -> None:
    parser.add_argument("--providers", type=_count, default=400, help="number of providers")
    parser.add_argument("--seed", type=int, default=7, help="the same seed is the same world")
    parser.add_argument(
        "--metros",
        type=int,
        choices=range(1, len(METROS) + 1),
        default=1,
        help="how many of the metros, from the first",
    )
    parser.add_argument(
        "--requests-per-hour",
        type=_positive,
        default=None,
        help="mean over a day; none is 0.625 a provider",
    )
    sources = {"gps": intervals.gps_s, "availability": intervals.availability_s}
    for name, seconds in {**sources, "conditions": intervals.conditions_s}.items():
        parser.add_argument(
            f"--{name}-interval-s",
            type=_positive,
            default=seconds,
            help=f"seconds between two {name} reports of one source",
        )


def _positive(text: str) -> float:
    value = float(text)
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is not above 0")
    return value


def _count(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not at least 1")
    return value


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


if __name__ == "__main__":
    sys.exit(main())
