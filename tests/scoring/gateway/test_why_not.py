import re
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scoring.gateway.code_words import ACTION_WORDS, EXCLUSION_WORDS
from scoring.gateway.eligible import Evidence, Exclusion, Exclusions
from scoring.gateway.explain import Scored
from scoring.gateway.messages import (
    Location,
    RecommendationAnswer,
    RecommendationRequest,
    Versions,
)
from scoring.gateway.policy.ranking import Action, rank
from scoring.gateway.served import Served
from scoring.gateway.why_not import why_not
from scoring.gateway.wording import SAME_FOR_ALL
from tests.scoring.gateway.policy.situations import policy, situation
from tests.scoring.gateway.test_explain import scored

CODES = list(Exclusion)
KM_PER_DEGREE = 111.195


def _evidence(count: int, **given_values: float) -> Evidence:
    nothing = dict.fromkeys(Evidence.__dataclass_fields__, float("nan"))
    return Evidence(**{n: np.full(count, v) for n, v in {**nothing, **given_values}.items()})


def _served(
    candidates: Scored,
    excluded: dict[str, Exclusion] | None = None,
    named: list[str] | None = None,
    **evidence: float,
) -> Served:
    left_out = excluded or {}
    codes = [-1] * len(candidates.provider_ids) + [CODES.index(c) for c in left_out.values()]
    answer = RecommendationAnswer(
        "e", "2026-11-27T00:00:00+00:00", [], None, len(codes), {}, [], Versions("m", "p", "f"), {}
    )
    return Served(
        request=RecommendationRequest("e", Location(39.7, -105.0), "tow", 2, candidates=named),
        answer=answer,
        provider_ids=[*candidates.provider_ids, *left_out],
        excluded=Exclusions(np.array(codes, dtype=np.int8), _evidence(len(codes), **evidence)),
        scored=candidates,
        refused=None,
    )


def test_every_code_has_words() -> None:
    """No exclusion and no action of the policy is without its words."""
    assert set(EXCLUSION_WORDS) == set(Exclusion)
    assert set(ACTION_WORDS) == set(Action)


@pytest.mark.parametrize(
    ("code", "evidence", "said"),
    [
        ("outside_contract_radius", {"radius_km": 40.0, "base_km": 52.34}, "40.0 km"),
        ("outside_contract_radius", {"radius_km": 40.0, "base_km": 52.34}, "52.3 km from it"),
        ("availability_stale", {"status_age_s": 312.4}, "(last 312 s before)"),
        ("vehicle_too_heavy", {"max_vehicle_class": 1.0}, "class 1 at most, it is of 2"),
        ("shift_over", {"shift_left_min": -3.0}, "(-3 min left)"),
        ("blocked", {}, "blocklist."),
    ],
)
def test_an_exclusion_is_told_with_its_values(
    code: str, evidence: dict[str, float], said: str
) -> None:
    """Whoever may not be sent is told by code, in words, and with what it was decided by."""
    served = _served(
        scored(1), {"out": Exclusion(code)}, lat=39.7 + 1.24 / 111.195, lon=-105.0, **evidence
    )
    told = why_not(served, "out")
    assert (told.excluded, told.rank) == (code, None)
    assert told.sentence.startswith("out is 1.2 km away, but may not be sent: it ")
    assert EXCLUSION_WORDS[Exclusion(code)] in told.sentence
    assert said in told.sentence


@pytest.mark.parametrize("code", CODES)
def test_an_exclusion_without_values_is_told_without_them(code: Exclusion) -> None:
    """Where what decided is unknown, no number is made up."""
    sentence = why_not(_served(scored(1), {"out": code}), "out").sentence
    assert "nan" not in sentence
    assert sentence == f"out may not be sent: it {EXCLUSION_WORDS[code]}."


@pytest.mark.parametrize(("named", "said"), [(None, "8 nearest"), (["a"], "names its candidates")])
def test_who_was_not_considered_is_told_so(named: list[str] | None, said: str) -> None:
    """Somebody who was no candidate gets the reason for that, which is not a reason of ranking."""
    told = why_not(_served(scored(1), named=named), "stranger")
    assert (told.rank, told.excluded) == (None, None)
    assert said in told.sentence


@settings(max_examples=100)
@given(seed=st.integers(0, 2**32 - 1))
def test_the_costs_are_the_difference_of_the_contributions(seed: int) -> None:
    """By group they sum to what separates a provider from the first; the dearest is named."""
    candidates = scored(seed)
    order = candidates.ranking.order
    row, first = int(order[3]), int(order[0])
    told = why_not(_served(candidates), f"p{row}")
    ours, theirs = candidates.contributions(row), candidates.contributions(first)
    assert ours is not None
    assert theirs is not None
    assert told.rank == 4
    assert sum(cost.score for cost in told.costs) == pytest.approx(
        sum(theirs) - sum(ours), abs=1e-2
    )
    assert [c.score for c in told.costs] == sorted((c.score for c in told.costs), reverse=True)
    dearest = next(cost for cost in told.costs if cost.group not in SAME_FOR_ALL)
    assert (f"against it: {dearest.group}" in told.sentence) == (dearest.score > 0)
    _check_numbers(told.sentence, candidates, row, first)


def _check_numbers(sentence: str, candidates: Scored, row: int, first: int) -> None:
    scores = candidates.scores
    percent = re.search(r"chance of success is (\d+)%, not (\d+)%", sentence)
    if percent:
        assert float(percent[1]) == pytest.approx(scores.success_probability[row] * 100, abs=0.51)
        assert float(percent[1]) < float(percent[2])
    minutes = re.search(r"(\d+) min away(?:, (\d+) more than the first)?", sentence)
    if minutes and minutes[2]:
        own, chosen = np.rint(scores.eta_p50_min[[row, first]])
        assert (float(minutes[1]), float(minutes[2])) == (own, own - chosen)


def test_the_first_is_told_to_be_first() -> None:
    """The chosen one is not explained away."""
    candidates = scored(4)
    first = candidates.ranking.order[0]
    told = why_not(_served(candidates), f"p{first}")
    assert told.sentence == f"p{first} stands first."
    assert told.costs == []


def test_what_the_policy_did_is_told() -> None:
    """A provider that a rule held back, or that had to give way, learns by which rule."""
    base = scored(5, n=3, scores=np.array([3, 2, 1], dtype=np.float32))
    held = _ranked_by(base, position_unknown=np.array([True, False, False]))
    assert "position is unknown" in why_not(_served(held), "p0").sentence
    rules = policy(exploration={"share": 0.2, "among": 3})
    candidates = situation(base.scores.scores)
    events = (rank(candidates, rules, str(number)) for number in range(100))
    explored = next(ranking for ranking in events if ranking.order[0] == 2)
    drawn = Scored(base.provider_ids, base.matrix, base.scores, explored)
    assert "p2 was moved to the first place: it was drawn" in why_not(_served(drawn), "p0").sentence
    assert why_not(_served(drawn), "p2").sentence.startswith("p2 stands first: it was drawn")


def _ranked_by(base: Scored, **given_values: Any) -> Scored:
    ranking = rank(situation(base.scores.scores, **given_values), policy(), "e")
    return Scored(base.provider_ids, base.matrix, base.scores, ranking)


def test_without_contributions_what_is_known_is_told() -> None:
    """A candidate whose score was not explained is compared by chance, without made-up groups."""
    candidates = scored(6, explained=1)
    row = int(candidates.ranking.order[-1])
    told = why_not(_served(candidates), f"p{row}")
    assert told.costs == []
    assert told.sentence.startswith(f"p{row} stands at rank 8")
