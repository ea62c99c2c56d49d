"""Letters in an archive."""

import json
from pathlib import Path
from typing import Any

import pytest

from flink_jobs.redrive.archive_target import ArchiveTarget
from flink_jobs.redrive.errors import RedriveError
from flink_jobs.redrive.selection import Selection
from flink_jobs.redrive.state import State
from flink_jobs.validation import CHECKS
from tests.flink_jobs.events import NOW_MS, weather
from tests.flink_jobs.letters import letter


@pytest.fixture
def state() -> State:
    """A new state."""
    return State("arn", "archive", Selection())


def _prepared(archive: Path, state: State) -> ArchiveTarget:
    target = ArchiveTarget(archive, state)
    target.prepare()
    return target


def _lines(archive: Path, stream: str = "provider-gps") -> list[dict[str, Any]]:
    return [
        json.loads(line)
        for path in (archive / stream).glob("*.json")
        for line in path.read_text().splitlines()
    ]


def test_records_are_archived_with_their_first_arrival(tmp_path: Path, state: State) -> None:
    """Each line is what the backfill reads, on its own stream's directory, and all are there."""
    target = _prepared(tmp_path / "archive", state)
    first, second = letter("{broken", received_ts=5), letter(weather(NOW_MS), source="weather")

    target.put([first])
    target.put([second, first])

    broken = {"received_ts": 5, "record_text": "{broken"}
    assert _lines(tmp_path / "archive") == [broken, broken]
    assert [line["record_text"] for line in _lines(tmp_path / "archive", "weather")] == [second.raw]
    assert {path.name for path in (tmp_path / "archive").iterdir()} == set(CHECKS)


def test_what_a_crash_left_beyond_the_state_is_cut_off(tmp_path: Path, state: State) -> None:
    """Lines that were written and not yet told are not there twice after they are driven again."""
    target = _prepared(tmp_path, state)
    target.put([letter("a")])
    path = tmp_path / "state.json"
    state.save(path)
    target.put([letter("b")])  # and the state is not saved

    again = State(**json.loads(path.read_text()) | {"selection": Selection()})
    _prepared(tmp_path, again).put([letter("b"), letter("c")])

    assert [line["record_text"] for line in _lines(tmp_path)] == ["a", "b", "c"]


def test_other_files_of_the_archive_are_left_alone(tmp_path: Path, state: State) -> None:
    """A re-drive writes to a file of its own."""
    (tmp_path / "provider-gps").mkdir()
    (tmp_path / "provider-gps" / "00000.json").write_text('{"record_text": "x"}\n')

    _prepared(tmp_path, state).put([letter("a")])

    assert sorted(line["record_text"] for line in _lines(tmp_path)) == ["a", "x"]


def test_a_file_that_was_moved_away_is_begun_anew(tmp_path: Path, state: State) -> None:
    """Whoever took the file has its letters; the next ones have a new file."""
    target = _prepared(tmp_path, state)
    target.put([letter("a")])
    next((tmp_path / "provider-gps").iterdir()).unlink()

    _prepared(tmp_path, state).put([letter("b")])

    assert [line["record_text"] for line in _lines(tmp_path)] == ["b"]


def test_a_file_that_was_changed_is_not_written_to(tmp_path: Path, state: State) -> None:
    """A file shorter than it was left stops the run, with what to do."""
    _prepared(tmp_path, state).put([letter("a")])
    next((tmp_path / "provider-gps").iterdir()).write_text("")

    with pytest.raises(RedriveError, match=r"has 0 bytes, .*move it away"):
        _prepared(tmp_path, state)


@pytest.mark.parametrize("more", [{"source": "../elsewhere"}, {"raw_sha256": "0"}])
def test_a_letter_without_a_stream_or_the_whole_record_is_left(
    tmp_path: Path, state: State, more: dict[str, str]
) -> None:
    """Nothing is written outside the streams' directories, and no part of a record."""
    assert ArchiveTarget(tmp_path, state).objection(letter(**more)) is not None
    assert ArchiveTarget(tmp_path, state).objection(letter(code="too_old", received_ts=0)) is None
