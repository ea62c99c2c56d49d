"""A connection to Redis that all requests of an event loop share: questions and answers in turn.

Redis answers a connection in the order in which it was asked, so a request needs no connection of
its own: its commands are written, and so many answers later its own have come. A pool of redis-py
costs half a millisecond of processor time a question; this is two calls. redis-py still connects,
logs in, and speaks TLS; then its transport is ours.
"""

import asyncio
from collections import deque
from functools import partial
from typing import Any

from hiredis import PushNotification
from redis import RedisError, exceptions
from redis._parsers.hiredis import NOT_ENOUGH_DATA
from redis.asyncio import Redis

from feature_repo.online.changes import Changes
from feature_repo.online.redis_settings import RedisSettings


class Wire:
    """Asks one Redis; belongs to the event loop in which it is first asked."""

    def __init__(
        self, client: Redis, answer_s: float, retries: int = 1, changes: Changes | None = None
    ) -> None:
        """Connect later, when first asked.

        Args:
            client: Says where Redis is and how to log in.
            answer_s: How long an answer may take. A connection that was silent for so long is
                given up.
            retries: How often a question is asked again when the connection is lost.
            changes: Is told what Redis tells of rows that change; without it Redis is not asked.
        """
        self._client = client
        self._answer_s = answer_s
        self._retries = retries
        self._changes = changes
        self._line: _Line | None = None
        self._connecting = asyncio.Lock()

    async def ask(self, commands: bytes, count: int) -> list[Any]:
        """Return the ``count`` answers to ``commands``, which are in Redis's own protocol.

        Raises:
            redis.RedisError: Redis did not answer, or an answer is an error.
        """
        for _ in range(self._retries):
            try:
                return await self._ask_once(commands, count)
            except exceptions.ConnectionError:
                continue
        return await self._ask_once(commands, count)

    async def _ask_once(self, commands: bytes, count: int) -> list[Any]:
        line = self._line if self._line and self._line.is_open else await self._connect()
        answers = await line.ask(commands, count)
        for answer in answers:
            if isinstance(answer, RedisError):
                raise answer
        return answers

    async def _connect(self) -> "_Line":
        async with self._connecting:
            if self._line is None or not self._line.is_open:
                pool: Any = self._client.connection_pool
                connection = pool.make_connection()
                try:
                    await connection.connect()
                except RuntimeError as error:  # uvloop's word for a reset in the handshake
                    connection._close()
                    raise exceptions.ConnectionError(str(error)) from error
                except BaseException:
                    connection._close()
                    raise
                line = _Line(connection, self._answer_s, self._changes)
                await self._listen(line)
                self._line = line
            return self._line

    async def _listen(self, line: "_Line") -> None:
        """Have Redis tell on a new connection what changes; nothing is read on it before."""
        if self._changes is None:
            return
        try:
            answers = await line.ask(*self._changes.subscription())
        except BaseException:
            line.close()
            raise
        for answer in answers:
            if isinstance(answer, Exception):
                self._changes.refused(answer)

    async def close(self) -> None:
        """Close the connection; questions that wait get a ConnectionError."""
        if self._line is not None:
            self._line.close()


class _Line(asyncio.Protocol):
    """One connection, from the end of redis-py's handshake on."""

    def __init__(self, connection: Any, answer_s: float, changes: Changes | None) -> None:
        self._connection = connection
        self._answer_s = answer_s
        self._changes = changes
        self._transport: asyncio.Transport = connection._writer.transport
        self._handshake: Any = self._transport.get_protocol()
        self._transport.set_protocol(self)
        self._loop = asyncio.get_running_loop()
        reader = connection._parser._reader
        self._feed, self._next = reader.feed, partial(reader.gets, False)
        self._asked: deque[tuple[int, asyncio.Future[list[Any]]]] = deque()
        self._come: list[Any] = []
        self._waiting_since = 0.0
        self._watch: asyncio.TimerHandle | None = None
        self.is_open = True

    def ask(self, commands: bytes, count: int) -> "asyncio.Future[list[Any]]":
        """Send commands; the future gets their answers."""
        if not self._asked:
            self._waiting_since = self._loop.time()
        future = self._loop.create_future()
        if self._transport.is_closing():  # it was reset, and ``connection_lost`` is on its way
            self.is_open = False
            future.set_exception(exceptions.ConnectionError("the connection to Redis was reset"))
            return future
        self._asked.append((count, future))
        self._transport.write(commands)
        if self._watch is None:
            self._watch = self._loop.call_later(self._answer_s, self._look)
        return future

    def _look(self) -> None:
        """Give the connection up where it was silent too long: one timer for all questions."""
        self._watch = None
        if not self._asked:
            return
        left_s = self._answer_s - (self._loop.time() - self._waiting_since)
        if left_s > 0:
            self._watch = self._loop.call_later(left_s, self._look)
            return
        self._fail(exceptions.TimeoutError(f"no answer from Redis in {self._answer_s:g} s"))
        self.close()

    def data_received(self, data: bytes) -> None:
        """Hand answers to those who asked."""
        self._waiting_since = self._loop.time()
        self._feed(data)
        self._come.extend(self._answers())
        while self._asked and len(self._come) >= self._asked[0][0]:
            count, future = self._asked.popleft()
            answers, self._come = self._come[:count], self._come[count:]
            if not future.done():  # who asked may have given up
                future.set_result(answers)

    def _answers(self) -> list[Any]:
        """Return the answers that have come whole; what Redis tells unasked goes its own way."""
        come = list(iter(self._next, NOT_ENOUGH_DATA))
        if self._changes is None or PushNotification not in map(type, come):
            return come
        for message in come:
            if isinstance(message, PushNotification):
                self._changes.told(message)
        return [answer for answer in come if not isinstance(answer, PushNotification)]

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell everybody who waits."""
        self.is_open = False
        if self._changes is not None:
            self._changes.lost()
        self._connection._close()
        self._handshake.connection_lost(exc)
        self._fail(exceptions.ConnectionError("the connection to Redis was lost"))

    def _fail(self, error: RedisError) -> None:
        for _, future in self._asked:
            if not future.done():
                future.set_exception(error)
        self._asked.clear()

    def close(self) -> None:
        """Close; ``connection_lost`` follows."""
        self.is_open = False
        self._connection._close()


def wires(settings: RedisSettings, changes: Changes | None = None) -> tuple[Wire, list[Wire]]:
    """Return a wire to the primary, and one to each replica."""
    replicas = settings.async_replicas()
    return (
        Wire(settings.async_primary(), settings.answer_s, settings.retries, changes),
        [Wire(client, settings.answer_s, 0, changes) for client in replicas],
    )
