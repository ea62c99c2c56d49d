"""Contributions by leaf tables beside CatBoost's own ShapValues, in one run on one model.

    python -m benchmarks.contributions

Both explain the same rows of the same model on one thread, in turns, so that whatever else the
machine does falls on both. The largest difference between their answers is printed with the times.
"""

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from catboost import CatBoost, Pool
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from feature_repo.model_matrix import MODEL_FEATURES
from scoring.endpoint.contributions import ContributionTables

Matrix = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Timings:
    """Milliseconds of each round, by the wall and by the processor."""

    wall_ms: list[float]
    cpu_ms: list[float]

    def wall(self, quantile: float) -> float:
        """Return a quantile of the wall times, ms."""
        return float(np.quantile(self.wall_ms, quantile))

    @property
    def cpu_mean(self) -> float:
        """Mean processor time a round, ms."""
        return float(np.mean(self.cpu_ms))


@dataclass(frozen=True)
class Comparison:
    """One number of rows: both ways' times and their largest difference."""

    rows: int
    tables: Timings
    catboost: Timings
    largest_difference: float


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark and print its table; return the exit code."""
    options = _parse(arguments)
    console = Console()
    rng = np.random.default_rng(options.seed)
    with Progress(console=console, transient=True) as progress:
        training = progress.add_task(f"train {options.trees} trees of depth {options.depth}")
        model = _train(rng, options)
        progress.remove_task(training)
        started = time.perf_counter()
        tables = ContributionTables.from_model(model)
        load_ms = (time.perf_counter() - started) * 1e3
        task = progress.add_task("explain", total=len(options.rows))
        comparisons = []
        for rows in options.rows:
            comparisons.append(_compare(model, tables, _matrix(rng, rows), options.rounds))
            progress.advance(task)
    console.print(_table(comparisons, options, load_ms))
    return 0


def _train(rng: np.random.Generator, options: argparse.Namespace) -> CatBoost:
    matrix = _matrix(rng, 20_000)
    known = np.nan_to_num(matrix.astype(np.float64))
    weights = rng.normal(size=known.shape[1])
    signal = known @ weights + known[:, 0] * known[:, 1] + rng.normal(size=len(known))
    parameters = {
        "loss_function": "RMSE",
        "iterations": options.trees,
        "depth": options.depth,
        "random_seed": options.seed,
        "allow_writing_files": False,
        "verbose": False,
    }
    return CatBoost(parameters).fit(matrix, signal)


def _matrix(rng: np.random.Generator, rows: int) -> Matrix:
    matrix = rng.normal(size=(rows, len(MODEL_FEATURES))).astype(np.float32)
    matrix[rng.random(matrix.shape) < 0.05] = np.nan
    return matrix


def _compare(
    model: CatBoost, tables: ContributionTables, matrix: Matrix, rounds: int
) -> Comparison:
    def by_tables() -> npt.NDArray[Any]:
        return tables.explain_rows(model, Pool(np.asfortranarray(matrix)))

    def by_catboost() -> npt.NDArray[Any]:
        pool = Pool(np.asfortranarray(matrix))
        values: npt.NDArray[Any] = model.get_feature_importance(
            pool, type="ShapValues", thread_count=1
        )
        return values[:, :-1]

    difference = float(np.abs(by_tables() - by_catboost()).max())
    ours, theirs = Timings([], []), Timings([], [])
    for _ in range(rounds):
        _time(by_catboost, theirs)
        for _ in range(10):  # so much shorter that one round would measure the clock
            _time(by_tables, ours)
    return Comparison(len(matrix), ours, theirs, difference)


def _time(work: Callable[[], object], into: Timings) -> None:
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    into.cpu_ms.append((time.process_time() - cpu) * 1e3)
    into.wall_ms.append((time.perf_counter() - wall) * 1e3)


def _table(comparisons: Sequence[Comparison], options: argparse.Namespace, load_ms: float) -> Table:
    table = Table(
        title=f"Exact contributions, {options.trees} trees of depth {options.depth}, "
        f"{len(MODEL_FEATURES)} features, one thread",
        caption=f"tables made in {load_ms:.0f} ms at load; ms a request; "
        f"{options.rounds} rounds of CatBoost, 10 x as many of the tables, in turns",
    )
    for column in ("rows", "way", "p50 ms", "p99 ms", "CPU ms", "times less CPU", "difference"):
        table.add_column(column, justify="left" if column == "way" else "right")
    for comparison in comparisons:
        ratio = comparison.catboost.cpu_mean / comparison.tables.cpu_mean
        ways = (
            ("CatBoost ShapValues", comparison.catboost, "1", ""),
            ("leaf tables", comparison.tables, f"{ratio:.0f}", comparison.largest_difference),
        )
        for way, timings, gain, difference in ways:
            table.add_row(
                str(comparison.rows),
                way,
                f"{timings.wall(0.5):.2f}",
                f"{timings.wall(0.99):.2f}",
                f"{timings.cpu_mean:.2f}",
                gain,
                f"{difference:.0e}" if isinstance(difference, float) else difference,
            )
    return table


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.contributions",
        description="Time contributions by leaf tables beside CatBoost's own ShapValues.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--trees", type=int, default=500, help="trees in the model")
    parser.add_argument("--depth", type=int, default=6, help="depth of each tree")
    parser.add_argument("--rows", type=int, nargs="+", default=[225, 10], help="rows a request")
    parser.add_argument("--rounds", type=int, default=30, help="rounds of CatBoost's own")
    parser.add_argument("--seed", type=int, default=0, help="of the data and the model")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
