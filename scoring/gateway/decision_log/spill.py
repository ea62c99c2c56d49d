"""Decisions on disk until the stream takes them: bounded, and found again after a restart.

A segment is a file of JSON lines. Who writes one, or sends it, holds its lock; the kernel lets go
of the locks of a process that ended, however it ended. So the processes of one machine share a
directory, and each sends what another one left.
"""

import fcntl
import logging
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

import msgspec

from scoring.gateway.decision_log.metrics import DROPPED, SPILL_BYTES, SPILLED
from scoring.gateway.decision_log.record import Record

logger = logging.getLogger(__name__)

SEGMENT_BYTES = 8_000_000
"""A segment is sent whole or again: what may come twice after a kill."""
SPILL_BYTES_AT_MOST = 2_000_000_000
"""66,000 decisions of 30 KB: a minute at 1,200 a second, 18 hours at one."""
_SUFFIX = ".jsonl"


class _Request(msgspec.Struct):
    event_id: str


class _Line(msgspec.Struct):
    request: _Request


_decoder = msgspec.json.Decoder(_Line)


class Spill:
    """The segments in one directory.

    Args:
        directory: Made if it is not there.
        at_most_bytes: What all segments may hold together; beyond it decisions are dropped.

    Raises:
        OSError: The directory cannot be made.
    """

    def __init__(self, directory: Path, at_most_bytes: int = SPILL_BYTES_AT_MOST) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._directory = directory
        self._at_most_bytes = at_most_bytes
        self._segment: BinaryIO | None = None
        self._made = 0

    def add(self, records: Iterable[Record]) -> None:
        """Put records on disk; what there is no room for is dropped and counted."""
        held_bytes = self._held_bytes()
        for record in records:
            if held_bytes + len(record.data) > self._at_most_bytes:
                DROPPED.labels(reason="spill_full").inc()
                continue
            try:
                self._append(record.data)
            except OSError as error:
                logger.warning("decision log: cannot write to %s: %s", self._directory, error)
                DROPPED.labels(reason="spill_failed").inc()
                continue
            held_bytes += len(record.data)
            SPILLED.inc()
        SPILL_BYTES.set(held_bytes)

    def _append(self, data: bytes) -> None:
        if self._segment is None:
            self._segment = self._new_segment()
        self._segment.write(data + b"\n")
        if self._segment.tell() >= SEGMENT_BYTES:
            self.seal()

    def _new_segment(self) -> BinaryIO:
        self._made += 1
        path = self._directory / f"{os.getpid()}-{os.urandom(4).hex()}-{self._made:06}{_SUFFIX}"
        segment = path.open("xb", buffering=0)  # a killed process leaves nothing in a buffer
        fcntl.flock(segment, fcntl.LOCK_EX)
        return segment

    def seal(self) -> None:
        """End the segment that is being written, so that it can be sent."""
        if self._segment is not None:
            self._segment.close()
            self._segment = None

    @contextmanager
    def oldest(self) -> Iterator["Segment | None"]:
        """Hold the oldest segment that nobody else holds; None if there is none."""
        SPILL_BYTES.set(self._held_bytes())
        for path in sorted(self._paths(), key=_modified_s):
            with suppress(FileNotFoundError), path.open("rb") as file:
                if _lock(file):
                    yield Segment(path, file)
                    return
        yield None

    def _paths(self) -> Iterator[Path]:
        return self._directory.glob(f"*{_SUFFIX}")

    def _held_bytes(self) -> int:
        return sum(_size_bytes(path) for path in self._paths())


class Segment:
    """A segment that we hold."""

    def __init__(self, path: Path, file: BinaryIO) -> None:
        self._path = path
        self._file = file

    def records(self) -> Iterator[Record]:
        """Yield its decisions; a line that a kill left torn is counted and left out."""
        for line in self._file:
            try:
                event_id = _decoder.decode(line).request.event_id
            except msgspec.DecodeError:
                DROPPED.labels(reason="torn_in_spill").inc()
                continue
            yield Record(event_id, line.rstrip(b"\n"))

    def remove(self) -> None:
        """Delete it: all of it was taken."""
        self._path.unlink()


def _lock(file: BinaryIO) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return os.fstat(file.fileno()).st_nlink > 0  # else somebody sent and deleted it meanwhile


def _modified_s(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return 0.0  # sent and deleted by another process


def _size_bytes(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
