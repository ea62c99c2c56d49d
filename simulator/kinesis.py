"""Putting events on Kinesis: batches, partition keys, and another try for what was refused."""

import time
from collections.abc import Sequence
from typing import Any

import boto3
import msgspec
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from flink_jobs.event_schemas import AvailabilityEvent, DispatchEvent, GpsEvent
from simulator.case import Event
from simulator.event_files import STREAM_OF

RECORDS_PER_CALL = 500
"""The most that PutRecords takes."""
_TRIES = 6
_FIRST_WAIT_S = 0.1


class StreamError(RuntimeError):
    """A stream is missing or does not take records; the message says which and what to do."""


def connect(endpoint_url: str | None, region: str) -> Any:
    """Return a Kinesis client; an emulator's endpoint needs no credentials of its own."""
    session = boto3.Session()
    local: dict[str, str] = {}
    if endpoint_url is not None and session.get_credentials() is None:
        local = {"aws_access_key_id": "local", "aws_secret_access_key": "local"}
    config = Config(connect_timeout=5, read_timeout=20, retries={"max_attempts": 3})
    return session.client(
        "kinesis", endpoint_url=endpoint_url, region_name=region, config=config, **local
    )


def partition_key(event: Event) -> str:
    """Return the key that the stream's schema names."""
    if isinstance(event, GpsEvent | AvailabilityEvent):
        return event.provider_id
    return event.event_id if isinstance(event, DispatchEvent) else event.cell


class Publisher:
    """Puts events on their streams."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._encoder = msgspec.json.Encoder()

    def check(self) -> None:
        """Check that every stream is there.

        Raises:
            StreamError: One is not, or Kinesis cannot be reached.
        """
        for stream in STREAM_OF.values():
            self._call("describe_stream_summary", stream, StreamName=stream)

    def publish(self, events: Sequence[Event]) -> None:
        """Put events on their streams, in order within a stream unless a record is refused.

        Raises:
            StreamError: A stream is gone, or refused records through every try.
        """
        for kind, stream in STREAM_OF.items():
            records = [
                {"Data": self._encoder.encode(event), "PartitionKey": partition_key(event)}
                for event in events
                if type(event) is kind
            ]
            for start in range(0, len(records), RECORDS_PER_CALL):
                self._put(stream, records[start : start + RECORDS_PER_CALL])

    def _put(self, stream: str, records: list[dict[str, Any]]) -> None:
        wait_s = _FIRST_WAIT_S
        for _ in range(_TRIES):
            answer = self._call("put_records", stream, StreamName=stream, Records=records)
            if not answer["FailedRecordCount"]:
                return
            results = answer["Records"]
            failed = [
                r for r, result in zip(records, results, strict=True) if "ErrorCode" in result
            ]
            reason = next(result["ErrorCode"] for result in results if "ErrorCode" in result)
            records = failed
            time.sleep(wait_s)
            wait_s *= 2
        raise StreamError(
            f"stream {stream!r} refused {len(records)} records {_TRIES} times ({reason}): "
            "add shards, or play fewer providers"
        )

    def _call(self, operation: str, stream: str, **arguments: Any) -> dict[str, Any]:
        try:
            answer: dict[str, Any] = getattr(self._client, operation)(**arguments)
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code == "ResourceNotFoundException":
                raise StreamError(
                    f"stream {stream!r} isn't there: create it, or check the endpoint and region"
                ) from error
            raise StreamError(f"stream {stream!r}: {error}") from error
        except BotoCoreError as error:
            raise StreamError(
                f"Kinesis cannot be reached for stream {stream!r}: {error}"
            ) from error
        return answer
