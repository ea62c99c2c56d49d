"""The logging policy's propensities."""

from types import SimpleNamespace
from typing import Any

import numpy as np

from simulator import policy
from simulator.journal import Journal
from simulator.world import World
from tests.simulator.conftest import SETTINGS, START_S


def test_propensities_prefer_the_near_and_leave_nobody_out() -> None:
    """Propensities sum to one, fall with distance, and none is below the explored share."""
    distance_km = np.array([1.0, 2.0, 4.0, 30.0])
    found = policy.propensities(distance_km)
    near = np.exp(-distance_km / 1.8)
    np.testing.assert_allclose(found, 0.75 * near / near.sum() + 0.25 / 4)
    assert abs(found.sum() - 1) < 1e-12
    assert (np.diff(found) < 0).all()
    assert found.min() >= policy.EXPLORATION_SHARE / 4 - 1e-12


def test_offers_are_drawn_with_the_logged_propensities() -> None:
    """First offers come as often as logged, second ones as the renormalised rest."""
    choice: Any = SimpleNamespace(distance_km=np.array([1.0, 2.0, 3.0, 5.0]))
    rng = np.random.default_rng(3)
    drawn = [policy.Logging().rank(choice, rng) for _ in range(20_000)]
    orders, logged = np.array([ranking.order for ranking in drawn]), drawn[0].propensity
    first = np.bincount(orders[:, 0], minlength=4) / len(orders)
    np.testing.assert_allclose(first, logged, atol=0.015)
    after_zero = orders[orders[:, 0] == 0, 1]
    second = np.bincount(after_zero, minlength=4) / len(after_zero)
    rest = np.where(np.arange(4) == 0, 0, logged) / (1 - logged[0])
    np.testing.assert_allclose(second, rest, atol=0.02)


def test_nobody_is_offered_the_same_job_twice() -> None:
    """An order has each candidate once."""
    order = policy.drawn_order(np.full(10, 0.1), np.random.default_rng(1))
    assert sorted(order.tolist()) == list(range(10))


def test_a_world_asks_whom_its_policy_ranks_first() -> None:
    """The first offers of a world are those of the policy that it was given."""
    firsts = {}
    for name, of in {"nearest": policy.Nearest(), "oracle": policy.Oracle()}.items():
        journal = Journal()
        world = World(SETTINGS, START_S, "a", journal, of)
        world.tick(START_S + 600)
        assert journal.decisions
        for decision in journal.decisions:
            best = int(np.argmax(decision.offer_rank == 1))
            assert decision.propensity[best] == 1.0
            if name == "oracle":
                assert decision.success_probability[best] == decision.success_probability.max()
            else:
                assert best == 0
        firsts[name] = [int(np.argmax(d.offer_rank == 1)) for d in journal.decisions]
    assert firsts["oracle"] != firsts["nearest"]
