import asyncio
import time
from collections.abc import Callable

import pytest

from scoring.gateway.resilience.deadline import LATE_S, Deadline, DeadlineExceededError
from tests.scoring.gateway.resilience.clocks import StandingClock
from tests.support import virtual_time


def test_what_is_left_shrinks_to_nothing_and_not_below() -> None:
    """The seconds left are the ones until the moment, and 0 after it."""
    clock = StandingClock(100.0)
    deadline = Deadline.after(0.15, clock)
    clock.now_s += 0.1
    assert abs(deadline.remaining_s() - 0.05) < 1e-9
    clock.now_s += 1
    assert deadline.remaining_s() == 0


def test_a_stage_gets_its_limit_or_less_so_that_enough_is_left_for_the_others() -> None:
    """A stage may take what it is given, but never what the stages after it need."""
    clock = StandingClock()
    deadline = Deadline.after(0.15, clock)
    assert deadline.within(0.06, keep_s=0.03) == 0.06
    clock.now_s = 0.1
    assert abs(deadline.within(0.06, keep_s=0.03) - 0.02) < 1e-9
    clock.now_s = 0.14
    assert deadline.within(0.06, keep_s=0.03) == 0


def test_who_takes_the_whole_limit_is_told_from_a_request_without_time() -> None:
    """A dependency that took its limit timed out; one that was given less did not."""

    async def scenario(clock: Callable[[], float]) -> None:
        deadline = Deadline.after(0.15, clock)
        with pytest.raises(TimeoutError):
            async with deadline.limit(0.06, keep_s=0.03):
                await asyncio.sleep(1)
        assert clock() == pytest.approx(0.06)
        with pytest.raises(DeadlineExceededError):
            async with deadline.limit(0.08, keep_s=0.03):
                await asyncio.sleep(1)
        assert clock() == pytest.approx(0.12)

    virtual_time.run(scenario)


async def test_a_process_that_was_late_itself_blames_nobody() -> None:
    """When the event loop was busy past the limit, the dependency may well have answered."""
    deadline = Deadline.after(1.0)
    with pytest.raises(DeadlineExceededError):
        async with deadline.limit(0.001):
            await asyncio.sleep(0)
            time.sleep(0.001 + 2 * LATE_S)
            await asyncio.sleep(1)
