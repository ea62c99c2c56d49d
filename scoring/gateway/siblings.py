"""The other processes of this gateway, asked about a decision that is not held here.

Processes that share a port do not choose who asks them. Each listens on a socket file beside the
others'; a question is a line of JSON, its answer all that comes until the end, nothing for "not
held here". Nothing of this is on the way of a recommendation.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec

from scoring.gateway.held import Question

SUFFIX = ".decisions.sock"
ANSWER_S = 1.0

Here = Callable[[Question], bytes | None]
_Conversation = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Siblings:
    """One process among those that have a directory in common.

    Args:
        directory: Where the socket files are; None for a process that is alone.
    """

    def __init__(self, directory: Path | None) -> None:
        self._directory = directory
        self._own = f"{os.getpid()}{SUFFIX}"

    @asynccontextmanager
    async def listening(self, here: Here) -> AsyncIterator[None]:
        """Answer the others from ``here`` until the end of the block."""
        if self._directory is None:
            yield
            return
        path = self._directory / self._own
        server = await asyncio.start_unix_server(_answering(here), path)
        try:
            yield
        finally:
            server.close()
            path.unlink(missing_ok=True)

    async def ask(self, question: Question) -> bytes | None:
        """Return the first answer that one of the others has; None if none has."""
        others = [] if self._directory is None else sorted(self._directory.glob(f"*{SUFFIX}"))
        for path in others:
            answer = b"" if path.name == self._own else await _asked(path, question)
            if answer:
                return answer
        return None


def _answering(here: Here) -> _Conversation:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        question = msgspec.json.decode(await reader.readline(), type=Question)
        writer.write(here(question) or b"")
        await writer.drain()
        writer.close()

    return answer


async def _asked(path: Path, question: Question) -> bytes:
    """Return one sibling's answer; nothing if it has none, or is not there any more."""
    try:
        async with asyncio.timeout(ANSWER_S):
            reader, writer = await asyncio.open_unix_connection(path)
            try:
                writer.write(msgspec.json.encode(question) + b"\n")
                return await reader.read()
            finally:
                writer.close()
    except (OSError, TimeoutError):  # a killed process leaves its file behind
        return b""
