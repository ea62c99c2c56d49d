"""Why a job failed."""

from pathlib import Path

import pytest

from training.errors import DataError, GateError
from training.steps import reason


@pytest.mark.parametrize(("error", "code"), [(DataError("no rows"), 2), (GateError("bad rows"), 3)])
def test_a_foreseen_failure_ends_with_its_code(tmp_path: Path, error: Exception, code: int) -> None:
    """The file says which step failed and why; the exit code tells a gate from the rest."""
    path = tmp_path / "output" / "message"
    with pytest.raises(SystemExit) as ended, reason.left_in(path, "gates"):
        raise error
    assert ended.value.code == code
    assert path.read_text() == f"gates: {type(error).__name__}: {error}"


def test_an_unforeseen_failure_is_left_and_raised(tmp_path: Path) -> None:
    """A bug keeps its traceback, and the console shows it too."""
    with pytest.raises(ZeroDivisionError), reason.left_in(tmp_path / "message", "train"):
        1 / 0  # noqa: B018
    assert "ZeroDivisionError" in (tmp_path / "message").read_text()


def test_a_long_reason_is_cut_between_characters(tmp_path: Path) -> None:
    """No more than the console shows, and no half character: a job fails of other bytes."""
    with pytest.raises(SystemExit), reason.left_in(tmp_path / "message", "gates"):
        raise DataError("€" * 2000)
    content = (tmp_path / "message").read_bytes()
    assert reason.MOST_BYTES - 3 < len(content) <= reason.MOST_BYTES
    assert content.decode().endswith("€")


def test_success_leaves_nothing(tmp_path: Path) -> None:
    """A step that ends well has no reason."""
    with reason.left_in(tmp_path / "message", "gates"):
        pass
    assert not (tmp_path / "message").exists()
