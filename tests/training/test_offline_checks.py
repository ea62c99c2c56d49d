"""The gate of the offline rows: what passes, what stops, and what it tells."""

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from feature_repo.schema import PROVIDER_HISTORY, PROVIDER_MOTION, PROVIDER_PROFILE
from tests.support.offline_rows import arrow_schema
from tests.training.conftest import Prepared
from training import offline_checks
from training.errors import GateError

DAY = "date=2026-01-05"


@pytest.fixture(autouse=True)
def _third_party_deprecations() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=DeprecationWarning, module="great_expectations")
        warnings.filterwarnings("ignore", category=FutureWarning, module="great_expectations")
        yield


@pytest.fixture
def motion(prepared: Prepared) -> pd.DataFrame:
    """A hundred sound rows of provider_motion, for a test to break."""
    found = pd.read_parquet(prepared.data / "offline" / "provider_motion" / DAY / "rows.parquet")
    return found.head(100).copy()


def _require(frame: pd.DataFrame, offline: Path, day: str = DAY) -> Any:
    folder = offline / "provider_motion" / day
    folder.mkdir(parents=True, exist_ok=True)
    rows = pa.Table.from_pandas(frame, arrow_schema(PROVIDER_MOTION), preserve_index=False)
    pq.write_table(rows, folder / "part-0.parquet")
    return offline_checks.require(["provider_motion"], offline)


def test_sound_rows_pass(prepared: Prepared) -> None:
    """The simulator's batch tables, and rows of every stream view but one, pass their rules."""
    views = ["provider_profile", "provider_history", "provider_motion", "cell_conditions"]
    found = offline_checks.require(views, prepared.data / "offline")
    assert list(found) == views
    assert all(finding.holds for findings in found.values() for finding in findings)


def test_a_broken_row_is_named_and_stops_the_publish(motion: pd.DataFrame, tmp_path: Path) -> None:
    """The report has the rule, the entity, the time, the file and the value."""
    motion.loc[7, "speed_max_kph"] = 999.0
    with pytest.raises(GateError, match=r"1 of .* checks .*; nothing may be published") as failed:
        _require(motion, tmp_path)
    told = str(failed.value)
    assert "FAIL speed_max_kph values to be between" in told
    row = motion.loc[7]
    assert f"provider_id={row['provider_id']}, event_timestamp={row['event_timestamp']}" in told
    assert f"file={DAY}/part-0.parquet: speed_max_kph=999.0" in told


@pytest.mark.parametrize(
    ("column", "value", "rule"),
    [
        ("provider_id", None, "provider_id values to not be null"),
        ("lat", None, "lat values to not be null"),
        ("lon", 181.0, "lon values to be between"),
        ("moving_share", -0.1, "moving_share values to be between"),
        ("created_timestamp", pd.Timestamp("2026-01-01", tz="UTC"), "a to be greater than b"),
        ("motion_observed_at", pd.Timestamp("2026-01-05", tz="UTC"), "pair values to be equal"),
    ],
)
def test_each_rule_stops_the_publish(
    motion: pd.DataFrame, tmp_path: Path, column: str, value: Any, rule: str
) -> None:
    """A null key, a value out of bounds, times that contradict each other: each by its name."""
    motion.loc[3, column] = value
    with pytest.raises(GateError, match=rule) as failed:
        _require(motion, tmp_path)
    assert str(failed.value).startswith("1 of")


def test_rows_of_one_moment_may_be_equal_but_not_differ(
    motion: pd.DataFrame, tmp_path: Path
) -> None:
    """A row that was written twice is one; two that differ would be taken by chance."""
    _require(pd.concat([motion, motion.head(3)]), tmp_path)
    other = motion.head(1).assign(ping_count=77)
    with pytest.raises(GateError, match="compound columns to be unique"):
        _require(pd.concat([motion, other]), tmp_path)


def test_a_row_in_another_days_folder_stops_the_publish(
    motion: pd.DataFrame, tmp_path: Path
) -> None:
    """Retrieval opens only the days that it needs, so a row must lie in its event's."""
    with pytest.raises(GateError, match="partition_day"):
        _require(motion, tmp_path, day="date=2026-01-04")


def test_another_type_in_a_file_stops_the_publish(motion: pd.DataFrame, tmp_path: Path) -> None:
    """A file whose column has another type than the schema's is named with both."""
    folder = tmp_path / "provider_motion" / DAY
    folder.mkdir(parents=True)
    motion.astype({"lat": "float32"}).to_parquet(folder / "part-0.parquet")
    with pytest.raises(GateError, match=r"part-0.parquet: lat is float, not Float64"):
        offline_checks.require(["provider_motion"], tmp_path)


def test_a_batch_that_did_not_come_stops_the_publish(prepared: Prepared) -> None:
    """With an age given, the newest rows may not be older."""
    offline = prepared.data / "offline"
    newest = offline_checks.check(PROVIDER_PROFILE, offline)
    assert all(finding.holds for finding in newest)
    late = pd.Timestamp("2026-01-09", tz="UTC")
    with pytest.raises(GateError, match="newest event is of 2026-01-09 00:00 or later: 2026-01-0"):
        offline_checks.require([PROVIDER_HISTORY.name], offline, late)


def test_the_command_tells_by_its_exit_code(
    prepared: Prepared, motion: pd.DataFrame, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """0 and a line a view where all holds; 3 where a check fails; 2 where there are no files."""
    offline = str(prepared.data / "offline")
    assert offline_checks.main(["--offline", offline, "--views", "provider_profile"]) == 0
    assert "provider_profile: all" in capsys.readouterr().out
    with pytest.raises(SystemExit) as ended:
        offline_checks.main(["--offline", str(tmp_path), "--views", PROVIDER_MOTION.name])
    assert ended.value.code == 2
    assert "run the backfill" in capsys.readouterr().err
    with pytest.raises(GateError):
        _require(motion.assign(lat=100.0), tmp_path)
    with pytest.raises(SystemExit) as ended:
        offline_checks.main(["--offline", str(tmp_path), "--views", PROVIDER_MOTION.name])
    assert ended.value.code == 3
