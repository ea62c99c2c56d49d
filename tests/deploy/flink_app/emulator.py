"""An emulator of AWS on a port of its own: ministack, of the deploy environment."""

import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from deploy.local import emulator
from deploy.local.processes import Supervisor

READY_S = 60.0


@contextmanager
def running(logs: Path) -> Iterator[str]:
    """Run it; give its URL."""
    port = _free_port()
    url = f"http://127.0.0.1:{port}"
    with Supervisor(logs) as supervisor:
        command = [sys.executable, "-W", "ignore", "-m", "ministack"]
        child = supervisor.start("ministack", command, emulator.environment(port))
        supervisor.wait_until("ministack", lambda: _answers(url), READY_S, child)
        yield url


def client(url: str, service: str) -> Any:
    """Return a client of one of its services."""
    return boto3.client(
        service,
        endpoint_url=url,
        region_name=emulator.REGION,
        aws_access_key_id=emulator.ACCESS_KEY,
        aws_secret_access_key=emulator.SECRET_KEY,
    )


def _answers(url: str) -> bool:
    try:
        client(url, "kinesis").list_streams()
    except (BotoCoreError, ClientError):
        return False
    return True


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
