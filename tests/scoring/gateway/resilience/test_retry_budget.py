from hypothesis import given
from hypothesis import strategies as st

from scoring.gateway.resilience.retry_budget import LARGEST_RESERVE, RetryBudget


@given(st.lists(st.booleans(), max_size=500))
def test_retries_never_exceed_their_share(wishes: list[bool]) -> None:
    """At every moment there were at most a tenth as many retries as requests."""
    budget, retries = RetryBudget(0.1), 0
    for number, wish in enumerate(wishes, start=1):
        budget.request()
        retries += wish and budget.take()
        assert retries <= 0.1 * number + 1e-6


def test_ten_requests_pay_for_one_retry() -> None:
    """The share is given, not only bounded."""
    budget = RetryBudget(0.1)
    for _ in range(10):
        assert not budget.take()
        budget.request()
    assert budget.take()
    assert not budget.take()


def test_a_quiet_hour_does_not_pay_for_a_storm() -> None:
    """What was not used is kept up to the largest reserve only."""
    budget = RetryBudget(0.1)
    for _ in range(100_000):
        budget.request()
    assert sum(budget.take() for _ in range(1000)) == LARGEST_RESERVE
