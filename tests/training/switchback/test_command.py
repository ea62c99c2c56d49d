"""The commands, one after another, from files to files and exit codes."""

import re
from pathlib import Path

import pandas as pd
import pytest

from training.switchback.__main__ import main
from training.switchback.analysis import Effect
from training.switchback.guardrails import Guardrail, Verdict, verdict

PNG = b"\x89PNG"


@pytest.fixture(params=["csv", "parquet"])
def experiment(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Path, Path]:
    """An assignment and made-up outcomes of it, by the commands, in either form."""
    assignment, outcomes = (tmp_path / f"{name}.{request.param}" for name in ("plan", "outcomes"))
    regions = ["--regions", "1", "2", "3", "--start", "2026-12-01", "--days", "10"]
    assert main(["design", *regions, "--out", str(assignment)]) == 0
    rehearse = ["rehearse", "--assignment", str(assignment), "--effect", "0.1"]
    assert main([*rehearse, "--events-per-day", "900", "--out", str(outcomes)]) == 0
    return assignment, outcomes


def test_design_rehearse_analyse(
    experiment: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    """The effect that was made up is found again, printed, written and plotted."""
    assignment, outcomes = experiment
    out = assignment.parent / "found"
    arguments = ["--assignment", str(assignment), "--outcomes", str(outcomes), "--out", str(out)]
    assert main(["analyse", *arguments, "--redraws", "999"]) == 0
    printed = capsys.readouterr().out
    assert "left out:" in printed
    found = pd.read_csv(out / "effects.csv").set_index("metric")
    assert found.loc["success", "low"] < 0.1 < found.loc["success", "high"]
    assert found.loc["success", "p_value"] < 0.01
    assert found.loc["minutes_to_arrival", "guardrail"] == "holds"
    assert (out / "effects.png").read_bytes().startswith(PNG)
    assert assignment.with_suffix(".png").read_bytes().startswith(PNG)


def test_a_broken_guardrail_is_exit_code_3(
    experiment: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    """A guardrail that is surely broken stops a roll-out, after the numbers were printed."""
    assignment, outcomes = experiment
    arguments = ["--assignment", str(assignment), "--outcomes", str(outcomes)]
    # treatment arrives about 4 minutes sooner: ask for 8
    for limit, metric in (
        (["--most-minutes-added", "-8"], "minutes_to_arrival"),
        (["--most-redispatch-added", "-0.2"], "redispatch"),
    ):
        with pytest.raises(SystemExit) as ended:
            main(["analyse", *arguments, *limit, "--out", str(assignment.parent)])
        assert ended.value.code == 3
        printed = capsys.readouterr()
        assert "broken" in printed.out
        assert re.search(
            rf"broken: {metric} rises by \S+ or more \(at most \S+\): do not", printed.err
        )


def test_a_lower_level_has_a_narrower_interval(experiment: tuple[Path, Path]) -> None:
    """The intervals are of the level that is asked for."""
    assignment, outcomes = experiment
    widths = []
    for level in ("0.5", "0.95"):
        arguments = ["--assignment", str(assignment), "--outcomes", str(outcomes)]
        assert main(["analyse", *arguments, "--level", level, "--out", str(assignment.parent)]) == 0
        found = pd.read_csv(assignment.parent / "effects.csv").set_index("metric")
        widths.append(found.loc["success", "high"] - found.loc["success", "low"])
    # of a normal distribution 0.67 against 1.96 standard errors either way
    assert widths[0] / widths[1] == pytest.approx(0.344, abs=0.08)


def test_power_and_aa_print_and_plot(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Both simulations print their shares and write a plot; aa ends well if 5 % are alarms."""
    small = ["--regions", "2", "--hours-per-block", "6", "--redraws", "199"]
    power = ["power", *small, "--effect", "0.2", "--days", "6", "4", "--simulations", "40"]
    assert main([*power, "--out", str(tmp_path / "power.png")]) == 0
    assert "80% power from 4 days on" in capsys.readouterr().out
    aa = ["aa", *small, "--days", "6", "--simulations", "400"]
    assert main([*aa, "--out", str(tmp_path / "aa.png")]) == 0
    printed = capsys.readouterr().out
    assert "t-test over events" in printed
    assert "Of 400 experiments, an analysis with 5% false alarms has 2.5% to 8.0%" in printed
    for name in ("power.png", "aa.png"):
        assert (tmp_path / name).read_bytes().startswith(PNG)


def test_power_is_that_of_the_analysis_in_use(capsys: pytest.CaptureFixture[str]) -> None:
    """Without an effect the power is 5 %, and not the false alarms of a t-test over events."""
    small = ["--regions", "2", "--hours-per-block", "6", "--redraws", "199", "--days", "6"]
    assert main(["power", *small, "--effect", "0", "--simulations", "200"]) == 0
    printed = capsys.readouterr().out
    (share,) = re.findall(r"│ +6 │ +(\d+)% │", printed)
    assert int(share) <= 10
    assert "None of these reaches 80%: more days, regions or shorter blocks" in printed


def test_rates_of_past_outcomes_can_be_simulated(
    experiment: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    """Power is computed for the regions and the demand of outcomes that are given."""
    options = ["--outcomes", str(experiment[1]), "--simulations", "20", "--redraws", "99"]
    assert main(["power", "--effect", "0.1", "--days", "6", *options]) == 0
    assert "3 regions, 2 h blocks" in capsys.readouterr().out


def test_false_alarms_off_the_mark_are_exit_code_3(capsys: pytest.CaptureFixture[str]) -> None:
    """A design of sixteen assignments cannot be significant: no alarm in 200 is found out."""
    size = ["--regions", "1", "--days", "2", "--hours-per-block", "6", "--simulations", "200"]
    with pytest.raises(SystemExit) as ended:
        main(["aa", *size, "--redraws", "99"])
    assert ended.value.code == 3
    told = capsys.readouterr().err
    assert "false alarms: 0.0%" in told
    assert "1.5% to 9.5% by chance" in told


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [(-1.0, 0.9, Verdict.HOLDS), (1.1, 2.0, Verdict.BROKEN), (0.5, 1.5, Verdict.OPEN)],
)
def test_a_guardrail_is_judged_by_the_whole_interval(
    low: float, high: float, expected: Verdict
) -> None:
    """It holds or is broken only if the interval lies on one side of the limit."""
    effect = Effect((low + high) / 2, low, high, 0.5, control=20.0, treatment=20.0)
    assert verdict(effect, Guardrail("minutes_to_arrival", 1.0)) is expected


def test_no_assignment_is_exit_code_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file that is not there is one line that says what makes it."""
    missing = str(tmp_path / "plan.csv")
    with pytest.raises(SystemExit) as ended:
        main(["rehearse", "--assignment", missing, "--out", str(tmp_path / "o.csv")])
    assert ended.value.code == 2
    assert "make it with `design`" in capsys.readouterr().err


def test_help_lists_the_commands(capsys: pytest.CaptureFixture[str]) -> None:
    """``--help`` prints every command with its line: a bare percent sign in one would end it."""
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    assert ended.value.code == 0
    printed = capsys.readouterr().out
    assert all(name in printed for name in ("design", "rehearse", "analyse", "power", "aa"))
