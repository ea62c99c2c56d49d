"""Outcome rows gathered into the blocks of an assignment."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from training.errors import DataError
from training.files import read_frame
from training.switchback.design import CONTROL, TREATMENT, Bools

_BOUNDS = {"success": (0.0, 1.0), "minutes_to_arrival": (0.0, np.inf), "redispatch": (0.0, 1.0)}
METRICS = tuple(_BOUNDS)
_ASSIGNMENT = ["region", "day", "slot", "block_start", "counted_from", "block_end", "arm"]
_TIMES = ["block_start", "counted_from", "block_end"]

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Assignment:
    """Blocks and their arms; arrays [regions, days, slots]."""

    regions: tuple[str, ...]
    treated: Bools
    table: pd.DataFrame
    """Sorted by region, day and slot."""


@dataclass(frozen=True)
class BlockMeans:
    """A metric's mean and number of events in each block, float64 [..., regions, days, slots].

    The mean of a block without events is 0, and its weight is 0 too.
    """

    mean: Floats
    events: Floats


@dataclass(frozen=True)
class Gathered:
    """A metric's blocks by its name, and the events that were not counted."""

    metrics: dict[str, BlockMeans]
    counted: int
    in_washout: int
    outside: int


def read_table(path: Path, origin: str) -> pd.DataFrame:
    """Read a ``.csv`` or a Parquet file.

    Raises:
        DataError: It is not there or cannot be read.
    """
    if path.suffix != ".csv" or not path.is_file():
        return read_frame(path, origin)
    try:
        return pd.read_csv(path, dtype={"region": str, "event_id": str})
    except (ValueError, OSError) as error:
        raise DataError(f"{path} cannot be read as CSV ({error})") from error


def write_table(frame: pd.DataFrame, path: Path) -> None:
    """Write a ``.csv`` or a Parquet file, making its directory."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".csv":
        frame.to_csv(path, index=False)
    else:
        frame.to_parquet(path, index=False)


def assignment(table: pd.DataFrame) -> Assignment:
    """Return the assignment of a table.

    Raises:
        DataError: It is not a full grid of regions, days and slots, or an arm is unknown.
    """
    require_columns(table, _ASSIGNMENT, "assignment")
    table = _with_keys(table, _TIMES, "assignment").sort_values(["region", "day", "slot"])
    unknown = sorted(set(table["arm"]) - {CONTROL, TREATMENT})
    if unknown:
        raise DataError(f"arm: {unknown} is neither {CONTROL!r} nor {TREATMENT!r}")
    shape = (table["region"].nunique(), table["day"].nunique(), table["slot"].nunique())
    if len(table) != np.prod(shape) or table.duplicated(["region", "day", "slot"]).any():
        raise DataError(
            f"the assignment has {len(table)} rows, not one for each of {shape[0]} regions, "
            f"{shape[1]} days and {shape[2]} slots: take it as `design` wrote it"
        )
    treated = (table["arm"] == TREATMENT).to_numpy().reshape(shape)
    return Assignment(tuple(table["region"].unique()), treated, table.reset_index(drop=True))


def gather(outcomes: pd.DataFrame, to: Assignment) -> Gathered:
    """Gather events into blocks; those in a washout or outside every block are counted only.

    Args:
        outcomes: ``event_id``, ``region``, ``time``, and ``METRICS``; a metric may be missing for
            an event (nobody arrived), then it does not count for it.
        to: The blocks.

    Raises:
        DataError: A column is missing, an event is there twice, a region is unknown, a value is no
            number, or no event falls into a block.
    """
    events = checked_outcomes(outcomes).sort_values("time")
    unknown = sorted(set(events["region"]) - set(to.regions))
    if unknown:
        raise DataError(f"region: {unknown[:3]} is not in the assignment ({list(to.regions)})")
    blocks = to.table.assign(block=np.arange(len(to.table))).sort_values("block_start")
    placed = pd.merge_asof(
        events, blocks, left_on="time", right_on="block_start", by="region"
    )  # fmt: skip
    inside = placed["time"] < placed["block_end"]
    counted = placed[inside & (placed["time"] >= placed["counted_from"])]
    if counted.empty:
        raise DataError("time: no event falls into a block after its washout; see the assignment")
    metrics = {name: _means(counted, name, to.treated.shape) for name in METRICS}
    outside = int((~inside).sum())
    return Gathered(metrics, len(counted), len(placed) - len(counted) - outside, outside)


def checked_outcomes(outcomes: pd.DataFrame) -> pd.DataFrame:
    """Return outcome rows with regions as text, times in UTC and metrics as numbers.

    Raises:
        DataError: A column is missing, an event is there twice, or a value is no number.
    """
    require_columns(outcomes, ["event_id", "region", "time", *METRICS], "outcomes")
    if outcomes["success"].isna().all():
        raise DataError("success: no event has a value; give final outcomes")
    twice = outcomes["event_id"].duplicated()
    if twice.any():
        raise DataError(
            f"event_id {outcomes['event_id'][twice].iloc[0]!r} is there twice, as "
            f"{int(twice.sum()):,} rows are: an event has one row, of its final outcome"
        )
    numbers = {name: _numbers(outcomes[name]) for name in METRICS}
    return _with_keys(outcomes, ["time"], "outcomes").assign(**numbers)


def _numbers(raw: pd.Series) -> pd.Series:
    values = pd.to_numeric(raw, errors="coerce").astype("Float64").astype(np.float64)
    low, high = _BOUNDS[str(raw.name)]
    wrong = raw.notna() & ~values.between(low, high)
    if wrong.any():
        raise DataError(
            f"{raw.name}: {raw[wrong].iloc[0]} must be a number from {low:g} to {high:g}, as "
            f"must {int(wrong.sum()) - 1:,} more"
        )
    return values


def _means(counted: pd.DataFrame, metric: str, shape: tuple[int, ...]) -> BlockMeans:
    values = counted[metric].to_numpy(dtype=np.float64)
    known = ~np.isnan(values)
    block = counted["block"].to_numpy(dtype=np.int64)[known]
    size = int(np.prod(shape))
    events = np.bincount(block, minlength=size).reshape(shape)
    total = np.bincount(block, values[known], minlength=size).reshape(shape)
    return BlockMeans(total / np.maximum(events, 1), events.astype(np.float64))


def _with_keys(frame: pd.DataFrame, times: list[str], what: str) -> pd.DataFrame:
    """Return the frame with regions as text and times in UTC."""
    try:
        made = {
            n: pd.to_datetime(frame[n], utc=True, format="ISO8601").dt.as_unit("us") for n in times
        }
    except (ValueError, TypeError) as error:
        raise DataError(f"{what}: {times} must be times, ISO 8601 ({error})") from error
    for name, column in made.items():
        if column.isna().any():
            raise DataError(f"{what}: {int(column.isna().sum()):,} rows have no {name}")
    return frame.assign(region=frame["region"].astype(str), **made)


def require_columns(frame: pd.DataFrame, names: list[str], what: str) -> None:
    """Check that a table has columns.

    Raises:
        DataError: It has not.
    """
    missing = [name for name in names if name not in frame]
    if missing:
        raise DataError(f"{what}: columns {missing} are missing; it has {list(frame.columns)}")
