import asyncio

import pytest

from scoring.gateway.errors import ConflictError, OverloadedError, StoreUnavailableError
from scoring.gateway.messages import Location, RecommendationRequest
from scoring.gateway.replies import Replies, Reply


def _request(event_id: str = "e", top_k: int = 5) -> RecommendationRequest:
    return RecommendationRequest(event_id, Location(1.0, 2.0), "tow", top_k=top_k)


def _may() -> None:
    """Let every decision be made."""


class _Decisions:
    """Makes a new reply each time, or fails as told."""

    def __init__(self, status: int = 200) -> None:
        self.made = 0
        self.status = status
        self.failing = False
        self.go = asyncio.Event()
        self.go.set()

    async def decide(self) -> Reply:
        """Decide."""
        await self.go.wait()
        self.made += 1
        if self.failing:
            raise StoreUnavailableError("is away", field="store", value="", remedy="ask again")
        return Reply(self.status, str(self.made).encode())


@pytest.mark.parametrize("status", [200, 404])
async def test_the_same_request_gets_the_same_bytes(status: int) -> None:
    """A ranking, and a refusal that is a decision, are made once and given again."""
    replies, decisions = Replies(), _Decisions(status)
    first = await replies.once(_request(), decisions.decide, _may)
    assert first == await replies.once(_request(), decisions.decide, _may) == (status, b"1")
    assert await replies.once(_request("other"), decisions.decide, _may) == (status, b"2")


async def test_requests_at_the_same_time_share_one_decision() -> None:
    """A request that is repeated before its reply came waits for that reply."""
    replies, decisions = Replies(), _Decisions()
    decisions.go.clear()
    asked = [
        asyncio.create_task(replies.once(_request(), decisions.decide, _may)) for _ in range(3)
    ]
    await asyncio.sleep(0)
    decisions.go.set()
    assert await asyncio.gather(*asked) == [(200, b"1")] * 3


async def test_who_hangs_up_ends_nothing() -> None:
    """The first asker may go; whoever waits for the same reply gets it."""
    replies, decisions = Replies(), _Decisions()
    decisions.go.clear()
    first, second = (
        asyncio.create_task(replies.once(_request(), decisions.decide, _may)) for _ in range(2)
    )
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.sleep(0)
    decisions.go.set()
    assert await second == (200, b"1")


async def test_another_request_of_the_same_id_is_a_conflict() -> None:
    """An event_id means one request, while it is decided and after, whatever the reply was."""
    replies, decisions = Replies(), _Decisions(404)
    decisions.go.clear()
    asked = asyncio.create_task(replies.once(_request(), decisions.decide, _may))
    await asyncio.sleep(0)
    with pytest.raises(ConflictError):
        await replies.once(_request(top_k=1), decisions.decide, _may)
    decisions.go.set()
    await asked
    with pytest.raises(ConflictError):
        await replies.once(_request(top_k=1), decisions.decide, _may)


async def test_a_failure_is_no_decision() -> None:
    """After a failure, which everybody who waited is told, the same request is tried again."""
    replies, decisions = Replies(), _Decisions()
    decisions.failing = True
    asked = [
        asyncio.create_task(replies.once(_request(), decisions.decide, _may)) for _ in range(2)
    ]
    failed = await asyncio.gather(*asked, return_exceptions=True)
    assert [type(error) for error in failed] == [StoreUnavailableError] * 2
    decisions.failing = False
    assert await replies.once(_request(), decisions.decide, _may) == (200, b"2")


async def test_what_is_kept_is_bounded() -> None:
    """The oldest reply is let go when there are too many."""
    replies, decisions = Replies(kept=2), _Decisions()
    for event_id in "abc":
        await replies.once(_request(event_id), decisions.decide, _may)
    assert (await replies.once(_request("c"), decisions.decide, _may)).body == b"3"
    assert (await replies.once(_request("a"), decisions.decide, _may)).body == b"4"


async def test_where_none_can_be_made_now_nothing_is_begun_but_known_replies_are_given() -> None:
    """A check that refuses is asked for new requests only, and before they are decided."""
    replies, decisions = Replies(), _Decisions()
    first = await replies.once(_request(), decisions.decide, _may)

    def refuse() -> None:
        raise OverloadedError("full", field="load", value="many", remedy="ask again")

    assert await replies.once(_request(), decisions.decide, refuse) == first
    with pytest.raises(OverloadedError):
        await replies.once(_request("other"), decisions.decide, refuse)
    assert decisions.made == 1
