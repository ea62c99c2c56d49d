"""GetShardIterator and GetRecords of the mended emulator, through boto3."""

import time
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.flink_jobs.emulator import Emulator

pytestmark = pytest.mark.integration

SHARD = "shardId-000000000000"


def _put(emulator: Emulator, stream: str, *texts: str) -> list[str]:
    """Put records of one shard; return their sequence numbers."""
    records = [{"Data": text.encode(), "PartitionKey": "k"} for text in texts]
    answer = emulator.client.put_records(StreamName=stream, Records=records)
    return [result["SequenceNumber"] for result in answer["Records"]]


def _read(emulator: Emulator, stream: str, **position: Any) -> list[str]:
    token = emulator.client.get_shard_iterator(StreamName=stream, ShardId=SHARD, **position)
    answer = emulator.client.get_records(ShardIterator=token["ShardIterator"])
    return [record["Data"].decode() for record in answer["Records"]]


def test_records_come_back_as_they_were_put(emulator: Emulator, stream: str) -> None:
    """Data, key, order and sequence numbers of what was put are those of what is read."""
    numbers = _put(emulator, stream, "one", 'two "quoted" \u00fc', "three")

    records = list(emulator.records(stream, SHARD))

    assert [r["Data"].decode() for r in records] == ["one", 'two "quoted" \u00fc', "three"]
    assert [r["SequenceNumber"] for r in records] == numbers == sorted(numbers)
    assert {r["PartitionKey"] for r in records} == {"k"}


def test_an_arrival_is_known_to_the_millisecond(emulator: Emulator, stream: str) -> None:
    """ApproximateArrivalTimestamp lies between the times before and after the call."""
    before_ms = time.time_ns() // 1_000_000
    _put(emulator, stream, "x")
    after_ms = time.time_ns() // 1_000_000

    [record] = emulator.records(stream, SHARD)

    arrived: datetime = record["ApproximateArrivalTimestamp"]
    assert before_ms <= round(arrived.timestamp() * 1000) <= after_ms + 1


def test_each_kind_of_iterator_begins_where_it_says(emulator: Emulator, stream: str) -> None:
    """From the oldest, the newest, at and after a number, and at a time."""
    first = _put(emulator, stream, "a", "b")
    time.sleep(0.01)
    between = datetime.now(UTC)
    time.sleep(0.01)
    _put(emulator, stream, "c")

    def read(kind: str, **more: Any) -> list[str]:
        return _read(emulator, stream, ShardIteratorType=kind, **more)

    assert read("TRIM_HORIZON") == ["a", "b", "c"]
    assert read("LATEST") == []
    assert read("AT_SEQUENCE_NUMBER", StartingSequenceNumber=first[1]) == ["b", "c"]
    assert read("AFTER_SEQUENCE_NUMBER", StartingSequenceNumber=first[1]) == ["c"]
    assert read("AT_TIMESTAMP", Timestamp=between) == ["c"]


def test_an_iterator_goes_on_where_the_last_call_ended(emulator: Emulator, stream: str) -> None:
    """Pages of two follow one another without a gap, and a new record comes after the end."""
    _put(emulator, stream, "a", "b", "c")
    client = emulator.client
    token = client.get_shard_iterator(
        StreamName=stream, ShardId=SHARD, ShardIteratorType="TRIM_HORIZON"
    )["ShardIterator"]
    pages = []
    for _ in range(3):
        answer = client.get_records(ShardIterator=token, Limit=2)
        pages.append([record["Data"].decode() for record in answer["Records"]])
        token = answer["NextShardIterator"]
    _put(emulator, stream, "d")

    assert pages == [["a", "b"], ["c"], []]
    assert client.get_records(ShardIterator=token)["Records"][0]["Data"] == b"d"


def test_an_answer_holds_at_most_ten_megabytes(emulator: Emulator, stream: str) -> None:
    """Fifteen records of a megabyte need two answers, and the first says how far it is behind."""
    for _ in range(15):
        emulator.client.put_record(StreamName=stream, Data=b"x" * (1 << 20), PartitionKey="k")
    token = emulator.client.get_shard_iterator(
        StreamName=stream, ShardId=SHARD, ShardIteratorType="TRIM_HORIZON"
    )["ShardIterator"]

    first = emulator.client.get_records(ShardIterator=token)
    second = emulator.client.get_records(ShardIterator=first["NextShardIterator"])

    assert (len(first["Records"]), len(second["Records"])) == (10, 5)
    assert first["MillisBehindLatest"] > 0 == second["MillisBehindLatest"]


def test_an_iterator_that_is_none_is_refused(emulator: Emulator, stream: str) -> None:
    """A text that is no iterator is an InvalidArgumentException, not an empty answer."""
    with pytest.raises(ClientError, match="InvalidArgumentException"):
        emulator.client.get_records(ShardIterator=f"not-an-iterator-of-{stream}")
