"""How long the job took to recover from each fault: collected by tests, shown at the run's end."""

from dataclasses import dataclass, field

import pytest

HEADINGS = ("fault", "view", "lasted", "usual age", "worst age", "over after", "restarts")


@dataclass(frozen=True)
class Recovery:
    """What one fault did to one kind of row.

    Attributes:
        fault: What was done.
        view: Whose rows were watched.
        lasted_s: From its beginning to its end.
        usual_age_s: How old their newest event was before the fault, at the median.
        worst_age_s: How old it was at worst, from the fault on.
        over_after_s: From its end until every row had an event that came after it.
        restarts: How often Flink started the job again.
    """

    fault: str
    view: str
    lasted_s: float
    usual_age_s: float
    worst_age_s: float
    over_after_s: float
    restarts: int

    @property
    def cells(self) -> tuple[str, ...]:
        """The row of the table."""
        seconds = (self.lasted_s, self.usual_age_s, self.worst_age_s, self.over_after_s)
        return (self.fault, self.view, *(f"{s:.1f}" for s in seconds), str(self.restarts))


@dataclass
class Recoveries:
    """All of a test session's."""

    found: list[Recovery] = field(default_factory=list)

    def table(self) -> list[str]:
        """Return the lines of a table, none when nothing was measured."""
        if not self.found:
            return []
        rows = [HEADINGS, *(recovery.cells for recovery in self.found)]
        widths = [max(len(row[i]) for row in rows) for i in range(len(HEADINGS))]
        return [
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
            for row in rows
        ]


_KEY = pytest.StashKey[Recoveries]()


def of(config: pytest.Config) -> Recoveries:
    """Return the session's."""
    return config.stash.setdefault(_KEY, Recoveries())
