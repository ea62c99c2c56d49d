import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.local import emulator
from deploy.local.ports import Ports, PortTakenError, free_offset
from deploy.local.stack import STREAM_VIEWS
from feature_repo import schema
from flink_jobs.event_schemas import STREAMS

REPOSITORY = Path(__file__).parents[3]


def _run(*arguments: str, path: str | None = None) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PATH": path or os.environ["PATH"]}
    return subprocess.run(
        [sys.executable, "-m", "deploy.local", *arguments],
        cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip


def test_the_names_that_are_repeated_here_are_the_rooms_own() -> None:
    """The local stack may import no room; its streams and views are the rooms' all the same."""
    assert emulator.STREAMS == STREAMS
    assert tuple(view.name for view in schema.STREAM_VIEWS) == STREAM_VIEWS


def test_a_taken_port_is_named_with_what_to_do() -> None:
    """When a port of ours is taken, the error names the port, its part and the remedy."""
    ports = Ports().shifted(free_offset())
    taken = rf"port {ports.redis} \(for redis\).*offset"
    with (
        socket.create_server(("127.0.0.1", ports.redis)),
        pytest.raises(PortTakenError, match=taken),
    ):
        ports.check_free()
    ports.check_free()


def test_the_command_ends_with_a_message_when_a_port_is_taken(tmp_path: Path) -> None:
    """A taken port ends the command with code 1 and one message, no traceback."""
    offset = free_offset()
    with socket.create_server(("127.0.0.1", Ports().shifted(offset).gateway)):
        done = _run("--run-dir", str(tmp_path), "--port-offset", str(offset))
    assert done.returncode == 1
    assert "(for gateway) is taken" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


def test_missing_programs_are_named_with_their_commands(tmp_path: Path) -> None:
    """Without Redis, Java and Maven each is named with the command that installs it."""
    done = _run("--run-dir", str(tmp_path), path=str(tmp_path))
    assert done.returncode == 1
    for package in ("redis-server", "openjdk-17-jdk-headless", "maven"):
        assert f"apt-get install -y {package}" in " ".join(done.stdout.split())
    assert "Traceback" not in done.stdout + done.stderr


def test_help_names_every_option() -> None:
    """`--help` answers without starting anything."""
    done = _run("--help")
    assert done.returncode == 0
    assert "--once" in done.stdout
