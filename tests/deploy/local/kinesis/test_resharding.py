"""SplitShard, MergeShards and UpdateShardCount of the mended emulator, through boto3."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.flink_jobs.emulator import Emulator

pytestmark = pytest.mark.integration


def _put(emulator: Emulator, stream: str, prefix: str) -> set[str]:
    names = {f"{prefix}{i}" for i in range(50)}
    emulator.put(stream, [{"provider_id": name} for name in names])
    return names


def _names(emulator: Emulator, stream: str, shard: str) -> set[str]:
    return {record["PartitionKey"] for record in emulator.records(stream, shard)}


def _by_name(emulator: Emulator, stream: str) -> dict[str, dict[str, Any]]:
    return {s["ShardId"]: s for s in emulator.client.list_shards(StreamName=stream)["Shards"]}


def test_a_split_shard_stays_readable_and_takes_no_more(emulator: Emulator, stream: str) -> None:
    """Its records are there with their end; what comes later is on its two children."""
    before = _put(emulator, stream, "before")
    emulator.split(stream)
    after = _put(emulator, stream, "after")

    parent, *children = shards = _by_name(emulator, stream)

    assert _names(emulator, stream, parent) == before
    assert set.union(*(_names(emulator, stream, child) for child in children)) == after
    assert all(_names(emulator, stream, child) for child in children)
    assert [shards[child]["ParentShardId"] for child in children] == [parent, parent]
    numbers = shards[parent]["SequenceNumberRange"]
    newest = max(r["SequenceNumber"] for r in emulator.records(stream, parent))
    assert numbers["EndingSequenceNumber"] >= newest
    summary = emulator.client.describe_stream_summary(StreamName=stream)
    assert summary["StreamDescriptionSummary"]["OpenShardCount"] == 2
    described = emulator.client.describe_stream(StreamName=stream)["StreamDescription"]["Shards"]
    assert described == list(shards.values())


def test_at_a_closed_shards_end_there_is_no_next_iterator(emulator: Emulator, stream: str) -> None:
    """A reader learns that the shard has ended, and which shards follow; not before its end."""
    _put(emulator, stream, "p")
    emulator.split(stream)
    parent, *children = _by_name(emulator, stream)
    token = emulator.client.get_shard_iterator(
        StreamName=stream, ShardId=parent, ShardIteratorType="TRIM_HORIZON"
    )["ShardIterator"]

    middle = emulator.client.get_records(ShardIterator=token, Limit=49)
    end = emulator.client.get_records(ShardIterator=middle["NextShardIterator"])

    assert len(end["Records"]) == 1
    assert end.get("NextShardIterator") is None
    assert [child["ShardId"] for child in end["ChildShards"]] == children
    assert "ChildShards" not in middle


def test_merged_shards_stay_readable(emulator: Emulator) -> None:
    """Both parents keep their records; the child names both and takes what comes later."""
    emulator.create("merged", 2)
    before = _put(emulator, "merged", "before")
    emulator.merge("merged")
    after = _put(emulator, "merged", "after")

    first, second, child = shards = _by_name(emulator, "merged")

    assert _names(emulator, "merged", first) | _names(emulator, "merged", second) == before
    assert _names(emulator, "merged", child) == after
    parents = (shards[child]["ParentShardId"], shards[child]["AdjacentParentShardId"])
    assert parents == (first, second)


@pytest.mark.parametrize(("current", "target"), [(1, 4), (4, 2), (2, 3)])
def test_an_updated_count_keeps_every_record(emulator: Emulator, current: int, target: int) -> None:
    """As many shards of equal ranges take records, and what was there before is still there."""
    stream = f"from-{current}-to-{target}"
    emulator.create(stream, current)
    before = _put(emulator, stream, "before")
    emulator.client.update_shard_count(
        StreamName=stream, TargetShardCount=target, ScalingType="UNIFORM_SCALING"
    )
    after = _put(emulator, stream, "after")

    opened = emulator.open_shards(stream)

    ranges = [
        (int(s["HashKeyRange"]["StartingHashKey"]), int(s["HashKeyRange"]["EndingHashKey"]))
        for s in opened
    ]
    widths = [end - start for start, end in ranges]
    assert len(opened) == target
    assert max(widths) - min(widths) <= target
    assert [start for start, _ in ranges] == [0, *(end + 1 for _, end in ranges[:-1])]
    assert {e["provider_id"] for e in emulator.read(stream)} == before | after
    assert set.union(*(_names(emulator, stream, s["ShardId"]) for s in opened)) == after


def test_a_closed_shard_is_not_resharded(emulator: Emulator, stream: str) -> None:
    """A second split of the same shard is refused, and so is one outside its range."""
    [shard] = emulator.open_shards(stream)
    split = emulator.client.split_shard
    outside = {"StreamName": stream, "ShardToSplit": shard["ShardId"], "NewStartingHashKey": "0"}
    with pytest.raises(ClientError, match="is not inside shard"):
        split(**outside)
    emulator.split(stream)
    with pytest.raises(ClientError, match="is closed"):
        split(**{**outside, "NewStartingHashKey": "9"})
