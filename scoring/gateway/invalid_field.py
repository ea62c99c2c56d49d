"""Which field of a document does not fit, from msgspec's message, which does not tell its value."""

import re
from dataclasses import dataclass
from typing import Any

import msgspec

_PATH = re.compile(r" - at (?:`key` in )?`\$(?P<path>.*)`$")
_STEP = re.compile(r"[^.\[\]]+")
_NAMED = re.compile(r"(?:missing required|unknown) field `(?P<field>[^`]+)`")
ABSENT = "absent"


@dataclass(frozen=True)
class InvalidField:
    """What does not fit.

    Attributes:
        path: Such as ``location.lat`` or ``candidates[1]``; empty for the document itself.
        reason: What was expected.
        value: What stands there, or ``ABSENT``.
    """

    path: str
    reason: str
    value: object


def invalid_field(error: msgspec.ValidationError, document: Any) -> InvalidField:
    """Return the field that msgspec refused, with its value in the document."""
    message = str(error)
    at = _PATH.search(message)
    path = at["path"].lstrip(".").replace("[...]", "") if at else ""
    reason = message[: at.start()] if at else message
    named = _NAMED.search(message)
    if named:
        path = f"{path}.{named['field']}".lstrip(".")
    return InvalidField(path, reason[:1].lower() + reason[1:], _value_at(document, path))


def _value_at(document: Any, path: str) -> object:
    value = document
    for step in _STEP.findall(path):
        try:
            value = value[int(step) if isinstance(value, list) else step]
        except (KeyError, IndexError, TypeError):
            return ABSENT
    return value
