import asyncio

from scoring.gateway.resilience.deadline import Deadline
from scoring.gateway.resilience.turns import Turns


class _LoopTurns:
    """Counts the turns of the running loop."""

    def __init__(self) -> None:
        self.count = 0
        self._handle = asyncio.get_running_loop().call_soon(self._turn)

    def _turn(self) -> None:
        self.count += 1
        self._handle = asyncio.get_running_loop().call_soon(self._turn)

    def stop(self) -> None:
        self._handle.cancel()


def _by(at_s: float) -> Deadline:
    return Deadline(at_s)


async def test_one_request_computes_at_each_turn_of_the_loop() -> None:
    """Eight who are woken together take eight turns, so that sockets are looked at between them."""
    turns, loop_turns, seen = Turns(), _LoopTurns(), list[int]()

    async def compute() -> None:
        await turns.take(_by(1.0))
        seen.append(loop_turns.count)

    await asyncio.gather(*[compute() for _ in range(8)])
    loop_turns.stop()
    assert len(set(seen)) == 8


async def test_who_has_the_least_time_left_is_next() -> None:
    """Those who wait come by their deadlines, and by who came first where these are equal."""
    turns, order = Turns(), list[str]()

    async def compute(name: str, at_s: float) -> None:
        await turns.take(_by(at_s))
        order.append(name)

    came = [("first", 9.0), ("late", 3.0), ("soon", 1.0), ("also soon", 1.0)]
    await asyncio.gather(*[compute(name, at_s) for name, at_s in came])
    assert order == ["first", "soon", "also soon", "late"]


async def test_who_goes_away_takes_no_turn_from_the_others() -> None:
    """A cancelled wait is passed over, and afterwards a turn is had at once."""
    turns = Turns()
    came = [asyncio.create_task(turns.take(_by(at_s))) for at_s in (1.0, 2.0, 3.0)]
    await asyncio.sleep(0)
    _, gone, stays = came
    gone.cancel()
    await stays
    for _ in range(3):
        await asyncio.sleep(0)
    alone = turns.take(_by(3.0))
    try:
        alone.send(None)
    except StopIteration:
        return
    raise AssertionError("a turn that nobody wanted was waited for")
