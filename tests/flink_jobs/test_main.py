"""The command: what it says before Flink is touched."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from flink_jobs.main import main
from tests.flink_jobs.emulator import Emulator

REPOSITORY = Path(__file__).parents[2]


def test_a_missing_settings_file_is_one_line_and_exit_code_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A wrong path is an error message, not a traceback."""
    assert main(["--properties", str(tmp_path / "absent.json"), "--check"]) == 1

    assert capsys.readouterr().err.startswith("error: settings file ")


@pytest.mark.integration
def test_a_missing_stream_is_one_line_with_the_command_that_creates_it(
    emulator: Emulator, tmp_path: Path
) -> None:
    """With no streams there the command ends at once, and says how to create them."""
    properties = tmp_path / "properties.json"
    # Another region: the emulator keeps the streams of each apart.
    properties.write_text(json.dumps([
        {"PropertyGroupId": "streams", "PropertyMap": {
            "endpoint_url": emulator.url, "region": "eu-west-1",
            "access_key": "test", "secret_key": "test"}},
        {"PropertyGroupId": "feature_store", "PropertyMap": {"redis_url": "redis://127.0.0.1"}},
    ]))  # fmt: skip

    ended = subprocess.run(
        [sys.executable, "-m", "flink_jobs.main", "--properties", str(properties), "--check"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )

    assert ended.returncode == 1
    assert ended.stderr.count("\n") == 1
    assert ended.stderr.startswith("error: stream 'provider-gps', ")
    assert "aws kinesis create-stream --stream-name dead-letter --shard-count 1" in ended.stderr
