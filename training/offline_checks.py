"""The gate of the offline rows: ``python -m training.offline_checks``.

Run it on the batch views before ``feast materialize``, and on the stream views after a backfill.
A row that breaks a rule is named, the exit code is 3, and nothing may be published from the rows.
"""

import argparse
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from feature_repo.offline.files import day_of, row_files
from feature_repo.schema import VIEWS, Kind, ViewSchema
from training import gate
from training.errors import GateError, exit_on_errors
from training.gate import Finding
from training.offline_rules import DAY, EVENT_DAY, FILE, expectations

_IS_KIND = {
    Kind.FLOAT32: pa.types.is_float32,
    Kind.FLOAT64: pa.types.is_float64,
    Kind.INT32: pa.types.is_int32,
    Kind.INT64: pa.types.is_int64,
    Kind.BOOL: pa.types.is_boolean,
    Kind.STRING: lambda kind: pa.types.is_string(kind) or pa.types.is_large_string(kind),
    Kind.TIMESTAMP: lambda kind: pa.types.is_timestamp(kind) and kind.tz == "UTC",
}


def check(schema: ViewSchema, offline: Path, newest_after: datetime | None = None) -> list[Finding]:
    """Check the rows of a view; return every check, failed or not.

    Args:
        schema: The view.
        offline: The folder above the views.
        newest_after: The newest event may not be older; None where age is no matter.

    Raises:
        FileNotFoundError: The view has no file.
    """
    folder = offline / schema.name
    paths = row_files(folder)
    types = _types(schema, paths, folder)
    if not types.holds:
        return [types]
    frame = _read(paths, folder)
    named_by = [*schema.join_keys, "event_timestamp", FILE]
    findings = [types, *gate.run(schema.name, frame, expectations(schema), named_by)]
    return findings if newest_after is None else [*findings, _freshness(frame, newest_after)]


def require(
    views: Sequence[str], offline: Path, newest_after: datetime | None = None
) -> dict[str, list[Finding]]:
    """Check views and return the findings of each.

    Raises:
        GateError: A check fails; the message is the report of all that failed.
        FileNotFoundError: A view has no file.
    """
    found = {view: check(VIEWS[view], offline, newest_after) for view in views}
    broken = gate.failed(found)
    if broken:
        raise GateError(
            f"{gate.count(broken)} of {gate.count(found)} checks of the offline rows in {offline} "
            "fail; nothing may be published from them. Mend what wrote these rows, write them "
            f"again, and run this again:\n{gate.reports(broken)}"
        )
    return found


def _types(schema: ViewSchema, paths: Sequence[Path], folder: Path) -> Finding:
    """Check each file's columns; a feature may be missing in files older than it."""
    kinds = {column.name: column.kind for column in schema.columns}
    kinds |= dict.fromkeys(schema.join_keys, Kind.STRING)
    kinds |= dict.fromkeys(("event_timestamp", "created_timestamp"), Kind.TIMESTAMP)
    wrong = [
        f"{FILE}={path.relative_to(folder)}: {field.name} is {field.type}, not {kinds[field.name]}"
        for path in paths
        for field in pq.read_schema(path)
        if field.name in kinds and not _IS_KIND[kinds[field.name]](field.type)
    ]
    said = f"{len(wrong):,} columns of {len(paths):,} files differ"
    return Finding("types are the schema's", not wrong, said, tuple(wrong[: gate.ROWS_NAMED]))


def _read(paths: Sequence[Path], folder: Path) -> pd.DataFrame:
    frames = [
        pq.ParquetFile(path).read().to_pandas().assign(
            **{FILE: str(path.relative_to(folder)), DAY: str(day_of(path) or "") or None}
        )
        for path in paths
    ]  # fmt: skip
    frame: pd.DataFrame = pd.concat([f for f in frames if len(f)] or frames[:1], ignore_index=True)
    # A row that was written twice is no harm: every reader takes it as one.
    frame = frame.drop_duplicates([name for name in frame.columns if name != FILE])
    return frame.assign(**{EVENT_DAY: frame["event_timestamp"].dt.strftime("%Y-%m-%d")})


def _freshness(frame: pd.DataFrame, newest_after: datetime) -> Finding:
    newest = frame["event_timestamp"].max()
    holds = bool(newest >= pd.Timestamp(newest_after))
    return Finding(f"newest event is of {newest_after:%Y-%m-%d %H:%M} or later", holds, f"{newest}")


def main(arguments: list[str] | None = None) -> int:
    """Run the gate; return its exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m training.offline_checks",
        description="Check the offline rows of views; exit code 3 if a check fails.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--offline", type=Path, required=True, help="the folder above the views")
    parser.add_argument("--views", nargs="+", choices=sorted(VIEWS), default=sorted(VIEWS))
    parser.add_argument(
        "--max-age-h", type=float, default=None, help="of the newest event; none is any age"
    )
    options = parser.parse_args(arguments)
    newest_after = (
        None
        if options.max_age_h is None
        else pd.Timestamp.now(UTC) - pd.Timedelta(hours=options.max_age_h)
    )
    with exit_on_errors("training.offline_checks"):
        for view, findings in require(options.views, options.offline, newest_after).items():
            sys.stdout.write(f"{view}: all {len(findings)} checks hold\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
