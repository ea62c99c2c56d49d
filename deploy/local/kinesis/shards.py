"""Shards in ministack's form, and what it does not know: that a shard can be closed.

A shard is a dict. Two keys are ours: ``ending_sequence_number`` of a closed one, and ``dropped``,
how many of its records have expired: a position counts from the shard's first record ever.
"""

from bisect import bisect_right
from typing import Any

import msgspec
from ministack.services import kinesis

from deploy.local.kinesis.answers import RefusedError, Request, Stream, answering, stream_of

Shard = dict[str, Any]


class Record(msgspec.Struct, frozen=True, gc=False):
    """A record as GetRecords gives it.

    Attributes:
        SequenceNumber: Digits of fixed width, so that order of text is order of writing.
        ApproximateArrivalTimestamp: Epoch seconds, to the millisecond.
        Data: Base64.
        PartitionKey: The producer's.
    """

    SequenceNumber: str
    ApproximateArrivalTimestamp: float
    Data: str
    PartitionKey: str


def shard_of(stream: Stream, shard_id: str | None) -> Shard:
    """Return a shard, open or closed.

    Raises:
        RefusedError: There is none of that name.
    """
    shard: Shard | None = stream["shards"].get(shard_id)
    if shard is None:
        raise RefusedError("ResourceNotFoundException", f"Shard {shard_id} not found")
    return shard


def is_open(shard: Shard) -> bool:
    """Return whether a shard takes records."""
    return "ending_sequence_number" not in shard


def open_shards(stream: Stream) -> list[tuple[str, Shard]]:
    """Return the open shards with their names, in order of their hash keys."""
    found = [(name, shard) for name, shard in stream["shards"].items() if is_open(shard)]
    return sorted(found, key=lambda item: int(item[1]["starting_hash_key"]))


def route(hash_key: int, stream: Stream) -> str:
    """Return the name of the open shard that takes a hash key."""
    if "routing" not in stream:
        found = open_shards(stream)
        starts = [int(shard["starting_hash_key"]) for _, shard in found]
        stream["routing"] = (starts, [name for name, _ in found])
    starts, names = stream["routing"]
    name: str = names[bisect_right(starts, hash_key) - 1]
    return name


def dropped(shard: Shard) -> int:
    """Return how many of a shard's records have expired."""
    count: int = shard.get("dropped", 0)
    return count


def end_position(shard: Shard) -> int:
    """Return the position after a shard's newest record."""
    return dropped(shard) + len(shard["records"])


def describe(name: str, shard: Shard) -> dict[str, Any]:
    """Return a shard as ListShards and DescribeStream show it."""
    numbers = {"StartingSequenceNumber": shard["starting_sequence_number"]}
    if not is_open(shard):
        numbers["EndingSequenceNumber"] = shard["ending_sequence_number"]
    parents = {
        "ParentShardId": shard["parent_shard_id"],
        "AdjacentParentShardId": shard["adjacent_parent_shard_id"],
    }
    return {
        "ShardId": name,
        "HashKeyRange": hash_key_range(shard),
        "SequenceNumberRange": numbers,
        **{key: parent for key, parent in parents.items() if parent},
    }


def hash_key_range(shard: Shard) -> dict[str, str]:
    """Return a shard's range as the answers show it."""
    return {
        "StartingHashKey": shard["starting_hash_key"],
        "EndingHashKey": shard["ending_hash_key"],
    }


def children(stream: Stream, parent: str) -> list[dict[str, Any]]:
    """Return the shards that follow a closed one, as GetRecords names them at its end."""
    found = []
    for name, shard in stream["shards"].items():
        parents = [shard["parent_shard_id"], shard["adjacent_parent_shard_id"]]
        if parent in parents:
            known = [p for p in parents if p]
            found.append(
                {"ShardId": name, "ParentShards": known, "HashKeyRange": hash_key_range(shard)}
            )
    return found


@answering
def summarise(request: Request) -> dict[str, Any]:
    """Answer DescribeStreamSummary."""
    stream = stream_of(request)
    consumers = [c for c in kinesis._consumers.values() if c["StreamARN"] == stream["StreamARN"]]
    return {
        "StreamDescriptionSummary": {
            "StreamName": stream["StreamName"],
            "StreamARN": stream["StreamARN"],
            "StreamStatus": stream["StreamStatus"],
            "StreamModeDetails": stream["StreamModeDetails"],
            "RetentionPeriodHours": stream["RetentionPeriodHours"],
            "StreamCreationTimestamp": stream["CreationTimestamp"],
            "EnhancedMonitoring": [{"ShardLevelMetrics": []}],
            "EncryptionType": stream["EncryptionType"],
            "OpenShardCount": len(open_shards(stream)),
            "ConsumerCount": len(consumers),
        }
    }
