"""Putting dead letters, and finding the streams."""

from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from flink_jobs import kinesis
from flink_jobs.settings import Streams


class Throttling:
    """A client that refuses the first record of each of the first calls."""

    def __init__(self, refusals: int) -> None:
        self.refusals = refusals
        self.taken: list[bytes] = []
        self.sizes: list[int] = []

    def put_records(self, *, StreamName: str, Records: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803, ARG002
        """Take all records, but for the first while refusals are left."""
        self.sizes.append(len(Records))
        refuse = self.refusals > 0
        self.refusals -= refuse
        results = [{"ErrorCode": "ProvisionedThroughputExceededException"} if refuse else {}]
        self.taken += [record["Data"] for record in Records[refuse:]]
        return {"Records": results + [{} for _ in Records[1:]]}

    def describe_stream_summary(self, *, StreamName: str) -> dict[str, Any]:  # noqa: N803
        """Know one stream, and be away for another."""
        if StreamName == "away":
            raise EndpointConnectionError(endpoint_url="http://127.0.0.1:1")
        if StreamName != "there":
            raise ClientError({"Error": {"Code": "ResourceNotFoundException"}}, "Describe")
        return {"StreamDescriptionSummary": {"StreamARN": "arn:there"}}


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kinesis, "FIRST_PAUSE_S", 0.0)


def test_a_record_that_was_throttled_is_put_again() -> None:
    """Kinesis may refuse some records of a call; each is put in the end, once."""
    client = Throttling(refusals=3)

    kinesis.put_all(client, "dead-letter", [("k", str(i).encode()) for i in range(4)])

    assert sorted(client.taken) == [b"0", b"1", b"2", b"3"]


def test_records_go_in_calls_of_at_most_five_hundred() -> None:
    """A call holds as many records as Kinesis takes, and no more."""
    client = Throttling(refusals=0)

    kinesis.put_all(client, "dead-letter", [("k", b"x")] * 1001)

    assert client.sizes == [500, 500, 1]


def test_a_stream_that_never_takes_a_record_fails_the_job() -> None:
    """A dead letter that cannot be put is an error, so that Flink tries again; it is not lost."""
    with pytest.raises(RuntimeError, match="'dead-letter' refuses 1 records"):
        kinesis.put_all(Throttling(refusals=1000), "dead-letter", [("k", b"x")])


def test_streams_that_are_missing_are_all_named_with_the_command() -> None:
    """One error names every missing stream and creates them all."""
    streams = Streams(endpoint_url="http://127.0.0.1:4599")

    with pytest.raises(kinesis.StreamMissingError) as error:
        kinesis.find_arns(Throttling(0), ["there", "one", "two"], streams)

    assert "'one', 'two'" in str(error.value)
    assert (
        "aws kinesis create-stream --stream-name two --shard-count 1 --region us-east-1 "
        "--endpoint-url http://127.0.0.1:4599" in str(error.value)
    )


def test_a_kinesis_that_is_away_is_told_from_a_missing_stream() -> None:
    """No connection says so, and names the settings to check."""
    with pytest.raises(kinesis.StreamUnreachableError, match="endpoint_url"):
        kinesis.find_arns(Throttling(0), ["away"], Streams())
