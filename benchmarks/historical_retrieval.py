"""Point-in-time retrieval by Feast's own DuckDB store and by ours, on the same files.

    python -m benchmarks.historical_retrieval

Three views, each way in a process of its own, one after the other, so that its peak memory is its
own. What the two return is compared value by value, and the number of differences is printed.
The million of the design's facts: ``--entity-rows 1000000``.
"""

import argparse
import multiprocessing
import resource
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import ibis
import pandas as pd
import psutil
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from benchmarks.offline_data import Size, entity_rows, write_view
from feature_repo.schema import CELL_CONDITIONS, PROVIDER_AVAILABILITY, PROVIDER_MOTION
from tests.support.offline_rows import AS_OF_JOIN, FEAST_JOIN, open_store, references

SCHEMAS = (PROVIDER_MOTION, PROVIDER_AVAILABILITY, CELL_CONDITIONS)
WAYS = {"Feast's DuckDB store": FEAST_JOIN, "ours, ASOF join": AS_OF_JOIN}
ENTITIES = "entities.parquet"
_ORDER = ["provider_id", "cell", "event_timestamp"]


@dataclass(frozen=True)
class Measured:
    """One way: seconds by the wall and by the processor, and what memory grew by at its peak."""

    wall_s: float
    cpu_s: float
    peak_mb: float
    result: Path


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark and print its table; return the exit code."""
    options = _parse(arguments)
    console = Console()
    size = Size(
        options.entity_rows, options.entities, options.hours, options.row_every_s,
        options.rows_a_file,
    )  # fmt: skip
    with tempfile.TemporaryDirectory() as name, Progress(console=console) as progress:
        folder = Path(name)
        task = progress.add_task("rows", total=len(WAYS) + 1)
        counts = [write_view(schema, size, folder / "rows", options.seed) for schema in SCHEMAS]
        entity_rows(SCHEMAS, size, options.seed).to_parquet(folder / ENTITIES)
        progress.advance(task)
        found = {}
        for way, offline_store in WAYS.items():
            progress.update(task, description=way)
            found[way] = _in_a_process(folder, offline_store, options.memory_gb)
            progress.advance(task)
        differences = _differences(*(measured.result for measured in found.values()))
    console.print(_table(found, size, sum(counts), differences))
    return 0


def _in_a_process(folder: Path, offline_store: str, memory_gb: float) -> Measured:
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(max_workers=1, mp_context=context) as pool:
        return pool.submit(measure, folder, offline_store, memory_gb).result()


def measure(folder: Path, offline_store: str, memory_gb: float) -> Measured:
    """Retrieve every feature of the views for every entity row, and time it."""
    name = offline_store.rsplit(".", maxsplit=1)[-1]
    store = open_store(folder / name, folder / "rows", offline_store)
    ibis.get_backend().raw_sql(f"SET memory_limit = '{memory_gb}GB'")
    asked = pd.read_parquet(folder / ENTITIES)
    before_mb = psutil.Process().memory_info().rss / 2**20
    wall, cpu = time.perf_counter(), time.process_time()
    job = store.get_historical_features(
        asked,
        references(SCHEMAS),
        full_feature_names=True,
        filter_by_created_timestamp=True,
    )
    found = job.to_df()
    wall_s, cpu_s = time.perf_counter() - wall, time.process_time() - cpu
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    result = folder / f"{name}.parquet"
    found.to_parquet(result)
    return Measured(wall_s, cpu_s, peak_mb - before_mb, result)


def _differences(first: Path, second: Path) -> int:
    """Return the number of values that differ between two results, in whatever order of rows."""
    frames = [pd.read_parquet(path) for path in (first, second)]
    one, other = (f.sort_values(_ORDER, kind="stable", ignore_index=True) for f in frames)
    if len(one) != len(other):
        raise ValueError(f"{first} has {len(one):,} rows and {second} has {len(other):,}")
    other = other[one.columns]
    return int(((one != other) & ~(one.isna() & other.isna())).to_numpy().sum())


def _table(found: dict[str, Measured], size: Size, rows: int, differences: int) -> Table:
    features = sum(len(schema.columns) for schema in SCHEMAS)
    table = Table(
        title=f"{size.entity_rows:,} entity rows x {len(SCHEMAS)} views ({features} features), "
        f"from {rows:,} rows",
        caption=f"{size.entities:,} entities a view, a row every {size.row_every_s:g} s for "
        f"{size.hours:g} h, once created; {differences} values differ",
    )
    for column in ("way", "wall s", "CPU s", "peak memory MB", "times less CPU", "less memory"):
        table.add_column(column, justify="left" if column == "way" else "right")
    base = next(iter(found.values()))
    for way, measured in found.items():
        table.add_row(
            way,
            f"{measured.wall_s:.1f}",
            f"{measured.cpu_s:.1f}",
            f"{measured.peak_mb:.0f}",
            f"{base.cpu_s / measured.cpu_s:.1f}",
            f"{base.peak_mb / measured.peak_mb:.1f}",
        )
    return table


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.historical_retrieval",
        description="Time historical retrieval by Feast's own DuckDB store and by ours.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--entity-rows", type=int, default=50_000, help="rows asked for")
    parser.add_argument("--entities", type=int, default=500, help="entities a view")
    parser.add_argument("--hours", type=float, default=12.0, help="span of all times")
    parser.add_argument("--row-every-s", type=float, default=60.0, help="between an entity's rows")
    parser.add_argument("--rows-a-file", type=int, default=20_000, help="rows of a Parquet file")
    parser.add_argument("--memory-gb", type=float, default=8.0, help="what Feast's DuckDB may use")
    parser.add_argument("--seed", type=int, default=0, help="of the rows")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
