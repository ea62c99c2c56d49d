"""A small live stack, with a proxy in front of each thing that may fail."""

import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import Self

import redis
from prometheus_client.parser import text_string_to_metric_families

from benchmarks.chaos.fault_proxy import HOST, Fault, FaultProxy
from benchmarks.chaos.world import PROJECT, Town
from deploy.local.ports import free_ports
from deploy.local.processes import Child, Supervisor
from tests.support.bundles import make_bundle

READY_S = 60.0
PYTHON = (sys.executable, "-m")
_CREDENTIALS = {"AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local"}


class Dependency(StrEnum):
    """What a fault is done to."""

    REDIS = "redis"
    ENDPOINT = "endpoint"


class Server:
    """A process that is killed and started again.

    Args:
        name: Of its log.
        argv: Its command.
        log_dir: Where its log goes.
        ready: Whether it answers.
    """

    def __init__(
        self, name: str, argv: Sequence[str], log_dir: Path, ready: Callable[[], bool]
    ) -> None:
        self._name = name
        self._argv = argv
        self._ready = ready
        self._supervisor = Supervisor(log_dir)
        self._child: Child | None = None

    def start(self) -> None:
        """Start it and wait until it answers.

        Raises:
            ProcessError: It ended, or does not answer in time.
        """
        self._supervisor.__enter__()
        self._child = self._supervisor.start(self._name, self._argv, _CREDENTIALS)
        self._supervisor.wait_until(self._name, self._ready, READY_S, self._child)

    def kill(self) -> None:
        """End it at once, as a crash does."""
        if self._child is not None:
            self._child.process.kill()
        self.stop()

    def stop(self) -> None:
        """End it."""
        self._supervisor.stop()
        self._child = None


class Stack:
    """Redis, the endpoint and one gateway that reaches both through proxies.

    Args:
        directory: For logs, the bundle, the Redis' dump and the decisions on disk (``spill``).
        seed: Of the town.
        kinesis_url: Of the decision log's stream; where nobody listens, they wait on disk.
    """

    def __init__(
        self, directory: Path, seed: int = 0, kinesis_url: str = f"http://{HOST}:1"
    ) -> None:
        self._directory = directory
        self._kinesis_url = kinesis_url
        self._seed = seed
        self._redis_port, self._endpoint_port, self.gateway_port = free_ports(3)
        self.proxies = {
            Dependency.REDIS: FaultProxy(self._redis_port),
            Dependency.ENDPOINT: FaultProxy(self._endpoint_port),
        }
        self._bundle = directory / "bundle"
        self._redis = Server("redis", self._redis_command(), directory, self._redis_answers)
        self._endpoint = Server(
            "endpoint",
            [*PYTHON, "scoring.endpoint.serve", "--model-dir", str(self._bundle), "--port",
             str(self._endpoint_port)],
            directory,
            lambda: _answers(f"http://{HOST}:{self._endpoint_port}/ping"),
        )  # fmt: skip
        self._ends = ExitStack()

    def __enter__(self) -> Self:
        self._directory.mkdir(parents=True, exist_ok=True)
        make_bundle(self._bundle)
        with ExitStack() as ends:
            for server in (self._redis, self._endpoint):
                ends.callback(server.stop)
                server.start()
            self._client = redis.Redis(HOST, self._redis_port)
            ends.callback(self._client.close)
            self._town = Town(self._client, self._seed)
            self.refresh()
            for proxy in self.proxies.values():
                ends.enter_context(proxy)
            self.gateway = Server("gateway", self._gateway_command(), self._directory, self.ready)
            ends.callback(self.gateway.stop)
            self.gateway.start()
            self._ends = ends.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ends.close()

    def refresh(self) -> None:
        """Write every row as of now; a Redis that is killed comes back with them."""
        self._town.write()
        self._client.save()

    def kill(self, dependency: Dependency) -> None:
        """End a dependency's process at once."""
        self._server(dependency).kill()

    def heal(self, dependency: Dependency, *, killed: bool) -> None:
        """Undo what was done to a dependency."""
        self.proxies[dependency].set(Fault.NONE)
        if killed:
            self._server(dependency).start()

    def ready(self) -> bool:
        """Return whether the gateway answers and its needed dependencies do."""
        return _answers(f"http://{HOST}:{self.gateway_port}/readyz")

    def metrics(self) -> dict[str, float]:
        """Return the gateway's counters, by name and label values."""
        with urllib.request.urlopen(f"http://{HOST}:{self.gateway_port}/metrics") as answer:
            text = answer.read().decode()
        return {
            "|".join([sample.name, *sample.labels.values()]): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }

    def _server(self, dependency: Dependency) -> Server:
        return self._redis if dependency is Dependency.REDIS else self._endpoint

    def _redis_answers(self) -> bool:
        try:
            with redis.Redis(HOST, self._redis_port) as client:
                return bool(client.ping())
        except redis.ConnectionError:
            return False

    def _redis_command(self) -> list[str]:
        return ["redis-server", "--bind", HOST, "--port", str(self._redis_port), "--save", "",
                "--dir", str(self._directory.resolve())]  # fmt: skip

    def _gateway_command(self) -> list[str]:
        redis_port, endpoint_port = (self.proxies[d].port for d in Dependency)
        return [*PYTHON, "scoring.gateway.serve", "--bundle", str(self._bundle), "--port",
                str(self.gateway_port), "--project", PROJECT,
                "--redis-url", f"redis://{HOST}:{redis_port}/0",
                "--endpoint-url", f"http://{HOST}:{endpoint_port}",
                "--kinesis-url", self._kinesis_url,
                "--spill-dir", str(self._directory / "spill")]  # fmt: skip


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:  # noqa: S310
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False
