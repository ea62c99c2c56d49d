"""Good and bad models, promoted against real endpoint processes and a real gateway, under load."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from benchmarks.promotion import models
from benchmarks.promotion.__main__ import daily_report
from benchmarks.promotion.models import CRASHING, GOOD, INVERTED, SLOW, WRONG, Candidate
from benchmarks.promotion.runs import Outcome, Runs
from benchmarks.promotion.stack import INCUMBENT, Stack
from deploy.promotion.registry import APPROVED, PENDING, Registry

pytestmark = [pytest.mark.integration, pytest.mark.timeout(400)]

RATE, BAKE_S = 30.0, 20


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where all of it is."""
    return tmp_path_factory.mktemp("promotion")


@pytest.fixture(scope="module")
def stack(directory: Path) -> Iterator[Stack]:
    """Redis, emulator, endpoint and gateway, with a model in production."""
    with Stack(directory, models.make(None, directory)) as stack:
        yield stack


def _run(stack: Stack, story: Callable[[Runs], Awaitable[Outcome]]) -> Outcome:
    async def told() -> Outcome:
        runs = Runs(stack, RATE, BAKE_S, print)
        try:
            return await story(runs)
        finally:
            runs.close()

    return asyncio.run(told())


@pytest.mark.parametrize(
    ("candidate", "alarm"),
    [(SLOW, "latency-p99"), (CRASHING, "errors-5xx"), (WRONG, "invalid-answers")],
    ids=lambda value: value.name if isinstance(value, Candidate) else value,
)
def test_a_bad_model_on_canary_is_rolled_back_by_itself(
    stack: Stack, directory: Path, candidate: Candidate, alarm: str
) -> None:
    """The alarm that fits rings at 5 %, the old model serves alone, and no request failed."""
    bundle = models.make(candidate, directory)
    outcome = _run(stack, lambda runs: runs.canary_by_hand(candidate, bundle))
    assert outcome.ended.code == 1
    assert f"roadside-ranker-candidate-{alarm}" in outcome.ended.last
    assert outcome.served == INCUMBENT
    assert outcome.failed == 0
    assert 0 < outcome.candidate.requests < 0.25 * len(outcome.answers)


def test_a_model_that_orders_the_wrong_way_round_is_refused_in_shadow(
    stack: Stack, directory: Path
) -> None:
    """Nothing but the order is wrong with it: no alarm would ring, the comparison sees it."""
    bundle, report = models.make(INVERTED, directory), daily_report(directory)
    outcome = _run(stack, lambda runs: runs.in_shadow(INVERTED, bundle, report))
    back = _run(stack, lambda runs: runs.rollback())
    assert outcome.ended.code == 1
    assert any("rank correlation is -0.9" in reason for reason in outcome.ended.refusals())
    assert next(Registry(stack.client("sagemaker")).packages()).status == PENDING
    assert (outcome.failed, back.failed, back.served) == (0, 0, INCUMBENT)


def test_a_good_model_goes_all_the_way_and_back(stack: Stack, directory: Path) -> None:
    """Registered, compared, approved, given 5, 25 and 100 %, alone in production; then undone."""
    bundle, report = models.make(GOOD, directory), daily_report(directory)
    compared = _run(stack, lambda runs: runs.in_shadow(GOOD, bundle, report))
    assert compared.ended.code == 0
    package = next(Registry(stack.client("sagemaker")).packages())
    assert (package.status, package.compared_with) == (APPROVED, INCUMBENT)
    promoted = _run(stack, lambda runs: runs.canary(package.version))
    assert promoted.ended.code == 0
    assert promoted.served.startswith(f"{package.model}-production-")
    back = _run(stack, lambda runs: runs.rollback())
    assert (back.ended.code, back.served) == (0, INCUMBENT)
    assert promoted.failed == back.failed == 0
