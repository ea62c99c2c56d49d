"""The retrieval benchmark runs, and both ways give the same values."""

import pytest

from benchmarks import historical_retrieval


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_both_ways_are_measured_and_agree(capsys: pytest.CaptureFixture[str]) -> None:
    """A tiny run prints a row for each way, and no value differs."""
    arguments = ["--entity-rows", "200", "--entities", "20", "--hours", "2", "--rows-a-file", "900"]
    assert historical_retrieval.main(arguments) == 0
    told = capsys.readouterr().out
    assert "200 entity rows" in told
    assert "0 values differ" in " ".join(told.split())
