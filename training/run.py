"""All steps from an archive to a bundle: ``python -m training.run``."""

import argparse
import sys
import time
from datetime import timedelta
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from feature_repo import bundle_manifest
from feature_repo.bundle_manifest import BundleManifest
from training import archive_checks, bundle, checks, dataset, labels, tuning
from training.errors import exit_on_errors
from training.evaluation import quick
from training.files import EVALUATION

_SHOWN = (
    ("NDCG@1, offered candidates", "ndcg_at_1"),
    ("NDCG@5, offered candidates", "ndcg_at_5"),
    ("True success of first choice", "true_success_at_1"),
)
_RULES = ("model", "simpler_model", "nearest", "lowest_eta", "history_only", "oracle")


class _Steps:
    """Shows the step that is under way, and leaves a line for each that is done."""

    def __init__(self, console: Console, progress: Progress) -> None:
        self._console = console
        self._progress = progress
        self._task = progress.add_task("", total=None)
        self._began = time.monotonic()

    def start(self, name: str) -> None:
        self._began = time.monotonic()
        self._progress.update(self._task, description=name, total=None)

    def share(self, done: float) -> None:
        self._progress.update(self._task, total=1.0, completed=done)

    def done(self, name: str, result: str) -> None:
        seconds = time.monotonic() - self._began
        self._console.print(
            f"{name:10} {result} ({seconds:.1f} s)", highlight=False, soft_wrap=True
        )


def run(options: argparse.Namespace, console: Console) -> BundleManifest:
    """Run all steps; return the manifest of the bundle made.

    Raises:
        DataError: Data is missing or not as it must be, or a check fails.
        BundleError: The bundle would not be one that serving accepts.
    """
    work: Path = options.work or options.bundle.with_name(f"{options.bundle.name}.work")
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        steps = _Steps(console, progress)
        steps.start("archive: checking decisions and outcomes")
        held = archive_checks.require(options.data)
        steps.done("archive", f"all {held} checks hold")
        steps.start("labels")
        maturity = timedelta(hours=options.maturity_hours)
        counts = labels.build(options.data, work, options.as_of, maturity)
        steps.done("labels", labels.describe(counts))
        steps.start("dataset: joining features as of each request")
        places = (options.data, options.feature_repo, work)
        joined = dataset.build(*places, dataset.limits_of(options), steps.share)
        frame = dataset.read(work)
        steps.done("dataset", dataset.describe(joined))
        steps.start("checks")
        findings = checks.require(frame)
        steps.done("checks", f"all {len(findings)} hold")
        steps.start("models")
        budget = tuning.budget_of(options)
        trained = tuning.fit(
            frame, options.seed, budget, work, lambda name: steps.start(f"models: {name}")
        )
        steps.done("models", f"{trained.ranker.tree_count_} trees in the ranker")
        steps.start("evaluate")
        quick.write(frame, trained, options.seed, work)
        steps.done("evaluate", f"on the latest events, see {work / EVALUATION}")
        steps.start("bundle")
        manifest = bundle_manifest.load(bundle.build(work, options.bundle, options.seed))
        steps.done("bundle", f"{options.bundle}, version {manifest.version}")
    return manifest


def summary(manifest: BundleManifest) -> Table:
    """Return the metrics against the simple rules, as a table."""
    table = Table(title=f"Model bundle {manifest.version}")
    table.add_column("")
    for rule in _RULES:
        table.add_column(rule.replace("_", " "), justify="right")
    for title, prefix in _SHOWN:
        values = [manifest.metrics.get(f"{prefix}_{rule}") for rule in _RULES]
        table.add_row(title, *("" if value is None else f"{value:.3f}" for value in values))
    metrics = manifest.metrics
    table.add_row("Arrival, mean error, minutes", f"{metrics['eta_mae_min']:.1f}")
    table.add_row("Arrivals within the p90", f"{metrics['eta_p90_coverage']:.0%}")
    error = metrics["success_calibration_error"]
    table.add_row("Success, calibration error", f"{error:.3f}")
    return table


def parser() -> argparse.ArgumentParser:
    """Return the command's options: who runs the steps from elsewhere parses its own by it."""
    command = argparse.ArgumentParser(
        prog="python -m training.run",
        description="Labels, data set, checks, models, evaluation and bundle from an archive.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    command.add_argument("--data", type=Path, required=True, help="the archive")
    command.add_argument(
        "--feature-repo", type=Path, default=Path("feature_repo"), help="an applied Feast repo"
    )
    command.add_argument("--bundle", type=Path, required=True, help="the bundle's directory")
    command.add_argument(
        "--work", type=Path, default=None, help="directory between steps; none is BUNDLE.work"
    )
    command.add_argument("--seed", type=int, default=7, help="the same seed gives the same bundle")
    command.add_argument(
        "--as-of",
        type=labels.moment,
        default=None,
        help="labels as known then, ISO 8601, UTC; none is the archive's end",
    )
    hours = labels.DEFAULT_MATURITY / timedelta(hours=1)
    command.add_argument(
        "--maturity-hours", type=float, default=hours, help="age at which a label is final"
    )
    tuning.add_budget(command, default_trials=0)
    dataset.add_limits(command)
    return command


def main(arguments: list[str] | None = None) -> int:
    """Run the steps; return the exit code."""
    options = parser().parse_args(arguments)
    console = Console()
    with exit_on_errors("training.run"):
        console.print(summary(run(options, console)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
