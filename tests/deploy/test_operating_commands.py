"""The shell commands of docs/data-engineer.md that start, upgrade and roll back the application."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.integration

REPOSITORY = Path(__file__).parents[2]
STAND_IN = Path(__file__).with_name("aws_stand_in.py")

Asked = list[tuple[str, dict[str, Any]]]
Run = Callable[[list[str]], Asked]

STOP = "aws kinesisanalyticsv2 stop-application --application-name $APP"


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Runs code blocks in one shell; gives what was changed on the stand-in for AWS."""
    programs = tmp_path / "programs"
    programs.mkdir()
    _write_program(programs / "aws", f'exec "{sys.executable}" -W ignore "{STAND_IN}" "$@"')
    _write_program(programs / "npx", "exit 0")
    (tmp_path / "status").write_text("READY")
    (tmp_path / "asked").touch()

    def run_blocks(blocks: list[str]) -> Asked:
        path = f"{programs}{os.pathsep}{os.environ['PATH']}"
        ended = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", "\n".join(blocks)],
            env={**os.environ, "PATH": path, "AWS_STAND_IN": str(tmp_path)},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
        assert ended.returncode == 0, ended.stderr
        lines = (tmp_path / "asked").read_text().splitlines()
        asked = [(name, given) for name, given in map(json.loads, lines)]
        return [(n, g) for n, g in asked if not n.startswith(("Describe", "List", "Head"))]

    return run_blocks


def _write_program(path: Path, line: str) -> None:
    path.write_text(f"#!/bin/bash\n{line}\n")
    path.chmod(0o755)


def _blocks(*titles: str) -> list[str]:
    return [block for title in titles for block in _blocks_of(title)]


def _blocks_of(title: str) -> list[str]:
    text = (REPOSITORY / "docs/data-engineer.md").read_text()
    section = re.split(r"^#{2,3} ", text.split(f"### {title}\n", 1)[1], maxsplit=1, flags=re.M)[0]
    return re.findall(r"^```\n(.*?)^```$", section, re.M | re.S)


def _code(version: str) -> dict[str, Any]:
    location = {"S3ContentLocationUpdate": {"ObjectVersionUpdate": version}}
    return {"ApplicationCodeConfigurationUpdate": {"CodeContentUpdate": location}}


def test_an_upgrade_starts_the_new_code_from_the_snapshot_of_the_stop(run: Run) -> None:
    """The zip is put, the application stopped, updated to that zip, started from what it left."""
    asked = run(_blocks("The first time", "Upgrading"))
    assert [name for name, _ in asked] == [
        "PutObject", "StartApplication",
        "PutObject", "StopApplication", "UpdateApplication", "StartApplication",
    ]  # fmt: skip
    stop, update, start = (given for _, given in asked[3:])
    assert "Force" not in stop
    assert update["ApplicationConfigurationUpdate"] == _code("zip-2")
    restore = start["RunConfiguration"]["ApplicationRestoreConfiguration"]
    assert restore["SnapshotName"] == "new"


def test_a_rollback_goes_back_to_the_code_before(run: Run) -> None:
    """In one command, or by hand to the zip before the upgrade and the snapshot of its stop."""
    asked = run(_blocks("The first time", "Upgrading", "Rolling back"))[6:]
    assert [name for name, _ in asked] == [
        "RollbackApplication", "StopApplication", "UpdateApplication", "StartApplication",
    ]  # fmt: skip
    _, stop, update, start = (given for _, given in asked)
    assert stop["Force"] is True
    assert update["ApplicationConfigurationUpdate"] == _code("zip-1")
    restore = start["RunConfiguration"]["ApplicationRestoreConfiguration"]
    assert restore["SnapshotName"] == "new"


@pytest.mark.skipif(shutil.which("jq") is None, reason="these commands need jq")
def test_beginning_anew_keeps_the_other_settings(run: Run) -> None:
    """Reading the streams from their beginning changes one property and sends all groups."""
    anew = _blocks("What a change means for the state")
    asked = run([*_blocks("The first time"), STOP, *anew])[3:]
    (_, update), (_, start) = asked
    properties = update["ApplicationConfigurationUpdate"]["EnvironmentPropertyUpdates"]
    groups = {g["PropertyGroupId"]: g["PropertyMap"] for g in properties["PropertyGroups"]}
    assert groups == {
        "jobs": {"name": "roadside-features"},
        "streams": {"region": "us-east-1", "initial_position": "TRIM_HORIZON"},
    }
    restore = start["RunConfiguration"]["ApplicationRestoreConfiguration"]
    assert restore == {"ApplicationRestoreType": "SKIP_RESTORE_FROM_SNAPSHOT"}
