"""PutRecord and PutRecords."""

import time
from hashlib import md5
from typing import Any

from ministack.services import kinesis

from deploy.local.kinesis import throttle
from deploy.local.kinesis.answers import RefusedError, Request, Stream, answering, stream_of
from deploy.local.kinesis.retention import expire
from deploy.local.kinesis.shards import Record, route

MAX_RECORDS = 500
MAX_RECORD_BYTES = 1 << 20
MAX_REQUEST_BYTES = 5 << 20
MAX_KEY_LENGTH = 256


@answering
def put_record(request: Request) -> dict[str, Any]:
    """Answer PutRecord."""
    stream = stream_of(request)
    throttle.check(stream, "PutRecord")
    _check([request])
    expire(stream)
    return _append(stream, request, _now_s())


@answering
def put_records(request: Request) -> dict[str, Any]:
    """Answer PutRecords; a throttled stream takes every other record."""
    stream = stream_of(request)
    records = request.get("Records", [])
    _check(records)
    expire(stream)
    now_s = _now_s()
    # From the first on, so that a single record is refused.
    refused = range(0, len(records), 2) if throttle.is_throttled(stream, "PutRecords") else range(0)
    refusal = {"ErrorCode": throttle.CODE, "ErrorMessage": throttle.MESSAGE}
    return {
        "FailedRecordCount": len(refused),
        "Records": [
            refusal if index in refused else _append(stream, record, now_s)
            for index, record in enumerate(records)
        ],
    }


def _now_s() -> float:
    return round(time.time(), 3)


def _append(stream: Stream, record: dict[str, Any], now_s: float) -> dict[str, str]:
    key = record["PartitionKey"]
    explicit = record.get("ExplicitHashKey")
    hash_key = int(explicit) if explicit else int.from_bytes(md5(key.encode()).digest())  # noqa: S324 - Kinesis's own
    name = route(hash_key, stream)
    number: str = kinesis._next_sequence_number()
    stream["shards"][name]["records"].append(Record(number, now_s, record["Data"], key))
    return {"ShardId": name, "SequenceNumber": number}


def _check(records: list[dict[str, Any]]) -> None:
    if len(records) > MAX_RECORDS:
        raise _invalid("records", f"length less than or equal to {MAX_RECORDS}")
    total = 0
    for record in records:
        key, size = record.get("PartitionKey", ""), decoded_bytes(record.get("Data", ""))
        if not 1 <= len(key) <= MAX_KEY_LENGTH:
            raise _invalid("partitionKey", f"length of 1 to {MAX_KEY_LENGTH}")
        if size > MAX_RECORD_BYTES:
            raise _invalid("data", f"length less than or equal to {MAX_RECORD_BYTES}")
        total += size + len(key.encode())
    if total > MAX_REQUEST_BYTES:
        raise RefusedError("InvalidArgumentException", "Records size exceeds 5 MB limit")


def decoded_bytes(base64_text: str) -> int:
    """Return how many bytes a base64 text holds; decoding each would cost more than the rest."""
    return len(base64_text) * 3 // 4 - base64_text.count("=", -2)


def _invalid(member: str, constraint: str) -> RefusedError:
    return RefusedError(
        "ValidationException",
        f"1 validation error detected: Value at '{member}' failed to satisfy constraint: "
        f"Member must have {constraint}",
    )
