"""What lies on the dead-letter stream, as a table."""

from dataclasses import dataclass
from datetime import UTC, datetime

from flink_jobs.dead_letters import DeadLetter

HEADINGS = ("source", "code", "job", "letters", "first refused", "last refused")
SHOWN_CHARACTERS = 160


@dataclass
class _Group:
    """Letters with the same source, code and job."""

    example: DeadLetter
    count: int
    first_ms: int
    last_ms: int


class Listing:
    """Counts of letters by source, code and job."""

    def __init__(self) -> None:
        self._groups: dict[tuple[str, str, str], _Group] = {}

    def add(self, letter: DeadLetter) -> None:
        """Count a letter; the first of its group is the example."""
        key = (letter.source, letter.code, letter.job)
        group = self._groups.setdefault(key, _Group(letter, 0, letter.ts, letter.ts))
        group.count += 1
        group.first_ms = min(group.first_ms, letter.ts)
        group.last_ms = max(group.last_ms, letter.ts)

    def text(self) -> str:
        """Return the table, most letters first, and an example of each line."""
        groups = sorted(self._groups.items(), key=lambda item: -item[1].count)
        if not groups:
            return "no dead letters"
        cells = [HEADINGS, *(_cells(key, group) for key, group in groups)]
        examples = ["", *(_example(group.example) for _, group in groups)]
        widths = [max(len(row[i]) for row in cells) for i in range(len(HEADINGS))]
        return "\n".join(
            "  ".join(_aligned(row, widths)).rstrip() + example
            for row, example in zip(cells, examples, strict=True)
        )


def _cells(key: tuple[str, str, str], group: _Group) -> tuple[str, ...]:
    return (*key, f"{group.count:,}", _time(group.first_ms), _time(group.last_ms))


def _aligned(row: tuple[str, ...], widths: list[int]) -> list[str]:
    counts = HEADINGS.index("letters")
    return [
        cell.rjust(width) if i == counts else cell.ljust(width)
        for i, (cell, width) in enumerate(zip(row, widths, strict=True))
    ]


def _example(letter: DeadLetter) -> str:
    return f"\n    {_shown(letter.reason)}\n    {_shown(letter.raw)}"


def _time(epoch_ms: int) -> str:
    return f"{datetime.fromtimestamp(epoch_ms / 1000, UTC):%Y-%m-%dT%H:%M:%SZ}"


def _shown(text: str) -> str:
    """Return the start of a text on one line; what would move a terminal's cursor is escaped."""
    start = text if len(text) <= SHOWN_CHARACTERS else text[:SHOWN_CHARACTERS] + "..."
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in start)
