"""One answer for one event: the same request again, also at the same time, gets the same bytes."""

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import Callable, Coroutine
from typing import Any, NamedTuple

import msgspec

from scoring.gateway.errors import ConflictError
from scoring.gateway.messages import RecommendationRequest

REPLIES_KEPT = 20_000
"""About 60 MB at 3 KB each; two minutes of 150 decisions a second, what one process makes."""

DIGEST_BYTES = 16

_encoder = msgspec.json.Encoder()


class Reply(NamedTuple):
    """What was answered: an HTTP status and a JSON body."""

    status: int
    body: bytes


Decide = Callable[[], Coroutine[Any, Any, Reply]]
"""Makes the reply to a request."""


class Replies:
    """The newest replies by event_id, for one event loop.

    What is a decision is kept: a ranking, and also that nobody could be sent. A failure (a store
    that does not answer, too much load) is none; the same request may be tried again.
    """

    def __init__(self, kept: int = REPLIES_KEPT) -> None:
        self._kept = kept
        self._made: OrderedDict[str, tuple[bytes, Reply]] = OrderedDict()
        self._under_way: dict[str, tuple[bytes, asyncio.Task[Reply]]] = {}

    async def once(
        self, request: RecommendationRequest, decide: Decide, check: Callable[[], None]
    ) -> Reply:
        """Return the reply made for this very request, or make it.

        A request that comes while the same one is under way waits for its reply. Who hangs up does
        not end what others may wait for.

        Args:
            request: What is asked.
            decide: Makes the reply.
            check: Raises if none can be made now: a refusal is cheaper here than in ``decide``,
                which has a task of its own.

        Raises:
            ConflictError: The event_id was used for another request.
            GatewayError: Whatever ``check`` or ``decide`` raises.
        """
        event_id, digest = request.event_id, digest_of(request)
        made = self._made.get(event_id)
        if made is not None:
            check_same(event_id, digest, made[0])
            return made[1]
        if event_id in self._under_way:
            earlier, task = self._under_way[event_id]
            check_same(event_id, digest, earlier)
        else:
            check()
            task = asyncio.create_task(self._make(event_id, digest, decide))
            self._under_way[event_id] = digest, task
        return await asyncio.shield(task)

    async def _make(self, event_id: str, digest: bytes, decide: Decide) -> Reply:
        try:
            reply = await decide()
            self._keep(event_id, digest, reply)
        finally:
            del self._under_way[event_id]
        return reply

    def _keep(self, event_id: str, digest: bytes, reply: Reply) -> None:
        self._made[event_id] = digest, reply
        while len(self._made) > self._kept:
            self._made.popitem(last=False)


def digest_of(request: RecommendationRequest) -> bytes:
    """Return ``DIGEST_BYTES`` bytes that tell requests apart, defaults filled in."""
    return hashlib.blake2b(_encoder.encode(request), digest_size=DIGEST_BYTES).digest()


def check_same(event_id: str, digest: bytes, earlier: bytes) -> None:
    """Refuse a request whose event_id was used for another one.

    Raises:
        ConflictError: It was.
    """
    if digest != earlier:
        raise ConflictError(
            "was used before for a request that says something else",
            field="event_id",
            value=event_id,
            remedy="use a new event_id",
        )
