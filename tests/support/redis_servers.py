"""Redis servers that a test starts, stops and starts again, each on a port of its own."""

import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.conftest import free_port

READY_S = 10.0
STOP_S = 10.0


@dataclass
class RedisServer:
    """A server on 127.0.0.1.

    Attributes:
        directory: Where its log goes.
        arguments: Settings beyond the port.
        port: Where it listens; with TLS alone if the arguments say so.
    """

    directory: Path
    arguments: Sequence[str] = ()
    port: int = field(default_factory=free_port)
    _process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> Path:
        """What the server says."""
        return self.directory / f"redis-{self.port}.log"

    def url(self, scheme: str = "redis", user_info: str = "") -> str:
        """Return its address."""
        return f"{scheme}://{user_info}127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Start it, empty, and wait until it accepts connections."""
        tls = "--tls-port" in self.arguments
        port = ["--port", "0", "--tls-port", str(self.port)] if tls else ["--port", str(self.port)]
        rest = [argument for argument in self.arguments if argument != "--tls-port"]
        self.log.unlink(missing_ok=True)
        self._process = subprocess.Popen(
            ["redis-server", "--bind", "127.0.0.1", "--save", "", "--logfile", str(self.log),
             "--dir", str(self.directory), *port, *rest],
        )  # fmt: skip
        deadline = time.monotonic() + READY_S
        while "Ready to accept" not in self._said():
            assert self._process.poll() is None, f"redis-server ended: {self._said()}"
            assert time.monotonic() < deadline, f"redis-server did not get ready: {self._said()}"
            time.sleep(0.02)

    def _said(self) -> str:
        return self.log.read_text() if self.log.exists() else ""

    def kill(self) -> None:
        """End it at once, as a crash does."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(STOP_S)
            self._process = None


@contextmanager
def redis_running(directory: Path, *arguments: str) -> Iterator[RedisServer]:
    """A server for the time of a ``with`` block."""
    server = RedisServer(directory, arguments)
    server.start()
    try:
        yield server
    finally:
        server.kill()
