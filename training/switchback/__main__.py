"""``python -m training.switchback``: design, rehearse and analyse a switchback experiment."""

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console

from training.errors import exit_on_errors
from training.labels import moment
from training.switchback import commands
from training.switchback.design import HOURS_PER_BLOCK


def parser() -> argparse.ArgumentParser:
    """Return the commands and their options."""
    made = argparse.ArgumentParser(
        prog="python -m training.switchback",
        description="Experiments in which two ways to dispatch take turns by region and hour.",
    )
    subparsers = made.add_subparsers(required=True)

    def command(name: str, run: object, text: str) -> argparse.ArgumentParser:
        one = subparsers.add_parser(
            name,
            help=text,
            description=text,
            formatter_class=argparse.ArgumentDefaultsHelpFormatter,
        )
        one.set_defaults(run=run)
        one.add_argument("--seed", type=int, default=7, help="the same seed is the same result")
        return one

    _design(command("design", commands.run_design, "draw which arm runs where and when"))
    _rehearse(command("rehearse", commands.run_rehearse, "make up outcomes with a known effect"))
    _analyse(
        command("analyse", commands.run_analyse, "effects; exit code 3 if a guardrail is broken")
    )
    power = command("power", commands.run_power, "how often an effect of a size would be found")
    _simulation(power, simulations=400)
    power.add_argument("--effect", type=_share, required=True, help="on the success rate, as 0.02")
    power.add_argument("--days", type=_days, nargs="+", default=[7, 14, 21, 28], help="to try")
    power.add_argument("--wanted", type=_share, default=0.8, help="power to reach")
    aa = command(
        "aa",
        commands.run_aa,
        "false alarms without effect; exit code 3 if not one in 20, up to chance",
    )
    _simulation(aa, simulations=1000)
    aa.add_argument("--days", type=_days, default=14, help="of the experiment")
    return made


def _design(one: argparse.ArgumentParser) -> None:
    one.add_argument("--regions", nargs="+", required=True, help="their names")
    one.add_argument(
        "--start",
        type=moment,
        default=datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0),
        help="of the first day, ISO 8601, UTC",
    )
    one.add_argument("--days", type=int, default=14, help="2 or more, better even")
    _blocks(one)
    one.add_argument("--out", type=Path, required=True, help=".csv or Parquet; a .png beside it")


def _rehearse(one: argparse.ArgumentParser) -> None:
    one.add_argument("--assignment", type=Path, required=True, help="what `design` wrote")
    one.add_argument("--out", type=Path, required=True, help="outcome rows, .csv or Parquet")
    one.add_argument("--effect", type=_share, default=0.03, help="on the chance of success")
    one.add_argument(
        "--carry-over-minutes", type=float, default=20.0,
        help="in which the arm of the block before still has its effect",
    )  # fmt: skip
    _usual(one)


def _analyse(one: argparse.ArgumentParser) -> None:
    one.add_argument("--assignment", type=Path, required=True, help="what `design` wrote")
    one.add_argument(
        "--outcomes", type=Path, required=True,
        help=".csv or Parquet: event_id, region, time, success, minutes_to_arrival, redispatch",
    )  # fmt: skip
    one.add_argument("--out", type=Path, required=True, help="where table and plot go")
    one.add_argument("--level", type=_level, default=0.95, help="of the intervals, 0 to 1")
    one.add_argument("--redraws", type=_redraws, default=4999, help="of the assignment")
    one.add_argument(
        "--most-minutes-added", type=float, default=1.0, help="guardrail on minutes to arrival"
    )
    one.add_argument(
        "--most-redispatch-added",
        type=float,
        default=0.01,
        help="guardrail on the re-dispatch rate",
    )


def _simulation(one: argparse.ArgumentParser, simulations: int) -> None:
    one.add_argument("--regions", type=_count, default=4, help="how many, of unequal size")
    _blocks(one)
    _usual(one)
    one.add_argument(
        "--outcomes", type=Path, default=None,
        help="past outcome rows to take regions, demand and success rates from instead",
    )  # fmt: skip
    one.add_argument(
        "--simulations", type=_count, default=simulations, help="experiments; more are surer"
    )
    one.add_argument("--redraws", type=_redraws, default=999, help="of the assignment")
    one.add_argument("--out", type=Path, default=None, help="a .png to write")


def _blocks(one: argparse.ArgumentParser) -> None:
    one.add_argument(
        "--hours-per-block", type=int, choices=HOURS_PER_BLOCK, default=2, help="a divisor of 24"
    )
    one.add_argument(
        "--washout-minutes", type=float, default=30.0, help="left out at the head of each block"
    )


def _usual(one: argparse.ArgumentParser) -> None:
    one.add_argument("--events-per-day", type=_count, default=1000, help="over all regions")
    one.add_argument("--success-rate", type=_level, default=0.6, help="about the mean, 0 to 1")


def _level(text: str) -> float:
    value = float(text)
    if not 0 < value < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not between 0 and 1")
    return value


def _share(text: str) -> float:
    value = float(text)
    if not -1 < value < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not between -1 and 1")
    return value


def _count(text: str) -> int:
    return _at_least(text, 1)


def _days(text: str) -> int:
    return _at_least(text, 2)


def _redraws(text: str) -> int:
    return _at_least(text, 99)


def _at_least(text: str, least: int) -> int:
    value = int(text)
    if value < least:
        raise argparse.ArgumentTypeError(f"{text!r} is not {least} or more")
    return value


def main(arguments: list[str] | None = None) -> int:
    """Run a command; return its exit code."""
    options = parser().parse_args(arguments)
    with exit_on_errors("training.switchback"):
        options.run(options, Console())
    return 0


if __name__ == "__main__":
    sys.exit(main())
