"""GetShardIterator and GetRecords."""

import base64
import time
from bisect import bisect_left, bisect_right
from itertools import accumulate
from operator import attrgetter
from typing import Any

import msgspec

from deploy.local.kinesis import throttle
from deploy.local.kinesis.answers import RefusedError, Request, Stream, answering, stream_of
from deploy.local.kinesis.retention import arrival, expire
from deploy.local.kinesis.shards import (
    Record,
    Shard,
    children,
    dropped,
    end_position,
    is_open,
    shard_of,
)
from deploy.local.kinesis.writing import decoded_bytes

MAX_RECORDS = 10_000
MAX_BYTES = 10 << 20
ITERATOR_LIVES_S = 300

_sequence = attrgetter("SequenceNumber")


class Iterator(msgspec.Struct, frozen=True, array_like=True):
    """What a shard iterator says; it travels with the client, so nothing is kept here."""

    stream: str
    shard: str
    position: int
    issued_s: float

    def encode(self) -> str:
        """Return the iterator as clients pass it."""
        return base64.b64encode(msgspec.json.encode(self)).decode()


@answering
def get_shard_iterator(request: Request) -> dict[str, Any]:
    """Answer GetShardIterator."""
    stream = stream_of(request)
    name = request.get("ShardId", "")
    shard = shard_of(stream, name)
    expire(stream)
    position = _start(shard, request)
    return {"ShardIterator": _iterator(stream, name, position)}


def _start(shard: Shard, request: Request) -> int:
    kind, records = request.get("ShardIteratorType"), shard["records"]
    if kind == "LATEST":
        return end_position(shard)
    number = request.get("StartingSequenceNumber", "")
    if kind == "TRIM_HORIZON":
        index = 0
    elif kind == "AT_SEQUENCE_NUMBER":
        index = bisect_left(records, number, key=_sequence)
    elif kind == "AFTER_SEQUENCE_NUMBER":
        index = bisect_right(records, number, key=_sequence)
    elif kind == "AT_TIMESTAMP":
        index = bisect_left(records, float(request["Timestamp"]), key=arrival)
    else:
        raise RefusedError("InvalidArgumentException", f"Invalid ShardIteratorType: {kind}")
    return dropped(shard) + index


def _iterator(stream: Stream, shard: str, position: int) -> str:
    return Iterator(stream["StreamName"], shard, position, time.time()).encode()


@answering
def get_records(request: Request) -> dict[str, Any]:
    """Answer GetRecords; at the end of a closed shard there is no next iterator."""
    asked = _decode(request.get("ShardIterator", ""))
    stream = stream_of({"StreamName": asked.stream})
    throttle.check(stream, "GetRecords")
    expire(stream)
    shard = shard_of(stream, asked.shard)
    start = max(asked.position - dropped(shard), 0)
    records = _bounded(shard["records"], start, min(request.get("Limit", MAX_RECORDS), MAX_RECORDS))
    end = start + len(records)
    answer = {"Records": records, "MillisBehindLatest": _behind_ms(shard["records"], end)}
    if is_open(shard) or end < len(shard["records"]):
        return {
            **answer,
            "NextShardIterator": _iterator(stream, asked.shard, dropped(shard) + end),
        }
    return {**answer, "NextShardIterator": None, "ChildShards": children(stream, asked.shard)}


def _decode(text: str) -> Iterator:
    try:
        asked = msgspec.json.decode(base64.b64decode(text, validate=True), type=Iterator)
    except (ValueError, msgspec.DecodeError) as error:
        raise RefusedError("InvalidArgumentException", "Invalid ShardIterator") from error
    if time.time() - asked.issued_s > ITERATOR_LIVES_S:
        raise RefusedError("ExpiredIteratorException", "Iterator expired")
    return asked


def _bounded(records: list[Record], start: int, limit: int) -> list[Record]:
    """Return the records from ``start`` on that fit into one answer, at least one."""
    page = records[start : start + limit]
    sizes = list(accumulate(decoded_bytes(record.Data) for record in page))
    return page[: max(bisect_right(sizes, MAX_BYTES), 1)]


def _behind_ms(records: list[Record], position: int) -> int:
    if position >= len(records):
        return 0
    arrived_s = records[position].ApproximateArrivalTimestamp
    return max(0, round((time.time() - arrived_s) * 1000))
