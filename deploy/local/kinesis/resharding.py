"""SplitShard, MergeShards and UpdateShardCount: parents are closed and stay readable."""

import time
from typing import Any

from ministack.services import kinesis

from deploy.local.kinesis.answers import RefusedError, Request, Stream, answering, stream_of
from deploy.local.kinesis.shards import Shard, is_open, open_shards, shard_of


@answering
def split(request: Request) -> dict[str, Any]:
    """Answer SplitShard."""
    stream = stream_of(request)
    _split(stream, request.get("ShardToSplit", ""), int(request.get("NewStartingHashKey") or 0))
    return {}


@answering
def merge(request: Request) -> dict[str, Any]:
    """Answer MergeShards."""
    stream = stream_of(request)
    _merge(stream, request.get("ShardToMerge", ""), request.get("AdjacentShardToMerge", ""))
    return {}


@answering
def update_count(request: Request) -> dict[str, Any]:
    """Answer UpdateShardCount, as AWS does it: by splits at the new ranges' starts, and merges."""
    stream = stream_of(request)
    target = int(request.get("TargetShardCount") or 0)
    if target < 1:
        raise RefusedError("ValidationException", "TargetShardCount must be >= 1")
    current = len(open_shards(stream))
    ranges = [(int(start), int(end)) for start, end in kinesis._compute_hash_ranges(target)]
    for start, _ in ranges:
        _split_at(stream, start)
    for start, end in ranges:
        _merge_within(stream, start, end)
    return {
        "StreamName": stream["StreamName"],
        "StreamARN": stream["StreamARN"],
        "CurrentShardCount": current,
        "TargetShardCount": target,
    }


def _split_at(stream: Stream, hash_key: int) -> None:
    """Have a shard begin at a hash key."""
    for name, shard in open_shards(stream):
        if int(shard["starting_hash_key"]) < hash_key <= int(shard["ending_hash_key"]):
            _split(stream, name, hash_key)


def _merge_within(stream: Stream, start: int, end: int) -> None:
    """Have one shard of those inside a range."""
    while True:
        inside = [
            name
            for name, shard in open_shards(stream)
            if start <= int(shard["starting_hash_key"]) <= end
        ]
        if len(inside) == 1:
            return
        _merge(stream, inside[0], inside[1])


def _split(stream: Stream, name: str, hash_key: int) -> None:
    parent = _open(stream, name)
    start, end = int(parent["starting_hash_key"]), int(parent["ending_hash_key"])
    if not start < hash_key <= end:
        raise RefusedError(
            "InvalidArgumentException",
            f"NewStartingHashKey {hash_key} is not inside shard {name}: {start + 1} to {end}",
        )
    _close(stream, parent)
    _add(stream, (start, hash_key - 1), name)
    _add(stream, (hash_key, end), name)


def _merge(stream: Stream, name: str, adjacent: str) -> None:
    first, second = _open(stream, name), _open(stream, adjacent)
    low, high = sorted((first, second), key=lambda shard: int(shard["starting_hash_key"]))
    if int(low["ending_hash_key"]) + 1 != int(high["starting_hash_key"]):
        raise RefusedError(
            "InvalidArgumentException", f"Shards {name} and {adjacent} are not adjacent"
        )
    _close(stream, first)
    _close(stream, second)
    _add(stream, (int(low["starting_hash_key"]), int(high["ending_hash_key"])), name, adjacent)


def _open(stream: Stream, name: str) -> Shard:
    shard = shard_of(stream, name)
    if not is_open(shard):
        raise RefusedError("InvalidArgumentException", f"Shard {name} is closed")
    return shard


def _close(stream: Stream, shard: Shard) -> None:
    shard["ending_sequence_number"] = kinesis._next_sequence_number()
    shard["closed_at"] = time.time()
    stream.pop("routing", None)


def _add(
    stream: Stream, hash_keys: tuple[int, int], parent: str, adjacent: str | None = None
) -> None:
    name = f"shardId-{kinesis._max_shard_index(stream) + 1:012d}"
    stream["shards"][name] = {
        "records": [],
        "starting_hash_key": str(hash_keys[0]),
        "ending_hash_key": str(hash_keys[1]),
        "starting_sequence_number": kinesis._next_sequence_number(),
        "parent_shard_id": parent,
        "adjacent_parent_shard_id": adjacent,
    }
