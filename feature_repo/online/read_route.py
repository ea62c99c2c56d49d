"""Which Redis a read goes to: the replicas in turn; the primary where none of them answers."""

import itertools
import logging
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Generic, TypeVar

from redis.exceptions import ConnectionError, MasterDownError, TimeoutError

REST_S = 5.0
"""How long a replica that did not answer is left out: one read in so many seconds finds out."""

UNREACHABLE = (ConnectionError, TimeoutError, MasterDownError)
"""The server is away, loads its data, or has lost its primary and is told not to answer."""

_LOG = logging.getLogger(__name__)

Client = TypeVar("Client")
Answer = TypeVar("Answer")


class ReadRoute(Generic[Client]):
    """Spreads reads over replicas; threads share one."""

    def __init__(self, primary: Client, replicas: Sequence[Client] = ()) -> None:
        self._primary = primary
        self._replicas = list(replicas)
        self._rest_until = [0.0] * len(self._replicas)
        self._turn = itertools.count()

    def ask(self, question: Callable[[Client], Answer]) -> Answer:
        """Return the first answer.

        Raises:
            redis.RedisError: Nobody answered; the primary's error.
        """
        for place in self._replicas_to_ask():
            try:
                return question(self._replicas[place])
            except UNREACHABLE as error:
                self._let_rest(place, error)
        return question(self._primary)

    async def ask_async(self, question: Callable[[Client], Awaitable[Answer]]) -> Answer:
        """Return the first answer, as ``ask`` does."""
        for place in self._replicas_to_ask():
            try:
                return await question(self._replicas[place])
            except UNREACHABLE as error:
                self._let_rest(place, error)
        return await question(self._primary)

    def _replicas_to_ask(self) -> Iterator[int]:
        count, now = len(self._replicas), time.monotonic()
        first = next(self._turn)
        places = ((first + step) % count for step in range(count))
        return (place for place in places if self._rest_until[place] <= now)

    def _let_rest(self, place: int, error: Exception) -> None:
        _LOG.warning("replica %d is left out of reads for %g s: %s", place + 1, REST_S, error)
        self._rest_until[place] = time.monotonic() + REST_S
