"""What a re-drive has done, in a file, so that the next run goes on after it."""

import fcntl
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from flink_jobs.redrive.errors import RedriveError
from flink_jobs.redrive.selection import Selection


class State(msgspec.Struct):
    """One re-drive: what it is, and how far it has come.

    Attributes:
        origin: The dead-letter stream's ARN.
        target: Where to.
        selection: Which letters; those that it left out lie behind the positions too.
        run_id: Names this re-drive's files in an archive.
        positions: For each shard, the sequence number of the last record that is done with.
        archived_bytes: For each stream, how long this re-drive's file in the archive is.
    """

    origin: str
    target: str
    selection: Selection
    run_id: str = msgspec.field(default_factory=lambda: uuid.uuid4().hex[:12])
    positions: dict[str, str] = {}
    archived_bytes: dict[str, int] = {}

    def save(self, path: Path) -> None:
        """Replace the file in one step: after a crash it is the old one or the new one."""
        new = path.with_name(f"{path.name}.new")
        with new.open("wb") as file:
            file.write(msgspec.json.format(msgspec.json.encode(self)) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)


def load(path: Path, new: State) -> State:
    """Return the state of the same re-drive as ``new``, which is returned if there is no file.

    Raises:
        RedriveError: The file is of another re-drive, or of another form.
    """
    try:
        text = path.read_bytes()
    except FileNotFoundError:
        return new
    try:
        state = msgspec.json.decode(text, type=State)
    except msgspec.DecodeError as error:
        raise RedriveError(
            f"state file {str(path)!r}: {error}; it was not written by this command: name another"
        ) from error
    if _identity(state) != _identity(new):
        raise RedriveError(
            f"state file {str(path)!r} is of another re-drive, {_identity(state)}, and this is "
            f"{_identity(new)}: repeat its options, or name another file"
        )
    return state


def _identity(state: State) -> str:
    """Return what must be the same in every run over one file."""
    selection = msgspec.json.encode(state.selection).decode()
    return f"from {state.origin} to {state.target}, {selection}"


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Keep other runs away from a state file.

    Raises:
        RedriveError: Another run has it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_name(f"{path.name}.lock").open("wb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise RedriveError(
                f"state file {str(path)!r} is in use; wait for the other run to end"
            ) from error
        yield
