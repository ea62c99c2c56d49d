import pytest

from benchmarks.put_records import main
from tests.conftest import free_ports


@pytest.mark.integration
def test_both_ways_are_measured(capsys: pytest.CaptureFixture[str]) -> None:
    """A short run prints a line a way, with the ratio to boto3."""
    assert main(["--records", "3", "--rounds", "2", "--port", str(free_ports(1))]) == 0
    shown = capsys.readouterr().out
    assert "boto3" in shown
    assert "ours" in shown
