"""The command: ``python -m benchmarks.gateway --help``."""

import argparse
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from rich.console import Console

from benchmarks.gateway import peer, runs
from benchmarks.gateway.runs import Benchmark
from benchmarks.gateway.tables import Found
from benchmarks.outcome import exit_code
from deploy.local.layout import REPOSITORY

RUN_DIR = REPOSITORY / ".run" / "benchmarks" / "gateway"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a benchmark; return the exit code."""
    options = _parser().parse_args(arguments)
    console = Console()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    return exit_code(lambda: options.run(Benchmark(options, console)), console, options.json)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.gateway",
        description="Measure the gateway with its endpoint and its store, under an open-loop load.",
    )
    commands = parser.add_subparsers(required=True, metavar="benchmark")
    rate = _command(commands, "rate", runs.run_rate, 30, "one rate: latency and processor time")
    rate.add_argument("--rate", type=float, default=50, help="requests a second")
    hold = _command(commands, "hold", runs.run_hold, 120, "the highest rate that is held")
    hold.add_argument("--low", type=float, default=20, help="a rate that is surely held")
    hold.add_argument("--high", type=float, default=800, help="a rate that surely is not")
    over = _command(commands, "overload", runs.run_overload, 30, "more than can be done")
    over.add_argument("--held", type=float, required=True, help="the rate that `hold` found")
    over.add_argument("--times", type=float, default=3.0, help="how many times as much is asked")
    soak = _command(commands, "soak", runs.run_soak, 0, "whether memory stays flat")
    soak.add_argument("--requests", type=int, default=1_000_000, help="in all")
    soak.add_argument("--rate", type=float, default=150, help="requests a second")
    beside = _command(commands, "peer", peer.run_peer, 60, "what else would have been written")
    beside.add_argument("--rate", type=float, default=50, help="of the gateway, requests a second")
    beside.add_argument("--peer-rate", type=float, default=2, help="of the peer")
    return parser


def _command(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]",
    name: str,
    run: Callable[[Benchmark], Found],
    seconds: float,
    help_text: str,
) -> argparse.ArgumentParser:
    command = commands.add_parser(
        name, help=help_text, formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    command.set_defaults(run=run)
    if seconds:
        command.add_argument("--seconds", type=float, default=seconds, help="how long to ask")
    command.add_argument("--warm-up", type=float, default=20, help="seconds of load before")
    command.add_argument("--providers", type=int, default=80_000, help="in the store")
    command.add_argument("--seed", type=int, default=0, help="of the world and the requests")
    command.add_argument("--workers", type=int, default=1, help="processes of gateway and endpoint")
    command.add_argument("--bundle", type=Path, help="a model bundle; one is trained if left out")
    command.add_argument("--port", type=int, default=17800, help="first of the ports to listen on")
    command.add_argument("--json", type=Path, help="also write what was measured here")
    command.add_argument("--run-dir", type=Path, default=RUN_DIR, help="for logs")
    return command


if __name__ == "__main__":
    sys.exit(main())
