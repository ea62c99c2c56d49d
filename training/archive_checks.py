"""The gate of an archive, ``python -m training.archive_checks``: before anything is learned.

A day is checked at a time; of a day with many candidates whole decisions are drawn by a hash of
their id, the same ones each time.
"""

import argparse
import sys
from collections.abc import Sequence
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pyarrow.parquet as pq

from feature_repo.schema import ServiceType
from training import gate
from training.errors import GateError, exit_on_errors
from training.files import ARCHIVE_ORIGIN, DECISIONS, OUTCOMES, table_days, table_files
from training.gate import Finding
from training.labels import KEYS
from training.selection import IS_DRAWN

MOST_ROWS = 200_000
"""Of one table and day: Great Expectations takes some seconds for so many."""
_SUM_TOLERANCE = 1e-6

# What makes a rule about a whole decision, or about two times, a rule about each row.
_OF_DECISIONS = """
SELECT *,
    sum(propensity) OVER event AS propensities_of_event,
    sum(offered::INT) OVER event - max(offer_rank) OVER event AS offers_not_ranked,
    CAST(request_ts AS DATE) = CAST($day AS DATE) AS is_in_its_day
FROM read_parquet($files, hive_partitioning = false)
WHERE {is_drawn}
WINDOW event AS (PARTITION BY event_id)
"""
_OF_OUTCOMES = """
SELECT *,
    (epoch(promised_arrival_ts) - epoch(offered_ts)) / 60 AS promised_minutes,
    (epoch(arrived_ts) - epoch(offered_ts)) / 60 AS minutes_to_arrival,
    (epoch(completed_ts) - epoch(arrived_ts)) / 60 AS minutes_on_scene,
    (epoch(satisfaction_ts) - epoch(completed_ts)) / 60 AS minutes_to_answer,
    completed_ts IS NULL OR (accepted AND arrived_ts IS NOT NULL) AS completed_what_it_began,
    CAST(offered_ts AS DATE) = CAST($day AS DATE) AS is_in_its_day
FROM read_parquet($files, hive_partitioning = false)
WHERE {is_drawn}
"""
_QUERIES = {DECISIONS: _OF_DECISIONS, OUTCOMES: _OF_OUTCOMES}


def check(data: Path, table: str, day: date, most_rows: int = MOST_ROWS) -> list[Finding]:
    """Check a day of ``decisions`` or ``outcomes``; return every check, failed or not."""
    rows = _read(data / table, table, day, most_rows)
    return gate.run(f"{table} of {day}", rows, _expectations(table), KEYS)


def check_all(data: Path) -> dict[str, list[Finding]]:
    """Check every day of both tables; return every check, failed or not.

    Raises:
        DataError: A table is missing.
    """
    return {
        f"{table}/date={day}": check(data, table, day)
        for table in _QUERIES
        for day in table_days(data / table, ARCHIVE_ORIGIN)
    }


def require(data: Path) -> int:
    """Check every day of both tables; return how many checks were made.

    Raises:
        GateError: A check fails; the message is the report of all that failed.
        DataError: A table is missing.
    """
    found = check_all(data)
    broken = gate.failed(found)
    if broken:
        raise GateError(
            f"{gate.count(broken)} of {gate.count(found)} checks of the archive {data} fail; "
            f"nothing is learned from it. Mend what wrote these rows:\n{gate.reports(broken)}"
        )
    return gate.count(found)


def _read(path: Path, table: str, day: date, most_rows: int) -> pd.DataFrame:
    files = [str(file) for file in table_files(path, [day])]
    count = sum(pq.read_metadata(file).num_rows for file in files)
    given = {"files": files, "day": str(day), "share": min(1.0, most_rows / count)}
    query = _QUERIES[table].format(is_drawn=IS_DRAWN)
    with closing(duckdb.connect()) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        frame: pd.DataFrame = connection.execute(query, given).df()
    return frame


def _expectations(table: str) -> Sequence[Any]:
    import great_expectations as gx  # noqa: PLC0415 - takes seconds

    kinds: Any = gx.expectations
    return _of_decisions(kinds) if table == DECISIONS else _of_outcomes(kinds)


def _of_decisions(kinds: Any) -> list[Any]:
    between = kinds.ExpectColumnValuesToBeBetween
    near_one = {"min_value": 1 - _SUM_TOLERANCE, "max_value": 1 + _SUM_TOLERANCE}
    services = [service.value for service in ServiceType]
    known = ("request_ts", "request_lat", "request_lon", "cell", "promised_minutes", "propensity")
    return [
        kinds.ExpectTableRowCountToBeBetween(min_value=1),
        kinds.ExpectCompoundColumnsToBeUnique(column_list=KEYS),
        *(kinds.ExpectColumnValuesToNotBeNull(column=name) for name in (*KEYS, *known)),
        kinds.ExpectColumnValuesToBeInSet(column="requested_service", value_set=services),
        between(column="request_lat", min_value=-90, max_value=90),
        between(column="request_lon", min_value=-180, max_value=180),
        between(column="vehicle_class", min_value=1, max_value=3),
        between(column="promised_minutes", min_value=1, max_value=24 * 60),
        between(column="propensity", min_value=0, max_value=1),
        between(column="propensities_of_event", **near_one),
        between(column="offers_not_ranked", min_value=0, max_value=0),
        kinds.ExpectColumnValuesToBeInSet(column="is_in_its_day", value_set=[True]),
    ]


def _of_outcomes(kinds: Any) -> list[Any]:
    between = kinds.ExpectColumnValuesToBeBetween
    spans = ("minutes_to_arrival", "minutes_on_scene", "minutes_to_answer")
    return [
        kinds.ExpectTableRowCountToBeBetween(min_value=1),
        kinds.ExpectCompoundColumnsToBeUnique(column_list=[*KEYS, "recorded_ts"]),
        *(
            kinds.ExpectColumnValuesToNotBeNull(column=n)
            for n in (*KEYS, "offered_ts", "recorded_ts")
        ),
        between(column="promised_minutes", min_value=1, max_value=24 * 60),
        *(between(column=name, min_value=0, max_value=24 * 60) for name in spans),
        between(column="satisfaction", min_value=1, max_value=5),
        kinds.ExpectColumnValuesToBeInSet(column="completed_what_it_began", value_set=[True]),
        kinds.ExpectColumnValuesToBeInSet(column="is_in_its_day", value_set=[True]),
    ]


def main(arguments: list[str] | None = None) -> int:
    """Run the gate; return its exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m training.archive_checks",
        description="Check decisions and outcomes of an archive; exit code 3 if a check fails.",
    )
    parser.add_argument("--data", type=Path, required=True, help="the archive")
    options = parser.parse_args(arguments)
    with exit_on_errors("training.archive_checks"):
        sys.stdout.write(f"{options.data}: all {require(options.data)} checks hold\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
