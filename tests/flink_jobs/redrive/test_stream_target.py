"""Letters back on their streams."""

import time
from typing import Any

import pytest
from botocore.exceptions import ClientError

from flink_jobs import kinesis
from flink_jobs.redrive.errors import RedriveError
from flink_jobs.redrive.stream_target import StreamTarget
from flink_jobs.settings import EventTime, FeatureStore, Jobs, Settings, Streams
from tests.flink_jobs.events import CELL, NOW_MS, gps, state, step, traffic, weather
from tests.flink_jobs.letters import letter

OF_STATE = {"source": "provider-availability"}
"""A stream whose events count however late they come."""
SETTINGS = Settings(Jobs(), Streams(), EventTime(), FeatureStore())


class Keeping:
    """A client that keeps what is put."""

    def __init__(self) -> None:
        self.put: list[tuple[str, str, bytes]] = []
        self.error: Exception | None = None

    def describe_stream_summary(self, *, StreamName: str) -> dict[str, Any]:  # noqa: N803
        """Know every stream but one."""
        if StreamName == "traffic":
            raise ClientError({"Error": {"Code": "ResourceNotFoundException"}}, "Describe")
        return {"StreamDescriptionSummary": {"StreamARN": "arn"}}

    def put_records(self, *, StreamName: str, Records: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803
        """Keep the records."""
        if self.error is not None:
            raise self.error
        self.put += [(StreamName, record["PartitionKey"], record["Data"]) for record in Records]
        return {"Records": [{} for _ in Records]}


def _target(
    client: Any = None, *, now_ms: int = NOW_MS, force: bool = False, rate: float = 1e9
) -> StreamTarget:
    return StreamTarget(client or Keeping(), SETTINGS, rate, force=force, now_ms=lambda: now_ms)


@pytest.mark.parametrize(
    ("source", "event", "key"),
    [
        ("provider-gps", gps("p7", NOW_MS), "p7"),
        ("provider-availability", state("p8", NOW_MS), "p8"),
        ("weather", weather(NOW_MS), CELL),
        ("dispatch-events", step("e9", NOW_MS, "offer"), "e9"),
        ("provider-gps", "{broken", "redriven/206a5678"),
        ("provider-gps", "[]", "redriven/"),
        ("provider-gps", {"provider_id": ""}, "redriven/"),
        ("provider-gps", {"provider_id": 7}, "redriven/"),
        ("provider-gps", {"provider_id": "p" * 257}, "redriven/"),
    ],
)
def test_a_record_goes_back_as_its_producer_put_it(source: str, event: Any, key: str) -> None:
    """It is on its own stream, byte for byte, with its own key, or one of its text's digest."""
    client, one = Keeping(), letter(event, source=source)

    _target(client).put([one])

    ((stream, found, data),) = client.put
    assert (stream, data) == (source, one.raw.encode())
    assert found.startswith(key)


def test_each_stream_gets_its_own_letters_in_order() -> None:
    """Letters of several streams in one step are told apart, and keep their order."""
    client = Keeping()
    letters = [
        letter(gps("p1", NOW_MS)),
        letter(weather(NOW_MS), source="weather"),
        letter(gps("p2", NOW_MS)),
    ]

    _target(client).put(letters)

    assert [(s, k) for s, k, _ in client.put] == [
        ("provider-gps", "p1"),
        ("provider-gps", "p2"),
        ("weather", CELL),
    ]


@pytest.mark.parametrize(
    ("event", "more", "objection"),
    [
        (state("p1", NOW_MS - 600_000), OF_STATE, None),
        (state("p1", NOW_MS - 600_001), OF_STATE, "too old by now"),
        (gps("p1", NOW_MS - 120_000), {}, None),
        (gps("p1", NOW_MS - 120_001), {}, "windows that would count them are closed"),
        (weather(NOW_MS - 300_000), {"source": "weather"}, None),
        (weather(NOW_MS - 300_001), {"source": "weather"}, "windows that would count them"),
        (gps("p1", NOW_MS + 30_000), {"code": "in_future"}, None),
        (gps("p1", NOW_MS + 30_001), {"code": "in_future"}, "still in the future"),
        ("{broken", OF_STATE | {"received_ts": NOW_MS - 600_000}, None),
        ("{broken", OF_STATE | {"received_ts": NOW_MS - 600_001}, "too old by now"),
        ({"ts": "soon"}, {"received_ts": NOW_MS - 600_001}, "too old by now"),
        ({"ts": True}, {"received_ts": NOW_MS}, None),
        ({"ts": 0}, {"received_ts": NOW_MS}, "too old by now"),
        (gps("p1", NOW_MS), {"code": "late"}, "windows that would count them are closed"),
        (gps("p1", NOW_MS), {"code": "duplicate"}, "counted them already"),
    ],
)
def test_a_letter_that_would_only_come_back_is_left_unless_forced(
    event: Any, more: dict[str, Any], objection: str | None
) -> None:
    """Age is judged as the live job will, at the limits of its settings, against the clock."""
    one = letter(event, **more)

    found = _target().objection(one)

    assert found is None if objection is None else objection in str(found)
    assert _target(force=True).objection(one) is None


@pytest.mark.parametrize(
    ("more", "objection"),
    [
        ({"source": "../elsewhere"}, "no job reads"),
        ({"source": "dead-letter"}, "no job reads"),
        ({"raw_sha256": "0"}, "was cut"),
        ({"raw": "\ufffd" * 400_000}, "longer than"),
    ],
)
def test_a_letter_that_cannot_be_put_is_left_even_if_forced(
    more: dict[str, str], objection: str
) -> None:
    """A record that is not whole, not for a job, or not for Kinesis is not put by force."""
    assert objection in str(_target(force=True).objection(letter(**more)))


def test_a_stream_that_is_not_there_is_told_with_the_command() -> None:
    """The error is the job's own, with the command that creates the stream."""
    one = letter(traffic(NOW_MS), source="traffic")

    with pytest.raises(kinesis.StreamMissingError, match="create-stream --stream-name traffic"):
        _target().put([one])


def test_a_stream_that_refuses_says_to_run_again() -> None:
    """The error names the stream and what to do."""
    client = Keeping()
    client.error = ClientError({"Error": {"Code": "AccessDeniedException"}}, "PutRecords")

    with pytest.raises(RedriveError, match=r"'provider-gps': .*AccessDenied.*run again"):
        _target(client).put([letter()])


def test_records_are_put_at_most_at_the_rate(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each put waits for as long as the records before it take at the rate, the first not."""
    clock = [100.0]
    waits: list[float] = []

    def sleep(seconds: float) -> None:
        waits.append(seconds)
        clock[0] += seconds

    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    monkeypatch.setattr(time, "sleep", sleep)
    target = _target(rate=2.0)

    target.put([letter()] * 4)
    clock[0] += 0.5
    target.put([letter()])
    target.put([letter()])

    assert waits == [0.0, 1.5, 0.5]
