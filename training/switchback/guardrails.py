"""What must not get worse while the experiment looks for what gets better."""

from dataclasses import dataclass
from enum import StrEnum

from training.switchback.analysis import Effect


class Verdict(StrEnum):
    """What the interval of an effect says of a limit on it."""

    HOLDS = "holds"
    BROKEN = "broken"
    OPEN = "not known yet"


@dataclass(frozen=True)
class Guardrail:
    """A metric that may rise by no more than a limit, in its own unit."""

    metric: str
    most_added: float


def verdict(effect: Effect, guardrail: Guardrail) -> Verdict:
    """Return whether the whole interval lies below the limit, above it, or on both sides."""
    if effect.high <= guardrail.most_added:
        return Verdict.HOLDS
    return Verdict.BROKEN if effect.low > guardrail.most_added else Verdict.OPEN
