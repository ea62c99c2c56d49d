"""Estimators against values worked out by hand on the bandit of ``bandit.py``."""

import numpy as np
import pytest

from tests.training.off_policy.bandit import EXPECTED, PREDICTED, REWARD, WEIGHT
from training.off_policy import estimators
from training.off_policy.estimators import Scores, estimate


def _assert_estimate(scores: Scores, value: float, standard_error: float) -> None:
    found = estimate(scores)
    assert found.value == pytest.approx(value, abs=1e-12)
    assert found.standard_error == pytest.approx(standard_error, rel=1e-5)
    assert found.low == pytest.approx(value - 1.959964 * standard_error, rel=1e-5)
    assert found.high == pytest.approx(value + 1.959964 * standard_error, rel=1e-5)


def test_ips_by_hand() -> None:
    """IPS is the mean of weight times reward.

    Terms 1.6, 0, 2, 0: mean 0.9; deviations 0.7, -0.9, 1.1, -0.9, squares 0.49 + 0.81 + 1.21 +
    0.81 = 3.32; standard error sqrt(3.32 / (4 * 3)) = 0.525991.
    """
    _assert_estimate(estimators.ips(REWARD, WEIGHT), 0.9, 0.525991)


def test_snips_by_hand() -> None:
    """SNIPS divides by the sum of weights, and its error is that of a ratio.

    (1.6 + 2) / (1.6 + 0.4 + 2 + 1) = 3.6 / 5 = 0.72. w (r - 0.72): 0.448, -0.288, 0.56, -0.72; over
    the mean weight 1.25: 0.3584, -0.2304, 0.448, -0.576, squares 0.128451 + 0.053084 + 0.200704 +
    0.331776 = 0.714015; standard error sqrt(0.714015 / 12) = 0.243929.
    """
    scores = estimators.snips(REWARD, WEIGHT)
    np.testing.assert_allclose(scores.influence, [0.3584, -0.2304, 0.448, -0.576])
    _assert_estimate(scores, 0.72, 0.243929)


def test_doubly_robust_by_hand() -> None:
    """DR is what the model expects plus the weighted errors that it made.

    d1 0.66 + 1.6 (1 - 0.7) = 1.14; d2 0.34 + 0.4 (0 - 0.2) = 0.26; d3 0.56 + 2 (1 - 0.6) = 1.36;
    d4 0.30 + 1 (0 - 0.4) = -0.10: mean 2.66 / 4 = 0.665. Deviations 0.475, -0.405, 0.695, -0.765,
    squares sum to 1.4579; standard error sqrt(1.4579 / 12) = 0.3485566.
    """
    scores = estimators.doubly_robust(REWARD, WEIGHT, PREDICTED, EXPECTED)
    _assert_estimate(scores, 0.665, 0.3485566)


def test_a_gain_is_paired() -> None:
    """The error of a difference comes from decision by decision differences.

    SNIPS less the log's mean: 0.72 - 0.5 = 0.22. Influences 0.3584 - 0.5, -0.2304 + 0.5, 0.448 -
    0.5, -0.576 + 0.5 = -0.1416, 0.2696, -0.052, -0.076, squares sum to 0.101215; standard error
    sqrt(0.101215 / 12) = 0.0918399, far less than of two separate logs.
    """
    gain = estimators.snips(REWARD, WEIGHT).minus(estimators.logged(REWARD))
    _assert_estimate(gain, 0.22, 0.0918399)


def test_a_weight_is_the_new_probability_over_the_logs() -> None:
    """0.8 where the log had 0.4 counts twice, 0.3 where it had 0.75 counts 0.4 times."""
    new, propensity = np.array([0.8, 0.3]), np.array([0.4, 0.75])
    np.testing.assert_allclose(estimators.importance_weights(new, propensity), [2.0, 0.4])


def test_a_chosen_candidate_without_propensity_is_refused() -> None:
    """A zero propensity of what was chosen is an error, not an infinite weight."""
    with pytest.raises(ZeroDivisionError, match="propensity that is not above 0"):
        estimators.importance_weights(np.array([0.5]), np.array([0.0]))


def test_the_logging_policy_is_worth_its_mean() -> None:
    """With weights of 1 every estimator without a model returns the log's mean and its error."""
    ones = np.ones(4)
    _assert_estimate(estimators.ips(REWARD, ones), 0.5, np.sqrt(1 / 12))
    _assert_estimate(estimators.snips(REWARD, ones), 0.5, np.sqrt(1 / 12))
