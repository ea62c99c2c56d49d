"""The gate of an archive."""

import shutil
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import pytest

from tests.training.conftest import Prepared
from training import archive_checks
from training.errors import GateError
from training.files import DECISIONS, OUTCOMES, read_frame, table_days, write_frame

Break = Callable[[pd.DataFrame], pd.DataFrame]


@pytest.fixture(autouse=True)
def _third_party_deprecations() -> Iterator[None]:
    with warnings.catch_warnings():
        for kind in (DeprecationWarning, FutureWarning):
            warnings.filterwarnings("ignore", category=kind, module="great_expectations")
        yield


def test_the_twins_archive_passes(prepared: Prepared) -> None:
    """Nothing that the simulator writes breaks a rule."""
    assert archive_checks.require(prepared.data) > 20


def _lost_candidate(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.drop(index=0)


def _late_completion(rows: pd.DataFrame) -> pd.DataFrame:
    done = rows.index[rows["completed_ts"].notna()][0]
    rows.loc[done, "completed_ts"] = rows.loc[done, "arrived_ts"] - pd.Timedelta(minutes=5)
    return rows


def _never_arrived(rows: pd.DataFrame) -> pd.DataFrame:
    done = rows.index[rows["completed_ts"].notna()][0]
    rows.loc[done, "arrived_ts"] = pd.NaT
    return rows


def _unknown_service(rows: pd.DataFrame) -> pd.DataFrame:
    rows.loc[0, "requested_service"] = "haircut"
    return rows


def _other_day(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.assign(request_ts=rows["request_ts"] + pd.Timedelta(days=1))


@pytest.mark.parametrize(
    ("table", "broken", "rule"),
    [
        (DECISIONS, _lost_candidate, "propensities_of_event"),
        (DECISIONS, _unknown_service, "requested_service"),
        (DECISIONS, _other_day, "is_in_its_day"),
        (OUTCOMES, _late_completion, "minutes_on_scene"),
        (OUTCOMES, _never_arrived, "completed_what_it_began"),
    ],
)
def test_a_broken_archive_is_told_with_its_rows(
    prepared: Prepared, tmp_path: Path, table: str, broken: Break, rule: str
) -> None:
    """What breaks a rule stops the gate, which names table, day, rule and row."""
    for name in (DECISIONS, OUTCOMES):
        shutil.copytree(prepared.data / name, tmp_path / name)
    day = table_days(tmp_path / table, "")[0]
    rows = read_frame(tmp_path / table, "", [day])
    shutil.rmtree(tmp_path / table / f"date={day}")
    write_frame(broken(rows), tmp_path / table / f"date={day}" / "part.parquet")
    with pytest.raises(GateError, match=rule) as failed:
        archive_checks.require(tmp_path)
    assert f"{table}/date={day}" in str(failed.value)
    assert "event_id=h11-" in str(failed.value)


def test_of_many_rows_whole_decisions_are_checked(prepared: Prepared) -> None:
    """A limit draws whole decisions, so that their propensities still sum to one."""
    day = table_days(prepared.data / DECISIONS, "")[0]
    findings = archive_checks.check(prepared.data, DECISIONS, day, most_rows=2_000)
    assert all(finding.holds for finding in findings)
