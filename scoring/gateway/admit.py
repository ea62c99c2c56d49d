"""The first stage: bytes to a request that the other stages can rely on."""

import json
import re
from typing import Any

import msgspec

from scoring.gateway.errors import InvalidRequestError
from scoring.gateway.messages import RecommendationRequest
from scoring.gateway.resilience.deadline import Deadline

MAX_BODY_BYTES = 65_536
DEADLINE_MS = 150
"""What the answer may take where the request does not say."""
LONGEST_DEADLINE_MS = 10_000

_decoder = msgspec.json.Decoder(RecommendationRequest)
_PATH = re.compile(r" - at `\$(?P<path>.*)`$")
_STEP = re.compile(r"[^.\[\]]+")
_MISSING = re.compile(r"missing required field `(?P<field>[^`]+)`")
_UNKNOWN = re.compile(r"unknown field `(?P<field>[^`]+)`")


def deadline(header: str | None) -> Deadline:
    """Return by when to answer, of the header ``X-Deadline-Ms``.

    Raises:
        InvalidRequestError: It is no number of milliseconds.
    """
    text = str(DEADLINE_MS) if header is None else header
    if not text.isdecimal() or not 1 <= int(text) <= LONGEST_DEADLINE_MS:
        raise InvalidRequestError(
            "is not the milliseconds in which an answer is of use",
            field="X-Deadline-Ms",
            value=text,
            remedy=f"send 1 to {LONGEST_DEADLINE_MS}, or leave it out for {DEADLINE_MS}",
        )
    return Deadline.after(int(text) / 1000)


def admit(body: bytes) -> RecommendationRequest:
    """Parse and validate a request.

    Raises:
        InvalidRequestError: Naming the field, its value and the remedy.
    """
    if len(body) > MAX_BODY_BYTES:
        raise InvalidRequestError(
            f"is longer than {MAX_BODY_BYTES} bytes",
            field="body",
            value=f"{len(body)} bytes",
            remedy="send fewer candidates",
        )
    try:
        return _decoder.decode(body)
    except msgspec.ValidationError as error:
        raise _invalid_field(str(error), json.loads(body)) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InvalidRequestError(
            f"is not JSON ({error})",
            field="body",
            value=body[:80].decode(errors="replace"),
            remedy="send a JSON object as /docs shows it",
        ) from error


def _invalid_field(message: str, document: Any) -> InvalidRequestError:
    """Translate msgspec's message, whose path names the field but not its value."""
    at = _PATH.search(message)
    path = at["path"].lstrip(".") if at else ""
    reason = message[: at.start()] if at else message
    named = _MISSING.search(message) or _UNKNOWN.search(message)
    if named:
        path = f"{path}.{named['field']}".lstrip(".")
    return InvalidRequestError(
        reason[:1].lower() + reason[1:],
        field=path or "body",
        value=_value_at(document, path),
        remedy="see /docs for the fields and their ranges",
    )


def _value_at(document: Any, path: str) -> object:
    """Return what stands at a path such as ``location.lat`` or ``candidates[1]``."""
    value = document
    for step in _STEP.findall(path):
        try:
            value = value[int(step) if isinstance(value, list) else step]
        except (KeyError, IndexError, TypeError):
            return "absent"
    return value
