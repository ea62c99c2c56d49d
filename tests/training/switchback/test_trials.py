"""False alarms and power of the analysis, over simulated experiments."""

import dataclasses

import numpy as np
import pytest
from scipy.stats import t

from training.errors import DataError
from training.switchback import trials
from training.switchback.blocks import BlockMeans, Floats
from training.switchback.design import assign
from training.switchback.generator import usual_rates
from training.switchback.trials import CLUSTERED, NAIVE, REDRAWN, Trial

WITHOUT_EFFECT = Trial(usual_rates(4, 2, 1000, 0.6), days=14, washout_minutes=30.0)


@pytest.fixture(scope="module")
def p_values() -> dict[str, Floats]:
    """The p-values of 1,000 experiments without effect."""
    return trials.simulate(WITHOUT_EFFECT, np.random.default_rng(7))


def test_one_experiment_in_twenty_is_a_false_alarm(p_values: dict[str, Floats]) -> None:
    """The analysis sees an effect in 5 +- 1 % of 1,000 experiments that have none."""
    assert len(p_values[REDRAWN]) == 1000
    assert trials.rejected(p_values[REDRAWN]).value == pytest.approx(0.05, abs=0.01)


def test_a_right_analysis_is_refused_once_in_a_hundred() -> None:
    """Runs of 1,000 experiments leave the bounds of chance in at most 1 % if alarms are 5 %.

    If they are 8 %, most do.
    """
    bounds = trials.by_chance(0.05, 1000, 0.99)
    found = np.random.default_rng(1).binomial(1000, 0.05, 20_000) / 1000
    outside = ((found < bounds.low) | (found > bounds.high)).mean()
    assert 0.004 < outside <= 0.01
    wrong = np.random.default_rng(2).binomial(1000, 0.08, 20_000) / 1000
    assert (wrong > bounds.high).mean() > 0.85


def test_a_t_test_over_events_would_cry_wolf(p_values: dict[str, Floats]) -> None:
    """As if events were independent, an effect would be seen in more than twice as many."""
    assert trials.rejected(p_values[NAIVE]).low > 0.10


def test_the_redrawn_assignment_is_nearer_to_five_percent_than_clustered_errors(
    p_values: dict[str, Floats],
) -> None:
    """Of the two analyses that know of blocks the one in use is the one with less error."""
    off = {name: abs(trials.rejected(p_values[name]).value - 0.05) for name in p_values}
    assert off[REDRAWN] < off[CLUSTERED] < off[NAIVE]


@pytest.mark.parametrize(
    ("regions", "hours", "days", "events"), [(3, 4, 7, 300), (1, 3, 14, 2000), (6, 6, 9, 800)]
)
def test_other_designs_have_as_few(regions: int, hours: int, days: int, events: int) -> None:
    """Few days, one region or an odd number of days: false alarms stay at 5 %.

    Of 600 experiments 5 % are 30, with a standard deviation of 5.3: three of them either way.
    """
    rates = usual_rates(regions, hours, events, 0.6)
    trial = Trial(rates, days, 20.0, simulations=600)
    found = trials.simulate(trial, np.random.default_rng(3))[REDRAWN]
    assert 14 <= (found <= 0.05).sum() <= 46


def test_power_grows_with_days_and_effect() -> None:
    """A larger effect, or more days, are found more often; a large one nearly always."""

    def power(effect: float, days: int) -> float:
        trial = dataclasses.replace(WITHOUT_EFFECT, effect=effect, days=days, simulations=200)
        found = trials.simulate(trial, np.random.default_rng(5))[REDRAWN]
        return trials.rejected(found).value

    small_and_short, long, large = power(0.03, 7), power(0.03, 28), power(0.08, 14)
    assert small_and_short < 0.6 < long
    assert large > 0.97


def test_a_washout_takes_its_share_of_events() -> None:
    """Of a block of two hours, 30 minutes leave three quarters to count."""
    assert WITHOUT_EFFECT.counted_share == 0.75


def test_a_washout_as_long_as_a_block_is_refused() -> None:
    """Nothing would be left to count."""
    with pytest.raises(DataError, match="washout minutes 120"):
        dataclasses.replace(WITHOUT_EFFECT, washout_minutes=120.0)


def test_clustered_errors_are_those_of_the_sandwich() -> None:
    """The p-value is that of dummies, least squares and a CR1 sandwich written out in full."""
    rng = np.random.default_rng(4)
    shape = (2, 5, 3)
    treated, events = assign(shape, rng), rng.poisson(9, (1, *shape)) + 1.0
    blocks = BlockMeans(rng.normal(size=(1, *shape)) + rng.normal(size=(1, 2, 5, 1)), events)
    region, day, slot = (index.ravel() for index in np.indices(shape))
    x = np.column_stack(
        [treated.ravel(), np.eye(6)[region * 3 + slot], np.eye(10)[region * 5 + day]]
    )
    weight, y = events.ravel(), blocks.mean.ravel()
    bread = np.linalg.pinv(x.T @ (weight[:, None] * x))
    coefficients = bread @ x.T @ (weight * y)
    scores = x * (weight * (y - x @ coefficients))[:, None]
    of_cluster = np.eye(10)[region * 5 + day].T @ scores
    covariance = 10 / 9 * bread @ of_cluster.T @ of_cluster @ bread
    expected = 2 * t.sf(abs(coefficients[0]) / np.sqrt(covariance[0, 0]), 9)
    assert trials.clustered_p_values(blocks, treated)[0] == pytest.approx(expected, rel=1e-6)


def test_the_naive_comparison_by_hand() -> None:
    """60 of 100 against 40 of 100: 0.2 over sqrt(2 * 0.24 / 100) = 0.069282 is z = 2.88675."""
    blocks = BlockMeans(np.array([[[[0.6], [0.4]]]]), np.full((1, 1, 2, 1), 100.0))
    treated = np.array([[[[True], [False]]]])
    assert trials.naive_p_values(blocks, treated)[0] == pytest.approx(0.003892, rel=1e-3)
