"""The local stack: every real part of the product, started in order, on this machine."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from deploy.local import emulator, flink, flink_rest
from deploy.local.layout import FLINK_JAR, REPOSITORY, Layout, fingerprint
from deploy.local.ports import HOST, Ports
from deploy.local.processes import Child, Supervisor
from deploy.local.programs import FEATURE_REPO, Programs, World
from deploy.local.requests import Gateway

REDIS_READY_S = 10
EMULATOR_READY_S = 60
FLINK_READY_S = 120
JOB_RUNNING_S = 180
FEATURES_READY_S = 180

PREPARING_ROOMS = ("simulator", "flink_jobs", "training", "feature_repo")
BATCH_VIEWS = ("provider_profile", "provider_history")
STREAM_VIEWS = ("provider_motion", "provider_availability", "cell_conditions", "cell_demand")

Report = Callable[[str], None]


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
            PortTakenError: Somebody listens on a port of ours.
            ProcessError: A part failed; the message says which and shows its last words.
            FlinkError: The cluster or the job failed.
        """
        self.ports.check_free()
        self._start_stores()
        cluster = self._start_flink()
        self._programs.write_feature_store_yaml()
        preparing = self._prepare(cluster) if self._must_prepare() else []
        self.report("starting the simulator: GPS, availability, weather, traffic, requests")
        self._start("simulator", self._programs.simulator())
        self.report("feast materialize: provider_profile, provider_history")
        materializing = self._start_feast("materialize", self._programs.feast_materialize())
        self._submit_job(cluster)
        if preparing:
            self.report("waiting for the model")
            for child in preparing:
                self.supervisor.finish(child)
            self.layout.prepared.write_text(self._made_from())
        self.report("starting the scoring endpoint and the gateway")
        self._start("endpoint", self._programs.endpoint())
        self._start("gateway", self._programs.gateway())
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
            "Kinesis": self._programs.kinesis_url,
            "Redis": self._programs.redis_url,
            "logs": str(self.layout.logs),
        }

    @property
    def _programs(self) -> Programs:
        return Programs(self.layout, self.ports, self.world)

    def _start(self, name: str, argv: list[str], *, ends: bool = False) -> Child:
        return self.supervisor.start(name, argv, self._programs.environment, ends=ends)

    def _start_check(self, name: str, views: tuple[str, ...]) -> Child:
        return self._start(f"check-{name}", self._programs.check_offline(views), ends=True)

    def _start_feast(self, name: str, argv: list[str]) -> Child:
        environment = self._programs.environment
        return self.supervisor.start(f"feast-{name}", argv, environment, FEATURE_REPO, ends=True)

    def _start_stores(self) -> None:
        self.report("starting Redis and the Kinesis emulator")
        redis = self.supervisor.start("redis", self._programs.redis(), cwd=self.layout.run_dir)
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

    def _made_from(self) -> str:
        world = self.world
        return fingerprint(PREPARING_ROOMS, world.providers, world.seed, world.history_hours)

    def _must_prepare(self) -> bool:
        prepared = self.layout.prepared
        return not prepared.is_file() or prepared.read_text() != self._made_from()

    def _prepare(self, cluster: flink.FlinkCluster) -> list[Child]:
        """Make history and its features, and begin to train: once, until their code changes.

        Two cores are busy all the way: Feast registers, and the batch views pass their gate,
        beside the backfill; the model is trained, and the backfill passes its gate, beside the
        start of the live job. What is still running at the end is returned: nothing is served
        before all of it has ended well.
        """
        self.layout.prepared.unlink(missing_ok=True)
        shutil.rmtree(self.layout.data, ignore_errors=True)
        shutil.rmtree(self.layout.bundle, ignore_errors=True)
        self.report("simulating history")
        self.supervisor.run("history", self._programs.history(), self._programs.environment)
        self.report("computing its features: the same Flink jobs, in batch")
        checking = self._start_check("batch", BATCH_VIEWS)
        applying = self._start_feast("apply", self._programs.feast_apply())
        flink_rest.wait_for_slots(cluster, FLINK_READY_S)
        properties = self._programs.write_backfill_properties()
        command = cluster.submit(FLINK_JAR, properties, detached=False)
        self.supervisor.run("backfill", command.argv, command.env, command.cwd)
        self.supervisor.finish(applying)
        self.supervisor.finish(checking)
        self.report("training the ranker, beside what follows")
        checking = self._start_check("backfill", STREAM_VIEWS)
        return [checking, self._start("training", self._programs.training(), ends=True)]

    def _submit_job(self, cluster: flink.FlinkCluster) -> None:
        self.report("submitting the Flink job")
        flink_rest.wait_for_slots(cluster, FLINK_READY_S)
        command = cluster.submit(FLINK_JAR, self._programs.write_stream_properties())
        self.supervisor.run("submit", command.argv, command.env, command.cwd)
        flink_rest.wait_for_running(cluster, JOB_RUNNING_S)

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
