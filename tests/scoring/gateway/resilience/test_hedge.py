import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from scoring.gateway.resilience.hedge import EXTRA_SHARE, Hedge
from scoring.gateway.resilience.latency_window import LEAST_CALLS, LatencyWindow
from tests.support import virtual_time

USUAL_S, SLOW_S = 0.01, 1.0


@dataclass
class _Dependency:
    """Answers after the seconds that the test names, one for each question, then as usual."""

    takes_s: list[float] = field(default_factory=list)
    questions: int = 0
    cancelled: int = 0
    failing: bool = False

    async def ask(self) -> int:
        self.questions += 1
        number = self.questions
        try:
            await asyncio.sleep(self.takes_s.pop(0) if self.takes_s else USUAL_S)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        if self.failing:
            raise ConnectionError
        return number


async def _warmed(clock: Callable[[], float]) -> tuple[Hedge, _Dependency]:
    hedge, dependency = Hedge(clock), _Dependency()
    for _ in range(LEAST_CALLS):
        await hedge.call(dependency.ask)
    return hedge, dependency


def test_a_slow_answer_is_overtaken_by_a_second_question() -> None:
    """After the 95th percentile the question is put again; the loser is cancelled."""

    async def scenario(clock: Callable[[], float]) -> None:
        hedge, dependency = await _warmed(clock)
        dependency.takes_s = [SLOW_S]
        began = clock()
        assert await hedge.call(dependency.ask) == LEAST_CALLS + 2
        assert clock() - began == pytest.approx(2 * USUAL_S)
        await asyncio.sleep(0)
        assert dependency.cancelled == 1

    virtual_time.run(scenario)


def test_the_extra_load_is_bounded_when_everything_is_slow() -> None:
    """Where every answer is slow at once, second questions stay a twentieth of the first."""

    async def scenario(clock: Callable[[], float]) -> None:
        hedge, dependency = await _warmed(clock)
        calls = 2000
        for number in range(calls):
            dependency.takes_s = [USUAL_S * (2 + number % 7)]
            await hedge.call(dependency.ask)
        asked = calls + LEAST_CALLS
        assert dependency.questions - asked <= EXTRA_SHARE * asked

    virtual_time.run(scenario)


def test_nothing_is_hedged_while_load_is_shed() -> None:
    """A second question would only make the first one slower."""

    async def scenario(clock: Callable[[], float]) -> None:
        hedge, dependency = await _warmed(clock)
        dependency.takes_s = [SLOW_S]
        await hedge.call(dependency.ask, shedding=True)
        assert dependency.questions == LEAST_CALLS + 1

    virtual_time.run(scenario)


def test_an_unknown_percentile_hedges_nothing() -> None:
    """Before enough latencies are known no second question is put."""

    async def scenario(clock: Callable[[], float]) -> None:
        hedge, dependency = Hedge(clock), _Dependency([SLOW_S])
        await hedge.call(dependency.ask)
        assert dependency.questions == 1

    virtual_time.run(scenario)


def test_a_failure_of_one_question_waits_for_the_other() -> None:
    """The first good answer counts; only when both fail is the failure raised."""

    async def scenario(clock: Callable[[], float]) -> None:
        hedge, dependency = await _warmed(clock)
        slow_good = asyncio.create_task(hedge.call(_first_fails(dependency)))
        assert await slow_good == LEAST_CALLS + 2
        dependency.failing = True
        with pytest.raises(ConnectionError):
            await hedge.call(dependency.ask)

    virtual_time.run(scenario)


def _first_fails(dependency: _Dependency) -> Callable[[], "asyncio.Future[int]"]:
    calls: list[bool] = []

    async def ask() -> int:
        calls.append(True)
        first = len(calls) == 1
        answer = await dependency.ask()
        if first:
            await asyncio.sleep(USUAL_S / 2)
            raise ConnectionError
        await asyncio.sleep(USUAL_S)
        return answer

    return lambda: asyncio.ensure_future(ask())


def test_a_caller_that_gives_up_ends_both_questions() -> None:
    """A deadline that passes leaves no question under way."""

    async def scenario(clock: Callable[[], float]) -> None:
        hedge, dependency = await _warmed(clock)
        dependency.takes_s = [SLOW_S, SLOW_S]
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(5 * USUAL_S):
                await hedge.call(dependency.ask)
        await asyncio.sleep(0)
        assert dependency.cancelled == 2

    virtual_time.run(scenario)


def test_the_percentile_is_the_one_of_the_latest_calls() -> None:
    """95 of 100 latencies are at most the percentile."""
    window = LatencyWindow(0.95)
    for number in range(1, 97):
        window.add(float(number))
    assert window.percentile_s() == 92.0
