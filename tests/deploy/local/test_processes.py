import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from deploy.local.processes import ProcessError, Supervisor

SLEEPER = "import time; time.sleep(60)"
PARENT = f"""
import subprocess, sys, time
child = subprocess.Popen([sys.executable, '-c', {SLEEPER!r}])
print(child.pid, flush=True)
time.sleep(60)
"""


def _python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def _wait_for_text(path: Path) -> str:
    deadline = time.monotonic() + 10
    while not path.read_text().strip():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return path.read_text().strip()


def _wait_until_gone(pid: int) -> None:
    deadline = time.monotonic() + 10
    while psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < deadline, f"process {pid} still runs"
        time.sleep(0.02)


def test_a_child_keeps_its_metrics_to_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where Feast lets the parent's metrics meet is not told to a child, unless it is meant."""
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", "of-the-parent")
    code = _python("import os; print(os.environ.get('PROMETHEUS_MULTIPROC_DIR', 'none'))")
    with Supervisor(tmp_path) as supervisor:
        supervisor.run("plain", code)
        supervisor.run("meant", code, {"PROMETHEUS_MULTIPROC_DIR": "its-own"})
    said = [(tmp_path / f"{name}.log").read_text().strip() for name in ("plain", "meant")]
    assert said == ["none", "its-own"]


def test_leaving_ends_children_and_grandchildren(tmp_path: Path) -> None:
    """When the supervisor is left, a child and what that child started have ended."""
    with Supervisor(tmp_path) as supervisor:
        child = supervisor.start("parent", _python(PARENT))
        grandchild = int(_wait_for_text(child.log))
    assert child.process.returncode == -signal.SIGTERM
    _wait_until_gone(grandchild)


def test_a_child_that_ignores_sigterm_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that does not end when asked is killed after the time for that."""
    monkeypatch.setattr("deploy.local.processes.STOP_S", 0.3)
    code = "import signal, time; signal.signal(15, signal.SIG_IGN); print('on'); time.sleep(60)"
    with Supervisor(tmp_path) as supervisor:
        child = supervisor.start("stubborn", [sys.executable, "-u", "-c", code])
        _wait_for_text(child.log)
    assert child.process.returncode == -signal.SIGKILL


def test_children_end_when_their_starter_is_killed(tmp_path: Path) -> None:
    """Even kill -9 of the command that started them leaves no child behind."""
    code = f"""
import sys, time
from pathlib import Path
from deploy.local.processes import Supervisor
with Supervisor(Path({str(tmp_path)!r})) as supervisor:
    print(supervisor.start('child', [sys.executable, '-c', {SLEEPER!r}]).process.pid, flush=True)
    time.sleep(60)
"""
    starter = subprocess.Popen(_python(code), stdout=subprocess.PIPE, text=True)
    assert starter.stdout is not None
    with starter.stdout:
        child = int(starter.stdout.readline())
    os.kill(starter.pid, signal.SIGKILL)
    starter.wait()
    _wait_until_gone(child)


def test_a_failed_process_is_told_with_its_last_words(tmp_path: Path) -> None:
    """A process that fails raises an error with its code, its last lines and its log file."""
    with Supervisor(tmp_path) as supervisor, pytest.raises(ProcessError) as told:
        supervisor.run("step", _python("import sys; print('no disk'); sys.exit(3)"))
    assert "step ended with code 3" in str(told.value)
    assert "no disk" in str(told.value)
    assert str(tmp_path / "step.log") in str(told.value)


def test_waiting_notices_that_another_process_died(tmp_path: Path) -> None:
    """Whoever waits for one thing learns at once that something else has failed."""
    with Supervisor(tmp_path) as supervisor:
        supervisor.start("server", _python("raise SystemExit('broken')"))
        with pytest.raises(ProcessError, match="server ended with code 1"):
            supervisor.wait_until("anything", lambda: False, timeout_s=30)


def test_a_process_that_may_end_is_no_failure(tmp_path: Path) -> None:
    """A step that ends well beside the others raises nothing, and can be waited for."""
    with Supervisor(tmp_path) as supervisor:
        step = supervisor.start("step", _python("pass"), ends=True)
        step.process.wait(10)
        supervisor.check()
        supervisor.finish(step)


def test_a_program_that_is_not_there_is_named(tmp_path: Path) -> None:
    """A missing program is an error that names it, not a traceback from the system."""
    with Supervisor(tmp_path) as supervisor, pytest.raises(ProcessError, match="no-such-program"):
        supervisor.start("x", ["no-such-program"])
