import asyncio
from collections.abc import AsyncIterator

import pytest
import redis

from feature_repo.online.redis_settings import RedisSettings
from feature_repo.online.wire import Wire, wires
from scoring.gateway.errors import ConflictError, StoreUnavailableError
from scoring.gateway.messages import Location, RecommendationRequest
from scoring.gateway.replies import Reply
from scoring.gateway.resilience.deadline import Deadline
from scoring.gateway.shared_replies import DECIDE_S, KEPT_S, LOOK_S, SharedReplies

pytestmark = pytest.mark.integration

HAS_S = 0.25


def _request(event_id: str = "e", top_k: int = 5) -> RecommendationRequest:
    return RecommendationRequest(event_id, Location(1.0, 2.0), "tow", top_k=top_k)


class _Process:
    """One gateway process: its replies, and what it decided itself."""

    def __init__(self, name: str, wire: Wire) -> None:
        self.replies = SharedReplies(wire, "test")
        self.decided = 0
        self.failing = False
        self.go = asyncio.Event()
        self.go.set()
        self._name = name

    async def ask(self, request: RecommendationRequest) -> Reply:
        """Ask this process, with a quarter of a second to answer."""
        return await self.replies.once(request, self._decide, Deadline.after(HAS_S))

    async def _decide(self) -> Reply:
        await self.go.wait()
        self.decided += 1
        if self.failing:
            raise StoreUnavailableError("is away", field="store", value="", remedy="ask again")
        return Reply(404, f"{self._name} {self.decided}".encode())


@pytest.fixture
async def processes(
    redis_client: redis.Redis, redis_server: str
) -> AsyncIterator[tuple[_Process, _Process]]:
    """Two processes with a Redis between them."""
    assert redis_client.ping()
    both = [wires(RedisSettings(redis_server))[0] for _ in range(2)]
    yield _Process("one", both[0]), _Process("two", both[1])
    for wire in both:
        await wire.close()


Both = tuple[_Process, _Process]


async def test_another_process_gives_the_same_reply(
    processes: Both, redis_client: redis.Redis
) -> None:
    """What one process answered, another one answers too, byte by byte, for a bounded time."""
    one, two = processes
    assert await one.ask(_request()) == await two.ask(_request()) == (404, b"one 1")
    assert two.decided == 0
    assert 0 < redis_client.ttl("test:reply:e") <= KEPT_S


async def test_a_reply_under_way_elsewhere_is_waited_for(processes: Both) -> None:
    """While one process decides, another one that is asked the same waits for it."""
    one, two = processes
    one.go.clear()
    asked = [asyncio.create_task(one.ask(_request()))]
    await asyncio.sleep(0.02)
    asked.append(asyncio.create_task(two.ask(_request())))
    await asyncio.sleep(0.02)
    one.go.set()
    assert await asyncio.gather(*asked) == [(404, b"one 1")] * 2


async def test_a_process_that_was_killed_holds_nobody_up_for_long(processes: Both) -> None:
    """A claim that never gets its reply is waited for within bounds, then decided here."""
    one, two = processes
    one.go.clear()
    killed = asyncio.create_task(one.ask(_request()))
    await asyncio.sleep(0.02)
    started = asyncio.get_running_loop().time()
    assert await two.ask(_request()) == (404, b"two 1")
    assert asyncio.get_running_loop().time() - started >= HAS_S - DECIDE_S - LOOK_S
    killed.cancel()


async def test_another_request_of_the_same_id_is_a_conflict_everywhere(processes: Both) -> None:
    """An event_id means one request at all processes."""
    one, two = processes
    await one.ask(_request())
    with pytest.raises(ConflictError):
        await two.ask(_request(top_k=1))
    assert two.decided == 0


async def test_after_a_failure_another_process_may_try_at_once(
    processes: Both, redis_client: redis.Redis
) -> None:
    """A failure is no decision: its claim is given up."""
    one, two = processes
    one.failing = True
    with pytest.raises(StoreUnavailableError):
        await one.ask(_request())
    assert not redis_client.exists("test:reply:e")
    assert await two.ask(_request()) == (404, b"two 1")


async def test_without_redis_each_process_answers_itself() -> None:
    """A Redis that is away costs a bounded time, and then none, and no answer."""
    wire, _ = wires(RedisSettings("redis://127.0.0.1:1/0"))
    alone = _Process("alone", wire)
    for number in range(1, 21):
        assert await alone.ask(_request(str(number))) == (404, f"alone {number}".encode())


async def test_a_silent_redis_holds_nobody_up(redis_client: redis.Redis, processes: Both) -> None:
    """While Redis does not answer, each process answers itself."""
    one, two = processes
    await one.ask(_request("before"))
    redis_client.client_pause(2_000)
    for number in range(5):
        assert await two.ask(_request(str(number))) == (404, f"two {number + 1}".encode())
