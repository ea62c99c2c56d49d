"""The decision log, from Kinesis to Parquet: ``python -m training.monitoring.collect``."""

import argparse
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from training.errors import DataError, exit_on_errors
from training.labels import moment
from training.monitoring import decisions
from training.monitoring.decision_record import RecordError, Row, decode, rows

DECISIONS_A_FILE = 1000
_ROUND_S = 0.25
"""Kinesis allows five reads a second for each shard, over all its readers."""
_COME_AGAIN = {"ProvisionedThroughputExceededException", "ExpiredIteratorException"}


@dataclass
class Collected:
    """What a run has done so far.

    Attributes:
        decisions: Decisions written.
        rows: Candidates written.
        unreadable: Records that are no decision of this code.
        first_reason: Why the first of them is not.
    """

    decisions: int = 0
    rows: int = 0
    unreadable: int = 0
    first_reason: str = ""
    _pending: list[Row] = field(default_factory=list)
    _pending_decisions: int = 0
    _file: str = ""

    def take(self, data: bytes, name: str, directory: Path) -> None:
        """Take a record of a name of its own; write when enough have come."""
        try:
            decision = decode(data)
        except RecordError as error:
            self.unreadable += 1
            self.first_reason = self.first_reason or str(error)
            return
        # Named by its first record, so that the same run again replaces and does not add.
        self._file = self._file or f"{name}.parquet"
        self._pending += rows(decision)
        self._pending_decisions += 1
        if self._pending_decisions >= DECISIONS_A_FILE:
            self.flush(directory)

    def flush(self, directory: Path) -> None:
        """Write what is pending."""
        if self._pending:
            self.rows += decisions.write(self._pending, directory, self._file)
        self.decisions += self._pending_decisions
        self._pending, self._pending_decisions, self._file = [], 0, ""


def collect(
    client: Any, stream: str, directory: Path, since: datetime | None
) -> Iterator[Collected]:
    """Write a stream's decisions, from a moment until now; yield what is done after each page.

    Args:
        client: A boto3 Kinesis client.
        stream: The stream's name.
        directory: Where ``date=.../*.parquet`` go.
        since: The first arrival; None is the oldest that the stream has.

    Raises:
        DataError: Kinesis did not answer, or refused.
    """
    until = datetime.now(UTC)
    collected = Collected()
    try:
        for shard in _shards(client, stream):
            for record in _records(client, stream, shard, since, until):
                name = f"{shard}-{record['SequenceNumber']}"
                collected.take(record["Data"], name, directory)
                yield collected
    except (BotoCoreError, ClientError) as error:
        raise DataError(
            f"stream {stream!r} cannot be read: {error}; check --endpoint-url, --region and the "
            "right to read it"
        ) from error
    collected.flush(directory)
    yield collected


def _shards(client: Any, stream: str) -> list[str]:
    """Return every shard that still has records, those closed by a split or merge as well."""
    answer = client.list_shards(StreamName=stream)
    found = list(answer["Shards"])
    while "NextToken" in answer:
        answer = client.list_shards(NextToken=answer["NextToken"])
        found += answer["Shards"]
    return [shard["ShardId"] for shard in found]


def _records(
    client: Any, stream: str, shard: str, since: datetime | None, until: datetime
) -> Iterator[dict[str, Any]]:
    start: dict[str, Any] = (
        {"ShardIteratorType": "TRIM_HORIZON"}
        if since is None
        else {"ShardIteratorType": "AT_TIMESTAMP", "Timestamp": since}
    )
    token: str | None = _iterator(client, stream, shard, start)
    while token is not None:
        try:
            answer = client.get_records(ShardIterator=token)
        except ClientError as error:
            if error.response["Error"]["Code"] not in _COME_AGAIN:
                raise
            time.sleep(_ROUND_S)
            token = _iterator(client, stream, shard, start)
            continue
        for record in answer["Records"]:
            if record["ApproximateArrivalTimestamp"] >= until:
                return
            yield record
            start = {
                "ShardIteratorType": "AFTER_SEQUENCE_NUMBER",
                "StartingSequenceNumber": record["SequenceNumber"],
            }
        token = answer.get("NextShardIterator") if answer["MillisBehindLatest"] else None
        if token is not None:
            time.sleep(_ROUND_S)


def _iterator(client: Any, stream: str, shard: str, start: dict[str, Any]) -> str:
    answer = client.get_shard_iterator(StreamName=stream, ShardId=shard, **start)
    return str(answer["ShardIterator"])


def connect(endpoint_url: str | None, region: str) -> Any:
    """Return a Kinesis client; an emulator's endpoint needs no credentials of its own."""
    session = boto3.Session()
    local: dict[str, str] = {}
    if endpoint_url is not None and session.get_credentials() is None:
        local = {"aws_access_key_id": "local", "aws_secret_access_key": "local"}
    return session.client("kinesis", endpoint_url=endpoint_url, region_name=region, **local)


def main(arguments: list[str] | None = None) -> int:
    """Run the command; return its exit code."""
    options = _parse(arguments)
    with exit_on_errors("training.monitoring.collect"):
        client = connect(options.endpoint_url, options.region)
        columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
        with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
            bar = progress.add_task(f"Reading {options.stream}", total=None)
            for done in collect(client, options.stream, options.out, options.since):
                progress.update(bar, description=f"{done.decisions:,} decisions")
        sys.stdout.write(
            f"{options.out}: {done.decisions:,} decisions with {done.rows:,} candidates\n"
        )
        if done.unreadable:
            raise DataError(
                f"{done.unreadable:,} records of stream {options.stream!r} were left out, the "
                f"first because {done.first_reason}"
            )
    return 0


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m training.monitoring.collect",
        description="Write the decision log to Parquet, one row a decision and candidate.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--out", type=Path, required=True, help="directory above the days")
    parser.add_argument("--stream", default="decisions", help="the decision log's stream")
    parser.add_argument(
        "--since", type=moment, default=None, help="first arrival, ISO 8601, UTC; none is oldest"
    )
    parser.add_argument("--endpoint-url", default=None, help="an emulator's address; none is AWS")
    parser.add_argument("--region", default="us-east-1", help="AWS region")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
