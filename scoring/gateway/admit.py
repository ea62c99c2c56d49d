"""The first stage: bytes to a request that the other stages can rely on."""

import json

import msgspec

from scoring.gateway.errors import InvalidRequestError
from scoring.gateway.invalid_field import invalid_field
from scoring.gateway.messages import RecommendationRequest
from scoring.gateway.remedies import remedy
from scoring.gateway.resilience.deadline import Deadline

MAX_BODY_BYTES = 65_536
DEADLINE_MS = 150
"""What the answer may take where the request does not say."""
LONGEST_DEADLINE_MS = 10_000

_decoder = msgspec.json.Decoder(RecommendationRequest)


def deadline(header: str | None) -> Deadline:
    """Return by when to answer, of the header ``X-Deadline-Ms``.

    Raises:
        InvalidRequestError: It is no number of milliseconds.
    """
    text = str(DEADLINE_MS) if header is None else header
    digits = text if text.isdecimal() and len(text) <= len(str(LONGEST_DEADLINE_MS)) else "0"
    if not 1 <= int(digits) <= LONGEST_DEADLINE_MS:
        raise InvalidRequestError(
            "is not the milliseconds in which an answer is of use",
            field="X-Deadline-Ms",
            value=text,
            remedy=f"send 1 to {LONGEST_DEADLINE_MS}, or leave it out for {DEADLINE_MS}",
        )
    return Deadline.after(int(digits) / 1000)


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
        wrong = invalid_field(error, json.loads(body))
        raise InvalidRequestError(
            wrong.reason, field=wrong.path or "body", value=wrong.value, remedy=remedy(wrong)
        ) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InvalidRequestError(
            f"is not JSON ({error})",
            field="body",
            value=body[:80].decode(errors="replace"),
            remedy="send a JSON object as /docs shows it",
        ) from error
