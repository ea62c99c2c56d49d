"""Reading a stream from one moment to another: all its shards, page by page."""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import takewhile
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from flink_jobs.redrive.errors import RedriveError

ROUND_S = 0.25
"""Kinesis allows five reads a second for each shard, over all its readers."""


@dataclass(frozen=True)
class Span:
    """The arrivals that are read, epoch milliseconds.

    Attributes:
        from_ms: The first; None is the oldest that the stream has.
        until_ms: What arrived then or later is left unread.
    """

    from_ms: int | None
    until_ms: int


@dataclass(frozen=True)
class Record:
    """A record of a shard."""

    sequence_number: str
    arrived_ms: int
    data: bytes


@dataclass(frozen=True)
class Page:
    """Records of one shard, in order, and how far behind its end they are."""

    shard: str
    records: list[Record]
    behind_ms: int


def read(client: Any, stream: str, span: Span, positions: Mapping[str, str]) -> Iterator[Page]:
    """Yield the stream's pages until each shard is at its end or at the span's.

    The shards take turns, so that their limits add up.

    Args:
        client: A boto3 Kinesis client.
        stream: The stream's name.
        span: Which arrivals.
        positions: For a shard that was read before, the sequence number of its last record.

    Raises:
        RedriveError: Kinesis did not answer, or refused.
    """
    try:
        shards = [
            _Shard(client, stream, shard, span, positions.get(shard))
            for shard in _shards(client, stream)
        ]
        while shards:
            began = time.monotonic()
            for shard in shards:
                page = shard.next_page()
                if page is not None:
                    yield page
            shards = [shard for shard in shards if not shard.is_done]
            if shards:
                time.sleep(max(0.0, ROUND_S - (time.monotonic() - began)))
    except (BotoCoreError, ClientError) as error:
        raise RedriveError(
            f"stream {stream!r} cannot be read: {error}; check 'endpoint_url' and 'region' in "
            "group 'streams', the right to read, and that the state file is this stream's"
        ) from error


def _shards(client: Any, stream: str) -> list[str]:
    """Return every shard that still has records, those closed by a split or merge as well."""
    answer = client.list_shards(StreamName=stream)
    found = list(answer["Shards"])
    while "NextToken" in answer:
        answer = client.list_shards(NextToken=answer["NextToken"])
        found += answer["Shards"]
    return [shard["ShardId"] for shard in found]


class _Shard:
    """One shard and how far it was read."""

    def __init__(
        self, client: Any, stream: str, shard: str, span: Span, position: str | None
    ) -> None:
        self._client = client
        self._stream = stream
        self._shard = shard
        self._span = span
        self._position = position
        self._iterator: str | None = self._new_iterator()

    @property
    def is_done(self) -> bool:
        """Whether there is nothing more to read."""
        return self._iterator is None

    def next_page(self) -> Page | None:
        """Return the next page; None when Kinesis asks to come again later."""
        try:
            answer = self._client.get_records(ShardIterator=self._iterator)
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code == "ExpiredIteratorException":  # the page before took minutes to drive
                self._iterator = self._new_iterator()
                return None
            if code == "ProvisionedThroughputExceededException":
                return None
            raise
        found = [_record(record) for record in answer["Records"]]
        # Arrivals are only nearly in order: what comes after the first that is left is left too.
        wanted = list(takewhile(lambda r: r.arrived_ms < self._span.until_ms, found))
        if wanted:
            self._position = wanted[-1].sequence_number
        behind_ms = answer["MillisBehindLatest"]
        at_end = len(wanted) < len(found) or behind_ms == 0
        self._iterator = None if at_end else answer.get("NextShardIterator")
        return Page(self._shard, wanted, 0 if self.is_done else behind_ms)

    def _new_iterator(self) -> str:
        answer: dict[str, str] = self._client.get_shard_iterator(
            StreamName=self._stream, ShardId=self._shard, **self._start()
        )
        return answer["ShardIterator"]

    def _start(self) -> dict[str, Any]:
        if self._position is not None:
            return {
                "ShardIteratorType": "AFTER_SEQUENCE_NUMBER",
                "StartingSequenceNumber": self._position,
            }
        if self._span.from_ms is not None:
            moment = datetime.fromtimestamp(self._span.from_ms / 1000, UTC)
            return {"ShardIteratorType": "AT_TIMESTAMP", "Timestamp": moment}
        return {"ShardIteratorType": "TRIM_HORIZON"}


def _record(record: Mapping[str, Any]) -> Record:
    arrived: datetime = record["ApproximateArrivalTimestamp"]
    return Record(record["SequenceNumber"], round(arrived.timestamp() * 1000), record["Data"])
