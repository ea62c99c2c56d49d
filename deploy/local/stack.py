"""The local stack: every real part of the product, started in order, on this machine."""

import json
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from deploy.local import emulator, flink
from deploy.local.layout import FLINK_JAR, REPOSITORY, Layout, fingerprint
from deploy.local.ports import HOST, Ports
from deploy.local.processes import Child, Supervisor
from deploy.local.requests import Gateway

REDIS_READY_S = 10
EMULATOR_READY_S = 60
FLINK_READY_S = 90
JOB_RUNNING_S = 120
SERVER_READY_S = 60
FEATURES_READY_S = 120

PREPARING_ROOMS = ("simulator", "flink_jobs", "training", "feature_repo")
STREAM_VIEWS = ("provider_motion", "provider_availability", "cell_conditions", "cell_demand")
ENDPOINT_NAME = "dispatch-ranker"
PYTHON = (sys.executable, "-m")
FEAST = (*PYTHON, "feast.cli.cli")
FEATURE_REPO = REPOSITORY / "feature_repo"

Report = Callable[[str], None]


@dataclass(frozen=True)
class World:
    """What the simulator plays."""

    providers: int = 400
    seed: int = 7
    history_hours: float = 4.0
    speed: float = 1.0
    exclude_providers: tuple[str, ...] = ()


@dataclass(frozen=True)
class LocalStack:
    """Starts the parts through a supervisor, which ends them.

    Attributes:
        supervisor: Owns every process.
        layout: Where files go.
        ports: Where the parts listen.
        world: What the simulator plays.
        report: Told each step, for a person to read.
    """

    supervisor: Supervisor
    layout: Layout
    ports: Ports
    world: World
    report: Report

    def start(self) -> None:
        """Bring everything up, from an empty directory if need be.

        Raises:
            ProcessError: A part failed; the message says which and shows its last words.
            FlinkError: The cluster or the job failed.
        """
        self.ports.check_free()
        self._start_stores()
        cluster = self._start_flink()
        self._configure_feature_store()
        training = self._prepare(cluster) if self._must_prepare() else None
        self._start_simulator()
        materializing = self._start_materializing()
        self._submit_job(cluster)
        if training is not None:
            self.report("waiting for the model")
            self.supervisor.finish(training)
            self.layout.prepared.write_text(self._made_from())
        self._start_serving()
        self.supervisor.finish(materializing)
        self._wait_for_features()

    def kinesis(self) -> Any:
        """Return a Kinesis client of this stack."""
        return emulator.connect(self.ports.kinesis)

    def gateway(self) -> Gateway:
        """Return a client of this stack's gateway."""
        return Gateway(self.ports.gateway)

    def addresses(self) -> dict[str, str]:
        """Return where everything is, by name."""
        gateway = f"http://{HOST}:{self.ports.gateway}"
        return {
            "gateway": f"{gateway}/v1/recommendations",
            "API page": f"{gateway}/docs",
            "metrics": f"{gateway}/metrics",
            "Flink": f"http://{HOST}:{self.ports.flink_web}",
            "Kinesis": f"http://{HOST}:{self.ports.kinesis}",
            "Redis": self._redis_url,
            "logs": str(self.layout.logs),
        }

    @property
    def _redis_url(self) -> str:
        return f"redis://{HOST}:{self.ports.redis}/0"

    @property
    def _kinesis_url(self) -> str:
        return f"http://{HOST}:{self.ports.kinesis}"

    @property
    def environment(self) -> dict[str, str]:
        """What our own programs are told by environment variables."""
        return {
            **emulator.AWS_ENVIRONMENT,
            "PYTHONPATH": str(REPOSITORY),
            "FEATURE_DATA_DIR": str(self.layout.offline),
            "FEAST_FS_YAML_FILE_PATH": str(self.layout.feature_store_yaml),
            "FEAST_USAGE": "False",
            "PYTHONWARNINGS": "ignore",
        }

    def _start_stores(self) -> None:
        self.report("starting Redis and the Kinesis emulator")
        redis_dir = self.layout.run_dir / "redis"
        redis_dir.mkdir(parents=True, exist_ok=True)
        redis = self.supervisor.start(
            "redis",
            ["redis-server", "--bind", HOST, "--port", str(self.ports.redis), "--save", "",
             "--appendonly", "no", "--dir", str(redis_dir)],
        )  # fmt: skip
        kinesis = self.supervisor.start(
            "kinesis", emulator.command(), emulator.environment(self.ports.kinesis)
        )
        self.supervisor.wait_until(
            "Redis", lambda: b"Ready to accept" in redis.log.read_bytes(), REDIS_READY_S, redis
        )
        client = self.kinesis()
        self.supervisor.wait_until(
            "the Kinesis emulator", lambda: emulator.answers(client), EMULATOR_READY_S, kinesis
        )
        emulator.create_streams(client)

    def _start_flink(self) -> flink.FlinkCluster:
        self.report("starting Flink")
        shutil.rmtree(self.layout.run_dir / "flink", ignore_errors=True)
        cluster = flink.FlinkCluster(
            run_dir=self.layout.run_dir / "flink",
            repository=REPOSITORY,
            rest_port=self.ports.flink_web,
            rpc_port=self.ports.flink_rpc,
        )
        cluster.write_config()
        for name, command in (
            ("flink-jobmanager", cluster.jobmanager()),
            ("flink-taskmanager", cluster.taskmanager()),
        ):
            self.supervisor.start(name, command.argv, command.env, command.cwd)
        return cluster

    def _configure_feature_store(self) -> None:
        """Write Feast's settings with this stack's Redis; the rest is the repository's own."""
        own = (FEATURE_REPO / "feature_store.yaml").read_text()
        lines = [line for line in own.splitlines() if not line.startswith("#")]
        text = "\n".join(lines).replace("redis://127.0.0.1:16379/0", self._redis_url)
        registry = self.layout.run_dir.resolve() / "registry.db"
        text = text.replace("registry: ../.run/registry.db", f"registry: {registry}")
        self.layout.feature_store_yaml.write_text(text + "\n")

    def _made_from(self) -> str:
        world = self.world
        return fingerprint(PREPARING_ROOMS, world.providers, world.seed, world.history_hours)

    def _must_prepare(self) -> bool:
        prepared = self.layout.prepared
        return not prepared.is_file() or prepared.read_text() != self._made_from()

    def _prepare(self, cluster: flink.FlinkCluster) -> Child:
        """Make history and its features, and begin to train: once, until their code changes.

        Two cores are busy all the way: Feast registers beside the backfill, and the model is
        trained beside the start of the live job.
        """
        self.layout.prepared.unlink(missing_ok=True)
        shutil.rmtree(self.layout.data, ignore_errors=True)
        shutil.rmtree(self.layout.bundle, ignore_errors=True)
        self.report("simulating history")
        self.supervisor.run("history", self._history_command(), self.environment)
        self.report("computing the history's features: the same Flink jobs, in batch; feast apply")
        applying = self.supervisor.start(
            "feast-apply", [*FEAST, "apply"], self.environment, FEATURE_REPO, ends=True
        )
        flink.wait_for_slots(cluster, FLINK_READY_S)
        properties = self._write_properties("backfill", self._backfill_properties())
        command = cluster.submit(FLINK_JAR, properties, detached=False)
        self.supervisor.run("backfill", command.argv, command.env, command.cwd)
        self.supervisor.finish(applying)
        self.report("training the ranker, beside what follows")
        return self.supervisor.start(
            "training",
            [*PYTHON, "training.run", "--data", str(self.layout.data), "--bundle",
             str(self.layout.bundle), "--feature-repo", str(FEATURE_REPO), "--seed",
             str(self.world.seed)],
            self.environment,
            ends=True,
        )  # fmt: skip

    def _history_command(self) -> list[str]:
        return [
            *PYTHON, "simulator", "history", "--out", str(self.layout.data), "--hours",
            str(self.world.history_hours), *self._world_arguments(),
        ]  # fmt: skip

    def _world_arguments(self) -> list[str]:
        return ["--providers", str(self.world.providers), "--seed", str(self.world.seed)]

    def _start_simulator(self) -> None:
        self.report("starting the simulator: GPS, availability, weather, traffic, requests")
        arguments = [*self._world_arguments(), "--endpoint-url", self._kinesis_url,
                     "--speed", str(self.world.speed)]  # fmt: skip
        if self.world.exclude_providers:
            arguments += ["--exclude-providers", ",".join(self.world.exclude_providers)]
        self.supervisor.start(
            "simulator", [*PYTHON, "simulator", "live", *arguments], self.environment
        )

    def _start_serving(self) -> None:
        self.report("starting the scoring endpoint and the gateway")
        self.supervisor.start(
            "endpoint",
            [*PYTHON, "scoring.endpoint.serve", "--model-dir", str(self.layout.bundle),
             "--port", str(self.ports.endpoint)],
            self.environment,
        )  # fmt: skip
        self.supervisor.start(
            "gateway",
            [*PYTHON, "scoring.gateway.serve", "--bundle", str(self.layout.bundle),
             "--port", str(self.ports.gateway), "--redis-url", self._redis_url,
             "--endpoint-name", ENDPOINT_NAME,
             "--endpoint-url", f"http://{HOST}:{self.ports.endpoint}",
             "--kinesis-url", self._kinesis_url],
            self.environment,
        )  # fmt: skip

    def _start_materializing(self) -> Child:
        """Bring the batch views into Redis, beside the job's start; what is applied is prepared."""
        self.report("feast materialize: provider_profile, provider_history")
        now = datetime.now(UTC)
        return self.supervisor.start(
            "feast-materialize",
            [*FEAST, "materialize", (now - timedelta(days=365)).strftime("%Y-%m-%dT%H:%M:%S"),
             now.strftime("%Y-%m-%dT%H:%M:%S"), "-v", "provider_profile", "-v", "provider_history"],
            self.environment,
            FEATURE_REPO,
            ends=True,
        )  # fmt: skip

    def _submit_job(self, cluster: flink.FlinkCluster) -> None:
        self.report("submitting the Flink job")
        flink.wait_for_slots(cluster, FLINK_READY_S)
        properties = self._write_properties("stream", self._stream_properties())
        command = cluster.submit(FLINK_JAR, properties)
        self.supervisor.run("submit", command.argv, command.env, command.cwd)
        flink.wait_for_running(cluster, JOB_RUNNING_S)

    def _write_properties(self, name: str, groups: dict[str, dict[str, str]]) -> Path:
        """Write the jobs' settings in the form of the managed service's file."""
        path = self.layout.run_dir / f"{name}_properties.json"
        entries = [
            {"PropertyGroupId": group, "PropertyMap": properties}
            for group, properties in groups.items()
        ]
        path.write_text(json.dumps(entries, indent=2) + "\n")
        return path.resolve()

    def _stream_properties(self) -> dict[str, dict[str, str]]:
        return {
            "streams": {
                "region": emulator.REGION,
                "endpoint_url": self._kinesis_url,
                "access_key": emulator.ACCESS_KEY,
                "secret_key": emulator.SECRET_KEY,
                # The streams are as new as the stack: nothing that came before the job is lost.
                "initial_position": "TRIM_HORIZON",
            },
            "event_time": {"conditions_slide_s": "15", "demand_slide_s": "15"},
            "feature_store": {"redis_url": self._redis_url},
        }

    def _backfill_properties(self) -> dict[str, dict[str, str]]:
        return {
            "streams": {"kind": "archive", "archive_dir": str(self.layout.data / "events")},
            # History has a fix a minute, so a window a minute sees each of them.
            "event_time": {"motion_slide_s": "60"},
            "feature_store": {"offline_dir": str(self.layout.offline)},
            "jobs": {"name": "backfill"},
        }

    def _wait_for_features(self) -> None:
        """Wait until every stream view has been written and the gateway is ready."""
        self.report("waiting for the first windows")
        gateway = self.gateway()
        try:
            self.supervisor.wait_until("the gateway", gateway.ready, FEATURES_READY_S)
            self.supervisor.wait_until(
                "features of every stream view",
                lambda: gateway.checks()["pipelines"].count("behind") == len(STREAM_VIEWS),
                FEATURES_READY_S,
            )
        finally:
            gateway.close()
