"""Reasons and comparisons of candidates, read back against the arrays that they were made from."""

import math
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feature_repo.model_matrix import MODEL_FEATURES
from scoring.endpoint.scorer import Scores
from scoring.gateway import explain
from scoring.gateway.explain import GROUPS, RULE_REASON, Scored
from scoring.gateway.policy.ranking import Action, rank
from scoring.gateway.wording import Group, group_of
from tests.scoring.gateway.policy.situations import policy, situation

DISTANCE = MODEL_FEATURES.index("request_time__driver_distance_km")


def scored(seed: int, n: int = 8, explained: int | None = None, **given_scores: object) -> Scored:
    """Return n random candidates; the best ``explained`` (all if left out) have contributions."""
    rng = np.random.default_rng(seed)
    matrix = rng.uniform(0, 5, (n, len(MODEL_FEATURES))).astype(np.float32)
    matrix[rng.random(matrix.shape) < 0.1] = np.nan
    scores = rng.normal(size=n).astype(np.float32)
    best = np.argsort(-scores, kind="stable")[: n if explained is None else explained]
    minutes = rng.uniform(1, 60, n).astype(np.float32)
    values = {
        "bundle_version": "test",
        "scores": scores,
        "eta_p50_min": minutes,
        "eta_p90_min": minutes * 2,
        "success_probability": rng.uniform(size=n).astype(np.float32),
        "explained_rows": best.astype(np.int32),
        "contributions": rng.normal(size=(len(best), len(MODEL_FEATURES))).astype(np.float32),
        "expected_score": 0.0,
        **given_scores,
    }
    said = Scores(**values)  # type: ignore[arg-type]
    candidates = situation(
        said.scores,
        success_probability=said.success_probability,
        position_unknown=np.isnan(matrix[:, DISTANCE]),
    )
    return Scored([f"p{i}" for i in range(n)], matrix, said, rank(candidates, policy(), "e"))


def _sentence_groups(candidates: Scored, row: int, texts: list[str]) -> list[Group]:
    """Return the group of each sentence, by making every group's sentence again."""
    contributions = candidates.contributions(row)
    assert contributions is not None
    known = candidates.known(row)
    made = {g: explain.strongest_sentence(g, contributions, known) for g in GROUPS}
    minutes = [t for t in texts if "min away" in t]
    return [
        Group.PROXIMITY if text in minutes else next(g for g in GROUPS if made[g] == text)
        for text in texts
    ]


@settings(max_examples=50)
@given(seed=st.integers(0, 2**32 - 1))
def test_reasons_are_the_groups_that_add_most_and_only_such_as_add(seed: int) -> None:
    """Every reason is of a group that adds to the score, the strongest first."""
    candidates = scored(seed)
    shown = candidates.ranking.order[:3]
    for row in shown.tolist():
        texts = explain.reasons(candidates, row, candidates.known(row), math.inf)
        contributions = candidates.contributions(row)
        assert contributions is not None
        sums = {g: sum(contributions[i] for i, n in enumerate(MODEL_FEATURES) if group_of(n) is g)
                for g in GROUPS}  # fmt: skip
        groups = _sentence_groups(candidates, row, texts)
        told = [sums[group] for group in groups]
        assert told == sorted(told, reverse=True)
        assert len(texts) <= explain.REASONS
        if any(sums[g] > 0 for g in GROUPS) and len(texts) > 1:
            assert min(told) > 0


@settings(max_examples=50)
@given(seed=st.integers(0, 2**32 - 1), count=st.integers(1, 6))
def test_minutes_are_compared_as_they_are_told(seed: int, count: int) -> None:
    """How many minutes less than the next holds of the rounded minutes, and of the soonest."""
    candidates = scored(seed)
    shown = candidates.ranking.order[:count]
    minutes = np.rint(candidates.scores.eta_p50_min)
    soonest = explain.soonest_others(candidates, shown)
    for row, others_min in zip(shown.tolist(), soonest, strict=True):
        text = explain.minutes_away(candidates, row, others_min)
        found = re.fullmatch(r"(\d+) min away(?:, (\d+) less than the next)?", text)
        assert found
        assert float(found[1]) == minutes[row]
        others = minutes[shown[shown != row]]
        if found[2]:
            assert minutes[row] + float(found[2]) == others.min()
        else:
            assert not len(others) or minutes[row] >= others.min()


@settings(max_examples=100)
@given(seed=st.integers(0, 2**32 - 1))
def test_the_nearer_one_is_nearer_and_its_chance_is_told_only_if_lower(seed: int) -> None:
    """Why-not-nearer names the nearest candidate, its rank, and differences that are there."""
    candidates = scored(seed)
    told = explain.why_not_nearer(candidates)
    order, chance = candidates.ranking.order, candidates.scores.success_probability
    distances = candidates.distances_km
    nearest, first = int(np.nanargmin(distances)), int(order[0])
    if told is None:
        assert nearest == first
        return
    assert told.provider_id == f"p{nearest}"
    assert order[told.rank - 1] == nearest
    km = re.search(r"([\d.]+) km nearer", told.sentence)
    if km:
        assert float(km[1]) == pytest.approx(distances[first] - distances[nearest], abs=0.051)
    percent = re.search(r"chance of success is (\d+)%, not (\d+)%", told.sentence)
    if percent:
        assert float(percent[1]) == pytest.approx(chance[nearest] * 100, abs=0.51)
        assert float(percent[2]) == pytest.approx(chance[first] * 100, abs=0.51)
        assert float(percent[1]) < float(percent[2])


def test_what_the_policy_did_is_why_a_nearer_one_waits() -> None:
    """A nearest candidate that a rule holds back is not explained by its features."""
    candidates = scored(1)
    candidates.matrix[:, DISTANCE] = np.arange(1, 9)
    held = situation(
        candidates.scores.scores, tiers=np.array([3, 1, 1, 1, 1, 1, 1, 1], dtype=np.intp)
    )
    ranking = rank(held, policy(), "e")
    told = explain.why_not_nearer(
        Scored(candidates.provider_ids, candidates.matrix, candidates.scores, ranking)
    )
    assert told is not None
    assert ranking.actions[0] == [Action.SPILLOVER]
    assert "contract tier stands behind" in told.sentence


def test_a_rule_score_says_that_it_is_one() -> None:
    """Where the model did not answer, the minutes are told, and that a rule ranked."""
    candidates = scored(2, explained=0)
    row = int(candidates.ranking.order[0])
    texts = explain.reasons(candidates, row, candidates.known(row), math.inf)
    assert texts[0].endswith("min away")
    assert texts[1] == RULE_REASON


def test_group_sums_keep_the_whole() -> None:
    """Contributions by group sum to what the features' contributions sum to."""
    candidates = scored(3)
    for row in range(8):
        contributions, by_group = candidates.contributions(row), candidates.by_group(row)
        assert contributions is not None
        assert by_group is not None
        assert sum(by_group) == pytest.approx(sum(contributions), abs=1e-4)
