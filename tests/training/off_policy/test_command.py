"""The command from a file to its table, files and exit code."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.training.off_policy import bandit
from training.off_policy.__main__ import main


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """The bandit thirty times over, with a policy that the log has no support for."""
    frame = pd.concat(
        [bandit.table().assign(event_id=lambda f, i=i: f["event_id"] + f".{i}") for i in range(30)],
        ignore_index=True,
    )
    # d1, d3 and d4 chose what is not B, so a quarter of the decisions speaks for it
    frame["only_b"] = (frame["provider_id"] == "B").astype(float)
    path = tmp_path / "log.parquet"
    frame.to_parquet(path)
    return path


def test_estimates_are_printed_and_written(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The values worked out by hand come out of the command, with a plot, and exit code 0."""
    out = log.parent / "out"
    options = ["--policies", "new", "--prediction", "prediction", "--out", str(out)]
    # easy sums made the bandit's mean weight 1.25: with many more copies it would be refused
    assert main([str(log), *options]) == 0
    printed = capsys.readouterr().out
    assert "0.720" in printed
    found = pd.read_csv(out / "estimates.csv").set_index("estimator")
    np.testing.assert_allclose(found.loc[["IPS", "SNIPS", "DR"], "value"], [0.9, 0.72, 0.665])
    np.testing.assert_allclose(found["gain_value"], found["value"] - 0.5)
    assert (out / "forest.png").read_bytes().startswith(b"\x89PNG")


def test_a_refusal_is_exit_code_3_and_does_not_hide_the_others(
    log: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A policy without support is refused by name; the others are still printed."""
    with pytest.raises(SystemExit) as ended:
        main([str(log), "--policies", "new", "only_b"])
    assert ended.value.code == 3
    printed = capsys.readouterr()
    assert "0.720" in printed.out
    assert "1 of 2 policies are refused" in printed.err
    assert "only_b: its 120 decisions tell as much as 30.0" in printed.err


def test_a_propensity_below_the_floor_is_no_support(
    log: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Mass on candidates below the floor is measured: A of d3 (0.1) and none else, over 4."""
    with pytest.raises(SystemExit) as ended:
        main([str(log), "--policies", "new", "--propensity-floor", "0.21"])
    assert ended.value.code == 3
    assert "2.50% of its probability is on candidates" in capsys.readouterr().err


def test_a_bad_table_is_exit_code_2(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A table that is not as it must be is one line that names the column."""
    with pytest.raises(SystemExit) as ended:
        main([str(log), "--policies", "new", "--reward", "profit"])
    assert ended.value.code == 2
    assert "['profit'] are missing" in capsys.readouterr().err
