"""The jobs' SQL in batch mode, over events that a test writes as an archive.

PyFlink runs in a process of its own: it leaves open files behind and warns of its own deprecated
parts, and neither is a fault of what is tested.
"""

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from flink_jobs.event_schemas import ArchivedRecord
from flink_jobs.views import JOBS
from tests.flink_jobs.events import Event, encode

REPOSITORY = Path(__file__).parents[2]
END_S = 30.0


class BatchTables:
    """All checked tables over one archive, whose files a test replaces."""

    def __init__(self, jar: Path) -> None:
        self._archive = Path(tempfile.mkdtemp(prefix="archive-"))
        for stream in {stream for job in JOBS.values() for stream in job.inputs}:
            (self._archive / stream).mkdir()
        self._process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", "tests.flink_jobs.batch_process", str(jar),
             str(self._archive)],
            cwd=REPOSITORY,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )  # fmt: skip

    def close(self) -> None:
        """End the process."""
        with self._process as process:
            process.communicate(timeout=END_S)
        shutil.rmtree(self._archive)

    def put(self, events: Mapping[str, Sequence[tuple[Event | str, int]]]) -> None:
        """Replace the archive by these records, each with its arrival, epoch ms."""
        for directory in self._archive.iterdir():
            lines = [
                ArchivedRecord(received_ts=received, record_text=encode(event))
                for event, received in events.get(directory.name, ())
            ]
            text = b"".join(msgspec.json.encode(line) + b"\n" for line in lines)
            (directory / "records.json").write_bytes(text)

    def view(self, name: str) -> list[dict[str, Any]]:
        """Return the rows that a view's job would write."""
        return self._ask({"view": name})

    def query(self, sql: str) -> list[dict[str, Any]]:
        """Return a query's rows as dictionaries."""
        return self._ask({"sql": sql})

    def _ask(self, question: dict[str, str]) -> list[dict[str, Any]]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        assert answer, "the batch process ended; its words are above"
        rows: list[dict[str, Any]] = json.loads(answer)
        return rows
