"""A Redis of its own for each layout, and what it has used: processor time, bytes, memory."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import redis

from deploy.local.ports import HOST
from deploy.local.processes import Child, Supervisor

READY_S = 20.0
_NS_PER_S = 1e9


@dataclass(frozen=True)
class Server:
    """A running Redis."""

    child: Child
    port: int

    @property
    def url(self) -> str:
        """Its address."""
        return f"redis://{HOST}:{self.port}/0"

    @property
    def client(self) -> redis.Redis:
        """A client for looking at it; what is measured has clients of its own."""
        return redis.Redis(HOST, self.port)

    def cpu_s(self) -> float:
        """Return the processor time of its main thread so far, which runs every command.

        From the kernel's scheduler, to the nanosecond and without asking Redis.
        """
        told = Path(f"/proc/{self.child.process.pid}/schedstat").read_text()
        return int(told.split()[0]) / _NS_PER_S

    def used_bytes(self) -> int:
        """Return the memory that it has allocated."""
        told: Any = self.client.info("memory")
        return int(told["used_memory"])

    def network_bytes(self) -> tuple[int, int]:
        """Return the bytes that came in and went out so far, this question's own included."""
        told: Any = self.client.info("stats")
        return int(told["total_net_input_bytes"]), int(told["total_net_output_bytes"])


def start(supervisor: Supervisor, name: str, port: int, options: Sequence[str] = ()) -> Server:
    """Start a Redis on a port of 127.0.0.1, with nothing saved to disk."""
    argv = ["redis-server", "--bind", HOST, "--port", str(port), "--save", "", *options]
    server = Server(supervisor.start(name, argv), port)
    supervisor.wait_until(name, lambda: _answers(server.client), READY_S, server.child)
    return server


def _answers(client: redis.Redis) -> bool:
    try:
        return bool(client.ping())
    except redis.ConnectionError:
        return False
