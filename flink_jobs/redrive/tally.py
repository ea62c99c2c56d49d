"""What a run read, and what became of it."""

from collections import Counter
from dataclasses import dataclass, field

from flink_jobs.dead_letters import DeadLetter


@dataclass
class Tally:
    """Counts of one run.

    Attributes:
        read: Letters.
        driven: Letters, by their stream.
        left: Letters that were asked for and stay behind, by why.
        unreadable: Records that hold no dead letters.
        first_unreadable: Where the first of them is, and what is wrong with it.
    """

    read: int = 0
    driven: Counter[str] = field(default_factory=Counter)
    left: Counter[str] = field(default_factory=Counter)
    unreadable: int = 0
    first_unreadable: str = ""

    @property
    def is_complete(self) -> bool:
        """Whether nothing that was asked for stays behind."""
        return not self.left and not self.unreadable

    def add_unreadable(self, where: str, error: Exception) -> None:
        """Count a record."""
        self.unreadable += 1
        self.first_unreadable = self.first_unreadable or f"{where}: {error}"

    def add_driven(self, letters: list[DeadLetter]) -> None:
        """Count letters."""
        self.driven.update(letter.source for letter in letters)

    def text(self, verb: str) -> str:
        """Return the counts as lines; the verb says what was done with the driven ones."""
        lines = [f"read {self.read:,} dead letters"]
        lines += [f"{verb} {count:,} of {source}" for source, count in sorted(self.driven.items())]
        if not self.driven:
            lines.append(f"{verb} none")
        lines += [f"left {count:,}: {why}" for why, count in self.left.most_common()]
        return "\n".join(lines + self.unreadable_lines())

    def unreadable_lines(self) -> list[str]:
        """Return what is to say about records that hold no letters."""
        if not self.unreadable:
            return []
        return [f"left {self.unreadable:,} unreadable records, first {self.first_unreadable}"]
