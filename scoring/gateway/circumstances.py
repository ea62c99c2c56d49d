"""What one request has to get by with: time, load, and what already failed."""

from dataclasses import dataclass, field

from scoring.gateway.resilience.deadline import Deadline


@dataclass(frozen=True)
class Circumstances:
    """Carried through the stages of one request.

    Attributes:
        deadline: By when it is to be answered.
        shedding: Whether there is more to do than can be done, so that work is made smaller.
        degraded: The rungs that were taken (``rungs``), each once.
    """

    deadline: Deadline
    shedding: bool = False
    degraded: list[str] = field(default_factory=list)

    def note(self, rung: str) -> None:
        """Say that the answer is made on this rung."""
        if rung not in self.degraded:
            self.degraded.append(rung)
