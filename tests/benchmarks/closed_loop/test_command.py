"""The command line."""

from pathlib import Path

import pytest

from benchmarks.closed_loop.__main__ import main


@pytest.mark.parametrize("command", ["train", "run", "report", "ablate"])
def test_help_tells_defaults(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Each command explains its options and shows what they are without being given."""
    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])
    assert ended.value.code == 0
    assert "default:" in capsys.readouterr().out


def test_a_report_of_nothing_says_what_to_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A directory without a game ends with code 2, the path and the command that plays one."""
    with pytest.raises(SystemExit) as ended:
        main(["report", "--out", str(tmp_path)])
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert str(tmp_path / "game.json") in said
    assert "closed_loop run --out" in said


def test_a_model_without_a_bundle_says_how_to_get_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Playing a model from a directory without a bundle ends with code 2 before it plays."""
    with pytest.raises(SystemExit) as ended:
        main(["run", "--out", str(tmp_path / "game"), "--bundle", str(tmp_path / "none")])
    assert ended.value.code == 2
    assert "bundle.json is missing" in capsys.readouterr().err


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of Great Expectations' own imports
def test_a_model_is_trained_plays_and_is_reported(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The page's commands work one after another: a bundle, a game with it, the goals, the why."""
    small = ["--providers", "150", "--metros", "1"]
    bundle, game = str(tmp_path / "bundle"), str(tmp_path / "game")
    archive = ["--data", str(tmp_path / "archive"), "--hours", "4"]
    assert main(["train", *small, *archive, "--bundle", bundle]) == 0
    played = [*small, "--bundle", bundle, "--out", game, "--days", "0.1"]
    policies = ["--policies", "lowest_eta", "model", "model_rules", "oracle"]
    assert main(["run", *played, *policies]) == 0
    assert "Goals of model against lowest_eta" in capsys.readouterr().out
    assert main(["ablate", *played, *policies]) == 0
    assert "True chances of the first choice" in capsys.readouterr().out
    assert main(["report", "--out", game]) == 0
