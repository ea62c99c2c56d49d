"""Runs the whole product on this machine: ``python -m deploy.local --help``."""

import argparse
import signal
import sys
import time
from pathlib import Path
from types import FrameType

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from deploy.local import prerequisites, show
from deploy.local.flink import FlinkError
from deploy.local.layout import REPOSITORY, Layout
from deploy.local.ports import Ports, PortTakenError
from deploy.local.prerequisites import PrerequisiteError
from deploy.local.processes import ProcessError, Supervisor
from deploy.local.programs import World
from deploy.local.requests import live_requests
from deploy.local.stack import LocalStack

SHOW_EVERY_S = 5.0
ONCE_RECOMMENDATIONS = 3
WAIT_S = 0.5
FAILURE = 1
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def main(arguments: list[str] | None = None) -> int:
    """Start everything, show recommendations for live requests until Ctrl-C; the exit code."""
    options = _parser().parse_args(arguments)
    console = Console()
    # Set by hand: a shell starts background commands with Ctrl-C ignored.
    for number in STOP_SIGNALS:
        signal.signal(number, _interrupt)
    try:
        prerequisites.check()
        return _run(options, console)
    except KeyboardInterrupt:
        console.print("Stopped; nothing is left running.")
        return 0
    except (PrerequisiteError, PortTakenError, ProcessError, FlinkError, TimeoutError) as error:
        console.print(f"[bold red]error:[/] {error}", soft_wrap=True, highlight=False)
        return FAILURE


def _run(options: argparse.Namespace, console: Console) -> int:
    # Absolute, because the programs have working directories of their own.
    layout = Layout(options.run_dir.resolve())
    started = time.monotonic()
    with Supervisor(layout.logs) as supervisor:
        with Progress(
            SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn(), console=console
        ) as progress:
            steps = _Steps(progress, console)
            stack = LocalStack(
                supervisor,
                layout,
                Ports().shifted(options.port_offset),
                World(
                    providers=options.providers,
                    seed=options.seed,
                    history_hours=options.history_hours,
                    speed=options.speed,
                    exclude_providers=tuple(filter(None, options.exclude_providers.split(","))),
                ),
                steps.report,
            )
            stack.start()
            steps.done()
        console.print(f"Ready after {time.monotonic() - started:.0f} s.")
        show.addresses(console, stack.addresses())
        _show_recommendations(stack, supervisor, console, ONCE_RECOMMENDATIONS * options.once)
    return 0


def _show_recommendations(
    stack: LocalStack, supervisor: Supervisor, console: Console, limit: int
) -> None:
    """Ask the gateway for live requests, and print one answer every few seconds.

    Args:
        stack: What answers.
        supervisor: Asked whether all of it still runs.
        console: Where to print.
        limit: How many answers to print; 0 goes on until Ctrl-C.
    """
    gateway = stack.gateway()
    shown, next_show = 0, 0.0
    for request in live_requests(stack.kinesis()):
        supervisor.check()
        if request is None:
            time.sleep(WAIT_S)
            continue
        answer = gateway.recommend(request)
        if time.monotonic() < next_show:
            continue
        console.print(show.recommendation(request, answer))
        shown += 1
        next_show = time.monotonic() + (0 if limit else SHOW_EVERY_S)
        if limit and shown >= limit:
            break
    gateway.close()


class _Steps:
    """The progress of the start: one line a step, with its time."""

    def __init__(self, progress: Progress, console: Console) -> None:
        self._progress = progress
        self._console = console
        self._shown: list[TaskID] = []

    def report(self, text: str) -> None:
        self.done()
        if not self._console.is_terminal:  # no bar is drawn there until the end
            self._console.print(text)
            return
        self._shown.append(self._progress.add_task(text, total=1))

    def done(self) -> None:
        for task in self._shown:
            self._progress.update(task, completed=1)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    """Stop; a second Ctrl-C does not keep the first from ending every process."""
    for number in STOP_SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m deploy.local",
        description="Events on Kinesis, PyFlink, Feast on Redis, endpoint and gateway: all of it, "
        "on this machine, until Ctrl-C.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--once", action="store_true", help="show some recommendations, then end")
    parser.add_argument(
        "--run-dir", type=Path, default=REPOSITORY / ".run", help="where data and logs go"
    )
    parser.add_argument("--port-offset", type=int, default=0, help="added to every port")
    parser.add_argument("--providers", type=int, default=400, help="providers in the world")
    parser.add_argument("--seed", type=int, default=7, help="of the world and the training")
    parser.add_argument("--history-hours", type=float, default=4.0, help="history to train on")
    parser.add_argument("--speed", type=float, default=1.0, help="the world's seconds a second")
    parser.add_argument(
        "--exclude-providers",
        default="",
        metavar="ID,ID",
        help="providers that the simulator leaves to you to play on the streams",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
