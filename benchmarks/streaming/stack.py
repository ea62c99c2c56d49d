"""What is measured, started: the emulator, a Redis, a Flink cluster, and the application on it."""

import json
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import msgspec
import redis

from benchmarks.streaming.cpu import TASK_MANAGER
from benchmarks.streaming.load import Sent
from deploy.local import emulator, flink_rest
from deploy.local.flink import FlinkCluster
from deploy.local.layout import FLINK_JAR, REPOSITORY
from deploy.local.ports import HOST, Ports
from deploy.local.processes import Child, Supervisor
from flink_jobs.event_schemas import STREAMS

READY_S = 60
RUNNING_S = 180
LOAD_GENERATOR = "load generator"
MAIN = str(REPOSITORY / "flink_jobs" / "main.py")
Groups = dict[str, dict[str, str]]

FLINK_SETTINGS = {
    # The defaults of `make run` start fast; a job that stays up is compiled well, and has the
    # memory of one KPU of the managed service.
    "env.java.opts.taskmanager": "",
    "taskmanager.memory.process.size": "4096m",
    "execution.checkpointing.interval": "60 s",  # the managed service's
    "metrics.fetcher.update-interval": "900",
}


@dataclass
class Stack:
    """The parts, each a child of the supervisor.

    Attributes:
        supervisor: Owns and ends every process.
        run_dir: Logs and settings go there.
        ports: Where the parts listen.
        parallelism: Of the job.
        extra: Flink settings over the benchmark's own.
    """

    supervisor: Supervisor
    run_dir: Path
    ports: Ports
    parallelism: int = 1
    extra: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.children: dict[str, Child] = {}
        self.cluster = FlinkCluster(
            run_dir=self.run_dir / "flink",
            repository=REPOSITORY,
            rest_port=self.ports.flink_web,
            rpc_port=self.ports.flink_rpc,
            slots=self.parallelism,
            parallelism=self.parallelism,
            extra={**FLINK_SETTINGS, **self.extra},
        )
        self.redis = redis.Redis(HOST, self.ports.redis)

    @property
    def redis_url(self) -> str:
        """Where Redis is."""
        return f"redis://{HOST}:{self.ports.redis}/0"

    def start(self, shards: int) -> None:
        """Start every part, with empty streams of so many shards."""
        shutil.rmtree(self.run_dir / "flink", ignore_errors=True)
        self.run_dir.mkdir(parents=True, exist_ok=True)
        store = ["redis-server", "--bind", HOST, "--port", str(self.ports.redis), "--save", ""]
        self._start("Redis", store, cwd=self.run_dir)
        self._start("emulator", emulator.command(), emulator.environment(self.ports.kinesis))
        self.cluster.write_config()
        for name, command in (
            ("job manager", self.cluster.jobmanager()),
            (TASK_MANAGER, self.cluster.taskmanager()),
        ):
            self._start(name, list(command.argv), command.env, command.cwd)
        client = emulator.connect(self.ports.kinesis)
        self.supervisor.wait_until("emulator", lambda: emulator.answers(client), READY_S)
        for stream in STREAMS:
            client.create_stream(StreamName=stream, ShardCount=shards)
        self.supervisor.wait_until("Redis", self._redis_answers, READY_S)
        flink_rest.wait_for_slots(self.cluster, READY_S)

    def _start(
        self,
        name: str,
        argv: list[str],
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
    ) -> None:
        self.children[name] = self.supervisor.start(name.replace(" ", "-"), argv, env, cwd)

    def _redis_answers(self) -> bool:
        try:
            return bool(self.redis.ping())
        except redis.ConnectionError:
            return False

    def start_load(self, *arguments: object) -> None:
        """Start the load generator (see ``load.py``)."""
        argv = [sys.executable, "-m", "benchmarks.streaming.load", "--port",
                str(self.ports.kinesis), "--report", str(self._load_report),
                *map(str, arguments)]  # fmt: skip
        self._load_report.unlink(missing_ok=True)
        self.children[LOAD_GENERATOR] = self.supervisor.start(
            "load", argv, {"PYTHONPATH": str(REPOSITORY)}, self.run_dir, ends=True
        )

    def end_load(self) -> Sent:
        """End a load that plays; return what it put."""
        child = self.children.pop(LOAD_GENERATOR)
        child.process.terminate()
        return self._loaded(child)

    def fill(self, *arguments: object) -> Sent:
        """Put a backlog; return what it is."""
        self.start_load(*arguments)
        return self._loaded(self.children.pop(LOAD_GENERATOR))

    def _loaded(self, child: Child) -> Sent:
        self.supervisor.finish(child)
        return msgspec.json.decode(self._load_report.read_bytes(), type=Sent)

    @property
    def _load_report(self) -> Path:
        return self.run_dir / "load.json"

    def submit(self, groups: Groups, program: Sequence[object] = ()) -> str:
        """Submit the application and return the job's id.

        Args:
            groups: Its settings, over this stack's addresses.
            program: Another program that starts it, and that program's arguments.
        """
        properties = self.run_dir / "properties.json"
        entries = [
            {"PropertyGroupId": name, "PropertyMap": values}
            for name, values in self._with_addresses(groups).items()
        ]
        properties.write_text(json.dumps(entries, indent=1))
        command = self.cluster.submit(FLINK_JAR, properties)
        if program:
            path, *arguments = map(str, program)
            argv = tuple(path if part == MAIN else part for part in command.argv)
            command = replace(command, argv=(*argv, *arguments))
        before = set(flink_rest.job_states(self.cluster))
        self.supervisor.run("submit", command.argv, command.env, command.cwd)
        self.supervisor.wait_until("the job", lambda: self._runs(before), RUNNING_S)
        return next(iter(set(flink_rest.job_states(self.cluster)) - before))

    def _runs(self, before: set[str]) -> bool:
        new = set(flink_rest.job_states(self.cluster)) - before
        return bool(new) and all(flink_rest.all_tasks_run(self.cluster, job) for job in new)

    def _with_addresses(self, groups: Groups) -> Groups:
        own: Groups = {
            "streams": {
                "region": emulator.REGION,
                "endpoint_url": f"http://{HOST}:{self.ports.kinesis}",
                "access_key": emulator.ACCESS_KEY,
                "secret_key": emulator.SECRET_KEY,
                "initial_position": "TRIM_HORIZON",
            },
            "feature_store": {"redis_url": self.redis_url},
        }
        names = [*own, *(name for name in groups if name not in own)]
        return {name: {**own.get(name, {}), **groups.get(name, {})} for name in names}

    def pids(self) -> dict[str, int]:
        """Return the process of every part that runs."""
        return {name: child.process.pid for name, child in self.children.items()}
