import asyncio
from collections.abc import Callable

import pytest

from scoring.gateway.errors import OverloadedError
from scoring.gateway.resilience.adaptive_limit import AdaptiveLimit, LimitSettings
from scoring.gateway.resilience.admission import (
    BURST_PATIENCE,
    BURST_S,
    CALM_S,
    OVERLOAD_PATIENCE,
    SHEDDING_S,
    SHEDDING_WAIT_S,
    Admission,
)
from scoring.gateway.resilience.deadline import Deadline
from tests.support import virtual_time

WORK_S = 0.01
PLACES, QUEUE = 2, 3


def _door(clock: Callable[[], float]) -> Admission:
    settings = LimitSettings(first=PLACES, least=PLACES, most=PLACES)
    return Admission(AdaptiveLimit(settings, clock), QUEUE, clock)


async def _work(
    door: Admission, clock: Callable[[], float], deadline_s: float = 1.0, work_s: float = WORK_S
) -> float:
    async with door.place(Deadline.after(deadline_s, clock)):
        began = clock()
        await asyncio.sleep(work_s)
    return began


def test_no_more_are_in_work_than_the_limit_and_the_others_come_in_turn() -> None:
    """Those beyond the limit begin when a place is free, first come first served."""

    async def scenario(clock: Callable[[], float]) -> None:
        door = _door(clock)
        began = await asyncio.gather(*[_work(door, clock) for _ in range(PLACES + QUEUE - 1)])
        assert began == pytest.approx([0, 0, WORK_S, WORK_S])

    virtual_time.run(scenario)


def test_who_finds_the_queue_full_is_refused_at_once() -> None:
    """The refusal takes no time, and those in work and in the queue are answered."""

    async def scenario(clock: Callable[[], float]) -> None:
        door = _door(clock)
        accepted = [asyncio.create_task(_work(door, clock)) for _ in range(PLACES + QUEUE)]
        await asyncio.sleep(0)
        with pytest.raises(OverloadedError):
            await _work(door, clock)
        assert clock() == 0
        assert len(await asyncio.gather(*accepted)) == PLACES + QUEUE

    virtual_time.run(scenario)


def test_who_would_be_refused_can_be_told_so_before_anything_is_begun() -> None:
    """The check refuses where the queue is full and takes no place; else it says nothing."""

    async def scenario(clock: Callable[[], float]) -> None:
        door, by = _door(clock), Deadline.after(1.0, clock)
        door.check(by)
        accepted = [asyncio.create_task(_work(door, clock)) for _ in range(PLACES + QUEUE)]
        await asyncio.sleep(0)
        with pytest.raises(OverloadedError):
            door.check(by)
        assert len(await asyncio.gather(*accepted)) == PLACES + QUEUE
        door.check(by)

    virtual_time.run(scenario)


def test_no_more_wait_than_will_have_their_turn_in_time() -> None:
    """Where a place becomes free every 10 ms, three may wait; the others are refused at once."""

    async def scenario(clock: Callable[[], float]) -> None:
        settings = LimitSettings(first=PLACES, least=PLACES, most=PLACES)
        door = Admission(AdaptiveLimit(settings, clock), queue=20, clock=clock)

        async def work() -> float:
            came = clock()
            try:
                async with door.place(Deadline.after(10, clock)):
                    await asyncio.sleep(PLACES * BURST_PATIENCE.expected_s / 3.1)
            except OverloadedError:
                return clock() - came
            return -1.0

        for _ in range(60):
            await asyncio.gather(*[work() for _ in range(2 * PLACES)])
        outcomes = await asyncio.gather(*[work() for _ in range(20)])
        assert outcomes.count(0.0) == 20 - PLACES - 3

    virtual_time.run(scenario)


def test_who_waits_too_long_is_refused_and_leaves_the_queue() -> None:
    """A place that frees later goes to somebody who still waits."""

    async def scenario(clock: Callable[[], float]) -> None:
        door = _door(clock)

        async def hold() -> None:
            async with door.place(Deadline.after(10, clock)):
                await asyncio.sleep(2 * BURST_PATIENCE.longest_s)

        holders = [asyncio.create_task(hold()) for _ in range(PLACES)]
        await asyncio.sleep(0)
        began = clock()
        with pytest.raises(OverloadedError):
            await _work(door, clock)
        assert clock() - began == pytest.approx(BURST_PATIENCE.longest_s)
        await asyncio.gather(*holders)
        assert await _work(door, clock) == pytest.approx(2 * BURST_PATIENCE.longest_s)

    virtual_time.run(scenario)


def test_a_burst_is_waited_out_longer_than_an_overload() -> None:
    """A wait of 30 ms is for a burst; it is refused in an overload, and for a second after it."""

    async def scenario(clock: Callable[[], float]) -> None:
        settings = LimitSettings(first=1, least=1, most=1)
        door = Admission(AdaptiveLimit(settings, clock), queue=20, clock=clock)
        work_s = 0.01
        assert OVERLOAD_PATIENCE.expected_s < 3 * work_s < BURST_PATIENCE.expected_s

        async def ask_again_and_again(until_s: float) -> None:
            while clock() < until_s:
                await _work(door, clock, work_s=work_s)

        async def two_always_wait(for_s: float) -> None:
            until_s = clock() + for_s
            await asyncio.gather(*[ask_again_and_again(until_s) for _ in range(3)])

        async def third_to_wait(after_s: float) -> float:
            await asyncio.sleep(after_s)
            return await _work(door, clock, work_s=work_s)

        async def during(overload_s: float, after_s: float) -> BaseException | float | None:
            busy = two_always_wait(overload_s)
            _, third = await asyncio.gather(busy, third_to_wait(after_s), return_exceptions=True)
            return third

        async def burst() -> BaseException | float | None:
            return await during(0.8 * BURST_S, after_s=0.7 * BURST_S)

        assert isinstance(await burst(), float)
        assert isinstance(await during(2 * BURST_S, after_s=1.5 * BURST_S), OverloadedError)
        assert isinstance(await burst(), OverloadedError)
        await asyncio.sleep(CALM_S)
        assert isinstance(await burst(), float)

    virtual_time.run(scenario)


def test_nobody_waits_beyond_their_deadline() -> None:
    """A request that has little time left is refused when that is over."""

    async def scenario(clock: Callable[[], float]) -> None:
        door = _door(clock)
        holders = [asyncio.create_task(_work(door, clock)) for _ in range(PLACES)]
        await asyncio.sleep(0)
        with pytest.raises(OverloadedError):
            await _work(door, clock, deadline_s=WORK_S / 4)
        assert clock() == pytest.approx(WORK_S / 4)
        await asyncio.gather(*holders)

    virtual_time.run(scenario)


def test_a_caller_who_goes_away_leaves_no_place_taken() -> None:
    """Cancelled in work or in the queue: all places are free again afterwards."""

    async def scenario(clock: Callable[[], float]) -> None:
        door = _door(clock)
        gone = [asyncio.create_task(_work(door, clock)) for _ in range(PLACES + QUEUE)]
        await asyncio.sleep(0)
        for task in gone:
            task.cancel()
        await asyncio.gather(*gone, return_exceptions=True)
        assert await asyncio.gather(*[_work(door, clock) for _ in range(PLACES)]) == [0, 0]

    virtual_time.run(scenario)


def test_a_caller_who_goes_away_as_its_turn_comes_hands_the_place_on() -> None:
    """Cancelled in the very moment in which a place was given: nobody holds it for good."""

    async def scenario(clock: Callable[[], float]) -> None:
        door = _door(clock)
        waiting: list[asyncio.Task[float]] = []

        async def hold_and_cancel() -> None:
            await _work(door, clock)
            waiting[0].cancel()

        holders = [asyncio.create_task(hold_and_cancel()) for _ in range(PLACES)]
        await asyncio.sleep(0)
        waiting.append(asyncio.create_task(_work(door, clock)))
        await asyncio.gather(*holders, *waiting, return_exceptions=True)
        assert waiting[0].cancelled()
        began = await asyncio.gather(*[_work(door, clock) for _ in range(PLACES)])
        assert began == pytest.approx([WORK_S] * PLACES)

    virtual_time.run(scenario)


def test_load_is_shed_from_a_long_wait_until_a_second_after_the_last() -> None:
    """The rest of the gateway sees that there is more to do than can be begun soon, no burst."""

    async def scenario(clock: Callable[[], float]) -> None:
        door = _door(clock)

        async def busy(seconds: float) -> None:
            for _ in range(40):
                work = (_work(door, clock, work_s=seconds) for _ in range(PLACES + 1))
                await asyncio.gather(*work, return_exceptions=True)

        await busy(SHEDDING_WAIT_S / 4)
        assert not door.shedding
        await busy(PLACES * SHEDDING_WAIT_S * 1.2)
        assert door.shedding
        await asyncio.sleep(SHEDDING_S)
        assert not door.shedding

    virtual_time.run(scenario)
