"""What expires; AWS's least retention is a day, so the clock is moved, not the API called."""

import time
from typing import Any

import pytest

from deploy.local.kinesis import retention
from deploy.local.kinesis.reading import _start
from deploy.local.kinesis.shards import Record, end_position

HOUR_S = 3600.0


@pytest.fixture
def stream() -> dict[str, Any]:
    """A stream of a day, with a shard of 100 records, one each half hour, the last one now."""
    now_s = time.time()
    records = [Record(f"{i:030d}", now_s - (99 - i) * HOUR_S / 2, "", "k") for i in range(100)]
    return {"RetentionPeriodHours": 24, "shards": {"a": {"records": records}}}


def test_only_records_past_their_retention_are_dropped(stream: dict[str, Any]) -> None:
    """The last day's records stay, in order, and positions count on from the first ever."""
    retention.expire(stream)

    shard = stream["shards"]["a"]
    assert [int(r.SequenceNumber) for r in shard["records"]] == list(range(52, 100))
    assert _start(shard, {"ShardIteratorType": "TRIM_HORIZON"}) == 52
    assert end_position(shard) == 100


def test_a_stream_is_not_swept_again_at_once(stream: dict[str, Any]) -> None:
    """Between two sweeps requests cost nothing for what is retained."""
    retention.expire(stream)
    stream["RetentionPeriodHours"] = 1
    retention.expire(stream)
    assert len(stream["shards"]["a"]["records"]) == 48


def test_a_closed_shard_goes_when_its_last_record_could_have_expired(
    stream: dict[str, Any],
) -> None:
    """A shard closed more than a retention ago is listed no more; one closed later is."""
    now_s = time.time()
    for name, age_h in (("old", 25), ("young", 23)):
        closed = {"ending_sequence_number": "9", "closed_at": now_s - age_h * HOUR_S}
        stream["shards"][name] = {"records": [], **closed}
    retention.expire(stream)
    assert list(stream["shards"]) == ["a", "young"]
