"""Asks the gateway at the times of a Poisson process, whether or not it answers."""

import asyncio
import itertools
import time
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
import numpy as np

from benchmarks.chaos.fault_proxy import HOST
from benchmarks.chaos.world import event_id, request
from scoring.gateway.http_connection import HttpConnection

PATIENCE_S = 5.0
NO_ANSWER = 0
BROKEN = 500
"""An error that was not thought of: its body is not ours."""
_numbers = itertools.count(1)


class _Recommendation(msgspec.Struct):
    provider_id: str


class _Body(msgspec.Struct):
    degraded: list[str] = []
    recommendations: list[_Recommendation] = []


@dataclass(frozen=True)
class Answer:
    """What became of one request.

    Attributes:
        event_id: Of the request; none is asked twice.
        due_s: When it was to be sent, from the first.
        status: HTTP status; 0 for no answer within ``PATIENCE_S``, or a broken one.
        latency_ms: From when it was to be sent to the end of the answer.
        degraded: The rungs that the answer names.
        provider_ids: Who was recommended.
    """

    event_id: str
    due_s: float
    status: int
    latency_ms: float
    degraded: tuple[str, ...] = ()
    provider_ids: tuple[str, ...] = ()


class Asker:
    """One who asks, over as many connections as it takes.

    Args:
        port: Of the gateway on 127.0.0.1.
        seed: Of the times.
    """

    def __init__(self, port: int, seed: int) -> None:
        self._port = port
        self._rng = np.random.default_rng(seed)
        self._idle: list[HttpConnection] = []

    async def ask(self, rate: float, seconds: float) -> list[Answer]:
        """Ask so many times a second for so long; return all answers, in order of due time."""
        gaps = self._rng.exponential(1 / rate, int(2 * rate * seconds) + 20)
        due_s = np.cumsum(gaps)
        return await self._ask_at(due_s[due_s < seconds].tolist())

    async def ask_at_once(self, count: int) -> list[Answer]:
        """Ask so many times in the same moment."""
        return await self._ask_at([0.0] * count)

    async def _ask_at(self, due_s: Sequence[float]) -> list[Answer]:
        started = time.perf_counter()
        asking = []
        for due in due_s:
            if (left_s := started + due - time.perf_counter()) > 0:
                await asyncio.sleep(left_s)
            asking.append(asyncio.create_task(self._one(started, due)))
        return await asyncio.gather(*asking)

    async def _one(self, started: float, due_s: float) -> Answer:
        number = next(_numbers)
        try:
            async with asyncio.timeout(PATIENCE_S):
                status, body = await self._exchange(request(number))
        except OSError:  # TimeoutError is one
            status, body = NO_ANSWER, b"{}"
        latency_ms = (time.perf_counter() - started - due_s) * 1000
        told = _Body() if status == BROKEN else msgspec.json.decode(body, type=_Body)
        ids = tuple(item.provider_id for item in told.recommendations)
        return Answer(event_id(number), due_s, status, latency_ms, tuple(told.degraded), ids)

    async def _exchange(self, body: bytes) -> tuple[int, bytes]:
        connection = await self._connection()
        try:
            answer = await connection.ask(
                b"POST /v1/recommendations HTTP/1.1\r\nHost: gateway\r\n"
                b"Content-Length: %d\r\n\r\n%b" % (len(body), body)
            )
        except BaseException:
            connection.close()
            raise
        self._idle.append(connection)
        return answer

    async def _connection(self) -> HttpConnection:
        while self._idle:
            kept = self._idle.pop()
            if kept.is_open:
                return kept
        _, made = await asyncio.get_running_loop().create_connection(
            HttpConnection, HOST, self._port
        )
        return made

    def close(self) -> None:
        """Close the connections."""
        while self._idle:
            self._idle.pop().close()
