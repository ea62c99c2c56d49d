"""Replies by event_id in Redis, so that all processes and gateways give one answer for one event.

A process claims an event before it decides, in one command that also tells what another one made
of it. Redis holds a reply for ``KEPT_S``: who asks again, because the first answer was lost on its
way, asks within seconds. Without Redis, each process has but its own memory.
"""

import asyncio

from prometheus_client import Counter
from redis import RedisError

from feature_repo.online.packed import packed
from feature_repo.online.wire import Wire
from scoring.gateway.messages import RecommendationRequest
from scoring.gateway.replies import DIGEST_BYTES, Decide, Reply, check_same, digest_of
from scoring.gateway.resilience.circuit_breaker import CircuitBreaker, CircuitOpenError
from scoring.gateway.resilience.deadline import Deadline, DeadlineExceededError

KEPT_S = 60
"""At 1,200 decisions a second and 3 KB each, 220 MB."""
CLAIM_S = 2
"""A claim without a reply ends then: its process was killed."""
DECIDE_S = 0.06
"""Kept of a request's time while another's reply is waited for: to decide here after all."""
LOOK_S = 0.005
ANSWER_S = 0.02
"""For Redis, at least; it is asked on the way of every request, so a slow one is not waited for."""
ANSWER_SHARE = 0.125
"""For Redis, of the time that a request has left, where that is more."""

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
        self._giving: set[asyncio.Task[bytes | None]] = set()

    async def once(self, request: RecommendationRequest, decide: Decide, by: Deadline) -> Reply:
        """Return the reply that was made elsewhere, or make it and give it to the others.

        Args:
            request: What is asked.
            decide: Makes the reply.
            by: Until when the reply is of use: what is made elsewhere is not waited for longer.

        Raises:
            ConflictError: The event_id was used for another request.
            GatewayError: Whatever ``decide`` raises.
        """
        event_id, digest = request.event_id, digest_of(request)
        answer_s = max(ANSWER_S, by.remaining_s() * ANSWER_SHARE)
        elsewhere = await self._claim(event_id, digest, answer_s, by)
        if elsewhere is not None:
            return elsewhere
        try:
            reply = await decide()
        except Exception:
            await self._ask(
                event_id, answer_s, b"DEL"
            )  # no decision: the next who asks may try at once
            raise
        value = b"%b%03d%b" % (digest, reply.status, reply.body)
        # Nobody waits for it: who asks elsewhere meanwhile finds the claim, and looks again.
        giving = asyncio.create_task(self._ask(event_id, ANSWER_S, b"SET", value, b"EX", KEPT_S))
        self._giving.add(giving)
        giving.add_done_callback(self._giving.discard)
        return reply

    async def _claim(
        self, event_id: str, digest: bytes, answer_s: float, by: Deadline
    ) -> Reply | None:
        """Return the reply that was made elsewhere; None if it is to be made here."""
        while True:
            claim = b"SET", digest, b"NX", b"GET", b"EX", CLAIM_S
            there = await self._ask(event_id, answer_s, *claim)
            if there is None:
                return None
            check_same(event_id, digest, there[:DIGEST_BYTES])
            if len(there) > DIGEST_BYTES:
                body = DIGEST_BYTES + STATUS_BYTES
                return Reply(int(there[DIGEST_BYTES:body]), there[body:])
            if by.remaining_s() <= DECIDE_S + LOOK_S:
                return None
            await asyncio.sleep(LOOK_S)

    async def _ask(
        self, event_id: str, answer_s: float, verb: bytes, *words: bytes | int
    ) -> bytes | None:
        """Return Redis's answer about an event; None also where there is none in time."""
        command = packed(verb, self._prefix + event_id.encode(), *words)
        try:
            return await self._breaker.call(lambda: self._answer(command, answer_s))
        except (RedisError, TimeoutError, DeadlineExceededError, CircuitOpenError):
            UNSHARED.inc()
            return None

    async def _answer(self, command: bytes, answer_s: float) -> bytes | None:
        async with Deadline.after(answer_s).limit(
            answer_s
        ):  # knows a late process from a slow Redis
            (answer,) = await self._wire.ask(command, 1)
        return answer if isinstance(answer, bytes) else None
