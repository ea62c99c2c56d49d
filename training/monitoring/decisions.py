"""The collected decisions: Parquet by day, one row a decision and candidate."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from feature_repo.model_matrix import MODEL_FEATURES
from training.errors import DataError
from training.monitoring.decision_record import Row

_TEXTS = ("event_id", "provider_id", "requested_service", "cell", "service", "excluded",
          "policy_actions", "degraded", "model_version", "policy_version",
          "features_version")  # fmt: skip
_FLOATS = ("request_lat", "request_lon", "promised_minutes", "score", "success_probability",
           "propensity", *MODEL_FEATURES)  # fmt: skip
SCHEMA = pa.schema(
    [
        ("request_ts", pa.timestamp("us", "UTC")),
        *((name, pa.string()) for name in _TEXTS),
        ("vehicle_class", pa.int32()),
        ("rank", pa.int32()),
        ("shown", pa.bool_()),
        # As wide as JSON's numbers: what was served is kept, whatever it was.
        *((name, pa.float64()) for name in _FLOATS),
    ]
)
"""``request_ts`` is the moment of the decision, at which features were read. A feature that was
unknown, and every one of a candidate that was not ``shown``, is null."""


@dataclass(frozen=True)
class Decisions:
    """Decisions of a day.

    Attributes:
        candidates: Every candidate; ``excluded`` is null for those who could be sent.
        total: Decisions of the day; ``candidates`` has those of a sample.
    """

    candidates: pd.DataFrame
    total: int

    @property
    def served(self) -> pd.DataFrame:
        """The rows whose features were logged."""
        return self.candidates[self.candidates["shown"]].reset_index(drop=True)

    @property
    def count(self) -> int:
        """Decisions in the sample."""
        return int(self.candidates["event_id"].nunique())


def folder(directory: Path, day: date) -> Path:
    """Return where a day's decisions are."""
    return directory / f"date={day.isoformat()}"


def write(rows: Iterable[Row], directory: Path, name: str) -> int:
    """Write rows by the day of their decision and return how many.

    Args:
        rows: See ``decision_record.rows``.
        directory: Above the days.
        name: The file's name; a file of that name is replaced.
    """
    frame = pd.DataFrame(rows)
    moments = pd.to_datetime(frame["request_ts"], format="ISO8601", utc=True)
    frame["request_ts"] = moments.astype("datetime64[us, UTC]")
    for day, of_day in frame.groupby(frame["request_ts"].dt.date):
        path = folder(directory, day) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part")
        pq.write_table(
            pa.Table.from_pandas(of_day, SCHEMA, preserve_index=False), part, compression="zstd"
        )
        part.replace(path)
    return len(frame)


def read(directory: Path, day: date, most: int) -> Decisions:
    """Read a day's decisions, or a sample of them that is the same each time.

    A record that was collected or logged twice counts once; of an event that was decided twice the
    later decision counts.

    Args:
        directory: Above the days.
        day: UTC.
        most: Decisions to read.

    Raises:
        DataError: There are none, or files cannot be read.
    """
    paths = sorted(folder(directory, day).glob("*.parquet"))
    if not paths:
        raise DataError(
            f"no decisions of {day} in {directory}: collect them with "
            "`python -m training.monitoring.collect`, or give another --day"
        )
    try:
        keys = pd.concat([_keys(path) for path in paths])
        chosen, total = _choose(keys, most)
        tables = [_table(path, pa.array(chosen, pa.string())) for path in paths]
        frame = pa.concat_tables(tables).to_pandas()
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"decisions of {day} cannot be read ({error}); collect again") from error
    latest = frame.groupby("event_id")["request_ts"].transform("max")
    kept = frame[frame["request_ts"] == latest].drop_duplicates(["event_id", "provider_id"])
    ordered = kept.sort_values(["request_ts", "event_id", "provider_id"])
    return Decisions(ordered.reset_index(drop=True), total)


def require(decisions: Decisions, least: float) -> None:
    """Check that there is enough to judge: too little would pass for well.

    Raises:
        DataError: There are fewer decisions with logged features than ``least``.
    """
    count = decisions.served["event_id"].nunique()
    if count < least:
        raise DataError(
            f"{count} decisions with logged features are too few to judge, at least {least:g} are "
            "needed: collect the whole day, give another --day, or see why the gateway refuses"
        )


def _keys(path: Path) -> pd.Series:
    ids: pd.Series = pq.ParquetFile(path).read(["event_id"]).column(0).to_pandas()
    return ids.drop_duplicates()


def _choose(event_ids: pd.Series, most: int) -> tuple[pd.Series, int]:
    """Return at most so many events, by a hash of their id: no hour and no gateway is favoured."""
    events = event_ids.drop_duplicates()
    hashes = pd.util.hash_array(events.to_numpy(dtype=object))
    order = pd.Series(hashes, index=events.index).argsort()
    return events.iloc[order.iloc[:most]], len(events)


def _table(path: Path, chosen: pa.Array) -> pa.Table:
    table = pq.ParquetFile(path).read()
    if table.schema.names != SCHEMA.names:
        raise DataError(
            f"{path} has other columns than this code's features: collect it again, or read it "
            "with the code that served it"
        )
    return table.filter(pc.is_in(table.column("event_id"), value_set=chosen))
