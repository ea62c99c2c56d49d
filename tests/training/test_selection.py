"""Which candidates are taken: stage propensities, splits, whole events, and a limit."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from training import selection
from training.errors import DataError
from training.files import DECISIONS, LABELS, write_part
from training.selection import DEFAULT_LIMITS, Archive

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
DAY, NEXT_DAY = date(2026, 1, 5), date(2026, 1, 6)
CANDIDATES = 3


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    """40 events a minute apart up to midnight; two of three candidates are offered the job.

    The second offer of the last event is made, and labelled, on the day after.
    """
    at = [NOON + timedelta(hours=11, minutes=20 + number) for number in range(40)]
    rows = [
        {"event_id": f"e{number:02d}", "provider_id": f"p{place}", "request_ts": at[number],
         "offered": place < 2, "offer_rank": (place + 1) * (place < 2), "propensity": 1 / 3}
        for number in range(40) for place in range(CANDIDATES)
    ]  # fmt: skip
    decisions = pd.DataFrame(rows)
    labels = decisions.loc[decisions["offered"], ["event_id", "provider_id"]].assign(grade=3)
    write_part(decisions, tmp_path / DECISIONS, DAY)
    write_part(labels[:-1], tmp_path / LABELS, DAY)
    write_part(labels[-1:], tmp_path / LABELS, NEXT_DAY)
    return Archive(tmp_path, tmp_path)


def rows(archive: Archive, chosen: pd.DataFrame, chunk_rows: int = 1000) -> pd.DataFrame:
    """Return the day's rows."""
    return pd.concat(selection.rows_of_day(archive, chosen, DAY, chunk_rows))


def test_stage_propensities_by_hand() -> None:
    """A later offer's probability is its propensity over what the earlier ones left."""
    decisions = pd.DataFrame(
        {
            "event_id": ["a", "a", "a", "b"],
            "offered": [True, False, True, True],
            "offer_rank": [2, 0, 1, 1],
            "propensity": [0.2, 0.3, 0.5, 1.0],
        }
    )
    found = selection.stage_propensities(decisions)
    found = found.sort_values(["event_id", "offered", "offer_rank"])
    np.testing.assert_allclose(found["stage_propensity"], [np.nan, 0.5, 0.2 / 0.5, 1.0])


def test_every_labelled_offer_is_taken_also_one_made_after_midnight(archive: Archive) -> None:
    """Each labelled offer comes once, with its label, its split and its propensity."""
    chosen = selection.choose(archive, replace(DEFAULT_LIMITS, whole_events=0))
    found = rows(archive, chosen)
    assert len(found) == 2 * 40
    assert not found.duplicated(["event_id", "provider_id"]).any()
    assert (found["grade"] == 3).all()
    assert sorted(found["stage_propensity"].round(6).unique()) == [0.333333, 0.5]


def test_later_events_are_tested(archive: Archive) -> None:
    """The first 60 % of the events teach, the next 15 % calibrate, the last 25 % test."""
    chosen = selection.choose(archive, DEFAULT_LIMITS)
    assert chosen["event_id"].tolist() == sorted(chosen["event_id"])
    assert chosen["split"].tolist() == ["train"] * 24 + ["calibrate"] * 6 + ["test"] * 10


def test_of_some_test_events_all_candidates_are_taken(archive: Archive) -> None:
    """Whole events are test events, spread over their time, and their others have no label."""
    chosen = selection.choose(archive, replace(DEFAULT_LIMITS, whole_events=2))
    assert chosen.loc[chosen["whole"], "event_id"].tolist() == ["e30", "e39"]
    unoffered = rows(archive, chosen).query("not offered")
    assert unoffered["event_id"].tolist() == ["e30", "e39"]
    assert unoffered["grade"].isna().all()


def test_of_too_many_offers_whole_events_are_drawn_the_same_each_time(archive: Archive) -> None:
    """A limit takes about so many offers, of whole events, and the same ones again."""
    limits = replace(DEFAULT_LIMITS, most_offers=40)
    chosen = selection.choose(archive, limits)
    assert 8 <= len(chosen) <= 32
    pd.testing.assert_frame_equal(chosen, selection.choose(archive, limits))
    found = rows(archive, chosen)
    assert (found[found["offered"]].groupby("event_id").size() == 2).all()


def test_chunks_are_the_day_in_pieces(archive: Archive) -> None:
    """However small the chunks, the rows are the same, in order of time."""
    chosen = selection.choose(archive, DEFAULT_LIMITS)
    whole = rows(archive, chosen)
    pieces = list(selection.rows_of_day(archive, chosen, DAY, 16))
    assert len(pieces) > 1
    again = pd.concat(pieces)
    pd.testing.assert_frame_equal(whole.reset_index(drop=True), again.reset_index(drop=True))
    assert whole["request_ts"].is_monotonic_increasing


def test_labels_of_another_archive_are_told(archive: Archive) -> None:
    """Labels of which none belongs to a decision are refused, with the way to go on."""
    strange = pd.DataFrame({"event_id": ["x"], "provider_id": ["p0"], "grade": [3]})
    for day in (DAY, NEXT_DAY):
        write_part(strange, archive.work / LABELS, day)
    with pytest.raises(DataError, match="label the same archive"):
        selection.choose(archive, DEFAULT_LIMITS)
