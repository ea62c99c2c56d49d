import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from scoring.endpoint.bundle import load_scorer
from scoring.endpoint.scorer import Scorer, Scores
from scoring.gateway.cheap_path import COMPARED
from scoring.gateway.circumstances import Circumstances
from scoring.gateway.resilience.circuit_breaker import FIRST_PAUSE_S, LEAST_CALLS, WINDOW_CALLS
from scoring.gateway.resilience.deadline import Deadline
from scoring.gateway.rungs import Rung
from scoring.gateway.score import RULE_VERSION, EndpointError, Matrix
from scoring.gateway.score_ladder import ENDPOINT_S, IN_PROCESS_S, REST_S, ScoreLadder
from tests.support import virtual_time
from tests.support.bundles import make_matrix

MATRIX = make_matrix(20)
Clock = Callable[[], float]


@pytest.fixture(scope="module")
def scorer(bundle: Path) -> Scorer:
    """The bundle."""
    return load_scorer(bundle)


@dataclass
class _Endpoint:
    """Answers after a while, or fails."""

    scorer: Scorer
    takes_s: float = 0.005
    down: bool = False
    asked: int = 0

    async def score(self, matrix: Matrix, explain_rows: int = 0) -> Scores:
        self.asked += 1
        await asyncio.sleep(self.takes_s)
        if self.down:
            raise EndpointError("down")
        return self.scorer.score(matrix, explain_rows)


async def _ask(
    ladder: ScoreLadder, clock: Clock, deadline_s: float = 0.15, *, shedding: bool = False
) -> tuple[Scores, list[str], float]:
    circumstances = Circumstances(Deadline.after(deadline_s, clock), shedding)
    began = clock()
    scores = await ladder.score(MATRIX, 3, circumstances)
    return scores, circumstances.degraded, clock() - began


def test_a_healthy_endpoint_scores(scorer: Scorer) -> None:
    """Nothing is degraded, and the answer is the endpoint's."""

    async def scenario(clock: Clock) -> None:
        endpoint = _Endpoint(scorer)
        scores, degraded, _ = await _ask(ScoreLadder(endpoint, scorer, clock=clock), clock)
        assert (degraded, endpoint.asked) == ([], 1)
        assert len(scores.contributions) == 3

    virtual_time.run(scenario)


def test_a_slow_endpoint_is_waited_for_so_long_and_then_not_at_all(scorer: Scorer) -> None:
    """The first requests wait the endpoint's time, the others nothing, until it is back."""

    async def scenario(clock: Clock) -> None:
        endpoint = _Endpoint(scorer, takes_s=1.0)
        ladder = ScoreLadder(endpoint, scorer, clock=clock)
        waits = []
        for _ in range(2 * LEAST_CALLS):
            scores, degraded, waited = await _ask(ladder, clock)
            assert degraded == [Rung.ENDPOINT_UNAVAILABLE]
            assert scores.bundle_version == scorer.manifest.version
            waits.append(waited)
        assert waits == pytest.approx([ENDPOINT_S] * LEAST_CALLS + [0.0] * LEAST_CALLS)
        endpoint.takes_s = 0.005
        await asyncio.sleep(FIRST_PAUSE_S)
        assert (await _ask(ladder, clock))[1] == []

    virtual_time.run(scenario)


def test_the_endpoint_never_takes_what_the_rest_needs(scorer: Scorer) -> None:
    """With little time left, it is waited for less long, which says nothing of the endpoint."""

    async def scenario(clock: Clock) -> None:
        endpoint = _Endpoint(scorer, takes_s=0.04)
        ladder = ScoreLadder(endpoint, scorer, clock=clock)
        for _ in range(WINDOW_CALLS):
            _, degraded, waited = await _ask(ladder, clock, deadline_s=REST_S + 0.02)
            assert degraded == [Rung.ENDPOINT_UNAVAILABLE]
            assert waited == pytest.approx(0.02)
        assert (await _ask(ladder, clock))[1] == []

    virtual_time.run(scenario)


def test_without_time_or_bundle_the_rule_answers(scorer: Scorer) -> None:
    """The last rung needs neither, and both failures are named."""

    async def scenario(clock: Clock) -> None:
        endpoint = _Endpoint(scorer, down=True)
        both = [Rung.ENDPOINT_UNAVAILABLE, Rung.RULE_SCORE]
        for in_process, deadline_s in ((None, 0.15), (scorer, IN_PROCESS_S / 2)):
            ladder = ScoreLadder(endpoint, in_process, clock=clock)
            scores, degraded, _ = await _ask(ladder, clock, deadline_s)
            assert degraded == both
            assert scores.bundle_version == RULE_VERSION

    virtual_time.run(scenario)


def test_a_tenth_of_slow_answers_is_hedged_within_the_budget(scorer: Scorer) -> None:
    """A slow tail costs a second question now and then, and no rung."""

    async def scenario(clock: Clock) -> None:
        endpoint = _Endpoint(scorer)
        ladder = ScoreLadder(endpoint, scorer, clock=clock)
        for number in range(400):
            endpoint.takes_s = 0.03 if number % 10 == 0 else 0.005
            _, degraded, _ = await _ask(ladder, clock)
            assert degraded == []
        assert 400 < endpoint.asked <= 420

    virtual_time.run(scenario)


def test_the_cheap_path_is_not_run_while_load_is_shed(scorer: Scorer) -> None:
    """It is compared on a share of the traffic, and never on top of too much of it."""

    async def scenario(clock: Clock) -> None:
        ladder = ScoreLadder(_Endpoint(scorer), scorer, clock=clock)
        before = COMPARED.labels(rung="in_process")._value.get()
        for _ in range(600):
            await _ask(ladder, clock, shedding=True)
        await asyncio.sleep(1)
        assert COMPARED.labels(rung="in_process")._value.get() == before
        for _ in range(600):
            await _ask(ladder, clock)
        await asyncio.sleep(1)
        assert COMPARED.labels(rung="in_process")._value.get() > before

    virtual_time.run(scenario)
