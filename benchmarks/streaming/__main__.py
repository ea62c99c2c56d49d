"""The command: ``python -m benchmarks.streaming --help``."""

import argparse
import os
import platform
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from benchmarks.streaming import runs
from benchmarks.streaming.runs import Benchmark, Found
from deploy.local.flink import FlinkError
from deploy.local.layout import REPOSITORY
from deploy.local.processes import ProcessError

FAILURE = 1


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a benchmark; return the exit code."""
    options = _parser().parse_args(arguments)
    console = Console()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    try:
        with Progress(*columns, console=console, transient=True) as progress:
            found = options.run(Benchmark(options, console, progress))
    except KeyboardInterrupt:
        console.print("Stopped; nothing is left running.")
        return FAILURE
    except (ProcessError, FlinkError) as error:
        console.print(f"[bold red]error:[/] {error}", soft_wrap=True, highlight=False)
        return FAILURE
    if options.json:
        options.json.write_bytes(msgspec.json.encode({**_about(options), **found}))
    return 0


def _about(options: argparse.Namespace) -> Found:
    asked = {k: v for k, v in vars(options).items() if isinstance(v, int | float | str | list)}
    machine = {"cores": os.cpu_count(), "python": platform.python_version()}
    return {"options": asked, "machine": machine}


def _interrupt(_number: int, _frame: object) -> None:
    """Stop; a second Ctrl-C does not keep the first from ending every process."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.streaming",
        description="Measure the streaming jobs from Kinesis to Redis, every part real and local.",
    )
    commands = parser.add_subparsers(required=True, metavar="benchmark", dest="benchmark")
    shapes: tuple[tuple[str, Callable[[Benchmark], Found], str, float], ...] = (
        (
            "throughput",
            runs.run_throughput,
            "events a second through the motion job, from a backlog",
            120,
        ),
        (
            "delay",
            runs.run_delay,
            "from an event to a readable row, all jobs at a steady rate",
            180,
        ),
        ("peers", runs.run_peers, "the motion job with three Python edges, in turns", 40),
        ("storm", runs.run_storm, "throughput without bad records and with half of them bad", 60),
    )
    for name, run, help_text, seconds in shapes:
        command = commands.add_parser(
            name, help=help_text, formatter_class=argparse.ArgumentDefaultsHelpFormatter
        )
        command.set_defaults(run=run)
        command.add_argument("--seconds", type=float, default=seconds, help="of measurement")
        command.add_argument(
            "--warm-up", type=float, default=30, help="seconds before, not counted"
        )
        command.add_argument("--shards", type=int, default=4, help="of every stream")
        command.add_argument("--parallelism", type=int, default=1, help="of the Flink job")
        command.add_argument(
            "--flink", action="append", default=[], metavar="KEY=VALUE", help="a Flink setting"
        )
        command.add_argument("--json", type=Path, help="also write what was measured here")
        command.add_argument(
            "--run-dir", type=Path, default=REPOSITORY / ".run" / "benchmarks", help="for logs"
        )
    commands.choices["throughput"].add_argument(
        "--rate", type=float, help="events a second, live, instead of a backlog"
    )
    commands.choices["delay"].add_argument("--rate", type=float, default=8000, help="events/s")
    commands.choices["peers"].add_argument("--rounds", type=int, default=2, help="turns of each")
    return parser


if __name__ == "__main__":
    sys.exit(main())
