"""A standalone Flink cluster from the pip package: its files and its commands.

This module starts nothing. It writes the configuration and gives each process as a ``Command``,
so that whoever supervises the local stack owns every child. Everything listens on 127.0.0.1.
"""

import json
import os
import re
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

HOST = "127.0.0.1"


class FlinkError(RuntimeError):
    """The cluster did not do what was asked; the message says where to look."""


@dataclass(frozen=True)
class Command:
    """A process to start in the foreground."""

    argv: tuple[str, ...]
    env: Mapping[str, str]
    cwd: Path


@dataclass(frozen=True)
class FlinkCluster:
    """One job manager and one task manager on this machine.

    Attributes:
        run_dir: Configuration, logs, checkpoints and temporary files go under it.
        repository: Where the jobs' Python packages are; None if what is submitted brings them.
        rest_port: The web page and REST interface.
        rpc_port: The job manager's internal port.
        slots: Task slots; at least the parallelism.
        parallelism: Of the jobs that are submitted here.
        checkpoint_interval_ms: Time between checkpoints.
        extra: Configuration that goes over the rest.
        python: The Python of the client and of the workers; has apache-flink.
        home: That Python's package of Flink; by default the running one's.
    """

    run_dir: Path
    repository: Path | None
    rest_port: int
    rpc_port: int
    slots: int = 1
    parallelism: int = 1
    checkpoint_interval_ms: int = 5000
    extra: Mapping[str, str] = field(default_factory=dict)
    python: str = sys.executable
    home: Path | None = None

    @property
    def url(self) -> str:
        """The web page's and REST interface's address."""
        return f"http://{HOST}:{self.rest_port}"

    @property
    def log_dir(self) -> Path:
        """Where the JVMs log."""
        return self.run_dir / "log"

    @property
    def checkpoint_dir(self) -> Path:
        """Where checkpoints are kept, one directory a job."""
        return self.run_dir / "checkpoints"

    def write_config(self) -> None:
        """Write ``config.yaml`` and the logging files.

        Raises:
            FlinkError: The pip package of Flink is not installed.
        """
        for name in ("conf", "log", "tmp", "checkpoints", "savepoints"):
            (self.run_dir / name).mkdir(parents=True, exist_ok=True)
        conf = self.run_dir / "conf"
        lines = [f"{key}: {json.dumps(value)}" for key, value in self._config().items()]
        (conf / "config.yaml").write_text("\n".join(lines) + "\n")
        for name in ("log4j-console.properties", "log4j-cli.properties"):
            shutil.copyfile(self._home / "conf" / name, conf / name)

    def _config(self) -> dict[str, str]:
        return {
            "env.java.opts.all": _module_options(self._home),
            # The job manager and the client do little, once: compiling it well costs more.
            "env.java.opts.jobmanager": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
            "env.java.opts.client": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
            "env.java.opts.taskmanager": "-XX:TieredStopAtLevel=1",
            "rest.address": HOST,
            "rest.bind-address": HOST,
            "rest.port": str(self.rest_port),
            "rest.bind-port": str(self.rest_port),
            "jobmanager.rpc.address": HOST,
            "jobmanager.rpc.port": str(self.rpc_port),
            "jobmanager.bind-host": HOST,
            "taskmanager.host": HOST,
            "taskmanager.bind-host": HOST,
            "jobmanager.memory.process.size": "768m",
            "jobmanager.memory.jvm-metaspace.size": "160m",
            "jobmanager.memory.jvm-overhead.min": "128m",
            "taskmanager.memory.process.size": "1280m",
            "taskmanager.memory.jvm-metaspace.size": "256m",
            "taskmanager.memory.network.min": "64m",
            "taskmanager.memory.network.max": "64m",
            "taskmanager.memory.managed.size": "64m",
            "taskmanager.numberOfTaskSlots": str(self.slots),
            "parallelism.default": str(self.parallelism),
            "io.tmp.dirs": str(self.run_dir / "tmp"),
            "heartbeat.interval": "2000",
            "heartbeat.timeout": "20000",
            "restart-strategy.type": "exponential-delay",
            "restart-strategy.exponential-delay.initial-backoff": "1 s",
            "restart-strategy.exponential-delay.max-backoff": "10 s",
            "state.backend.type": "hashmap",
            "execution.checkpointing.interval": f"{self.checkpoint_interval_ms} ms",
            "execution.checkpointing.dir": self.checkpoint_dir.resolve().as_uri(),
            "execution.checkpointing.savepoint-dir": (self.run_dir / "savepoints")
            .resolve()
            .as_uri(),
            "execution.checkpointing.externalized-checkpoint-retention": "RETAIN_ON_CANCELLATION",
            "execution.checkpointing.num-retained": "2",
            "python.executable": self.python,
            "python.client.executable": self.python,
            # Short bundles: on a quiet stream a bundle ends by time, and a row waits for that.
            "python.fn-execution.bundle.size": "5000",
            "python.fn-execution.bundle.time": "200",
            "python.fn-execution.arrow.batch.size": "5000",
            **self.extra,
        }

    def jobmanager(self) -> Command:
        """The job manager's process."""
        return self._command("bin/jobmanager.sh", "start-foreground")

    def taskmanager(self) -> Command:
        """The task manager's process."""
        return self._command("bin/taskmanager.sh", "start-foreground")

    def submit(
        self,
        jar: Path,
        properties: Path,
        restore_from: str | None = None,
        *,
        detached: bool = True,
    ) -> Command:
        """The process that submits the application, and ends when the cluster has it.

        Args:
            jar: The uber-jar.
            properties: The application's settings file.
            restore_from: A checkpoint or savepoint to begin from.
            detached: Whether it ends once the cluster has the job; else with the job's end.

        Raises:
            FlinkError: The cluster was given no repository.
        """
        if self.repository is None:
            raise FlinkError("this cluster has no repository to submit from; use run()")
        restore = () if restore_from is None else ("--fromSavepoint", restore_from)
        return self.run(
            *(("--detached",) if detached else ()),
            *restore,
            "--jarfile",
            str(jar),
            "--python",
            str(self.repository / "flink_jobs" / "main.py"),
            "--properties",
            str(properties),
        )

    def run(self, *arguments: str) -> Command:
        """The process of ``flink run`` with these arguments."""
        return self._command("bin/flink", "run", *arguments)

    @property
    def _home(self) -> Path:
        return self.home or flink_home()

    def _command(self, script: str, *arguments: str) -> Command:
        home = self._home
        env = {
            **os.environ,
            "FLINK_HOME": str(home),
            "FLINK_CONF_DIR": str(self.run_dir / "conf"),
            "FLINK_LOG_DIR": str(self.log_dir),
            "FLINK_PID_DIR": str(self.run_dir / "tmp"),
            "PYTHONPATH": "" if self.repository is None else str(self.repository),
            # Emulators answer in JSON, not in CBOR.
            "AWS_CBOR_DISABLE": "true",
            "CBOR_ENABLED": "false",
        }
        # Under bash, because pip does not keep the scripts' permission to execute.
        return Command(("bash", str(home / script), *arguments), env, self.run_dir)

    def newest_checkpoint(self, job_id: str) -> str:
        """Return the path of a job's newest complete checkpoint.

        Raises:
            FlinkError: It has none.
        """
        found = sorted(
            (self.checkpoint_dir / job_id).glob("chk-*/_metadata"),
            key=lambda path: path.stat().st_mtime_ns,
        )
        if not found:
            raise FlinkError(f"job {job_id} has no checkpoint under {self.checkpoint_dir}")
        return str(found[-1].parent)


def flink_home() -> Path:
    """Return the directory of the pip package.

    Raises:
        FlinkError: It is not installed.
    """
    spec = find_spec("pyflink")
    if spec is None or not spec.submodule_search_locations:
        raise FlinkError("apache-flink is not installed here; install the extra 'flink'")
    return Path(next(iter(spec.submodule_search_locations)))


def _module_options(home: Path) -> str:
    """Return what the package's own configuration opens for Flink's reflection on Java 17."""
    defaults = (home / "conf" / "config.yaml").read_text()
    found = re.search(r"^\s*all: (--add-\S.*)$", defaults, re.MULTILINE)
    if found is None:
        raise FlinkError(f"{home}/conf/config.yaml has no Java options; reinstall Flink")
    return found[1]
