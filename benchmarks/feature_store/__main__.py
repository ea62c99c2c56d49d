"""The command: ``python -m benchmarks.feature_store --help``."""

import argparse
import os
import platform
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from benchmarks.feature_store.benchmark import Benchmark
from benchmarks.feature_store.compare import run_compare
from benchmarks.feature_store.soak import run_soak
from deploy.local.layout import REPOSITORY
from deploy.local.processes import ProcessError

RUN_DIR = REPOSITORY / ".run" / "benchmarks" / "feature_store"
FAILURE = 1
INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a benchmark; return the exit code."""
    options = _parser().parse_args(arguments)
    console = Console()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    try:
        with Progress(*columns, console=console, transient=True) as progress:
            found = options.run(Benchmark(options, console, progress))
    except KeyboardInterrupt:
        console.print("Stopped; nothing is left running.")
        return INTERRUPTED
    except ProcessError as error:
        console.print(f"[bold red]error:[/] {error}", soft_wrap=True, highlight=False)
        return FAILURE
    if options.json:
        machine = {"cores": os.cpu_count(), "python": platform.python_version()}
        options.json.write_bytes(msgspec.json.encode({"machine": machine, **found}))
    return 0


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
