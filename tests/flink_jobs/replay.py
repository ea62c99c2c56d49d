"""The jobs' checks and SQL over events that a test writes as an archive, in batch or as a stream.

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
from typing import Any, Literal

import msgspec

from flink_jobs.event_schemas import ArchivedRecord
from flink_jobs.views import JOBS
from tests.flink_jobs.events import Event, encode

REPOSITORY = Path(__file__).parents[2]
END_S = 30.0


Mode = Literal["batch", "stream", "crashing"]
"""How the archive is read; ``crashing`` is a stream that can fail once and restart."""


class Replay:
    """All tables over one archive, whose files a test replaces."""

    def __init__(self, jar: Path, mode: Mode) -> None:
        self._archive = Path(tempfile.mkdtemp(prefix="archive-"))
        for stream in {stream for job in JOBS.values() for stream in job.inputs}:
            (self._archive / stream).mkdir()
        self._process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", "tests.flink_jobs.replay_process", str(jar),
             str(self._archive), mode],
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
        self._archive.with_suffix(".crash").unlink(missing_ok=True)
        shutil.rmtree(self._archive.with_suffix(".checkpoints"), ignore_errors=True)

    def put(self, events: Mapping[str, Sequence[tuple[Event | str, int]]]) -> None:
        """Replace the archive by these records, each with its arrival, epoch ms."""
        for directory in self._archive.iterdir():
            lines = [
                ArchivedRecord(received_ts=received, record_text=encode(event))
                for event, received in events.get(directory.name, ())
            ]
            text = b"".join(msgspec.json.encode(line) + b"\n" for line in lines)
            (directory / "records.json").write_bytes(text)

    def everything(self, crash_at: str = "") -> dict[str, list[dict[str, Any]]]:
        """Return the rows that each view's job would write, and the ``dead_letters``.

        Args:
            crash_at: The record at which the job fails once.
        """
        answer = self._ask({"sql": "SELECT * FROM everything", "crash_at": crash_at})
        assert answer["crashed"] == bool(crash_at)
        made: dict[str, list[dict[str, Any]]] = {name: [] for name in (*JOBS, "dead_letters")}
        for row in answer["rows"]:
            made[row["made"]].append(json.loads(row["content"]))
        return made

    def query(self, sql: str) -> list[dict[str, Any]]:
        """Return a query's rows as dictionaries."""
        return list(self._ask({"sql": sql})["rows"])

    def _ask(self, question: dict[str, str]) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, "the replay process ended; its words are above"
        answer: dict[str, Any] = json.loads(line)
        return answer
