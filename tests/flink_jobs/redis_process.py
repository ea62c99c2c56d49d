"""A Redis of its own that a test may kill, stop and bring back, and that keeps its data."""

import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from tests.conftest import free_port

READY_S = 30.0
END_S = 10.0


class RedisProcess:
    """A redis-server on one port and one append-only file, however often it starts."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._port = free_port()
        self.url = f"redis://127.0.0.1:{self._port}/0"

    def client(self, timeout_s: float = READY_S) -> Any:
        """Return a client that says at once when Redis is away."""
        return redis.Redis.from_url(
            self.url, socket_timeout=timeout_s, retry=Retry(NoBackoff(), retries=0)
        )

    def start(self) -> None:
        """Start it, with what it had, and wait until it answers."""
        self._process = subprocess.Popen(
            ["redis-server", "--bind", "127.0.0.1", "--port", str(self._port), "--save", "",
             "--appendonly", "yes", "--dir", str(self._directory)],
            stdout=subprocess.DEVNULL,
        )  # fmt: skip
        client = self.client()
        deadline = time.monotonic() + READY_S
        while not _answers(client):
            assert time.monotonic() < deadline, "redis-server did not get ready"
            time.sleep(0.05)
        client.close()

    def kill(self) -> None:
        """End it at once, as a machine that fails does."""
        self._process.kill()
        self._process.wait(END_S)

    def freeze(self) -> None:
        """Have it keep its connections and answer nothing, as behind a network that drops all."""
        os.kill(self._process.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """Have it go on."""
        os.kill(self._process.pid, signal.SIGCONT)

    def stop(self) -> None:
        """End it, in whatever state a test has left it."""
        self.thaw()
        self._process.terminate()
        self._process.wait(END_S)


def _answers(client: Any) -> bool:
    try:
        return bool(client.ping())
    except redis.ConnectionError:  # not listening yet, or reading its file
        return False
