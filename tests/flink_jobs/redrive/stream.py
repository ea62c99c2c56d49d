"""A stream in memory, as boto3's client shows it."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

Stored = tuple[int, bytes]
"""Arrival, epoch ms, and data."""


class FakeStream:
    """Shards of records; sequence numbers are places in the shard, and iterators name both."""

    def __init__(self, shards: dict[str, Sequence[Stored]], page: int = 2) -> None:
        self.shards = shards
        self.page = page
        self.refusals: list[str] = []
        """Error codes of the next reads."""
        self.starts: list[dict[str, Any]] = []

    def list_shards(self, **asked: str) -> dict[str, Any]:
        """Give one shard a call, so that pages are followed."""
        names = list(self.shards)
        at = int(asked.get("NextToken", 0))
        answer: dict[str, Any] = {"Shards": [{"ShardId": names[at]}]}
        if at + 1 < len(names):
            answer["NextToken"] = str(at + 1)
        return answer

    def get_shard_iterator(self, **asked: Any) -> dict[str, Any]:
        """Start where it is asked."""
        self.starts.append(asked)
        shard, at = asked["ShardId"], 0
        if asked["ShardIteratorType"] == "AFTER_SEQUENCE_NUMBER":
            at = int(asked["StartingSequenceNumber"]) + 1
        elif asked["ShardIteratorType"] == "AT_TIMESTAMP":
            from_ms = asked["Timestamp"].timestamp() * 1000
            at = sum(arrived < from_ms for arrived, _ in self.shards[shard])
        return {"ShardIterator": f"{shard}@{at}"}

    def get_records(self, *, ShardIterator: str) -> dict[str, Any]:  # noqa: N803
        """Give a page, or refuse."""
        if self.refusals:
            raise ClientError({"Error": {"Code": self.refusals.pop(0)}}, "GetRecords")
        shard, at = ShardIterator.split("@")
        start = int(at)
        stored = self.shards[shard]
        end = min(start + self.page, len(stored))
        records = [
            {
                "SequenceNumber": str(i),
                "ApproximateArrivalTimestamp": datetime.fromtimestamp(stored[i][0] / 1000, UTC),
                "Data": stored[i][1],
            }
            for i in range(start, end)
        ]
        behind = 1000 * (len(stored) - end)
        answer = {"Records": records, "MillisBehindLatest": behind}
        return answer | {"NextShardIterator": f"{shard}@{end}"}
