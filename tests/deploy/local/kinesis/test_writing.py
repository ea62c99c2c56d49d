"""PutRecord, PutRecords and throttling of the mended emulator, through boto3."""

import json
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from deploy.local.emulator import REGION
from tests.flink_jobs.emulator import Emulator

pytestmark = pytest.mark.integration

SHARD = "shardId-000000000000"


@pytest.fixture
def impatient(emulator: Emulator) -> Any:
    """A client that does not try again by itself."""
    import boto3  # noqa: PLC0415

    client = boto3.client(
        "kinesis",
        endpoint_url=emulator.url,
        region_name=REGION,
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(retries={"total_max_attempts": 1}),
    )
    yield client
    client.close()


def _records(count: int) -> list[dict[str, Any]]:
    return [{"Data": str(i).encode(), "PartitionKey": f"k{i}"} for i in range(count)]


def test_a_key_always_goes_to_the_same_of_several_shards(emulator: Emulator) -> None:
    """Keys are spread over all shards by their hash, and an explicit hash key goes before it."""
    emulator.create("several", 4)
    for _ in range(2):
        emulator.client.put_records(StreamName="several", Records=_records(100))
    explicit = {"Data": b"last", "PartitionKey": "any", "ExplicitHashKey": str(2**128 - 1)}
    emulator.client.put_record(StreamName="several", **explicit)

    shards = emulator.client.list_shards(StreamName="several")["Shards"]
    read = [list(emulator.records("several", shard["ShardId"])) for shard in shards]
    keys = [{r["PartitionKey"] for r in records} - {"any"} for records in read]

    assert all(keys)
    assert sum(len(of_shard) for of_shard in keys) == 100
    assert read[-1][-1]["Data"] == b"last"


def test_what_kinesis_does_not_take_is_refused(emulator: Emulator, stream: str) -> None:
    """Too many records in a call, a record that is too large, and a stream that is not there."""
    put = emulator.client.put_records
    with pytest.raises(ClientError, match="ValidationException"):
        put(StreamName=stream, Records=_records(501))
    with pytest.raises(ClientError, match="ValidationException"):
        put(StreamName=stream, Records=[{"Data": b"x" * (1 << 20) + b"x", "PartitionKey": "k"}])
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        put(StreamName="nowhere", Records=_records(1))
    assert emulator.read(stream) == []


def test_a_throttled_stream_takes_every_other_record(
    emulator: Emulator, stream: str, impatient: Any
) -> None:
    """PutRecords fails in part: what is refused is named in place, what is taken is there."""
    emulator.throttle(stream, ["PutRecords"], 60)

    answer = impatient.put_records(StreamName=stream, Records=_records(5))

    codes = [result.get("ErrorCode") for result in answer["Records"]]
    refused = "ProvisionedThroughputExceededException"
    assert codes == [refused, None, refused, None, refused]
    assert answer["FailedRecordCount"] == 3
    assert emulator.read(stream) == [1, 3]


def test_a_throttled_stream_refuses_to_be_read(
    emulator: Emulator, stream: str, impatient: Any
) -> None:
    """GetRecords raises for as long as was asked; writing and other streams go on."""
    emulator.create(f"{stream}-other")
    token = impatient.get_shard_iterator(
        StreamName=stream, ShardId=SHARD, ShardIteratorType="TRIM_HORIZON"
    )["ShardIterator"]
    emulator.put(stream, [{"provider_id": "p"}])
    emulator.throttle(stream, ["GetRecords"], 60)

    with pytest.raises(ClientError, match="ProvisionedThroughputExceededException"):
        impatient.get_records(ShardIterator=token)
    assert emulator.read(f"{stream}-other") == []

    emulator.throttle(stream, ["GetRecords"], 0)
    [record] = impatient.get_records(ShardIterator=token)["Records"]
    assert json.loads(record["Data"]) == {"provider_id": "p"}


def test_a_producer_that_tries_again_gets_through_a_throttled_stream(
    emulator: Emulator, stream: str
) -> None:
    """Every record is on the stream once, though some were refused at first."""
    emulator.throttle(stream, ["PutRecords"], 1)
    emulator.put(stream, [{"provider_id": str(i)} for i in range(1000)])

    read = [event["provider_id"] for event in emulator.read(stream)]

    assert sorted(read, key=int) == [str(i) for i in range(1000)]
