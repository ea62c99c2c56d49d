"""A bundle for the loop: an archive of other worlds and earlier weeks, Feast, ``training.run``."""

import argparse
import os
import subprocess
import sys
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from benchmarks.closed_loop.game import HOUR_S, TAIL_S
from simulator import history
from simulator.reports import Intervals
from simulator.world import WorldSettings
from training import run as training_run
from training.errors import DataError

FEATURE_REPO = Path(__file__).parents[2] / "feature_repo"
_DEFAULT_REGISTRY = "../.run/registry.db"
_FEAST = "from feast.cli.cli import cli; cli()"


def train(options: argparse.Namespace, console: Console) -> None:
    """Make an archive unless there is one, register it in Feast, and train on it.

    Raises:
        DataError: Feast cannot register the archive's rows, or training refuses the data.
        BundleError: The bundle would not be one that serving accepts.
    """
    data: Path = options.data
    if not (data / "decisions").is_dir():
        _write_archive(options, data, console)
    repository = register(data, data.with_name(f"{data.name}.feast"))
    console.print(f"feast      registered the rows of {data}", highlight=False)
    console.print(training_run.summary(training_run.run(_steps(options, repository), console)))


def register(data: Path, repository: Path) -> Path:
    """Apply the feature repository to an archive's rows; return a folder that Feast opens.

    Raises:
        DataError: Feast refuses.
    """
    repository.mkdir(parents=True, exist_ok=True)
    settings = repository / "feature_store.yaml"
    text = (FEATURE_REPO / "feature_store.yaml").read_text()
    settings.write_text(text.replace(_DEFAULT_REGISTRY, str(repository.resolve() / "registry.db")))
    environment = {
        **os.environ,
        "FEATURE_DATA_DIR": str((data / "offline").resolve()),
        "FEAST_FS_YAML_FILE_PATH": str(settings.resolve()),
        "FEAST_USAGE": "False",
        "PYTHONPATH": str(FEATURE_REPO.parent),
        "PYTHONWARNINGS": "ignore",
    }
    command = [sys.executable, "-c", _FEAST, "-c", str(FEATURE_REPO), "apply"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise DataError(f"feast apply for {data} failed:\n{done.stderr[-2000:]}")
    return repository


def _write_archive(options: argparse.Namespace, data: Path, console: Console) -> None:
    close_s = options.end.timestamp() - TAIL_S
    settings = WorldSettings(
        providers=options.providers,
        seed=options.seed,
        metros=options.metros,
        intervals=Intervals(),
    )
    span = history.Span(close_s - HOUR_S * options.hours, close_s, options.end.timestamp())
    with Progress(console=console, transient=True) as progress:
        bar = progress.add_task("archive of the logging policy", total=1.0)
        summary = history.write(
            settings,
            span,
            data,
            lambda share: progress.update(bar, completed=share),
            history.Contents(events=False, feature_rows=True),
            options.processes,
        )
    console.print(
        f"archive    {summary.decisions:,} decisions, {summary.offers:,} offers", highlight=False
    )


def _steps(options: argparse.Namespace, repository: Path) -> argparse.Namespace:
    """Return the options of ``training.run``, by its own defaults but for where things are."""
    return training_run.parser().parse_args(
        [
            *("--data", str(options.data)),
            *("--feature-repo", str(repository)),
            *("--bundle", str(options.bundle)),
            *("--seed", str(options.training_seed)),
        ]
    )
