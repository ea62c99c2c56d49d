"""From the pages of the dead-letter stream to a target, in steps that can be taken up again."""

from collections.abc import Callable, Iterable, Iterator

from flink_jobs.dead_letters import DeadLetter, UnreadableRecordError, unpack
from flink_jobs.redrive.reader import Page, Record
from flink_jobs.redrive.selection import Selection
from flink_jobs.redrive.tally import Tally
from flink_jobs.redrive.targets import Target

STEP_LETTERS = 500
"""After so many the position is saved; a crash drives at most a step twice."""

Done = Callable[[str, str], None]
"""Told, after each step, a shard and the sequence number up to which it is done with."""


def drive(
    pages: Iterable[Page], selection: Selection, target: Target, tally: Tally, done: Done
) -> Iterator[Page]:
    """Drive the letters asked for; yield the page after each step, and at its end.

    Every letter is put before its position is told, so that none is lost at any crash.
    """
    for page in pages:
        for last, letters in _steps(page, tally):
            chosen = []
            for letter in letters:
                if not selection.takes(letter):
                    continue
                objection = target.objection(letter)
                if objection is None:
                    chosen.append(letter)
                else:
                    tally.left[objection] += 1
            if chosen:
                target.put(chosen)
                tally.add_driven(chosen)
            done(page.shard, last.sequence_number)
            yield page
        yield page


def letters_of(page: Page, record: Record, tally: Tally) -> list[DeadLetter]:
    """Return a record's letters, none if it cannot be read, and count either."""
    try:
        letters = unpack(record.data)
    except UnreadableRecordError as error:
        where = f"{page.shard}, sequence number {record.sequence_number}"
        tally.add_unreadable(where, error)
        return []
    tally.read += len(letters)
    return letters


def _steps(page: Page, tally: Tally) -> Iterator[tuple[Record, list[DeadLetter]]]:
    """Yield runs of whole records with their letters."""
    letters: list[DeadLetter] = []
    for record in page.records:
        letters += letters_of(page, record, tally)
        if len(letters) >= STEP_LETTERS or record is page.records[-1]:
            yield record, letters
            letters = []
