"""Estimators against what policies are truly worth in the simulator, over 100 logs."""

import numpy as np
import pytest

from tests.training.off_policy.twin import Twin, make_twin
from training.off_policy import evaluation
from training.off_policy.estimators import Floats
from training.off_policy.support import Limits

SEEDS = 100
_DECISIONS = 1000
_LEAST_WITHIN = 90
_TWO_STANDARD_ERRORS = 0.9545
_MEAN_ERROR_OFF = 0.035
"""Four times how much the mean of 100 logs' own errors is left to chance, 0.9 % at most."""
_SPREAD_OFF = 0.22
"""Three times what chance makes of a standard deviation over 100 logs, 1 / sqrt(2 x 99) = 7.1 %."""
ESTIMATORS = ("SNIPS", "DR")
POLICIES = ("nearest", "softmax", "uniform")


@pytest.fixture(scope="module")
def twin() -> Twin:
    """Three thousand contexts of one world."""
    return make_twin(3000, seed=5)


@pytest.fixture(scope="module")
def prediction(twin: Twin) -> Floats:
    """A fair reward model: the truth with an error of about 0.1, and a little too hopeful."""
    noise = np.random.default_rng(9).normal(0.03, 0.1, twin.truth.shape)
    return np.clip(twin.truth + noise, 0, 1)


@pytest.fixture(scope="module")
def policies(twin: Twin) -> dict[str, Floats]:
    """Each policy's probabilities; the softmax is of a model with errors of its own."""
    noisy = twin.truth + np.random.default_rng(10).normal(0, 0.1, twin.truth.shape)
    soft = np.exp((noisy - noisy.max(axis=1, keepdims=True)) / 0.15)
    return {
        "nearest": (twin.distance_km == twin.distance_km.min(axis=1, keepdims=True)).astype(float),
        "softmax": soft / soft.sum(axis=1, keepdims=True),
        "uniform": np.full_like(twin.truth, 1 / twin.truth.shape[1]),
    }


@pytest.fixture(scope="module")
def found(
    twin: Twin, policies: dict[str, Floats], prediction: Floats
) -> dict[tuple[str, str], Floats]:
    """Value and ends of the interval by policy and estimator, float64 [100, 3]."""
    return _over_logs(twin, policies, prediction)


def _over_logs(
    twin: Twin, policies: dict[str, Floats], prediction: Floats
) -> dict[tuple[str, str], Floats]:
    rows: dict[tuple[str, str], list[tuple[float, float, float]]] = {}
    for seed in range(SEEDS):
        log = twin.log(_DECISIONS, policies, prediction, seed)
        for policy in policies:
            value = evaluation.evaluate(log, policy, Limits(), level=_TWO_STANDARD_ERRORS)
            assert value.refusal is None, (policy, seed, value.refusal)
            for name, e in value.values.items():
                rows.setdefault((policy, name), []).append((e.value, e.low, e.high))
    return {key: np.array(values) for key, values in rows.items()}


def _mean_error(found: Floats) -> float:
    """Return the mean standard error of the logs, from intervals of two of them either way."""
    return float((found[:, 2] - found[:, 1]).mean() / 4)


def _logs_within(found: Floats, truth: float) -> int:
    return int(((found[:, 1] <= truth) & (truth <= found[:, 2])).sum())


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_two_standard_errors_hold_the_truth(
    found: dict[tuple[str, str], Floats],
    twin: Twin,
    policies: dict[str, Floats],
    policy: str,
    estimator: str,
) -> None:
    """The truth lies within two standard errors in at least 90 of 100 logs."""
    assert _logs_within(found[policy, estimator], twin.value(policies[policy])) >= _LEAST_WITHIN


@pytest.mark.parametrize("policy", POLICIES)
def test_standard_errors_are_those_of_theory(
    found: dict[tuple[str, str], Floats],
    twin: Twin,
    policies: dict[str, Floats],
    prediction: Floats,
    policy: str,
) -> None:
    """What a log tells of its own error is the true one on average, and logs spread as much."""
    theory = twin.standard_errors(policies[policy], prediction, _DECISIONS)
    for estimator, error in theory.items():
        assert _mean_error(found[policy, estimator]) == pytest.approx(error, rel=_MEAN_ERROR_OFF)
        spread = found[policy, estimator][:, 0].std(ddof=1)
        assert spread == pytest.approx(error, rel=_SPREAD_OFF)


@pytest.mark.parametrize("policy", POLICIES)
def test_a_fair_reward_model_makes_dr_the_steadiest(
    twin: Twin, policies: dict[str, Floats], prediction: Floats, policy: str
) -> None:
    """With a fair reward model DR's error is smaller than that of SNIPS and of IPS.

    By about a tenth and no more: most of it is the throw of a coin, which no model foretells.
    """
    error = twin.standard_errors(policies[policy], prediction, _DECISIONS)
    assert error["DR"] < min(error["IPS"], error["SNIPS"])
    foretold = twin.standard_errors(policies[policy], twin.truth, _DECISIONS)["DR"]
    assert foretold < error["DR"]


def test_a_wrong_reward_model_costs_dr_precision_but_not_truth(
    twin: Twin, policies: dict[str, Floats], prediction: Floats
) -> None:
    """With a model that says the contrary DR still holds the truth, and knows its larger error."""
    nearest, wrong = policies["nearest"], 1 - twin.truth
    contrary = _over_logs(twin, {"nearest": nearest}, wrong)["nearest", "DR"]
    assert _logs_within(contrary, twin.value(nearest)) >= _LEAST_WITHIN
    error = twin.standard_errors(nearest, wrong, _DECISIONS)["DR"]
    assert _mean_error(contrary) == pytest.approx(error, rel=_MEAN_ERROR_OFF)
    assert error > twin.standard_errors(nearest, prediction, _DECISIONS)["DR"]


def test_the_log_as_it_stands_would_mislead(twin: Twin, policies: dict[str, Floats]) -> None:
    """The log's own mean is far from every policy's truth, so that weighting is what is tested."""
    own = twin.value(twin.propensity)
    assert all(abs(own - twin.value(p)) > 0.05 for p in policies.values())


def test_wrong_propensities_are_refused(twin: Twin, prediction: Floats) -> None:
    """A log that says it was drawn evenly, but was not, is found out by its mean weight."""
    log = twin.log(_DECISIONS, {"nearest": twin.propensity}, prediction, seed=1)
    evenly = np.full_like(log.propensity, 1 / twin.truth.shape[1])
    wrong = type(log)(**{**vars(log), "propensity": evenly})
    value = evaluation.evaluate(wrong, "nearest", Limits())
    assert value.refusal is not None
    assert "mean weight" in value.refusal
    assert not value.values
