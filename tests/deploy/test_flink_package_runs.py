"""The zip on a cluster that has nothing else of ours: from Kinesis to Redis."""

import subprocess
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("pyflink", reason="runs a job, which the environment of `deploy` cannot")

import h3
import psutil
import redis

from deploy import package_flink
from feature_repo.online.keys import entity_key, row_field
from feature_repo.online.row_codec import decode_rows
from feature_repo.schema import VIEWS
from flink_jobs.event_schemas import DEAD_LETTER, PROVIDER_AVAILABILITY, PROVIDER_GPS
from flink_jobs.views import JOBS, inputs_of
from tests.deploy import packaged_job, service_python
from tests.deploy.packaged_job import Running
from tests.deploy.service_python import REPOSITORY, ServicePython
from tests.flink_jobs import conftest as flink_fixtures
from tests.flink_jobs.emulator import Emulator
from tests.flink_jobs.events import gps, state

pytestmark = [pytest.mark.flink, pytest.mark.integration]

jar = flink_fixtures.jar
emulator = flink_fixtures.emulator

ROWS_S = 120.0
PROVIDER = "p-packed"
BROKEN = "no JSON at all"


@pytest.fixture(scope="module")
def runtime(tmp_path_factory: pytest.TempPathFactory) -> ServicePython:
    """The service's Python environment."""
    return service_python.create(tmp_path_factory.mktemp("runtime"))


@pytest.fixture(scope="module")
def application(
    jar: Path, runtime: ServicePython, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The unpacked zip, which the command has built for the runtime's Python."""
    directory = tmp_path_factory.mktemp("application")
    out = directory / "app.zip"
    arguments = ["--jar", str(jar), "--out", str(out), "--python-version", runtime.version]
    assert package_flink.main(arguments) == 0
    with zipfile.ZipFile(out) as archive:
        archive.extractall(directory / "unpacked")
    return directory / "unpacked"


@pytest.fixture(scope="module")
def running(
    application: Path,
    runtime: ServicePython,
    emulator: Emulator,
    redis_server: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Running]:
    """The job, on a cluster of the runtime's Python."""
    run_dir = tmp_path_factory.mktemp("flink")
    for stream in (*inputs_of(JOBS), DEAD_LETTER):
        emulator.create(stream)
    with packaged_job.running(application, runtime, run_dir, emulator, redis_server) as job:
        yield job


@pytest.fixture(scope="module")
def rows(running: Running) -> dict[str, Any]:
    """What the job wrote of a provider's events: a row of each view, and a dead letter."""
    store, emulator = redis.Redis.from_url(running.redis_url), running.emulator
    store.flushall()
    emulator.put(PROVIDER_GPS, [BROKEN])
    deadline = time.monotonic() + ROWS_S
    found: dict[str, Any] = {}
    while len(found) < 3:
        assert time.monotonic() < deadline, f"only {sorted(found)} after {ROWS_S:g} s"
        # Again and again: a window ends when a later event has come.
        now_ms = time.time_ns() // 1_000_000
        emulator.put(PROVIDER_GPS, [gps(PROVIDER, now_ms, 41.25)])
        emulator.put(PROVIDER_AVAILABILITY, [state(PROVIDER, now_ms, "en_route")])
        time.sleep(1)
        for view in ("provider_motion", "provider_availability"):
            if (row := _read(store, view)) is not None:
                found[view] = row
        if letters := emulator.letters():
            found[DEAD_LETTER] = letters[0]
    store.close()
    return found


def _read(store: Any, view: str) -> Any | None:
    schema = VIEWS[view]
    stored = store.hget(entity_key("roadside", schema, (PROVIDER,)), row_field(schema))
    decoded, usable, _ = decode_rows(schema, [stored])
    return decoded["values"][0] if usable[0] else None


def test_an_event_becomes_a_row(rows: dict[str, Any]) -> None:
    """Events on Kinesis are in Redis as rows of their views, and a broken one is a dead letter."""
    assert rows["provider_availability"]["status"] == b"en_route"
    assert rows["provider_motion"]["h3_cell"] == h3.latlng_to_cell(41.25, -75.0, 7).encode()
    assert rows[DEAD_LETTER].raw == BROKEN


def test_the_runtime_alone_does_not_know_the_jobs(
    runtime: ServicePython, application: Path
) -> None:
    """Without the zip the runtime's Python has neither the jobs nor their own packages."""
    for module in ("flink_jobs", "feature_repo", "boto3", "hiredis", "msgspec"):
        ended = subprocess.run(
            [runtime.executable, "-c", f"import {module}"],
            cwd=application,
            env={},
            capture_output=True,
            text=True,
            check=False,
        )
        assert f"No module named '{module}'" in ended.stderr


@pytest.mark.usefixtures("rows")
def test_the_job_ran_the_code_of_the_zip(running: Running) -> None:
    """Python compiled the zip's copy of the jobs, in the client's place and in the workers'."""
    compiled = running.application.glob("python/flink_jobs/__pycache__/main.*.pyc")
    assert list(compiled)
    assert list(running.run_dir.rglob("python/flink_jobs/__pycache__/sinks.*.pyc"))


@pytest.mark.usefixtures("rows")
def test_the_workers_load_nothing_of_this_checkout(running: Running) -> None:
    """What the workers have loaded is of the zip or the runtime, and there is one numpy."""
    workers = psutil.Process(running.taskmanager_pid).children(recursive=True)
    mapped = {entry.path for worker in workers for entry in worker.memory_maps()}
    assert not [path for path in mapped if path.startswith(f"{REPOSITORY}/")]
    hiredis = [path for path in mapped if "/hiredis/" in path]
    assert hiredis
    assert all(path.startswith(str(running.run_dir)) for path in hiredis)
    numpys = {path.split("/numpy/")[0] for path in mapped if "/numpy/" in path}
    assert len(numpys) == 1
