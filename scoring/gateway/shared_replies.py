"""Replies by event_id in Redis, so that all processes and gateways give one answer for one event.

A process claims an event before it decides, in one command that also tells what another one made
of it. Redis holds a reply for ``KEPT_S``: who asks again, because the first answer was lost on its
way, asks within seconds. Without Redis, each process has but its own memory.
"""

import asyncio
from collections.abc import Sequence

from prometheus_client import Counter
from redis import RedisError

from feature_repo.online.wire import Wire
from scoring.gateway.messages import RecommendationRequest
from scoring.gateway.replies import DIGEST_BYTES, Decide, Reply, check_same, digest_of
from scoring.gateway.resilience.circuit_breaker import CircuitBreaker, CircuitOpenError

KEPT_S = 60
"""At 1,200 decisions a second and 3 KB each, 220 MB."""
CLAIM_S = 2
"""A claim without a reply ends then: its process was killed."""
WAIT_S = 0.1
"""For the reply of another process that has claimed the event; then it is decided here too."""
LOOK_S = 0.005
ANSWER_S = 0.02
"""For Redis. It is asked on the way of every request, so a slow one is not waited for."""

STATUS_BYTES = 3

UNSHARED = Counter(
    "gateway_replies_unshared_total", "Steps of sharing a reply that Redis did not take part in."
)


class SharedReplies:
    """The replies of all gateways of one Feast project; belongs to one event loop.

    Args:
        wire: To the primary: what is claimed must be seen by the next who asks.
        project: Of Feast.
    """

    def __init__(self, wire: Wire, project: str) -> None:
        self._wire = wire
        self._prefix = f"{project}:reply:".encode()
        self._breaker = CircuitBreaker("replies", (RedisError, TimeoutError))

    async def once(self, request: RecommendationRequest, decide: Decide) -> Reply:
        """Return the reply that was made elsewhere, or make it and give it to the others.

        Raises:
            ConflictError: The event_id was used for another request.
            GatewayError: Whatever ``decide`` raises.
        """
        event_id, digest = request.event_id, digest_of(request)
        elsewhere = await self._claim(event_id, digest)
        if elsewhere is not None:
            return elsewhere
        try:
            reply = await decide()
        except Exception:
            await self._ask(event_id, b"DEL")  # no decision: the next who asks may try at once
            raise
        value = b"%b%03d%b" % (digest, reply.status, reply.body)
        await self._ask(event_id, b"SET", value, b"EX", KEPT_S)
        return reply

    async def _claim(self, event_id: str, digest: bytes) -> Reply | None:
        try:
            async with asyncio.timeout(WAIT_S):
                return await self._reply(event_id, digest)
        except TimeoutError:
            return None

    async def _reply(self, event_id: str, digest: bytes) -> Reply | None:
        while True:
            there = await self._ask(event_id, b"SET", digest, b"NX", b"GET", b"EX", CLAIM_S)
            if there is None:
                return None
            check_same(event_id, digest, there[:DIGEST_BYTES])
            if len(there) > DIGEST_BYTES:
                body = DIGEST_BYTES + STATUS_BYTES
                return Reply(int(there[DIGEST_BYTES:body]), there[body:])
            await asyncio.sleep(LOOK_S)

    async def _ask(self, event_id: str, verb: bytes, *words: bytes | int) -> bytes | None:
        """Return Redis's answer about an event; None also where there is none in time."""
        texts = [word if isinstance(word, bytes) else b"%d" % word for word in words]
        command = _packed([verb, self._prefix + event_id.encode(), *texts])
        try:
            return await self._breaker.call(lambda: self._answer(command))
        except (RedisError, TimeoutError, CircuitOpenError):
            UNSHARED.inc()
            return None

    async def _answer(self, command: bytes) -> bytes | None:
        async with asyncio.timeout(ANSWER_S):
            (answer,) = await self._wire.ask(command, 1)
        return answer if isinstance(answer, bytes) else None


def _packed(words: Sequence[bytes]) -> bytes:
    """Return a command in Redis's protocol."""
    lines = [b"$%d\r\n%b\r\n" % (len(word), word) for word in words]
    return b"*%d\r\n%b" % (len(words), b"".join(lines))
