"""The jar, the jobs over an archive, a Kinesis emulator, the live job: each once a session."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.flink_jobs import recoveries
from tests.flink_jobs.emulator import Emulator
from tests.flink_jobs.live import Live, running
from tests.flink_jobs.recoveries import Recoveries
from tests.flink_jobs.replay import Mode, Replay

REPOSITORY = Path(__file__).parents[2]
JOBS_DIR = REPOSITORY / "flink_jobs"
JAR = JOBS_DIR / "target" / "flink-jobs.jar"


@pytest.fixture(scope="session")
def jar() -> Path:
    """The uber-jar, built if it is not there or older than its sources."""
    sources = [JOBS_DIR / "pom.xml", *(JOBS_DIR / "src").rglob("*.java")]
    newest = max(path.stat().st_mtime for path in sources)
    if not JAR.is_file() or JAR.stat().st_mtime < newest:
        subprocess.run(["mvn", "-q", "-B", "package"], cwd=JOBS_DIR, check=True)
    return JAR


def _replay(jar: Path, mode: Mode) -> Iterator[Replay]:
    replay = Replay(jar, mode)
    yield replay
    replay.close()


@pytest.fixture(scope="session")
def batch(jar: Path) -> Iterator[Replay]:
    """The jobs in batch mode, in a process of their own."""
    yield from _replay(jar, "batch")


@pytest.fixture(scope="session")
def stream(jar: Path) -> Iterator[Replay]:
    """The jobs in streaming mode over the same kind of archive."""
    yield from _replay(jar, "stream")


@pytest.fixture(scope="session")
def crashing(jar: Path) -> Iterator[Replay]:
    """The jobs in streaming mode, with checkpoints, and a crash where it is asked for."""
    yield from _replay(jar, "crashing")


@pytest.fixture(scope="session")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """A Kinesis emulator."""
    running = Emulator(tmp_path_factory.mktemp("kinesis"))
    running.start()
    yield running
    running.stop()


@pytest.fixture(scope="package")
def live(jar: Path, emulator: Emulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """The job with all views, running; it ends with the last test of this folder."""
    with running(jar, emulator, tmp_path_factory.mktemp("live")) as found:
        yield found


@pytest.fixture(scope="session")
def measured(request: pytest.FixtureRequest) -> Recoveries:
    """Where tests of faults say how long the recovery took; shown at the end of the run."""
    return recoveries.of(request.config)


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Show what the tests of faults have measured."""
    lines = recoveries.of(config).table()
    if lines:
        terminalreporter.section("recovery from faults, seconds")
        for line in lines:
            terminalreporter.write_line(line)
