"""Putting events on Kinesis, against a client that answers as Kinesis does."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from flink_jobs.event_schemas import GpsEvent, TrafficEvent
from simulator import kinesis
from simulator.kinesis import Publisher, StreamError


class FakeKinesis:
    """Takes records; refuses the first ``refusals`` of them once each."""

    def __init__(self, refusals: int = 0, missing: str = "") -> None:
        self.calls: list[tuple[str, list[dict[str, Any]]]] = []
        self.taken: list[dict[str, Any]] = []
        self._refusals = refusals
        self._missing = missing

    def describe_stream_summary(self, StreamName: str) -> dict[str, Any]:  # noqa: N803
        """Answer, or say that the stream is not there."""
        if StreamName == self._missing:
            error = {"Error": {"Code": "ResourceNotFoundException", "Message": "no"}}
            raise ClientError(error, "DescribeStreamSummary")
        return {}

    def put_records(self, StreamName: str, Records: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803
        """Take records, but refuse some."""
        self.calls.append((StreamName, Records))
        refused, self._refusals = min(self._refusals, len(Records)), 0
        self.taken += Records[refused:]
        results = [{"ErrorCode": "ProvisionedThroughputExceededException"}] * refused
        results += [{}] * (len(Records) - refused)
        return {"FailedRecordCount": refused, "Records": results}


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kinesis.time, "sleep", lambda _seconds: None)


def _fixes(count: int) -> list[GpsEvent]:
    return [GpsEvent(f"p{i}", i, 1.0, 2.0, 3.0, 4.0, 5.0) for i in range(count)]


def test_batches_are_no_larger_than_kinesis_takes() -> None:
    """1,200 events go in three calls, all there, keyed by provider."""
    client = FakeKinesis()
    Publisher(client).publish(_fixes(1200))
    assert [len(records) for _, records in client.calls] == [500, 500, 200]
    assert [r["PartitionKey"] for r in client.taken] == [f"p{i}" for i in range(1200)]


def test_only_refused_records_are_sent_again() -> None:
    """Records that were refused are put again, those taken are not doubled."""
    client = FakeKinesis(refusals=3)
    Publisher(client).publish(_fixes(10))
    assert [len(records) for _, records in client.calls] == [10, 3]
    assert sorted(r["PartitionKey"] for r in client.taken) == sorted(f"p{i}" for i in range(10))


def test_events_go_to_their_streams() -> None:
    """Each kind of event goes to its own stream with its own key."""
    client = FakeKinesis()
    Publisher(client).publish([*_fixes(1), TrafficEvent("c1", 1, 0.5, 0, 0)])
    keys = {stream: records[0]["PartitionKey"] for stream, records in client.calls}
    assert keys == {"provider-gps": "p0", "traffic": "c1"}


def test_a_missing_stream_is_named() -> None:
    """A stream that isn't there is told by name before anything is played."""
    with pytest.raises(StreamError, match="stream 'weather' isn't there"):
        Publisher(FakeKinesis(missing="weather")).check()


def test_a_stream_that_never_takes_records_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """Records refused through every try end in an error, not in silence."""
    client = FakeKinesis()
    answer = {"FailedRecordCount": 1, "Records": [{"ErrorCode": "Throttled"}]}
    monkeypatch.setattr(client, "put_records", lambda **_: answer)
    with pytest.raises(StreamError, match=r"refused 1 records 6 times \(Throttled\)"):
        Publisher(client).publish(_fixes(1))
