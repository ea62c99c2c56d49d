import pytest

from scoring.gateway.resilience.adaptive_limit import (
    LEAST_REQUESTS,
    WINDOW_S,
    AdaptiveLimit,
    LimitSettings,
)
from tests.scoring.gateway.resilience.clocks import StandingClock

SETTINGS = LimitSettings(target_s=0.05, first=8, least=2, most=64)


def _window(
    limit: AdaptiveLimit, clock: StandingClock, latency_s: float, in_work: int | None = None
) -> None:
    clock.now_s += WINDOW_S
    for _ in range(LEAST_REQUESTS):
        limit.finished(latency_s, limit.limit if in_work is None else in_work)


def test_a_limit_that_is_used_and_in_time_grows_by_one() -> None:
    """Each good window adds one."""
    clock = StandingClock()
    limit = AdaptiveLimit(SETTINGS, clock)
    _window(limit, clock, 0.01)
    assert limit.limit == 9


def test_a_limit_that_is_not_used_does_not_grow() -> None:
    """A quiet hour proves nothing about more load."""
    clock = StandingClock()
    limit = AdaptiveLimit(SETTINGS, clock)
    for _ in range(100):
        _window(limit, clock, 0.01, in_work=3)
    assert limit.limit == 8


def test_a_limit_that_is_too_high_is_cut_and_never_to_nothing() -> None:
    """Latency over the target cuts by a fifth, down to the least."""
    clock = StandingClock()
    limit = AdaptiveLimit(SETTINGS, clock)
    _window(limit, clock, 0.2)
    assert limit.limit == 6
    for _ in range(20):
        _window(limit, clock, 0.2)
    assert limit.limit == 2


def test_a_few_slow_requests_do_not_cut() -> None:
    """One slow request of ten is no overload."""
    clock = StandingClock()
    limit = AdaptiveLimit(SETTINGS, clock)
    clock.now_s += WINDOW_S
    for number in range(LEAST_REQUESTS):
        limit.finished(0.2 if number == 3 else 0.01, 8)
    assert limit.limit == 9


@pytest.mark.parametrize("first", [2, 60])
def test_it_finds_what_a_server_can_do(first: int) -> None:
    """From either side the limit comes to where a server of 5 ms a request is at the target."""
    clock = StandingClock()
    limit = AdaptiveLimit(LimitSettings(target_s=0.05, first=first, least=2, most=64), clock)
    for _ in range(200):
        _window(limit, clock, latency_s=0.005 * limit.limit)
    assert 8 <= limit.limit <= 11


def test_two_limits_on_one_processor_come_together() -> None:
    """A process that begins with most of the places gives them up to the other."""
    clock = StandingClock()
    greedy = AdaptiveLimit(LimitSettings(target_s=0.05, first=40, least=2, most=64), clock)
    modest = AdaptiveLimit(LimitSettings(target_s=0.05, first=2, least=2, most=64), clock)
    for _ in range(300):
        latency_s = 0.0025 * (greedy.limit + modest.limit)
        clock.now_s += WINDOW_S
        for _ in range(LEAST_REQUESTS):
            for limit in (greedy, modest):
                limit.finished(latency_s, limit.limit)
    assert abs(greedy.limit - modest.limit) <= 3
