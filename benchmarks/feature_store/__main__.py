"""The command: ``python -m benchmarks.feature_store --help``."""

import argparse
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from benchmarks.feature_store.benchmark import Benchmark
from benchmarks.feature_store.compare import run_compare
from benchmarks.feature_store.soak import run_soak
from benchmarks.outcome import exit_code
from deploy.local.layout import REPOSITORY

RUN_DIR = REPOSITORY / ".run" / "benchmarks" / "feature_store"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a benchmark; return the exit code."""
    options = _parser().parse_args(arguments)
    console = Console()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())

    def measure() -> dict[str, Any]:
        with Progress(*columns, console=console, transient=True) as progress:
            found: dict[str, Any] = options.run(Benchmark(options, console, progress))
            return found

    return exit_code(measure, console, options.json)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.feature_store",
        description="Measure the feature store beside Feast's own Redis store, in turns.",
    )
    commands = parser.add_subparsers(required=True, metavar="benchmark")
    compare = _command(
        commands, "compare", "reads, writes and memory: Feast's SDK on both layouts, and ours"
    )
    compare.set_defaults(run=run_compare)
    compare.add_argument("--providers", type=int, default=80_000, help="in the store")
    compare.add_argument("--entities", type=int, nargs="+", default=[50, 200, 400], help="a read")
    compare.add_argument("--turns", type=int, default=60, help="of each contestant")
    compare.add_argument("--batch", type=int, default=1_000, help="rows of a write")
    soak = _command(commands, "soak", "whether memory and latency stay flat over many reads")
    soak.set_defaults(run=run_soak)
    soak.add_argument("--of", choices=["reader", "sdk"], default="reader", help="who reads")
    soak.add_argument("--reads", type=int, default=20_000, help="in all")
    soak.add_argument("--entities", type=int, default=50, help="a read")
    soak.add_argument("--providers", type=int, default=5_000, help="in the store")
    return parser


def _command(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, help_text: str
) -> argparse.ArgumentParser:
    command = commands.add_parser(
        name, help=help_text, formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    command.add_argument("--port", type=int, default=17600, help="first of the ports to listen on")
    command.add_argument(
        "--redis", action="append", default=[], metavar="--KEY=VALUE", help="a setting of Redis"
    )
    command.add_argument("--seed", type=int, default=0, help="of the rows and of who is read")
    command.add_argument("--json", type=Path, help="also write what was measured here")
    command.add_argument("--run-dir", type=Path, default=RUN_DIR, help="for logs and registries")
    return command


if __name__ == "__main__":
    sys.exit(main())
