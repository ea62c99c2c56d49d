from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoring.gateway.policy.first_places import Shares
from scoring.gateway.policy.ranking import Action, Situation, first_place_propensity, rank
from scoring.gateway.policy.rules import Exploration, Policy
from tests.scoring.gateway.policy.situations import counts, policy, situation

NOTHING = counts([0, 0, 0], [0, 0, 0])


@st.composite
def situations(draw: st.DrawFn) -> Situation:
    """Any candidates: scores with ties, tiers, unknown positions, histories."""
    n = draw(st.integers(1, 40))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    possible, tier_possible = rng.uniform(0, 300, (2, n))
    return situation(
        rng.normal(size=n).round(1),
        success_probability=rng.uniform(size=n).astype(np.float32),
        tiers=rng.integers(0, 5, n),
        position_unknown=rng.random(n) < 0.2,
        surge_ratio=float(rng.uniform(0, 2)),
        shares=Shares(
            counts(possible.tolist(), (possible * rng.uniform(size=n)).tolist()),
            counts(tier_possible.tolist(), (tier_possible * rng.uniform(size=n)).tolist()),
        ),
    )


@st.composite
def policies(draw: st.DrawFn) -> Policy:
    """Any rules."""
    share = st.floats(0.01, 1)
    return policy(
        version=draw(st.text("abc", min_size=1, max_size=3)),
        spillover={
            "from_tier": draw(st.integers(1, 5)),
            "unless_fewer_others": draw(st.integers(0, 10)),
            "unless_surge_ratio": draw(st.floats(0.1, 3)),
        },
        max_chance_cost=draw(st.floats(0, 0.5)),
        contract_minimum={
            "tier_shares": draw(st.dictionaries(st.integers(1, 5), share, max_size=2)),
            "provider_shares": draw(st.dictionaries(st.sampled_from(["p0", "p3"]), share)),
        },
        fairness={
            "provider_share": draw(share),
            "handicap_cap": draw(st.floats(0, 2)),
            "tier_shares": draw(st.dictionaries(st.integers(1, 5), share, max_size=2)),
        },
        exploration={"share": draw(st.floats(0, 0.2)), "among": draw(st.integers(1, 20))},
    )


@given(candidates=situations(), rules=policies(), event_id=st.text(min_size=1, max_size=20))
def test_nobody_is_lost_and_the_same_input_gives_the_same_output(
    candidates: Situation, rules: Policy, event_id: str
) -> None:
    """The order has every candidate once; the same candidates, state and event give the same."""
    ranking, again = (rank(candidates, rules, event_id) for _ in range(2))
    assert sorted(ranking.order) == list(range(len(candidates.provider_ids)))
    assert ranking.order.tolist() == again.order.tolist()
    assert ranking.propensity.tolist() == again.propensity.tolist()


@given(candidates=situations(), rules=policies(), event_id=st.text(min_size=1, max_size=20))
def test_propensities_sum_to_one_and_who_is_first_could_be(
    candidates: Situation, rules: Policy, event_id: str
) -> None:
    """The chances of the first place sum to one, and whoever got it had one."""
    ranking = rank(candidates, rules, event_id)
    assert ranking.propensity.sum() == pytest.approx(1)
    assert (ranking.propensity >= 0).all()
    assert ranking.propensity[ranking.order[0]] > 0


@given(candidates=situations(), rules=policies(), event_id=st.text(min_size=1, max_size=20))
def test_no_rule_costs_a_driver_more_than_allowed(
    candidates: Situation, rules: Policy, event_id: str
) -> None:
    """Whoever may stand first has a known position, if any has, and nearly the best's chance."""
    possible = np.flatnonzero(rank(candidates, rules, event_id).propensity)
    least = _least_good_chance(candidates, rules) - 1e-6
    assert (candidates.success_probability[possible] >= least).all()
    assert not candidates.position_unknown[possible].any() or candidates.position_unknown.all()


@given(candidates=situations(), rules=policies(), event_id=st.text(min_size=1, max_size=20))
def test_who_is_held_back_stands_behind_all_who_do_as_well(
    candidates: Situation, rules: Policy, event_id: str
) -> None:
    """Unknown positions come last; spillover tiers behind all good ones of the ordinary tiers."""
    ranking = rank(candidates, rules, event_id)
    unknown = candidates.position_unknown[ranking.order]
    assert unknown.tolist() == sorted(unknown)
    least = _least_good_chance(candidates, rules) + 1e-6
    held = [Action.SPILLOVER in ranking.actions[row] for row in ranking.order]
    ordinary = candidates.tiers[ranking.order] < rules.spillover.from_tier
    good = candidates.success_probability[ranking.order] >= least
    first_held = held.index(True) if True in held else len(held)
    assert not (ordinary & good & ~unknown)[first_held:].any()


def _least_good_chance(candidates: Situation, rules: Policy) -> float:
    """Return the chance that the model's own first has, less what the rules may cost."""
    first = np.lexsort((-candidates.scores, candidates.position_unknown))[0]
    return float(candidates.success_probability[first] - np.float32(rules.max_chance_cost))


def test_a_spillover_tier_does_not_wait_for_who_does_much_worse() -> None:
    """The best by far goes first whatever its tier; between it and the bad ones nobody is held."""
    rule = {"from_tier": 3, "unless_fewer_others": 0, "unless_surge_ratio": 9.0}
    rules = policy(spillover=rule, max_chance_cost=0.1)
    tiers = np.array([3, 1, 3, 1])
    chance = np.array([0.9, 0.5, 0.4, 0.3], dtype=np.float32)
    alone = rank(situation([4, 3, 2, 1], success_probability=chance, tiers=tiers), rules, "e")
    assert alone.order.tolist() == [0, 1, 2, 3]
    assert all(alone.actions[row] == [] for row in range(4))
    chance[3] = 0.85
    with_good = rank(situation([4, 3, 2, 1], success_probability=chance, tiers=tiers), rules, "e")
    assert with_good.order.tolist() == [3, 0, 1, 2]
    assert with_good.actions[0] == [Action.SPILLOVER]


def test_without_soft_rules_the_model_decides() -> None:
    """With no rule that applies the order is that of the scores."""
    scores = np.random.default_rng(1).normal(size=30)
    ranking = rank(situation(scores), policy(), "e")
    assert ranking.order.tolist() == np.argsort(-scores).tolist()
    assert [ranking.actions[row] for row in range(30)] == [[]] * 30


def test_exploration_happens_as_often_as_it_is_logged() -> None:
    """Over many events each candidate stands first as often as its propensity says."""
    rules = policy(exploration={"share": 0.2, "among": 4})
    candidates = situation(np.arange(8, 0, -1))
    rankings = [rank(candidates, rules, f"event-{number}") for number in range(4000)]
    firsts = np.bincount([ranking.order[0] for ranking in rankings], minlength=8)
    np.testing.assert_allclose(firsts / 4000, rankings[0].propensity, atol=0.02)
    assert rankings[0].propensity == pytest.approx([0.85, 0.05, 0.05, 0.05, 0, 0, 0, 0])


def test_exploration_draws_only_among_who_may_stand_first() -> None:
    """Chance never puts somebody first whose chance of success is too low, or who is held back."""
    rules = policy(exploration={"share": 0.2, "among": 5}, max_chance_cost=0.1)
    candidates = situation(
        [4, 3, 2, 1],
        success_probability=np.array([0.8, 0.5, 0.75, 0.9], dtype=np.float32),
        position_unknown=np.array([False, False, False, True]),
    )
    assert rank(candidates, rules, "e").propensity == pytest.approx([0.9, 0, 0.1, 0])


def test_an_explored_first_place_is_marked() -> None:
    """Whoever stands first by exploration carries the action that says so."""
    rules = policy(exploration={"share": 0.2, "among": 5})
    rankings = [rank(situation([5, 4, 3, 2, 1]), rules, str(i)) for i in range(200)]
    explored = [r for r in rankings if r.order[0] != 0]
    assert explored
    assert all(r.actions[r.order[0]] == [Action.EXPLORED] for r in explored)


def test_among_fewer_than_asked_for_all_have_a_share() -> None:
    """With fewer candidates than the rule names, they share the exploration evenly."""
    chances = first_place_propensity(np.array([1, 0]), 3, Exploration(share=0.2, among=5))
    assert chances == pytest.approx([0.1, 0.9, 0])


@pytest.mark.parametrize(
    ("fewer_than", "surge_ratio", "order"),
    [(2, 0.5, [2, 1, 0]), (3, 0.5, [0, 2, 1]), (2, 1.0, [0, 2, 1])],
)
def test_spillover_tiers_wait_unless_they_are_needed(
    fewer_than: int, surge_ratio: float, order: list[int]
) -> None:
    """A tier-3 provider with the best score stands last, unless others are few or it is a surge."""
    rule = {"from_tier": 3, "unless_fewer_others": fewer_than, "unless_surge_ratio": 1.0}
    candidates = situation([9, 1, 2], tiers=np.array([3, 1, 2]), surge_ratio=surge_ratio)
    ranking = rank(candidates, policy(spillover=rule), "e")
    assert ranking.order.tolist() == order
    assert (Action.SPILLOVER in ranking.actions[0]) == (order[0] != 0)


def test_a_provider_beyond_its_share_gives_way_to_a_close_one() -> None:
    """Somebody who stood first too often loses to one nearly as good, not to one much worse."""
    rules = policy(fairness={"provider_share": 0.25, "handicap_cap": 0.5})
    often = counts([180, 180, 180], [100, 0, 0])
    close = situation([1.0, 0.9, -3.0], shares=Shares(often, NOTHING))
    ranking = rank(close, rules, "e")
    assert ranking.order.tolist() == [1, 0, 2]
    assert ranking.actions[0] == [Action.FAIRNESS]
    assert ranking.handicap == pytest.approx([0.5, 0, 0])
    far = situation([1.0, -2.9, -3.0], shares=Shares(often, NOTHING))
    assert rank(far, rules, "e").order.tolist() == [0, 1, 2]


@pytest.mark.parametrize(
    ("possible", "first", "handicap"),
    [
        (180, 50, 0.0),  # the allowed quarter, with the twenty decisions of the prior
        (180, 75, 0.25),  # half as much again
        (180, 100, 0.5),  # twice
        (180, 180, 0.5),  # never more than the cap
        (4, 4, 0.0),  # always first, but four decisions prove nothing
    ],
)
def test_the_handicap_grows_evenly_to_its_cap(possible: int, first: int, handicap: float) -> None:
    """No handicap up to the allowed share, the cap from its double on; few decisions give none."""
    rules = policy(fairness={"provider_share": 0.25, "handicap_cap": 0.5})
    one = situation([1.0], shares=Shares(counts([possible], [first]), counts([0], [0])))
    assert rank(one, rules, "e").handicap == pytest.approx([handicap])


def test_a_tier_beyond_its_share_gives_way() -> None:
    """The share of a contract tier is limited like that of a provider."""
    rules = policy(
        fairness={"provider_share": 1, "handicap_cap": 1, "tier_shares": {1: 0.4}},
    )
    shares = Shares(NOTHING, counts([480, 480, 480], [400, 400, 20]))
    candidates = situation([1, -3, 0.4], tiers=np.array([1, 1, 2]), shares=shares)
    ranking = rank(candidates, rules, "e")
    assert ranking.order.tolist() == [2, 0, 1]
    assert ranking.actions[1] == [Action.FAIRNESS]


@pytest.mark.parametrize(
    "rule", [{"tier_shares": {2: 0.3}}, {"provider_shares": {"p2": 0.3}}], ids=["tier", "provider"]
)
def test_who_is_owed_a_first_place_by_contract_gets_it(rule: dict[str, Any]) -> None:
    """The best of those below their guaranteed share stands first, and is marked; at par nobody."""
    candidates = {"scores": [3, 2, 1], "tiers": np.array([1, 1, 2])}
    below = counts([10, 10, 10], [5, 3, 2])
    owed = rank(
        situation(**candidates, shares=Shares(below, below)), policy(contract_minimum=rule), "e"
    )
    assert owed.order.tolist() == [2, 0, 1]
    assert owed.actions[2] == [Action.CONTRACT_MINIMUM]
    at_par = counts([10, 10, 10], [4, 3, 3])
    even = situation(**candidates, shares=Shares(at_par, at_par))
    assert rank(even, policy(contract_minimum=rule), "e").order.tolist() == [0, 1, 2]


def test_a_contract_does_not_send_who_would_likely_fail() -> None:
    """The guaranteed share waits for a driver whom it costs no more chance than allowed."""
    below = counts([100, 100], [100, 0])
    candidates = situation(
        [2, 1],
        tiers=np.array([1, 2]),
        shares=Shares(below, below),
        success_probability=np.array([0.8, 0.6], dtype=np.float32),
    )
    rule = {"tier_shares": {2: 0.3}}
    strict = policy(contract_minimum=rule, max_chance_cost=0.1)
    assert rank(candidates, strict, "e").order.tolist() == [0, 1]
    lenient = policy(contract_minimum=rule, max_chance_cost=0.3)
    assert rank(candidates, lenient, "e").order.tolist() == [1, 0]


def test_scores_that_are_not_finite_are_ordered_last() -> None:
    """A score of minus infinity (nothing known, by rule) does not spoil the handicaps of others."""
    rules = policy(fairness={"provider_share": 0.25, "handicap_cap": 0.5})
    often = counts([180, 180, 180], [100, 100, 100])
    ranking = rank(situation([-np.inf, 1, 2], shares=Shares(often, NOTHING)), rules, "e")
    assert ranking.order.tolist() == [2, 1, 0]
