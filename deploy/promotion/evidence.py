"""What the gates are shown, besides parity."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

Metrics = Mapping[str, float]
"""What the offline evaluation measured, by name, as ``training.evaluation`` writes it."""


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
