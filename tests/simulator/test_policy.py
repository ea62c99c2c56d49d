"""The logging policy's propensities."""

import numpy as np

from simulator import policy


def test_propensities_prefer_the_near_and_leave_nobody_out() -> None:
    """Propensities sum to one, fall with distance, and none is below the explored share."""
    found = policy.propensities(np.array([1.0, 2.0, 4.0, 30.0]))
    assert abs(found.sum() - 1) < 1e-12
    assert (np.diff(found) < 0).all()
    assert found.min() >= policy.EXPLORATION_SHARE / 4 - 1e-12


def test_offers_are_drawn_with_the_logged_propensities() -> None:
    """First offers come as often as logged, second ones as the renormalised rest."""
    logged = policy.propensities(np.array([1.0, 2.0, 3.0, 5.0]))
    rng = np.random.default_rng(3)
    orders = np.array([policy.offer_order(logged, 2, rng) for _ in range(20_000)])
    first = np.bincount(orders[:, 0], minlength=4) / len(orders)
    np.testing.assert_allclose(first, logged, atol=0.015)
    after_zero = orders[orders[:, 0] == 0, 1]
    second = np.bincount(after_zero, minlength=4) / len(after_zero)
    rest = np.where(np.arange(4) == 0, 0, logged) / (1 - logged[0])
    np.testing.assert_allclose(second, rest, atol=0.02)


def test_nobody_is_offered_the_same_job_twice() -> None:
    """An order has no candidate twice and no more than asked for."""
    order = policy.offer_order(np.full(10, 0.1), 6, np.random.default_rng(1))
    assert len(order) == len(set(order.tolist())) == 6
