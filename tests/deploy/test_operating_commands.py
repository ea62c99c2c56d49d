"""The shell commands of docs/data-engineer.md that have the application begin anew."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.integration

PAGE = Path(__file__).parents[2] / "docs/data-engineer.md"
STAND_IN = Path(__file__).with_name("aws_stand_in.py")


def _commands(title: str) -> str:
    """Return the code block of a section of the page."""
    section = PAGE.read_text().split(f"### {title}\n", 1)[1].split("\n## ", 1)[0]
    (block,) = re.findall(r"^```\n(.*?)^```$", section, re.M | re.S)
    return str(block)


def _changes(commands: str, directory: Path) -> list[tuple[str, dict[str, Any]]]:
    """Run commands where ``aws`` is the stand-in; return what they changed, in order."""
    program = directory / "programs/aws"
    program.parent.mkdir()
    program.write_text(f'#!/bin/bash\nexec "{sys.executable}" -W ignore "{STAND_IN}" "$@"\n')
    program.chmod(0o755)
    (directory / "status").write_text("RUNNING")
    path = f"{program.parent}{os.pathsep}{os.environ['PATH']}"
    ended = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", commands],
        env={**os.environ, "PATH": path, "AWS_STAND_IN": str(directory)},
        cwd=directory,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert ended.returncode == 0, ended.stderr
    asked = [json.loads(line) for line in (directory / "asked").read_text().splitlines()]
    return [(name, given) for name, given in asked if not name.startswith("Describe")]


@pytest.mark.skipif(shutil.which("jq") is None, reason="these commands need jq")
def test_beginning_anew_keeps_the_other_settings(tmp_path: Path) -> None:
    """Reading the streams from their beginning changes one property and sends all groups."""
    asked = _changes(_commands("What a change means for the state"), tmp_path)
    assert [name for name, _ in asked] == [
        "StopApplication", "UpdateApplication", "StartApplication",
    ]  # fmt: skip
    _, update, start = (given for _, given in asked)
    properties = update["ApplicationConfigurationUpdate"]["EnvironmentPropertyUpdates"]
    groups = {g["PropertyGroupId"]: g["PropertyMap"] for g in properties["PropertyGroups"]}
    assert groups == {
        "jobs": {"name": "roadside-features"},
        "streams": {"region": "us-east-1", "initial_position": "TRIM_HORIZON"},
    }
    restore = start["RunConfiguration"]["ApplicationRestoreConfiguration"]
    assert restore == {"ApplicationRestoreType": "SKIP_RESTORE_FROM_SNAPSHOT"}
