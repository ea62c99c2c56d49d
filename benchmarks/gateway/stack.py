"""The processes under load, on ports of 127.0.0.1, and the processor time of each."""

import sys
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import psutil
from redis import Redis

from benchmarks.gateway.live import PROJECT, write
from benchmarks.gateway.load import Seen
from benchmarks.gateway.world import World
from benchmarks.streaming.cpu import CpuMeter, Parts
from deploy.local.ports import HOST
from deploy.local.processes import Child, Supervisor
from feature_repo.online.row_writer import RowWriter
from tests.support.bundles import make_bundle

READY_S = 60.0
REQUESTS = 20_000
TREES = 400
"""Of each of the four models, if no bundle is given: as many as ``training.models`` makes."""
PYTHON = (sys.executable, "-m")
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local"}


@dataclass(frozen=True)
class Settings:
    """What is started.

    Attributes:
        port: The first of the ports to listen on.
        providers: How many there are.
        seed: Of the world.
        workers: Processes of the gateway, and of the endpoint.
        bundle: The model bundle; None trains one.
        run_dir: For logs and what processes tell one another.
    """

    port: int
    providers: int
    seed: int
    workers: int
    bundle: Path | None
    run_dir: Path


class Stack:
    """Redis with the world in it, who keeps it fresh, the endpoint and the gateway."""

    def __init__(self, supervisor: Supervisor, settings: Settings) -> None:
        self.supervisor = supervisor
        self.settings = settings
        self.world = World(settings.providers, settings.seed)
        self.bodies = settings.run_dir / "requests.msgpack"
        self._children: dict[str, Child] = {}
        self._events = 0

    @property
    def redis_url(self) -> str:
        """Where Redis is."""
        return f"redis://{HOST}:{self.settings.port}/0"

    @property
    def url(self) -> str:
        """Where the gateway is."""
        return f"http://{HOST}:{self.settings.port + 2}"

    @property
    def endpoint_url(self) -> str:
        """Where the endpoint is."""
        return f"http://{HOST}:{self.settings.port + 1}"

    def start_store(self) -> None:
        """Start Redis, fill it, and keep it fresh from then on."""
        argv = ["redis-server", "--bind", HOST, "--port", str(self.settings.port), "--save", "",
                "--hash-max-listpack-value", "256"]  # fmt: skip
        redis = self._start("Redis", argv)
        client = Redis.from_url(self.redis_url)
        self.supervisor.wait_until(
            "Redis", lambda: b"Ready to accept" in redis.log.read_bytes(), READY_S, redis
        )
        writer, now_us = RowWriter(client, PROJECT), time.time_ns() // 1000
        for rows in (*self.world.live_rows(now_us), *self.world.other_rows(now_us)):
            write(writer, rows)
        client.close()
        self.bodies.write_bytes(msgspec.msgpack.encode(self.world.requests(REQUESTS)))
        world = ["--providers", str(self.settings.providers), "--seed", str(self.settings.seed)]
        live = [*PYTHON, "benchmarks.gateway.live", "--redis-url", self.redis_url, *world]
        self._start("live rows", live)

    def start_serving(self, *arguments: str) -> None:
        """Start the endpoint and the gateway, and wait until they answer."""
        bundle, workers = str(self.bundle()), str(self.settings.workers)
        sink = str(self.settings.port + 3)
        self._start("stream", [*PYTHON, "benchmarks.gateway.sink", "--port", sink])
        self._start("endpoint", [*PYTHON, "scoring.endpoint.serve", "--model-dir", bundle, "--port",
                    str(self.settings.port + 1), "--workers", workers])  # fmt: skip
        self._wait_for("endpoint", f"{self.endpoint_url}/ping")
        self._start("gateway", [*PYTHON, "scoring.gateway.serve", "--workers", workers,
                    *self.gateway_arguments(), *arguments])  # fmt: skip
        self._wait_for("gateway", f"{self.url}/healthz")

    def gateway_arguments(self) -> list[str]:
        """Return what a gateway on this stack is told."""
        return ["--bundle", str(self.bundle()), "--port", str(self.settings.port + 2),
                "--redis-url", self.redis_url, "--endpoint-url", self.endpoint_url,
                "--kinesis-url", f"http://{HOST}:{self.settings.port + 3}"]  # fmt: skip

    def bundle(self) -> Path:
        """Return the model bundle, training one if none was given."""
        if self.settings.bundle is not None:
            return self.settings.bundle
        made = self.settings.run_dir / f"bundle-{TREES}"
        if not (made / "bundle.json").exists():
            make_bundle(made, iterations=TREES)
        return made

    def load(self, rate: float, seconds: float, url: str | None = None) -> Seen:
        """Send a load from a process of its own; return what it saw."""
        out = self.settings.run_dir / "seen.msgpack"
        self.supervisor.run("load", [*PYTHON, "benchmarks.gateway.load", "--url", url or self.url,
                            "--rate", str(rate), "--seconds", str(seconds), "--bodies",
                            str(self.bodies), "--first-event", str(self._events), "--out",
                            str(out)])  # fmt: skip
        seen = msgspec.msgpack.decode(out.read_bytes(), type=Seen)
        self._events += len(seen.statuses)
        return seen

    def cpu(self) -> Parts:
        """Return the processor time of every process so far, seconds."""
        return CpuMeter({n: child.process.pid for n, child in self._children.items()}).read()

    def resident_mb(self, name: str) -> float:
        """Return the memory of a part."""
        root = psutil.Process(self._children[name].process.pid)
        return sum(p.memory_info().rss for p in [root, *root.children(recursive=True)]) / 1e6

    def _start(self, name: str, argv: Sequence[str]) -> Child:
        child = self.supervisor.start(name.replace(" ", "-"), argv, CREDENTIALS)
        self.watch(name, child)
        return child

    def watch(self, name: str, child: Child) -> None:
        """Count the processor time of a process from now on."""
        self._children[name] = child

    def start_part(self, name: str, argv: Sequence[str], ready_url: str) -> None:
        """Start another process and wait until it answers."""
        self._start(name, argv)
        self._wait_for(name, ready_url)

    def _wait_for(self, name: str, url: str) -> None:
        self.supervisor.wait_until(name, lambda: _answers(url), READY_S, self._children[name])


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:  # noqa: S310
            status: Any = answer.status
            return bool(status == 200)
    except (urllib.error.URLError, OSError):
        return False
