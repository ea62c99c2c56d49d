"""A real Kinesis emulator on a port of its own."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from tests.conftest import free_port
from tests.flink_jobs.events import Event, encode

REGION = "us-east-1"
READY_S = 60.0


class Emulator:
    """The process and a client of it."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._port = free_port()
        self.url = f"http://127.0.0.1:{self._port}"
        self.client: Any = boto3.client(
            "kinesis",
            endpoint_url=self.url,
            region_name=REGION,
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )

    def start(self) -> None:
        """Start it and wait until it answers."""
        environment = {
            **os.environ,
            "BIND_HOST": "127.0.0.1",
            "IOT_MTLS_ENABLED": "0",
            "GATEWAY_PORT": str(self._port),
        }
        with (self._directory / "log").open("wb") as log:
            self._process = subprocess.Popen(
                [str(Path(sys.executable).with_name("ministack"))],
                env=environment,
                cwd=self._directory,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        deadline = time.monotonic() + READY_S
        while True:
            try:
                self.client.list_streams()
            except (BotoCoreError, ClientError):
                assert time.monotonic() < deadline, "the emulator did not get ready"
                time.sleep(0.2)
            else:
                return

    def stop(self) -> None:
        """End it."""
        self.client.close()
        self._process.terminate()
        self._process.wait(READY_S)

    def create(self, stream: str, shards: int = 1) -> None:
        """Create a stream and wait until it is active."""
        self.client.create_stream(StreamName=stream, ShardCount=shards)
        deadline = time.monotonic() + READY_S
        while True:
            summary = self.client.describe_stream_summary(StreamName=stream)
            if summary["StreamDescriptionSummary"]["StreamStatus"] == "ACTIVE":
                return
            assert time.monotonic() < deadline, f"stream {stream} did not get active"
            time.sleep(0.2)

    def put(self, stream: str, events: Sequence[Event | str]) -> None:
        """Put records, keyed as producers do."""
        records = [{"Data": encode(e).encode(), "PartitionKey": _key(e)} for e in events]
        for start in range(0, len(records), 500):
            answer = self.client.put_records(
                StreamName=stream, Records=records[start : start + 500]
            )
            assert answer["FailedRecordCount"] == 0

    def read(self, stream: str) -> list[dict[str, Any]]:
        """Return everything on a stream of one shard."""
        iterator = self.client.get_shard_iterator(
            StreamName=stream,
            ShardId=self.client.list_shards(StreamName=stream)["Shards"][0]["ShardId"],
            ShardIteratorType="TRIM_HORIZON",
        )["ShardIterator"]
        records = self.client.get_records(ShardIterator=iterator)["Records"]
        return [json.loads(record["Data"]) for record in records]


def _key(event: Event | str) -> str:
    if isinstance(event, str):
        return "broken"
    return str(event.get("provider_id") or event.get("cell") or event.get("event_id"))
