"""What the gates are shown, besides parity."""

from dataclasses import dataclass
from datetime import datetime

import msgspec


class Tested(msgspec.Struct, frozen=True):
    """What was measured on."""

    requests: int


class Evaluation(msgspec.Struct, frozen=True):
    """``evaluation.json``, as far as a promotion reads it (``training.steps`` declares the form).

    Attributes:
        version: The bundle's.
        test: What was measured on.
        gates: The numbers of the pipeline's condition, by name.
    """

    version: str
    test: Tested
    gates: dict[str, float]


def evaluation(content: bytes) -> Evaluation:
    """Read ``evaluation.json``.

    Raises:
        msgspec.DecodeError: It is of another form.
    """
    return msgspec.json.decode(content, type=Evaluation)


@dataclass(frozen=True)
class Measured:
    """What CloudWatch has of one variant over a while; NaN where nothing was measured."""

    requests: int
    errors: int
    p50_ms: float
    p99_ms: float


@dataclass(frozen=True)
class Monitored:
    """The daily job's report: what of it stops a promotion, and when it was made."""

    stops: tuple[str, ...]
    finished: datetime
