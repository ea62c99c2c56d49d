"""Simulated outcomes: uneven, alike in time, and as frequent as they should be."""

import numpy as np
import pandas as pd
import pytest

from training.switchback import blocks, design, generator


def test_usual_rates_are_uneven_and_as_large_as_asked() -> None:
    """Regions and hours differ in demand and success; their total is what was asked for."""
    rates = generator.usual_rates(4, 2, 1000, 0.6)
    assert rates.events.shape == rates.success.shape == (4, 12)
    assert rates.events.sum() == pytest.approx(1000)
    assert rates.events.max() > 10 * rates.events.min()
    assert np.ptp(rates.success) > 0.1
    assert (rates.events * rates.success).sum() / 1000 == pytest.approx(0.55, abs=0.06)


def test_conditions_remember_and_are_shared() -> None:
    """A block is like the next one, less like one a day away, and a little like other regions."""
    rates = generator.usual_rates(3, 2, 1000, 0.6)
    _, chance = generator.conditions(400, rates, 6, np.random.default_rng(1))
    mood = chance - chance.mean(axis=(0, 2), keepdims=True)
    now = mood[:, 0, 2, 5]
    next_block = np.corrcoef(now, mood[:, 0, 2, 6])[0, 1]
    next_day = np.corrcoef(now, mood[:, 0, 3, 5])[0, 1]
    elsewhere = np.corrcoef(now, mood[:, 1, 2, 5])[0, 1]
    assert next_block == pytest.approx(np.exp(-2 / 6), abs=0.1)
    assert abs(next_day) < 0.2
    assert elsewhere == pytest.approx(0.4, abs=0.12)


def test_an_effect_is_added_where_treated() -> None:
    """Treated blocks succeed more often by the effect; the washout takes its share of events."""
    rates = generator.usual_rates(2, 4, 5000, 0.5)
    rng = np.random.default_rng(3)
    treated = design.assign((2, 10, 6), rng, count=100)
    found = generator.draw(100, rates, treated, 0.1, 0.75, rng)
    means = [np.average(found.mean[arm], weights=found.events[arm]) for arm in (treated, ~treated)]
    assert means[0] - means[1] == pytest.approx(0.1, abs=0.01)
    assert found.events.sum(axis=(1, 2, 3)).mean() == pytest.approx(0.75 * 5000 * 10, rel=0.02)


def test_rates_come_from_past_outcomes() -> None:
    """Events a day are counted in their region and slot; success is drawn towards the mean."""
    rows = pd.DataFrame(
        {
            "event_id": range(300),
            "region": ["a"] * 200 + ["b"] * 100,
            "time": pd.date_range("2026-12-01", periods=300, freq="10D", tz="UTC").where(
                np.arange(300) < 0, pd.Timestamp("2026-12-01 13:00", tz="UTC")
            ),
            "success": [True] * 200 + [False] * 100,
            "minutes_to_arrival": 20.0,
            "redispatch": False,
        }
    )
    rows.loc[0, "time"] = pd.Timestamp("2026-12-11 13:00", tz="UTC")
    found = generator.rates_of(blocks.checked_outcomes(rows), 6)
    np.testing.assert_allclose(found.events, [[0, 0, 20, 0], [0, 0, 10, 0]])
    # (200 + 20 * 2/3) / 220 and (0 + 20 * 2/3) / 120; elsewhere the mean
    np.testing.assert_allclose(found.success[:, 2], [0.969697, 0.111111], rtol=1e-5)
    np.testing.assert_allclose(found.success[:, 0], 2 / 3)
