"""A clock that moves when it is told to."""

from dataclasses import dataclass


@dataclass
class StandingClock:
    """Stands still; ``now_s`` is set by the test."""

    now_s: float = 0.0

    def __call__(self) -> float:
        """Return the seconds."""
        return self.now_s
