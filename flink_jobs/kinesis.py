"""Kinesis from Python: the streams' ARNs before a job starts, and dead letters while it runs."""

import time
from collections.abc import Iterable, Sequence
from typing import Any, Protocol

from flink_jobs.settings import Streams

MAX_RECORDS_PER_PUT = 500
MAX_BYTES_PER_PUT = 4_000_000
"""Under Kinesis's 5 MiB a call, which counts keys as well."""
PUT_ATTEMPTS = 60
FIRST_PAUSE_S = 0.1
LONGEST_PAUSE_S = 5.0
"""With these a stream is asked for about five minutes to take a record."""

PATIENT_ATTEMPTS = 15
QUICK_ATTEMPTS = 3


class StreamMissingError(RuntimeError):
    """Streams that are not there; the message has the commands that create them."""


class StreamUnreachableError(RuntimeError):
    """Kinesis did not answer, or refused."""


class Client(Protocol):
    """The part of boto3's Kinesis client that is used here."""

    def describe_stream_summary(self, *, StreamName: str) -> dict[str, Any]:  # noqa: N803
        """Describe a stream."""

    def put_records(self, *, StreamName: str, Records: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803
        """Put records; some may fail while others succeed."""


def connect(streams: Streams, *, patient: bool = False) -> Client:
    """Return a Kinesis client for the settings' region and end point.

    Args:
        streams: Where Kinesis is.
        patient: Whether a Kinesis that does not answer is asked again for minutes, as a running
            job should, or for seconds, as a command should.
    """
    # A worker that writes no dead letters never pays for this import.
    import boto3  # noqa: PLC0415
    from botocore.config import Config  # noqa: PLC0415

    client: Client = boto3.client(
        "kinesis",
        region_name=streams.region,
        endpoint_url=streams.endpoint_url,
        aws_access_key_id=streams.access_key,
        aws_secret_access_key=streams.secret_key,
        config=Config(
            connect_timeout=5,
            read_timeout=10,
            retries={
                "mode": "standard",
                "total_max_attempts": PATIENT_ATTEMPTS if patient else QUICK_ATTEMPTS,
            },
        ),
    )
    return client


def find_arns(client: Client, names: Iterable[str], streams: Streams) -> dict[str, str]:
    """Return the ARN of each stream.

    Raises:
        StreamMissingError: At least one is not there; all of them are named.
        StreamUnreachableError: Kinesis did not answer, or refused.
    """
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

    arns: dict[str, str] = {}
    missing: list[str] = []
    for name in names:
        try:
            summary = client.describe_stream_summary(StreamName=name)
        except ClientError as error:
            if error.response["Error"]["Code"] != "ResourceNotFoundException":
                raise StreamUnreachableError(f"stream {name!r}: {error}") from error
            missing.append(name)
        except BotoCoreError as error:
            raise StreamUnreachableError(
                f"stream {name!r}: {error}; check 'endpoint_url' and 'region' in group 'streams'"
            ) from error
        else:
            arns[name] = summary["StreamDescriptionSummary"]["StreamARN"]
    if missing:
        raise StreamMissingError(_missing_text(missing, streams))
    return arns


def _missing_text(missing: Sequence[str], streams: Streams) -> str:
    where = f" --region {streams.region}"
    if streams.endpoint_url is not None:
        where += f" --endpoint-url {streams.endpoint_url}"
    commands = " && ".join(
        f"aws kinesis create-stream --stream-name {name} --shard-count 1{where}" for name in missing
    )
    names = ", ".join(repr(name) for name in missing)
    return f"stream {names} is not there; create it: {commands}"


def put_all(client: Client, stream: str, records: Sequence[tuple[str, bytes]]) -> None:
    """Put every record, again those that Kinesis throttled.

    Args:
        client: A Kinesis client.
        stream: The stream's name.
        records: Partition key and data of each.

    Raises:
        RuntimeError: Kinesis still refuses some after several attempts.
    """
    for batch in _batches(records):
        _put_batch(client, stream, batch)


def _put_batch(client: Client, stream: str, batch: list[dict[str, Any]]) -> None:
    pause_s = FIRST_PAUSE_S
    refusal = ""
    for _ in range(PUT_ATTEMPTS):
        results = client.put_records(StreamName=stream, Records=batch)["Records"]
        refused = [
            (r, result) for r, result in zip(batch, results, strict=True) if result.get("ErrorCode")
        ]
        if not refused:
            return
        batch = [record for record, _ in refused]
        refusal = f"{refused[0][1]['ErrorCode']}: {refused[0][1].get('ErrorMessage', '')}"
        time.sleep(pause_s)
        pause_s = min(2 * pause_s, LONGEST_PAUSE_S)
    raise RuntimeError(
        f"stream {stream!r} refuses {len(batch)} records after {PUT_ATTEMPTS} attempts "
        f"({refusal}); add shards"
    )


def _batches(records: Sequence[tuple[str, bytes]]) -> Iterable[list[dict[str, Any]]]:
    batch: list[dict[str, Any]] = []
    size = 0
    for key, data in records:
        if batch and (len(batch) == MAX_RECORDS_PER_PUT or size + len(data) > MAX_BYTES_PER_PUT):
            yield batch
            batch, size = [], 0
        batch.append({"PartitionKey": key, "Data": data})
        size += len(data) + len(key)
    if batch:
        yield batch
