"""Measure the models and write the report: ``python -m training.evaluation``."""

import argparse
import sys
from dataclasses import replace
from pathlib import Path

import pyarrow.compute as pc
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from feature_repo.schema import STREAM_VIEWS
from training import dataset, models, retrieval, tuning
from training.errors import exit_on_errors
from training.evaluation import ablation, evaluate, report, staleness
from training.evaluation.evaluate import Evaluated
from training.evaluation.findings import findings
from training.evaluation.results import Results
from training.files import ARCHIVE_ORIGIN, DECISIONS, EVALUATION, read_frame
from training.models import TrainedModels

_DELAYS = len(staleness.DELAYS_MIN) * (1 + len(STREAM_VIEWS))


def run(options: argparse.Namespace, progress: Progress) -> Results:
    """Measure what the options ask for.

    Raises:
        DataError: Data is missing or not as it must be.
    """
    frame = dataset.read(options.work)
    trained = models.load(options.work)
    task = progress.add_task("metrics, segments, importance", total=1)
    found = evaluate.evaluate(frame, trained, options.seed, quick=options.quick)
    progress.advance(task)
    results = replace(found.results, tuning=tuning.load(options.work))
    if options.quick:
        return results
    if options.data is not None:
        results = replace(results, staleness=_staleness(options, found, trained, progress))
    groups = ablation.measure(frame, found.cases, found.sums, options.seed)
    told = progress.track(
        groups, total=len(ablation.GROUPS), description="training without each view"
    )
    return replace(results, ablation=list(told))


def _staleness(
    options: argparse.Namespace, found: Evaluated, trained: TrainedModels, progress: Progress
) -> list[staleness.Staleness]:
    tested = pc.field("event_id").isin(found.cases.rows["event_id"].unique())
    decisions = read_frame(options.data / DECISIONS, ARCHIVE_ORIGIN, filters=tested)
    store = retrieval.open_store(options.feature_repo, options.data / "offline")
    delays = staleness.measure(found.cases, trained, decisions, store, options.seed)
    told = progress.track(delays, total=_DELAYS, description="features of earlier minutes")
    return list(told)


def main(arguments: list[str] | None = None) -> int:
    """Run the step; return its exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m training.evaluation",
        description="Measure the models on the latest events, against rules, a simpler model and "
        "themselves without a view or with old features; write metrics.json and one HTML page.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--work", type=Path, required=True, help="where models/ is")
    parser.add_argument(
        "--report", type=Path, default=None, help=f"the HTML file; none is WORK/{EVALUATION}"
    )
    parser.add_argument("--quick", action="store_true", help="no ablation and no staleness")
    parser.add_argument(
        "--data", type=Path, default=None, help="the archive; without it no staleness is measured"
    )
    parser.add_argument(
        "--feature-repo", type=Path, default=Path("feature_repo"), help="an applied Feast repo"
    )
    parser.add_argument("--seed", type=int, default=7, help="of intervals and of trainings")
    options = parser.parse_args(arguments)
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with exit_on_errors("training.evaluation"):
        with Progress(*columns, TimeElapsedColumn(), console=console) as progress:
            results = run(options, progress)
        path = options.report or options.work / EVALUATION
        evaluate.save(evaluate.metrics(results), options.work)
        report.write(results, path)
        for finding in findings(results):
            sys.stdout.write(f"{finding.kind:5} {finding.text}\n")
        sys.stdout.write(f"\nThe whole report: {path}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
