"""The state file."""

from pathlib import Path

import pytest

from flink_jobs.redrive.errors import RedriveError
from flink_jobs.redrive.selection import Selection
from flink_jobs.redrive.state import State, load, locked

ORIGIN = "arn:dead-letter"


def test_a_state_is_found_again(tmp_path: Path) -> None:
    """What was saved last is loaded, and a first run has a new one."""
    path = tmp_path / "state.json"
    state = load(path, State(ORIGIN, "stream", Selection(codes=("late",))))
    state.positions["shard"] = "7"
    state.archived_bytes["weather"] = 12
    state.save(path)

    assert load(path, State(ORIGIN, "stream", Selection(codes=("late",)))) == state


@pytest.mark.parametrize(
    "other",
    [
        State("arn:other", "stream", Selection()),
        State(ORIGIN, "archive x", Selection()),
        State(ORIGIN, "stream", Selection(job="j")),
    ],
)
def test_a_state_of_another_re_drive_is_refused(tmp_path: Path, other: State) -> None:
    """Its positions would skip letters that its filters left out."""
    path = tmp_path / "state.json"
    other.save(path)

    with pytest.raises(RedriveError, match=r"is of another re-drive, from .* name another file"):
        load(path, State(ORIGIN, "stream", Selection()))


def test_a_file_of_another_form_is_refused(tmp_path: Path) -> None:
    """It is neither overwritten nor taken for an empty state."""
    path = tmp_path / "state.json"
    path.write_text('{"positions": []}')

    with pytest.raises(RedriveError, match=r"'.*state.json': .*name another"):
        load(path, State(ORIGIN, "stream", Selection()))


def test_two_runs_do_not_share_a_state(tmp_path: Path) -> None:
    """The second is refused while the first runs, and not after it."""
    path = tmp_path / "new" / "state.json"
    with locked(path), pytest.raises(RedriveError, match="is in use"), locked(path):
        pass
    with locked(path):
        pass
