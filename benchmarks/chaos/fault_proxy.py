"""A TCP proxy that does to a connection what networks and dying servers do to it."""

import asyncio
import contextlib
import socket
import struct
import threading
from collections.abc import Callable, Coroutine
from enum import StrEnum
from types import TracebackType
from typing import Any, Self, TypeVar

HOST = "127.0.0.1"
CHUNK_BYTES = 65_536
READY_S = 10.0
_CLOSE_WITH_RESET = struct.pack("ii", 1, 0)
"""SO_LINGER of 0 s: closing sends RST."""

Result = TypeVar("Result")


class Fault(StrEnum):
    """What is done to every connection, those that are open included."""

    NONE = "none"
    LATENCY = "latency"
    """Answers come ``delay_s`` later."""
    RESET = "reset"
    """Connections are reset: those that are open at once, new ones as soon as they are made."""
    BLACKHOLE = "blackhole"
    """Connections are made and stay open, and nothing comes through."""
    SLOW_CLOSE = "slow close"
    """Half of an answer comes, nothing for ``delay_s``, then the connection is closed."""


class FaultProxy:
    """Passes connections on to a port of 127.0.0.1, in a thread of its own.

    As a context manager it listens; on leaving every connection is closed.

    Args:
        target_port: Where the connections are to go.
        port: Where it listens, 0 for any free port.
    """

    def __init__(self, target_port: int, port: int = 0) -> None:
        self._target_port = target_port
        self.port = port
        self._fault, self._delay_s = Fault.NONE, 0.0
        self._changed = asyncio.Event()
        self._connections: set[asyncio.Task[None]] = set()
        self._open: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self._server = self._run(asyncio.start_server, self._accept, HOST, self.port)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._run(self._close)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(READY_S)
        self._loop.close()

    def set(self, fault: Fault, delay_s: float = 0.0) -> None:
        """Do this to all connections from now on."""
        self._run(self._set, fault, delay_s)

    def _run(self, function: Callable[..., Coroutine[Any, Any, Result]], *given: Any) -> Result:
        """Run a coroutine function in the proxy's thread and return what it returns."""
        return asyncio.run_coroutine_threadsafe(function(*given), self._loop).result(READY_S)

    async def _set(self, fault: Fault, delay_s: float) -> None:
        self._fault, self._delay_s = fault, delay_s
        self._changed.set()
        self._changed = asyncio.Event()
        if fault is Fault.RESET:
            for writer in self._open:
                _reset(writer)

    async def _close(self) -> None:
        self._server.close()
        for connection in self._connections:
            connection.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        task.add_done_callback(self._connections.discard)
        with contextlib.suppress(OSError, asyncio.CancelledError):
            await self._pass_on(reader, writer)

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._fault is Fault.RESET:
            _reset(writer)
            return
        self._open.add(writer)
        try:
            server_reader, server_writer = await asyncio.open_connection(HOST, self._target_port)
        except OSError:
            _reset(writer)  # nobody is there: as near to "refused" as a proxy comes
            self._open.discard(writer)
            return
        questions = asyncio.ensure_future(self._questions(reader, server_writer))
        try:
            await self._answers(server_reader, writer)
        finally:
            questions.cancel()
            self._open.discard(writer)
            for end in (writer, server_writer):
                end.close()

    async def _questions(self, reader: asyncio.StreamReader, server: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(CHUNK_BYTES):
                await self._while_nothing_comes_through()
                server.write(data)
                await server.drain()
            server.write_eof()

    async def _answers(self, server: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await server.read(CHUNK_BYTES):
            await self._while_nothing_comes_through()
            if self._fault is Fault.SLOW_CLOSE:
                writer.write(data[: len(data) // 2])
                await asyncio.sleep(self._delay_s)
                return
            # Not a sleep: the chunks of one answer are late together, not one after the other.
            self._loop.call_later(self._late_s(), writer.write, data)
        await asyncio.sleep(self._late_s())

    def _late_s(self) -> float:
        return self._delay_s if self._fault is Fault.LATENCY else 0.0

    async def _while_nothing_comes_through(self) -> None:
        while self._fault is Fault.BLACKHOLE:
            await self._changed.wait()


def _reset(writer: asyncio.StreamWriter) -> None:
    if writer.transport.is_closing():
        return  # the other side was first
    sock = writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _CLOSE_WITH_RESET)
    writer.transport.abort()
