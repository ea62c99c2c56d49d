import asyncio

import pytest

from scoring.gateway.resilience.circuit_breaker import (
    FIRST_PAUSE_S,
    LEAST_CALLS,
    LONGEST_PAUSE_S,
    WINDOW_CALLS,
    BreakerState,
    CircuitBreaker,
    CircuitOpenError,
)
from scoring.gateway.resilience.metrics import BREAKER_OPENED, BREAKER_REFUSED, BREAKER_STATE
from tests.scoring.gateway.resilience.clocks import StandingClock


class _DownError(Exception):
    """The dependency did not answer."""


async def _good() -> str:
    return "good"


async def _bad() -> str:
    raise _DownError


def _breaker(clock: StandingClock, name: str = "dependency") -> CircuitBreaker:
    return CircuitBreaker(name, (_DownError,), clock, jitter=lambda: 1.0)


async def _fail(breaker: CircuitBreaker, times: int = 1) -> None:
    for _ in range(times):
        with pytest.raises(_DownError):
            await breaker.call(_bad)


async def test_it_opens_when_half_of_the_last_calls_failed_and_not_before() -> None:
    """Failures below half of the window are let pass, also in a row; half of them open it."""
    breaker = _breaker(StandingClock())
    for _ in range(WINDOW_CALLS):
        await breaker.call(_good)
    await _fail(breaker, WINDOW_CALLS // 2 - 1)
    assert breaker.state is BreakerState.CLOSED
    await _fail(breaker)
    assert breaker.state is BreakerState.OPEN


async def test_failures_between_successes_open_it_too() -> None:
    """A dependency that fails every other call is not well, though never twice in a row."""
    breaker = _breaker(StandingClock())
    for _ in range(LEAST_CALLS):
        if breaker.state is BreakerState.CLOSED:
            await breaker.call(_good)
            await _fail(breaker)
    assert breaker.state is BreakerState.OPEN


async def test_few_calls_say_nothing() -> None:
    """Before enough calls are known, none of them opens it."""
    breaker = _breaker(StandingClock())
    await _fail(breaker, LEAST_CALLS - 1)
    assert breaker.state is BreakerState.CLOSED


async def test_open_it_makes_no_call() -> None:
    """An open breaker refuses at once, and the dependency is not asked."""
    breaker = _breaker(StandingClock())
    await _fail(breaker, LEAST_CALLS)
    asked = []

    async def ask() -> None:
        asked.append(1)

    with pytest.raises(CircuitOpenError, match="dependency"):
        await breaker.call(ask)
    assert asked == []


async def test_one_probe_at_a_time_is_let_through_after_the_pause() -> None:
    """Half open, a second call is refused while the probe is under way."""
    clock = StandingClock()
    breaker = _breaker(clock)
    await _fail(breaker, LEAST_CALLS)
    clock.now_s += FIRST_PAUSE_S
    assert breaker.state is BreakerState.HALF_OPEN
    answer: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    probe = asyncio.create_task(breaker.call(lambda: answer))
    await asyncio.sleep(0)
    with pytest.raises(CircuitOpenError):
        await breaker.call(_good)
    answer.set_result("back")
    assert await probe == "back"
    assert breaker.state is BreakerState.CLOSED


async def test_a_probe_that_fails_doubles_the_pause_up_to_the_longest() -> None:
    """While the dependency stays away it is asked ever less often, and never given up."""
    clock = StandingClock()
    breaker = _breaker(clock)
    await _fail(breaker, LEAST_CALLS)
    pauses = []
    for _ in range(8):
        began = clock.now_s
        while breaker.state is BreakerState.OPEN:
            clock.now_s += 0.25
        pauses.append(clock.now_s - began)
        await _fail(breaker)
    assert pauses[:3] == [FIRST_PAUSE_S, 2 * FIRST_PAUSE_S, 4 * FIRST_PAUSE_S]
    assert pauses[-1] == LONGEST_PAUSE_S


async def test_a_cancelled_probe_gives_its_place_back() -> None:
    """A probe that its own request's deadline ended does not leave the breaker open for good."""
    clock = StandingClock()
    breaker = _breaker(clock)
    await _fail(breaker, LEAST_CALLS)
    clock.now_s += FIRST_PAUSE_S
    probe = asyncio.create_task(breaker.call(asyncio.Event().wait))
    await asyncio.sleep(0)
    probe.cancel()
    with pytest.raises(asyncio.CancelledError):
        await probe
    assert await breaker.call(_good) == "good"


async def test_answers_to_calls_of_before_it_opened_do_not_count() -> None:
    """Late failures of calls begun before do not lengthen the pause, late answers do not end it."""
    clock = StandingClock()
    breaker = _breaker(clock)
    answers = [asyncio.get_running_loop().create_future() for _ in range(2)]
    good, bad = (asyncio.create_task(breaker.call(lambda a=a: a)) for a in answers)
    await asyncio.sleep(0)
    await _fail(breaker, LEAST_CALLS)
    answers[0].set_result("late")
    answers[1].set_exception(_DownError())
    assert await good == "late"
    with pytest.raises(_DownError):
        await bad
    assert breaker.state is BreakerState.OPEN
    clock.now_s += FIRST_PAUSE_S
    assert breaker.state is BreakerState.HALF_OPEN


async def test_other_errors_say_nothing_of_the_dependency() -> None:
    """A mistake of ours opens no breaker."""
    breaker = _breaker(StandingClock())

    async def ours() -> None:
        raise ValueError

    for _ in range(WINDOW_CALLS):
        with pytest.raises(ValueError):
            await breaker.call(ours)
    assert breaker.state is BreakerState.CLOSED


async def test_operations_see_it_open_and_close() -> None:
    """The state, the openings and the refused calls are metrics of the dependency's name."""
    clock = StandingClock()
    breaker = _breaker(clock, "seen")
    await _fail(breaker, LEAST_CALLS)
    with pytest.raises(CircuitOpenError):
        await breaker.call(_good)
    opened = BREAKER_OPENED.labels(dependency="seen")
    assert (opened._value.get(), BREAKER_STATE.labels(dependency="seen")._value.get()) == (1, 2)
    assert BREAKER_REFUSED.labels(dependency="seen")._value.get() == 1
    clock.now_s += FIRST_PAUSE_S
    await breaker.call(_good)
    assert BREAKER_STATE.labels(dependency="seen")._value.get() == 0
