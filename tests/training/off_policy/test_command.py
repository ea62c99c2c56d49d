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


def test_weights_are_cut_as_asked(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Cut at 1.5, the estimates are of the cut weights, and the table says how many were.

    Two of four: IPS (1.5 + 1.5) / 4 = 0.75, SNIPS 3 / (1.5 + 0.4 + 1.5 + 1) = 0.681818; of 120
    decisions the effective size is 30 x 3.42049. An 80 % interval is narrower than a 95 % one, the
    log's own too: 0.5 -+ 1.281552 x 0.5 / sqrt(119).
    """
    out = log.parent / "out"
    main([str(log), "--policies", "new", "--highest-weight", "1.5", "--out", str(out)])
    found = pd.read_csv(out / "estimates.csv").set_index("estimator")
    np.testing.assert_allclose(found.loc[["IPS", "SNIPS"], "value"], [0.75, 0.681818], rtol=1e-5)
    assert (found["clipped_share"] == 0.5).all()
    np.testing.assert_allclose(found["effective_sample_size"], 30 * 3.42049, rtol=1e-5)
    assert _reach(found) == pytest.approx(1.959964)
    main([str(log), "--policies", "new", "--level", "0.8", "--out", str(out)])
    found = pd.read_csv(out / "estimates.csv").set_index("estimator")
    assert _reach(found) == pytest.approx(1.281552)
    assert "[0.441, 0.559]" in capsys.readouterr().out


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
    """Mass on candidates below the floor is measured: A of d3 (0.1) and none else, over 4.

    A candidate at the floor is supported, and the mass that is allowed can be chosen.
    """
    with pytest.raises(SystemExit) as ended:
        main([str(log), "--policies", "new", "--propensity-floor", "0.21"])
    assert ended.value.code == 3
    assert "2.50% of its probability is on candidates" in capsys.readouterr().err
    assert main([str(log), "--policies", "new", "--propensity-floor", "0.2"]) == 0
    allowed = ["--propensity-floor", "0.21", "--most-unsupported-mass", "0.026"]
    assert main([str(log), "--policies", "new", *allowed]) == 0


def test_a_bad_table_is_exit_code_2(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A table that is not as it must be is one line that names the column."""
    with pytest.raises(SystemExit) as ended:
        main([str(log), "--policies", "new", "--reward", "profit"])
    assert ended.value.code == 2
    assert "['profit'] are missing" in capsys.readouterr().err


def _reach(found: pd.DataFrame) -> float:
    """Return how many standard errors the first interval reaches up."""
    first = found.iloc[0]
    return float((first["high"] - first["value"]) / first["standard_error"])
