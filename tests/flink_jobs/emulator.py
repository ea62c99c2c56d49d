"""A real Kinesis emulator on a port of its own."""

import json
import os
import subprocess
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import boto3

from deploy.local import emulator
from flink_jobs.dead_letters import DeadLetter, unpack
from flink_jobs.event_schemas import DEAD_LETTER
from tests.conftest import free_port
from tests.flink_jobs.events import Event, encode

REGION = emulator.REGION
READY_S = 60.0
RECORDS_PER_PUT = 500


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
        with (self._directory / "log").open("wb") as log:
            self._process = subprocess.Popen(
                emulator.command(),
                env={**os.environ, **emulator.environment(self._port)},
                cwd=self._directory,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        deadline = time.monotonic() + READY_S
        while not emulator.answers(self.client):
            assert time.monotonic() < deadline, "the emulator did not get ready"
            time.sleep(0.2)

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
        """Put records, keyed as producers do, and again those that are refused."""
        records = [{"Data": encode(e).encode(), "PartitionKey": _key(e)} for e in events]
        deadline = time.monotonic() + READY_S
        while records:
            batch, records = records[:RECORDS_PER_PUT], records[RECORDS_PER_PUT:]
            results = self.client.put_records(StreamName=stream, Records=batch)["Records"]
            pairs = zip(batch, results, strict=True)
            refused = [record for record, result in pairs if "ErrorCode" in result]
            records = refused + records
            assert time.monotonic() < deadline, f"stream {stream} refuses {len(refused)} records"
            if refused:
                time.sleep(0.2)

    def read(self, stream: str) -> list[Any]:
        """Return everything on a stream, from JSON, shard by shard, parents before children."""
        return [json.loads(data) for data in self._data(stream)]

    def letters(self) -> list[DeadLetter]:
        """Return every dead letter."""
        return [letter for data in self._data(DEAD_LETTER) for letter in unpack(data)]

    def _data(self, stream: str) -> Iterator[bytes]:
        for shard in self.client.list_shards(StreamName=stream)["Shards"]:
            for record in self.records(stream, shard["ShardId"]):
                yield record["Data"]

    def records(self, stream: str, shard: str) -> Iterator[dict[str, Any]]:
        """Yield a shard's records, from its oldest to its end or to now."""
        token = self.client.get_shard_iterator(
            StreamName=stream, ShardId=shard, ShardIteratorType="TRIM_HORIZON"
        )["ShardIterator"]
        while token:
            answer = self.client.get_records(ShardIterator=token)
            yield from answer["Records"]
            token = answer.get("NextShardIterator") if answer["Records"] else None

    def open_shards(self, stream: str) -> list[dict[str, Any]]:
        """Return the shards that take records, in order of their hash keys."""
        shards = self.client.list_shards(StreamName=stream)["Shards"]
        return sorted(
            (s for s in shards if "EndingSequenceNumber" not in s["SequenceNumberRange"]),
            key=lambda s: int(s["HashKeyRange"]["StartingHashKey"]),
        )

    def split(self, stream: str) -> None:
        """Split a stream's first open shard in the middle."""
        shard = self.open_shards(stream)[0]
        keys = shard["HashKeyRange"]
        middle = (int(keys["StartingHashKey"]) + int(keys["EndingHashKey"]) + 1) // 2
        self.client.split_shard(
            StreamName=stream, ShardToSplit=shard["ShardId"], NewStartingHashKey=str(middle)
        )

    def merge(self, stream: str) -> None:
        """Merge a stream's first two open shards."""
        first, second = self.open_shards(stream)[:2]
        self.client.merge_shards(
            StreamName=stream,
            ShardToMerge=first["ShardId"],
            AdjacentShardToMerge=second["ShardId"],
        )

    def throttle(self, stream: str, operations: Iterable[str], seconds: float) -> None:
        """Have a stream refuse operations for a while, such as ``GetRecords``, ``PutRecords``.

        PutRecords takes every other record meanwhile; what else is named is refused whole.
        """
        until = str(time.time() + seconds)
        tags = {f"throttle:{operation}": until for operation in operations}
        self.client.add_tags_to_stream(StreamName=stream, Tags=tags)


def _key(event: Event | str) -> str:
    if isinstance(event, str):
        return "broken"
    return str(event.get("provider_id") or event.get("cell") or event.get("event_id"))
