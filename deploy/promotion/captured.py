"""Data capture's files, and the requests in them that two variants have answered.

A shadow answers copies of the requests that production answers. Both are captured under the name
of the variant, each with its question: the same question, byte for byte, makes them a pair. No id
needs to travel, and a question that was asked twice (hedged) has the same answer twice.
"""

import base64
import hashlib
from collections.abc import Iterable, Iterator

import msgspec


class _Part(msgspec.Struct, frozen=True):
    data: str
    encoding: str = "BASE64"


class _Capture(msgspec.Struct, frozen=True, rename="camel"):
    endpoint_input: _Part
    endpoint_output: _Part | None = None


class _Line(msgspec.Struct, frozen=True, rename="camel"):
    capture_data: _Capture


class CaptureError(ValueError):
    """A file is not what data capture writes."""


def answers(file: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield each question's digest and its answer's body; what was not answered is left out.

    Raises:
        CaptureError: A line cannot be read.
    """
    for line in file.splitlines():
        try:
            capture = _decoder.decode(line).capture_data
            if capture.endpoint_output is not None:
                question = _bytes(capture.endpoint_input)
                yield hashlib.sha256(question).hexdigest(), _bytes(capture.endpoint_output)
        except (msgspec.DecodeError, ValueError) as error:
            raise CaptureError(f"a captured line cannot be read ({error})") from error


def pairs(
    production: Iterable[tuple[str, bytes]], shadow: Iterable[tuple[str, bytes]]
) -> list[tuple[bytes, bytes]]:
    """Return the bodies that production and the shadow answered to the same questions."""
    by_question = dict(production)
    return [
        (by_question[question], body)
        for question, body in dict(shadow).items()
        if question in by_question
    ]


def _bytes(part: _Part) -> bytes:
    if part.encoding == "BASE64":
        return base64.b64decode(part.data, validate=True)
    return part.data.encode()


_decoder = msgspec.json.Decoder(_Line)
