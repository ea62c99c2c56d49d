import asyncio
from pathlib import Path

import numpy as np

from scoring.endpoint.bundle import load_scorer
from scoring.gateway.cheap_path import AFTER_S, COMPARED, SAME_FIRST, SCORE_LOST, CheapPath
from scoring.gateway.score import RuleScorer
from tests.support.bundles import make_matrix


def _counts(rung: str) -> tuple[float, float, float]:
    return (
        COMPARED.labels(rung=rung)._value.get(),
        SAME_FIRST.labels(rung=rung)._value.get(),
        SCORE_LOST.labels(rung=rung)._sum.get(),
    )


def _since(before: tuple[float, float, float], rung: str) -> tuple[float, ...]:
    return tuple(now - was for now, was in zip(_counts(rung), before, strict=True))


def test_the_same_bundle_in_process_agrees_with_the_endpoint(bundle: Path) -> None:
    """What the endpoint put first, the process puts first, and no score is lost."""
    scorer, matrix = load_scorer(bundle), make_matrix(50)
    before = _counts("in_process")
    CheapPath(scorer).compare(matrix, scorer.score(matrix))
    assert _since(before, "in_process") == (1, 1, 0)


def test_a_rung_that_chooses_another_is_counted_with_what_it_loses(bundle: Path) -> None:
    """The loss is the endpoint's score of its own choice less that of the rung's choice."""
    scorer, matrix = load_scorer(bundle), make_matrix(50)
    served = scorer.score(matrix)
    of_rule = int(np.argmax(RuleScorer().score(matrix).scores))
    served.scores[of_rule] = served.scores.max() - 2
    before = _counts("rule")
    CheapPath(None).compare(matrix, served)
    compared, same, lost = _since(before, "rule")
    assert (compared, same) == (1, 0)
    assert abs(lost - 2) < 1e-5


async def test_a_share_of_the_decisions_is_compared_after_the_answer(bundle: Path) -> None:
    """One in a hundred, and not before the caller has gone on."""
    scorer, matrix = load_scorer(bundle), make_matrix(20)
    served, draws = scorer.score(matrix), iter(np.arange(1000) / 1000)
    path = CheapPath(None, share=0.01, draw=lambda: float(next(draws)))
    before = _counts("rule")
    for _ in range(1000):
        path.maybe_compare(matrix, served)
    assert _since(before, "rule")[0] == 0
    await asyncio.sleep(5 * AFTER_S)
    assert _since(before, "rule")[0] == 10
