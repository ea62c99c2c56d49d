import pytest

from benchmarks.put_records import main
from tests.conftest import ports_in_a_row


@pytest.mark.integration
def test_both_ways_are_measured(capsys: pytest.CaptureFixture[str]) -> None:
    """A short run prints a line a way, with the ratio to boto3."""
    assert main(["--records", "3", "--rounds", "2", "--port", str(ports_in_a_row(1))]) == 0
    shown = capsys.readouterr().out
    assert "boto3" in shown
    assert "ours" in shown
