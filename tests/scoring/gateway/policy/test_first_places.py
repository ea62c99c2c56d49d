import numpy as np
import pytest

from scoring.gateway.policy.first_places import Count, FirstPlaces

HOUR_S = 3600.0
NOW_S = 1_764_000_000.0
ONE_TIER = np.array([1, 1])


def _record(
    places: FirstPlaces, provider_ids: list[str], tiers: np.ndarray, first: int, now_s: float
) -> None:
    places.record(places.find(provider_ids, tiers, now_s, HOUR_S), first)


def _provider(places: FirstPlaces, provider_id: str, now_s: float) -> tuple[float, float]:
    count: Count = places.find([provider_id], np.array([1]), now_s, HOUR_S).shares.provider
    return float(count.possible[0]), float(count.first[0])


def test_decisions_are_counted_by_provider_and_tier() -> None:
    """Whoever could be sent gets a decision, who stood first a first place, and so their tiers."""
    places = FirstPlaces()
    _record(places, ["a", "b", "c"], np.array([1, 2, 2]), 1, NOW_S)
    _record(places, ["a", "c"], np.array([1, 2]), 0, NOW_S)
    shares = places.find(["c", "b", "a", "new"], np.array([2, 2, 1, 3]), NOW_S, HOUR_S).shares
    assert shares.provider.possible.tolist() == [2, 1, 2, 0]
    assert shares.provider.first.tolist() == [0, 1, 1, 0]
    assert shares.tier.possible.tolist() == [2, 2, 2, 0]
    assert shares.tier.first.tolist() == [1, 1, 1, 0]


def test_a_decision_fades_with_the_window() -> None:
    """After one window a decision counts e^-1 of a new one; a share of only it stays."""
    places = FirstPlaces()
    _record(places, ["a"], np.array([1]), 0, NOW_S)
    possible, first = _provider(places, "a", NOW_S + HOUR_S)
    assert possible == pytest.approx(np.exp(-1))
    assert first == pytest.approx(possible)


def test_counts_stay_right_over_days_and_another_window() -> None:
    """Neither a week of decisions nor a reloaded window makes the numbers overflow or jump."""
    places = FirstPlaces()
    for minute in range(0, 7 * 24 * 60, 10):
        _record(places, ["a", "b"], ONE_TIER, 0, NOW_S + 60 * minute)
    now_s = NOW_S + 60 * minute
    possible, first = _provider(places, "a", now_s)
    assert possible == pytest.approx(1 / (1 - np.exp(-1 / 6)), rel=1e-6)
    assert first == pytest.approx(possible)
    narrower = places.find(["a"], np.array([1]), now_s, 600.0).shares.provider
    assert narrower.possible[0] == pytest.approx(possible)


def test_a_long_silence_leaves_nothing() -> None:
    """After months without a request the counts are zero, not an error."""
    places = FirstPlaces()
    _record(places, ["a"], np.array([1]), 0, NOW_S)
    assert _provider(places, "a", NOW_S + 1e8) == pytest.approx((0, 0))


def test_what_is_kept_is_bounded() -> None:
    """With more providers than are kept, those seen least are forgotten."""
    places = FirstPlaces(providers_kept=10)
    for _ in range(3):
        _record(places, ["often", "too"], ONE_TIER, 0, NOW_S)
    for number in range(40):
        _record(places, [f"once-{number}"], np.array([1]), 0, NOW_S + number)
        assert len(places) <= 10
    assert _provider(places, "often", NOW_S) == pytest.approx((3, 3))
    assert _provider(places, "too", NOW_S) == pytest.approx((3, 0))
    assert _provider(places, "once-0", NOW_S) == (0, 0)
    assert _provider(places, "once-39", NOW_S + 39) == (1, 1)


def test_bounds_of_the_parts_hold_for_the_whole() -> None:
    """Requests spread over gateways: the share over all lies between those that each one sees."""
    rng = np.random.default_rng(3)
    gateways = [FirstPlaces() for _ in range(3)]
    whole = FirstPlaces()
    for _ in range(500):
        first = int(rng.random() < 0.7)
        for places in (gateways[rng.integers(3)], whole):
            _record(places, ["a", "b"], ONE_TIER, first, NOW_S)
    parts = [np.divide(*reversed(_provider(places, "b", NOW_S))) for places in gateways]
    possible, first_places = _provider(whole, "b", NOW_S)
    assert min(parts) <= first_places / possible <= max(parts)
