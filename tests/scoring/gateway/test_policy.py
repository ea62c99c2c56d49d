from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from feature_repo.request_time import RequestColumns
from scoring.gateway.errors import ConfigurationError
from scoring.gateway.policy import EXPLORED, SPILLOVER, first_place_propensity, rank
from scoring.gateway.policy_file import Exploration, Policy, load_policy
from scoring.gateway.read import CandidateTable

NOW_US = 1_764_000_000_000_000.0
ALWAYS_BEST = Exploration(share=0.0, among=1)


def _policy(exploration: Exploration = ALWAYS_BEST, spillover_below: int = 1) -> Policy:
    return Policy(
        "test", spillover_tier=3, spillover_below=spillover_below, exploration=exploration
    )


def _table(tiers: list[int]) -> CandidateTable:
    count = len(tiers)
    columns = {
        "provider_motion__lat": np.full(count, 39.7),
        "provider_motion__motion_observed_at": np.full(count, NOW_US),
        "provider_profile__contract_tier": np.array(tiers, dtype=np.float64),
    }
    return CandidateTable([f"p{i}" for i in range(count)], columns, {})


def _now(count: int) -> RequestColumns:
    return RequestColumns(np.full(count, NOW_US), *(np.zeros(count) for _ in range(6)))


def _scores(count: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=count).astype(np.float32)


@given(
    count=st.integers(1, 60),
    seed=st.integers(0, 2**32 - 1),
    share=st.floats(0, 0.2),
    among=st.integers(1, 20),
    event_id=st.text(min_size=1, max_size=20),
)
def test_the_order_is_a_permutation_and_propensities_sum_to_one(
    count: int, seed: int, share: float, among: int, event_id: str
) -> None:
    """Nobody is lost or doubled, the first place's chances sum to one, and the draw repeats."""
    table, scores = _table([1] * count), _scores(count, seed)
    policy = _policy(Exploration(share, among))
    ranking = rank(table, scores, policy, _now(count), event_id)
    assert sorted(ranking.order) == list(range(count))
    assert ranking.propensity.sum() == pytest.approx(1)
    assert ranking.propensity[ranking.order[0]] > 0
    again = rank(table, scores, policy, _now(count), event_id)
    assert ranking.order.tolist() == again.order.tolist()


def test_without_exploration_the_model_decides() -> None:
    """With no exploration and no rule that applies the order is that of the scores."""
    scores = _scores(30, 1)
    ranking = rank(_table([1] * 30), scores, _policy(), _now(30), "e")
    assert ranking.order.tolist() == np.argsort(-scores).tolist()


def test_exploration_happens_as_often_as_it_is_logged() -> None:
    """Over many events each candidate stands first as often as its propensity says."""
    exploration = Exploration(share=0.2, among=4)
    scores = np.arange(8, 0, -1).astype(np.float32)
    firsts = np.zeros(8)
    for number in range(4000):
        ranking = rank(_table([1] * 8), scores, _policy(exploration), _now(8), f"event-{number}")
        firsts[ranking.order[0]] += 1
    expected = first_place_propensity(np.arange(8), exploration)
    np.testing.assert_allclose(firsts / 4000, expected, atol=0.02)


def test_an_explored_first_place_is_marked() -> None:
    """Whoever stands first by exploration carries the action that says so."""
    always = Exploration(share=0.2, among=5)
    scores = np.arange(5, 0, -1).astype(np.float32)
    rankings = [rank(_table([1] * 5), scores, _policy(always), _now(5), str(i)) for i in range(200)]
    explored = [r for r in rankings if r.order[0] != 0]
    assert explored
    assert all(EXPLORED in r.actions[r.order[0]] for r in explored)


def test_spillover_tiers_wait_while_there_are_enough_others() -> None:
    """A tier-3 provider with the best score stands last, unless too few others are eligible."""
    scores = np.array([9, 1, 2], dtype=np.float32)
    held = rank(_table([3, 1, 2]), scores, _policy(spillover_below=2), _now(3), "e")
    assert held.order.tolist() == [2, 1, 0]
    assert held.actions[0] == [SPILLOVER]
    needed = rank(_table([3, 1, 2]), scores, _policy(spillover_below=3), _now(3), "e")
    assert needed.order.tolist() == [0, 2, 1]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("version: x", "spillover_tier"),
        ("{version: x, spillover_tier: 3, spillover_below: 1, exploration: {share: 0.5, among: 1}}",
         "share"),
        ("{version: x, spillover_teir: 3}", "spillover"),
        ("- not a policy", "object"),
    ],
)  # fmt: skip
def test_a_wrong_policy_file_is_refused_by_field(tmp_path: Path, text: str, told: str) -> None:
    """A policy file with a missing, unknown or out-of-range field does not start the gateway."""
    path = tmp_path / "policy.yaml"
    path.write_text(text)
    with pytest.raises(ConfigurationError, match=told):
        load_policy(path)


def test_a_missing_policy_file_is_named(tmp_path: Path) -> None:
    """A policy file that is not there is named with the option that gives another."""
    with pytest.raises(ConfigurationError, match="--policy"):
        load_policy(tmp_path / "none.yaml")
