"""Where letters are driven: back on their streams, or into an archive for the backfill."""

from collections.abc import Sequence
from typing import Protocol

from flink_jobs.dead_letters import DeadLetter
from flink_jobs.validation import CHECKS

KEY_FIELDS = {stream: check.key for stream, check in CHECKS.items()}
"""The streams that jobs read, and the field that is a record's partition key."""


class Target(Protocol):
    """Where letters go."""

    @property
    def name(self) -> str:
        """What to call it; the same in every run."""

    def objection(self, letter: DeadLetter) -> str | None:
        """Return why the letter should stay behind, and what to do about it; None if it can go."""

    def put(self, letters: Sequence[DeadLetter]) -> None:
        """Put the records of letters without objection; they are there when this returns."""


def common_objection(letter: DeadLetter) -> str | None:
    """Return what no target can help."""
    if letter.source not in KEY_FIELDS:
        return f"no job reads the stream they name; those are {', '.join(KEY_FIELDS)}"
    if letter.raw_sha256 is not None:
        return "the record was cut: find the whole on its stream by raw_sha256, and put it there"
    return None


class Rehearsal:
    """A target that only says what it would do."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self.name = target.name

    def objection(self, letter: DeadLetter) -> str | None:
        """Return what the real target says."""
        return self._target.objection(letter)

    def put(self, letters: Sequence[DeadLetter]) -> None:
        """Do nothing."""
