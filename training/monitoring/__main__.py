"""The daily job: ``python -m training.monitoring``."""

import argparse
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import msgspec
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from feature_repo import bundle_manifest
from training.errors import GateError, exit_on_errors
from training.files import OUTCOMES, read_frame
from training.labels import DEFAULT_MATURITY, moment, newest_known
from training.monitoring import day, decisions, limits, metrics, reference, report
from training.monitoring.day import Examined, Known
from training.monitoring.findings import stops
from training.retrieval import open_store

REPORT, METRICS, FINDINGS = "report.html", "monitoring.prom", "findings.json"


def run(options: argparse.Namespace, console: Console) -> Examined:
    """Examine a day and write what was found; return it.

    Raises:
        DataError: Something is missing or not as it must be.
        BundleError: There is no bundle, or it is of another feature list.
    """
    allowed = limits.load(options.limits, options.limit)
    manifest = bundle_manifest.load(options.bundle)
    usual = reference.load(options.bundle)
    taken = decisions.read(options.decisions, options.day, options.decisions_at_most)
    decisions.require(taken, allowed.least_decisions)
    # an offer may be made after midnight
    days = [options.day, options.day + timedelta(days=1)]
    outcomes = read_frame(options.data / OUTCOMES, "the archive of outcomes", days)
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        bar = progress.add_task("opening the feature repository", total=None)
        known = Known(
            store=open_store(options.feature_repo, options.data / "offline"),
            reference=usual,
            model_version=manifest.version,
            outcomes=outcomes,
            as_of=options.as_of or newest_known(outcomes),
            maturity=timedelta(hours=options.maturity_hours),
        )
        examined = day.examine(
            taken, known, allowed, lambda name: progress.update(bar, description=name)
        )
        progress.update(bar, description="writing the report")
        options.out.mkdir(parents=True, exist_ok=True)
        report.write(
            examined, options.day, manifest.version, taken, usual, allowed, options.out / REPORT
        )
    metrics.write(examined, options.out / METRICS)
    encoded = msgspec.json.encode(examined.findings)
    (options.out / FINDINGS).write_bytes(msgspec.json.format(encoded, indent=1))
    return examined


def main(arguments: list[str] | None = None) -> int:
    """Run the job; return its exit code: 0 well, 2 bad input, 3 stop a promotion."""
    options = _parse(arguments)
    console = Console()
    with exit_on_errors("training.monitoring"):
        examined = run(options, console)
        report.show(examined, console)
        console.print(f"{options.out / REPORT}", soft_wrap=True, highlight=False)
        stopping = stops(examined.findings)
        if stopping:
            kinds = sorted({finding.kind.value for finding in stopping})
            raise GateError(
                f"{len(stopping)} findings stop a promotion: {', '.join(kinds)}; see "
                f"{options.out / REPORT}"
            )
    return 0


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m training.monitoring",
        description="Compare a day's decisions with history, with training and with outcomes; "
        "exit code 3 stops a promotion.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--decisions", type=Path, required=True, help="what collect wrote")
    parser.add_argument("--data", type=Path, required=True, help="where offline/ and outcomes/ are")
    parser.add_argument("--bundle", type=Path, required=True, help="the bundle that served")
    parser.add_argument("--out", type=Path, required=True, help="where report and metrics go")
    parser.add_argument(
        "--day",
        type=date.fromisoformat,
        default=datetime.now(UTC).date() - timedelta(days=1),
        help="of the decisions, UTC; yesterday if left out",
    )
    parser.add_argument(
        "--feature-repo", type=Path, default=Path("feature_repo"), help="an applied Feast repo"
    )
    parser.add_argument(
        "--as-of", type=moment, default=None, help="of outcomes, ISO 8601; none is their newest"
    )
    parser.add_argument(
        "--maturity-hours", type=float, default=DEFAULT_MATURITY / timedelta(hours=1),
        help="age at which a label is final",
    )  # fmt: skip
    parser.add_argument(
        "--decisions-at-most", type=_count, default=5000,
        help="a sample by the event's id, the same each time",
    )  # fmt: skip
    parser.add_argument("--limits", type=Path, default=None, help="a YAML file, name: number")
    parser.add_argument(
        "--limit", action="append", default=[], metavar="NAME=VALUE", help="one limit; repeatable"
    )
    return parser.parse_args(arguments)


def _count(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not at least 1")
    return value


if __name__ == "__main__":
    sys.exit(main())
