"""The command: ``python -m benchmarks.closed_loop --help``."""

import argparse
import os
import signal
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from rich.console import Console
from rich.progress import Progress

from benchmarks.closed_loop import ablate, goals, report, run, train
from benchmarks.closed_loop.contenders import MODEL, POLICIES
from benchmarks.closed_loop.game import Game
from benchmarks.closed_loop.results import results_of
from simulator.metros import METROS
from training.errors import exit_on_errors

OUT = Path(".run") / "benchmarks" / "closed_loop"
INTERRUPTED = 130
_PLAYED = tuple(name for name in POLICIES if name not in {"logging", "model_chance", "informed"})


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; return the exit code."""
    options = _parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with exit_on_errors(f"benchmarks.closed_loop {options.command}"):
            options.run(options, Console())
    except KeyboardInterrupt:
        sys.stderr.write("Stopped; `run` with the same --out goes on from here.\n")
        return INTERRUPTED
    return 0


def _run(options: argparse.Namespace, console: Console) -> None:
    game = _game(options)
    with Progress(console=Console(stderr=True), transient=True) as progress:
        bar = progress.add_task("Playing", total=1.0)
        for done in run.run(game, options.out, options.processes):
            last = f"{done.last.policy}, {METROS[done.last.metro].name}, seed {done.last.seed}"
            progress.update(bar, completed=done.share, description=f"Played {last}")
    _report(options, console)


def _game(options: argparse.Namespace) -> Game:
    return Game(
        start_s=options.start.timestamp(),
        days=options.days,
        providers=options.providers,
        metros=options.metros,
        seeds=tuple(options.seeds),
        policies=tuple(options.policies),
        bundle=str(options.bundle),
        requests_per_hour=options.requests_per_hour,
        regions=tuple(options.regions),
    )


def _report(options: argparse.Namespace, console: Console) -> None:
    game = run.load_game(options.out)
    results = results_of(game, run.played(game, options.out))
    page = report.write(results, options.out)
    for policy in results.measured:
        if policy.startswith(MODEL):
            console.print(goals.table(results, policy))
    console.print(f"{page} has the plots, {page.with_name(report.RESULTS)} the numbers.")


def _ablate(options: argparse.Namespace, console: Console) -> None:
    with console.status("asking every policy at the same decisions"):
        noted = ablate.ask(_game(options), tuple(options.policies), options.plays)
    console.print(ablate.table(noted))
    options.out.mkdir(parents=True, exist_ok=True)
    path = options.out / ablate.ABLATION
    path.write_bytes(msgspec.json.encode(ablate.chances(noted)))
    console.print(f"{path} has the numbers.")


def _train(options: argparse.Namespace, console: Console) -> None:
    train.train(options, console)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.closed_loop",
        description="Let policies play the same weeks in the twin, and compare what came of them.",
    )
    commands = parser.add_subparsers(required=True, metavar="command", dest="command")
    _train_options(_command(commands, "train", _train, "make a bundle from other, earlier weeks"))
    _run_options(_command(commands, "run", _run, "play what was not played yet, then report"))
    _command(commands, "report", _report, "measure and draw again what was played")
    asking = _command(commands, "ablate", _ablate, "ask every policy at the same decisions")
    asking.add_argument("--plays", choices=list(POLICIES), default=MODEL, help="who plays")
    _run_options(asking)
    for command in ("run", "report", "ablate"):
        commands.choices[command].add_argument(
            "--out", type=Path, default=OUT / "game", help="where matches and results are"
        )
    return parser


def _train_options(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--data", type=Path, default=OUT / "archive", help="the archive; made unless it is there"
    )
    command.add_argument("--bundle", type=Path, default=OUT / "bundle", help="of the models")
    command.add_argument("--hours", type=float, default=24.0, help="of requests in the archive")
    command.add_argument(
        "--end", type=_moment, default=_moment("2026-11-01T06:00:00"), help="of the archive, UTC"
    )
    command.add_argument("--seed", type=int, default=101, help="of the archive's world")
    command.add_argument("--training-seed", type=int, default=7, help="of the models")
    _world_options(command)


def _run_options(command: argparse.ArgumentParser) -> None:
    command.add_argument("--bundle", type=Path, default=OUT / "bundle", help="of the models")
    command.add_argument("--days", type=float, default=1.0, help="of requests")
    command.add_argument(
        "--start", type=_moment, default=_moment("2026-11-09"), help="a midnight, UTC"
    )
    command.add_argument("--seeds", type=int, nargs="+", default=[1], help="a world each")
    command.add_argument(
        "--policies",
        nargs="+",
        choices=list(POLICIES),
        default=list(_PLAYED),
        help="who is compared",
    )
    command.add_argument(
        "--regions",
        nargs="+",
        choices=[metro.name for metro in METROS],
        default=[],
        help="of the metros, those that are played; none are all",
    )
    command.add_argument(
        "--requests-per-hour", type=float, help="of all metros; none is 0.625 a provider"
    )
    _world_options(command)


def _world_options(command: argparse.ArgumentParser) -> None:
    command.add_argument("--providers", type=int, default=1000, help="of all metros together")
    command.add_argument(
        "--metros", type=int, choices=range(1, len(METROS) + 1), default=4, help="from the first"
    )
    command.add_argument(
        "--processes", type=int, default=os.cpu_count() or 1, help="matches played at a time"
    )


def _command(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]",
    name: str,
    play: Callable[[argparse.Namespace, Console], None],
    help_text: str,
) -> argparse.ArgumentParser:
    command = commands.add_parser(
        name, help=help_text, formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    command.set_defaults(run=play)
    return command


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


if __name__ == "__main__":
    sys.exit(main())
