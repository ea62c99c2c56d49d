"""The Kinesis emulator: its command, and the streams in it."""

import sys
import time
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from deploy.local.layout import REPOSITORY
from deploy.local.ports import HOST

REGION = "us-east-1"
ACCESS_KEY = "local"
SECRET_KEY = "local"  # noqa: S105 - the emulator takes any
STREAMS = (
    "provider-gps",
    "provider-availability",
    "weather",
    "traffic",
    "dispatch-events",
    "decisions",
    "dead-letter",
)
POLL_S = 0.1

AWS_ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": ACCESS_KEY,
    "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
    "AWS_DEFAULT_REGION": REGION,
    # No look-up of an instance's role: this machine has none, and the look-up takes seconds.
    "AWS_EC2_METADATA_DISABLED": "true",
}


def command() -> list[str]:
    """Return the emulator's command: ministack, mended (``deploy.local.kinesis`` says how)."""
    return [sys.executable, "-m", "deploy.local.kinesis"]


def environment(port: int) -> dict[str, str]:
    """Return what makes the emulator listen on 127.0.0.1 alone, and for Kinesis alone."""
    return {
        "PYTHONPATH": str(REPOSITORY),
        "BIND_HOST": HOST,
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "GATEWAY_PORT": str(port),
        "LOG_LEVEL": "WARNING",
    }


def connect(port: int) -> Any:
    """Return a Kinesis client of the emulator."""
    return boto3.client(
        "kinesis",
        endpoint_url=f"http://{HOST}:{port}",
        region_name=REGION,
        aws_access_key_id=ACCESS_KEY,
        aws_secret_access_key=SECRET_KEY,
        config=Config(connect_timeout=2, read_timeout=10, retries={"total_max_attempts": 2}),
    )


def answers(client: Any) -> bool:
    """Return whether the emulator answers."""
    try:
        client.list_streams()
    except (BotoCoreError, ClientError):
        return False
    return True


def create_streams(client: Any, timeout_s: float = 20.0) -> None:
    """Create every stream with one shard and wait until they are active.

    Raises:
        TimeoutError: They are not active in time.
    """
    for name in STREAMS:
        client.create_stream(StreamName=name, ShardCount=1)
    deadline = time.monotonic() + timeout_s
    for name in STREAMS:
        while _status(client, name) != "ACTIVE":
            if time.monotonic() > deadline:
                raise TimeoutError(f"stream {name!r} is not active after {timeout_s:g} s")
            time.sleep(POLL_S)


def _status(client: Any, name: str) -> str:
    summary = client.describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]
    status: str = summary["StreamStatus"]
    return status
