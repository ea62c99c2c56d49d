"""Letters as archived records, for the backfill."""

import os
from collections.abc import Sequence
from pathlib import Path

import msgspec

from flink_jobs.dead_letters import DeadLetter
from flink_jobs.event_schemas import ArchivedRecord
from flink_jobs.redrive.errors import RedriveError
from flink_jobs.redrive.state import State
from flink_jobs.redrive.targets import KEY_FIELDS, common_objection


class ArchiveTarget:
    """Appends records to a file for each stream, with the time of their first arrival.

    The state has the files' lengths: what a crashed run wrote beyond them is cut off before more
    is appended, as its letters are read again.
    """

    def __init__(self, directory: Path, state: State) -> None:
        self._directory = directory
        self._state = state
        self._encoder = msgspec.json.Encoder()

    @property
    def name(self) -> str:
        """The archive's directory."""
        return archive_name(self._directory)

    def prepare(self) -> None:
        """Make the directories that a backfill asks for, and cut off what a crash left.

        Raises:
            RedriveError: A file is shorter than this re-drive left it.
        """
        for stream in KEY_FIELDS:
            (self._directory / stream).mkdir(parents=True, exist_ok=True)
            path = self._path(stream)
            if not path.exists():  # not yet written, or moved away: the next is a new one
                self._state.archived_bytes.pop(stream, None)
                continue
            written = self._state.archived_bytes.get(stream, 0)
            if path.stat().st_size < written:
                raise RedriveError(
                    f"archive file {str(path)!r} has {path.stat().st_size} bytes, this re-drive "
                    f"wrote {written}: move it away, and run again"
                )
            os.truncate(path, written)

    def objection(self, letter: DeadLetter) -> str | None:
        """Return why the letter cannot be archived, if so."""
        return common_objection(letter)

    def put(self, letters: Sequence[DeadLetter]) -> None:
        """Append the records; the state's lengths grow with them."""
        for stream in dict.fromkeys(letter.source for letter in letters):
            lines = [
                ArchivedRecord(letter.received_ts, letter.raw)
                for letter in letters
                if letter.source == stream
            ]
            with self._path(stream).open("ab") as file:
                file.write(self._encoder.encode_lines(lines))
                file.flush()
                os.fsync(file.fileno())
                self._state.archived_bytes[stream] = file.tell()

    def _path(self, stream: str) -> Path:
        return self._directory / stream / f"dead-letters-{self._state.run_id}.json"


def archive_name(directory: Path) -> str:
    """Return the name of an archive as a target."""
    return f"archive {directory.resolve()}"
