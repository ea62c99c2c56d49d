"""The load generator, a process of its own: ``python -m benchmarks.gateway.load --help``.

An open loop: arrivals are drawn from a Poisson process before the first of them, each request is
sent at its own time whether or not those before it were answered, and its latency counts from that
time. A gateway that falls behind cannot slow its own test down.
"""

import argparse
import asyncio
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec
import numpy as np
import numpy.typing as npt
import uvloop

from scoring.gateway.http_connection import HttpConnection

MAX_CONNECTIONS = 2_000
ANSWER_S = 10.0
LOOKED_AT = 20
"""One answer in so many is read for its candidates and stage times."""
REFUSED = 429
OK = 200
NOBODY = 404
"""A clear refusal that is an answer: nobody near may be sent."""
FAILED = 0
"""Stands for no answer at all."""


class Looked(msgspec.Struct, frozen=True):
    """What one answer said of itself."""

    considered: int
    eligible: int
    stage_ms: dict[str, float]
    degraded: list[str]


class Seen(msgspec.Struct, frozen=True):
    """What a load saw, one value a request unless said otherwise.

    Attributes:
        statuses: HTTP status; 0 for no answer.
        latency_ms: From the scheduled time to the end of the answer.
        at_s: The scheduled time, from the first.
        late_ms: How much later than scheduled it was sent.
        cpu_s: Processor time of the generator, in all.
        took_s: From the first scheduled time to the last answer.
        looked: Some answers, read.
    """

    statuses: list[int]
    latency_ms: list[float]
    at_s: list[float]
    late_ms: list[float]
    cpu_s: float
    took_s: float
    looked: list[Looked]


def merged(parts: Sequence[Seen]) -> Seen:
    """Return several loads as one, the times of each from its own first request."""
    return Seen(
        statuses=[status for part in parts for status in part.statuses],
        latency_ms=[ms for part in parts for ms in part.latency_ms],
        at_s=[at_s for part in parts for at_s in part.at_s],
        late_ms=[ms for part in parts for ms in part.late_ms],
        cpu_s=sum(part.cpu_s for part in parts),
        took_s=sum(part.took_s for part in parts),
        looked=[look for part in parts for look in part.looked],
    )


class _Answer(msgspec.Struct):
    candidates_considered: int
    excluded: dict[str, int]
    stage_ms: dict[str, float]
    degraded: list[str]


class Load:
    """Sends requests at their times over as many connections as it takes."""

    def __init__(self, url: str, path: str, bodies: list[bytes], first_event: int) -> None:
        parts = urlsplit(url)
        self._host, self._port, self._path = parts.hostname or "", parts.port or 80, path
        self._bodies = bodies
        self._first_event = first_event
        self._idle: list[HttpConnection] = []
        self._connections = 0
        self.looked: list[Looked] = []

    async def run(self, at_s: npt.NDArray[np.float64]) -> Seen:
        """Send a request at each of the times, seconds from now."""
        count = len(at_s)
        statuses, latency_ms, late_ms = [FAILED] * count, [0.0] * count, [0.0] * count
        start, cpu = time.perf_counter(), time.process_time()

        async def one(number: int, due: float) -> None:
            late_ms[number] = (time.perf_counter() - due) * 1e3
            statuses[number] = await self._send(number)
            latency_ms[number] = (time.perf_counter() - due) * 1e3

        async with asyncio.TaskGroup() as group:
            for number, offset_s in enumerate(at_s.tolist()):
                due = start + offset_s
                if (left := due - time.perf_counter()) > 0:
                    await asyncio.sleep(left)
                group.create_task(one(number, due))
        took_s, cpu_s = time.perf_counter() - start, time.process_time() - cpu
        for connection in self._idle:
            connection.close()
        return Seen(statuses, latency_ms, at_s.tolist(), late_ms, cpu_s, took_s, self.looked)

    async def _send(self, number: int) -> int:
        body = self._bodies[number % len(self._bodies)] % (self._first_event + number)
        request = (
            b"POST %b HTTP/1.1\r\nHost: gateway\r\nContent-Type: application/json\r\n"
            b"Content-Length: %d\r\n\r\n%b" % (self._path.encode(), len(body), body)
        )
        try:
            connection = await self._connection()
        except OSError:
            return FAILED
        try:
            async with asyncio.timeout(ANSWER_S):
                status, answer = await connection.ask(request)
        except OSError:  # TimeoutError is one
            connection.close()
            return FAILED
        finally:
            self._connections -= 1
        self._idle.append(connection)
        if number % LOOKED_AT == 0 and status == OK:
            self.looked.append(_look(answer))
        return status

    async def _connection(self) -> HttpConnection:
        while self._idle:
            kept = self._idle.pop()
            if kept.is_open:
                self._connections += 1
                return kept
        if self._connections >= MAX_CONNECTIONS:
            raise OSError(f"{MAX_CONNECTIONS} requests wait for an answer")
        self._connections += 1
        try:
            _, made = await asyncio.get_running_loop().create_connection(
                HttpConnection, self._host, self._port
            )
        except OSError:
            self._connections -= 1
            raise
        return made


def _look(answer: bytes) -> Looked:
    told = msgspec.json.decode(answer, type=_Answer)
    considered = told.candidates_considered
    eligible = considered - sum(told.excluded.values())
    return Looked(considered, eligible, told.stage_ms, told.degraded)


def arrivals(rate: float, seconds: float, seed: int) -> npt.NDArray[np.float64]:
    """Return the times of a Poisson process, seconds from its beginning."""
    rng = np.random.default_rng(seed)
    gaps = rng.exponential(1 / rate, int(rate * seconds * 1.2) + 100)
    times = np.cumsum(gaps)
    return np.asarray(times[times < seconds], dtype=np.float64)


def main() -> int:
    """Send the load and write what was seen."""
    options: Any = _parser().parse_args()
    bodies = msgspec.msgpack.decode(options.bodies.read_bytes(), type=list[bytes])
    load = Load(options.url, options.path, bodies, options.first_event)
    seen = uvloop.run(load.run(arrivals(options.rate, options.seconds, options.seed)))
    options.out.write_bytes(msgspec.msgpack.encode(seen))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.gateway.load",
        description="Send requests for help at the times of a Poisson process.",
    )
    parser.add_argument("--url", required=True, help="of the gateway")
    parser.add_argument("--path", default="/v1/recommendations", help="what is posted to")
    parser.add_argument("--rate", type=float, required=True, help="requests a second")
    parser.add_argument("--seconds", type=float, required=True, help="for how long")
    parser.add_argument("--bodies", type=Path, required=True, help="the requests, msgpack")
    parser.add_argument("--first-event", type=int, default=0, help="number of the first event")
    parser.add_argument("--seed", type=int, default=0, help="of the arrivals")
    parser.add_argument("--out", type=Path, required=True, help="where to write what was seen")
    return parser


if __name__ == "__main__":
    sys.exit(main())
