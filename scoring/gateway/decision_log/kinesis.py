"""Kinesis's PutRecords, with botocore's signature and connection but for its serializer.

botocore makes the body in Python: a base64 of each record, then the standard library's JSON of all
of it, in one call that keeps the interpreter's lock, and with it every request, waiting. With
msgspec a call costs a third of the processor time (docs/gateway.md).
"""

from collections.abc import Sequence
from typing import Any

import msgspec
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError
from botocore.httpsession import URLLib3Session

from scoring.gateway.decision_log.record import Record

OPERATION = "PutRecords"
CONNECT_S = 0.2
READ_S = 2.0
OK = 200
_HEADERS = {
    "Content-Type": "application/x-amz-json-1.1",
    "X-Amz-Target": f"Kinesis_20131202.{OPERATION}",
}


class _Entry(msgspec.Struct, rename="pascal"):
    data: bytes
    partition_key: str


class _Question(msgspec.Struct, rename="pascal"):
    stream_name: str
    records: list[_Entry]


class Result(msgspec.Struct, rename="pascal"):
    """What became of one record; without an error code it was taken."""

    error_code: str | None = None


class _Answer(msgspec.Struct, rename="pascal"):
    records: list[Result]


class _Refusal(msgspec.Struct):
    kind: str = msgspec.field(default="", name="__type")
    message: str = ""


_encoder = msgspec.json.Encoder()
_answers = msgspec.json.Decoder(_Answer)
_refusals = msgspec.json.Decoder(_Refusal)


class KinesisStream:
    """One stream; for one thread, which keeps one connection.

    Args:
        url: Of Kinesis, in one region.
        region: Of AWS.
        credentials: botocore's, which renew themselves; None leaves requests unsigned.
        name: Of the stream.
    """

    def __init__(self, url: str, region: str, credentials: Credentials | None, name: str) -> None:
        self.name = name
        self._url = url
        self._signer = None if credentials is None else SigV4Auth(credentials, "kinesis", region)
        self._session = URLLib3Session(timeout=(CONNECT_S, READ_S), max_pool_connections=1)

    def put(self, records: Sequence[Record]) -> list[Result]:
        """Put records, 500 and 5 MiB at most; return what became of each.

        Raises:
            BotoCoreError: Kinesis did not answer.
            ClientError: It refused all of them.
        """
        entries = [_Entry(record.data, record.event_id) for record in records]
        body = _encoder.encode(_Question(self.name, entries))
        request = AWSRequest("POST", self._url, data=body, headers=dict(_HEADERS))
        if self._signer is not None:
            self._signer.add_auth(request)
        answer: Any = self._session.send(request.prepare())
        if answer.status_code != OK:
            raise _error(answer.status_code, answer.content)
        return _results(answer.content, len(records))


def _results(body: bytes, count: int) -> list[Result]:
    try:
        results = _answers.decode(body).records
    except msgspec.DecodeError as error:
        raise _refused("UnreadableAnswer", str(error)) from error
    if len(results) != count:
        raise _refused("UnreadableAnswer", f"{len(results)} results for {count} records")
    return results


def _error(status: int, body: bytes) -> ClientError:
    """Return botocore's error for a refusal, also for one that is not in Kinesis's form."""
    try:
        refusal = _refusals.decode(body)
    except msgspec.DecodeError:
        refusal = _Refusal(message=body[:200].decode(errors="replace"))
    return _refused(refusal.kind.rpartition("#")[2] or str(status), refusal.message)


def _refused(code: str, message: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, OPERATION)
