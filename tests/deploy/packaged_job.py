"""The job of an unpacked zip, on a cluster whose Python has apache-flink and nothing of ours."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from deploy.local import flink_rest
from deploy.local.flink import Command, FlinkCluster
from deploy.local.processes import Child, Supervisor
from flink_jobs.settings import PROPERTIES_VARIABLE
from tests.conftest import free_port
from tests.deploy.service_python import ServicePython
from tests.flink_jobs.emulator import REGION, Emulator

STARTED_S = 120.0
COMPILES = {"PYTHONDONTWRITEBYTECODE": ""}
"""So that what Python has compiled shows which files it has loaded."""


@dataclass(frozen=True)
class Running:
    """The job of the zip, on its cluster.

    Attributes:
        application: Where the zip was unpacked.
        run_dir: The cluster's directory.
        taskmanager_pid: Whose children are the Python workers.
        emulator: What it reads.
        redis_url: Where it writes.
    """

    application: Path
    run_dir: Path
    taskmanager_pid: int
    emulator: Emulator
    redis_url: str


@contextmanager
def running(
    application: Path, runtime: ServicePython, run_dir: Path, emulator: Emulator, redis_url: str
) -> Iterator[Running]:
    """Start the job as the service does: in the zip's directory, by its paths in it."""
    cluster = FlinkCluster(
        run_dir, None, free_port(), free_port(),
        python=str(runtime.executable), home=runtime.flink_home,
    )  # fmt: skip
    cluster.write_config()
    submit = cluster.run("--detached", "--python", "main.py", "--pyFiles", "python",
                         "--jarfile", "lib/flink-jobs.jar")  # fmt: skip
    settings = {PROPERTIES_VARIABLE: str(_write_properties(run_dir, emulator, redis_url))}
    with Supervisor(run_dir / "processes") as supervisor:

        def start(name: str, command: Command) -> Child:
            environment = {**command.env, **COMPILES}
            return supervisor.start(name, command.argv, environment, command.cwd)

        start("jobmanager", cluster.jobmanager())
        taskmanager = start("taskmanager", cluster.taskmanager())
        flink_rest.wait_for_slots(cluster, STARTED_S)
        environment = {**submit.env, **COMPILES, **settings}
        supervisor.run("submit", submit.argv, environment, application)
        flink_rest.wait_for_running(cluster, STARTED_S)
        yield Running(application, run_dir, taskmanager.process.pid, emulator, redis_url)


def _write_properties(directory: Path, emulator: Emulator, redis_url: str) -> Path:
    streams = {"endpoint_url": emulator.url, "region": REGION, "access_key": "test",
               "secret_key": "test", "initial_position": "TRIM_HORIZON"}  # fmt: skip
    groups = {"streams": streams, "feature_store": {"redis_url": redis_url}}
    path = directory / "application_properties.json"
    path.write_text(
        json.dumps([{"PropertyGroupId": k, "PropertyMap": v} for k, v in groups.items()])
    )
    return path
