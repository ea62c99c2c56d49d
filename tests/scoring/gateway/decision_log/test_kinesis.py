import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSPreparedRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError, ConnectionError, ReadTimeoutError

from scoring.gateway.decision_log import kinesis as kinesis_module
from scoring.gateway.decision_log.kinesis import KinesisStream, Result
from scoring.gateway.decision_log.record import Record
from tests.flink_jobs.emulator import Emulator
from tests.support.kinesis_stand_in import KinesisStandIn, kinesis_stand_in

REGION = "us-east-1"
CREDENTIALS = Credentials("key", "secret", "token")
RECORDS = [Record("e-1", b'{"a": "\xc3\xa9"}'), Record("e-2", b"{}"), Record("e-1", b"[1]")]


@pytest.fixture
def stand_in() -> Iterator[KinesisStandIn]:
    """Answers as it is told."""
    with kinesis_stand_in() as running:
        yield running


def _stream(url: str, name: str = "decisions") -> KinesisStream:
    return KinesisStream(url, REGION, CREDENTIALS, name)


@pytest.mark.integration
def test_a_stream_of_kinesis_has_what_was_put(tmp_path: Path) -> None:
    """Data arrives as it is, in order; a stream that is not there refuses."""
    emulator = Emulator(tmp_path)
    try:
        emulator.start()
        emulator.create("decisions")
        assert _stream(emulator.url).put(RECORDS) == [Result()] * 3
        assert emulator.read("decisions") == [{"a": "é"}, {}, [1]]
        with pytest.raises(ClientError, match="ResourceNotFoundException"):
            _stream(emulator.url, "another").put(RECORDS)
    finally:
        emulator.stop()


def test_a_request_is_the_one_that_botocore_sends(monkeypatch: pytest.MonkeyPatch) -> None:
    """Address, signed headers and body are those of boto3's put_records."""
    sent: list[AWSPreparedRequest] = []

    def send(request: AWSPreparedRequest, **_: object) -> Any:
        sent.append(request)
        raise ConnectionError(error="held back")

    client = boto3.client(
        "kinesis",
        region_name=REGION,
        aws_access_key_id="key",
        aws_secret_access_key="secret",
        aws_session_token="token",
    )
    client.meta.events.register("before-send.kinesis", send)
    entries = [{"Data": r.data, "PartitionKey": r.event_id} for r in RECORDS]
    with pytest.raises(ConnectionError):
        client.put_records(StreamName="decisions", Records=entries)
    stream = _stream(client.meta.endpoint_url)
    monkeypatch.setattr(stream, "_session", _Session(send))
    with pytest.raises(ConnectionError):
        stream.put(RECORDS)
    theirs, ours = sent[0], sent[-1]
    assert (ours.method, ours.url.rstrip("/")) == (theirs.method, theirs.url.rstrip("/"))
    assert json.loads(ours.body) == json.loads(theirs.body)
    for name in ("Content-Type", "X-Amz-Target", "X-Amz-Security-Token"):
        assert _header(ours, name) == _header(theirs, name)
    scopes = [_header(request, "Authorization").split(",")[0] for request in (theirs, ours)]
    assert scopes[0] == scopes[1]


class _Session:
    def __init__(self, send: Any) -> None:
        self.send = send


def _header(request: AWSPreparedRequest, name: str) -> str:
    value = request.headers[name]
    return value.decode() if isinstance(value, bytes) else str(value)


def test_what_became_of_each_record_is_told(stand_in: KinesisStandIn) -> None:
    """A record that was throttled has its code; the others have none."""
    stand_in.says = 200, b'{"Records": [{}, {"ErrorCode": "Slow", "ErrorMessage": "x"}, {}]}'
    assert _stream(stand_in.url).put(RECORDS) == [Result(), Result("Slow"), Result()]


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [
        (400, b'{"__type": "com.amazonaws#ValidationException", "message": "no"}', "Validation"),
        (503, b"<html>", "503.*<html>"),
        (200, b'{"Records": [{}]}', "UnreadableAnswer.* 1 results for 3 records"),
        (200, b"<html>", "UnreadableAnswer"),
    ],
)
def test_an_answer_that_is_none_refuses_all(
    stand_in: KinesisStandIn, status: int, body: bytes, code: str
) -> None:
    """An error of the service or of a proxy before it, or results that fit no record."""
    stand_in.says = status, body
    with pytest.raises(ClientError, match=code):
        _stream(stand_in.url).put(RECORDS)


def test_a_kinesis_that_is_away_or_silent_is_not_waited_for(
    stand_in: KinesisStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A refused connection and a silent one are errors of botocore, which the log knows."""
    with pytest.raises(ConnectionError):
        _stream("http://127.0.0.1:1").put(RECORDS)
    monkeypatch.setattr(kinesis_module, "READ_S", 0.05)
    stand_in.answer_after_s = 0.3
    with pytest.raises(ReadTimeoutError):
        _stream(stand_in.url).put(RECORDS)
