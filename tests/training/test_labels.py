"""Labels on cases made by hand."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from training import labels
from training.errors import DataError

OFFERED = pd.Timestamp("2026-01-05 12:00", tz="UTC")
AS_OF = datetime(2026, 1, 6, tzinfo=UTC)
TIMES = ("offered", "promised_arrival", "arrived", "completed", "cancelled", "satisfaction")


def outcome(provider_id: str, **known: Any) -> dict[str, Any]:
    """Return an offer at noon with a promise of 30 minutes; times as minutes after the offer."""
    row: dict[str, Any] = {"accepted": True, "satisfaction": None}
    row |= {"offered": 0, "promised_arrival": 30, "recorded": 0, **known}
    for name in (*TIMES, "recorded"):
        value = known.get("satisfied_after") if name == "satisfaction" else row.get(name)
        stamp = pd.NaT if value is None else OFFERED + timedelta(minutes=value)
        row[f"{name}_ts"] = stamp
    keep = {f"{name}_ts" for name in (*TIMES, "recorded")} | {"accepted", "satisfaction"}
    chosen = {name: value for name, value in row.items() if name in keep}
    return {"event_id": "e", "provider_id": provider_id, **chosen}


def graded(*rows: dict[str, Any], as_of: datetime = AS_OF) -> dict[str, int]:
    """Return the grade of each provider."""
    found, _ = labels.label(frame(*rows), as_of)
    return dict(zip(found["provider_id"], found["grade"].tolist(), strict=True))


def frame(*rows: dict[str, Any]) -> pd.DataFrame:
    """Return outcomes with the archive's types."""
    return pd.DataFrame(list(rows)).astype({"accepted": "boolean", "satisfaction": "Int32"})


def test_each_grade() -> None:
    """Each way an offer can go has its grade, from declined (0) to on time and satisfied (4)."""
    done = {"arrived": 20, "completed": 40}
    rows = [
        outcome("declined", accepted=False),
        outcome("no_answer", accepted=None),
        outcome("cancelled", cancelled=10),
        outcome("arrived_only", arrived=20, cancelled=30),
        outcome("late", arrived=31, completed=50, satisfaction=5, satisfied_after=60),
        outcome("on_time", **done),
        outcome("on_the_minute", arrived=30, completed=50),
        outcome("unsatisfied", **done, satisfaction=3, satisfied_after=60),
        outcome("satisfied", **done, satisfaction=4, satisfied_after=60),
    ]
    assert graded(*rows) == {
        "declined": 0,
        "no_answer": 0,
        "cancelled": 1,
        "arrived_only": 1,
        "late": 2,
        "on_time": 3,
        "on_the_minute": 3,
        "unsatisfied": 3,
        "satisfied": 4,
    }


def test_success_and_minutes_go_with_the_grade() -> None:
    """Success is grade 3 and up; minutes run from the offer to the arrival."""
    rows = frame(
        outcome("late", arrived=31, completed=50),
        outcome("on_time", arrived=20, completed=40),
        outcome("gone", cancelled=5),
    )
    found, _ = labels.label(rows, AS_OF)
    by_provider = found.set_index("provider_id")
    assert by_provider["success"].to_dict() == {"late": False, "on_time": True, "gone": False}
    assert by_provider["minutes_to_arrival"].to_dict()["late"] == 31
    assert pd.isna(by_provider["minutes_to_arrival"].to_dict()["gone"])


def test_unripe_offers_are_dropped_and_counted_even_if_declined() -> None:
    """A young offer gets no label, not a negative one, whatever is known of it already."""
    rows = frame(
        outcome("ripe", accepted=False),
        outcome("young_declined", accepted=False, offered=60, recorded=60),
        outcome("young_open", offered=60, recorded=60),
    )
    as_of = (OFFERED + labels.DEFAULT_MATURITY).to_pydatetime()
    found, counts = labels.label(rows, as_of)
    assert found["provider_id"].tolist() == ["ripe"]
    assert counts.unripe == 2
    assert counts.labelled == 1


def test_what_happens_after_as_of_is_not_known_yet() -> None:
    """A satisfaction that comes in after the moment of labelling does not raise the grade."""
    row = outcome("p", arrived=20, completed=40, satisfaction=5, satisfied_after=420)
    before = (OFFERED + timedelta(minutes=400)).to_pydatetime()
    assert graded(row, as_of=before) == {"p": 3}
    assert graded(row) == {"p": 4}


def test_the_latest_record_corrects_earlier_ones_once_it_is_known() -> None:
    """A later record of the same offer replaces the first, but not before it was written."""
    wrong = outcome("p", arrived=20, cancelled=40)
    right = outcome("p", arrived=20, completed=40, recorded=500)
    found, counts = labels.label(frame(right, wrong), AS_OF)
    assert found["grade"].tolist() == [3]
    assert counts.corrected == 1
    before = (OFFERED + timedelta(minutes=450)).to_pydatetime()
    assert graded(right, wrong, as_of=before) == {"p": 1}


def test_contradictory_records_are_dropped_and_counted() -> None:
    """A job completed by who never arrived or never accepted is no label."""
    rows = frame(
        outcome("never_arrived", completed=40),
        outcome("never_accepted", accepted=False, arrived=20, completed=40),
        outcome("sound", arrived=20, completed=40),
    )
    found, counts = labels.label(rows, AS_OF)
    assert found["provider_id"].tolist() == ["sound"]
    assert counts.contradictory == 2


def test_a_missing_column_is_named() -> None:
    """Outcomes without a needed column are refused by its name."""
    rows = frame(outcome("p")).drop(columns="recorded_ts")
    with pytest.raises(DataError, match=r"\['recorded_ts'\] are missing"):
        labels.label(rows, AS_OF)


def test_no_archive_is_one_line_and_exit_code_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The command on an empty directory says what makes an archive."""
    with pytest.raises(SystemExit) as ended:
        labels.main(["--data", str(tmp_path), "--work", str(tmp_path)])
    assert ended.value.code == 2
    assert "python -m simulator history" in capsys.readouterr().err
