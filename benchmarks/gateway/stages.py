"""Processor time by stage: the gateway's own parts in this process, a request after another."""

import asyncio
import os
import time
from collections.abc import Sequence
from http import HTTPStatus

import msgspec
import numpy as np

from benchmarks.gateway.stack import CREDENTIALS, Stack
from benchmarks.gateway.tables import Found
from scoring.gateway.assembly import assemble
from scoring.gateway.errors import GatewayError
from scoring.gateway.resilience.deadline import Deadline
from scoring.gateway.serve import parse
from scoring.gateway.stages import StageClock

WARM_UP = 1_000
"""So that rows are at hand as they are under load."""
REQUESTS = 400
DEADLINE_S = 10.0
_FIRST_EVENT = 10**9


def measure(stack: Stack) -> list[Found]:
    """Return the gateway's processor time in each stage, ms: what awaits is not counted."""
    os.environ.update(CREDENTIALS)
    bodies = msgspec.msgpack.decode(stack.bodies.read_bytes(), type=list[bytes])
    clocks = asyncio.run(_ask(stack.gateway_arguments(), bodies[: WARM_UP + REQUESTS]))
    names = list(dict.fromkeys(name for clock in clocks for name in clock.stage_ms))
    lines = [
        {"stage": name, "mean ms": float(np.mean([c.stage_ms.get(name, 0.0) for c in clocks]))}
        for name in names
    ]
    total = float(np.mean([sum(clock.stage_ms.values()) for clock in clocks]))
    return [*lines, {"stage": "all of them", "mean ms": total}]


async def _ask(arguments: Sequence[str], bodies: Sequence[bytes]) -> list[StageClock]:
    gateway = assemble(parse(arguments))
    clocks: list[StageClock] = []
    gateway.log.start()
    try:
        for number, body in enumerate(bodies):
            clock = StageClock(time.process_time)
            by = Deadline.after(DEADLINE_S)
            try:
                reply = await gateway.recommend(body % (_FIRST_EVENT + number), clock, by)
            except GatewayError:
                continue  # on a machine that is busy otherwise Redis may be late
            if number >= WARM_UP and reply.status == HTTPStatus.OK:
                clocks.append(clock)
    finally:
        gateway.log.close()
        await gateway.close()
    return clocks
