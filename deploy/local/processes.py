"""Child processes: started with a log file each, watched, and ended whatever happens."""

import contextlib
import ctypes
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

STOP_S = 10.0
POLL_S = 0.1
LOG_LINES_SHOWN = 15
NOT_INHERITED = ("PROMETHEUS_MULTIPROC_DIR", "PROMETHEUS_MULTIPROCESS_DIR")
"""Feast sets them in each process that imports it. A child that took them would keep its metrics in
files of ours, at several times the cost, instead of in its memory."""
_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


class ProcessError(RuntimeError):
    """A process ended or did not get ready; the message has its last lines and its log file."""


@dataclass
class Child:
    """A process that runs beside us.

    Attributes:
        name: What messages call it.
        process: The process.
        log: Where its output goes.
        ends: Whether it may end by itself, with code 0; any other end is a failure.
    """

    name: str
    process: subprocess.Popen[bytes]
    log: Path
    ends: bool


class Supervisor:
    """Starts processes and, as a context manager, ends them: newest first, whole groups."""

    def __init__(self, log_dir: Path) -> None:
        self._log_dir = log_dir
        self._children: list[Child] = []

    def __enter__(self) -> Self:
        self._log_dir.mkdir(parents=True, exist_ok=True)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def start(
        self,
        name: str,
        argv: Sequence[str],
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        *,
        ends: bool = False,
    ) -> Child:
        """Start a process that is to run until the end of all, or, with ``ends``, until its own.

        Raises:
            ProcessError: The program is not there.
        """
        log = self._log_dir / f"{name}.log"
        try:
            with log.open("wb") as output:
                process = subprocess.Popen(
                    argv,
                    env={**_inherited(), **(env or {})},
                    cwd=cwd,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                    preexec_fn=_die_with_parent,  # noqa: PLW1509 - one libc call, no locks
                )
        except OSError as error:
            raise ProcessError(f"{name}: cannot start {argv[0]!r}: {error.strerror}") from error
        child = Child(name, process, log, ends)
        self._children.append(child)
        return child

    def run(
        self,
        name: str,
        argv: Sequence[str],
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
    ) -> None:
        """Run a process to its end.

        Raises:
            ProcessError: It failed.
        """
        self.finish(self.start(name, argv, env, cwd, ends=True))

    def finish(self, child: Child) -> None:
        """Wait for the end of a process that was started with ``ends``.

        Raises:
            ProcessError: It failed, or another process did meanwhile.
        """
        while child.process.poll() is None:
            self.check()
            time.sleep(POLL_S)
        self.check()
        self._children.remove(child)

    def wait_until(
        self, what: str, ready: Callable[[], bool], timeout_s: float, child: Child | None = None
    ) -> None:
        """Wait until ``ready`` says so.

        Raises:
            ProcessError: A process ended meanwhile, or the time is over.
        """
        deadline = time.monotonic() + timeout_s
        while not ready():
            self.check()
            if time.monotonic() > deadline:
                where = f"; see {child.log}" if child else ""
                raise ProcessError(f"{what}: not ready after {timeout_s:g} s{where}")
            time.sleep(POLL_S)

    def check(self) -> None:
        """Raise ProcessError if a process has failed, or ended that should run."""
        for child in self._children:
            code = child.process.poll()
            if code is not None and not (child.ends and code == 0):
                raise ProcessError(_told(child))

    def stop(self) -> None:
        """End every process: SIGTERM to its group, SIGKILL to what is left."""
        for child in reversed(self._children):
            _signal_group(child, signal.SIGTERM)
        deadline = time.monotonic() + STOP_S
        for child in reversed(self._children):
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.process.wait(max(deadline - time.monotonic(), 0))
            _signal_group(child, signal.SIGKILL)
            child.process.wait()
        self._children.clear()


def _signal_group(child: Child, number: signal.Signals) -> None:
    try:
        os.killpg(child.process.pid, number)
    except ProcessLookupError:
        return  # all of it has ended


def _inherited() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name not in NOT_INHERITED}


def _die_with_parent() -> None:
    """Have the kernel end the child if we are killed and cannot."""
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _told(child: Child) -> str:
    lines = child.log.read_text(errors="replace").strip().splitlines()[-LOG_LINES_SHOWN:]
    text = "\n    ".join(lines)
    return f"{child.name} ended with code {child.process.returncode}; {child.log} says:\n    {text}"
