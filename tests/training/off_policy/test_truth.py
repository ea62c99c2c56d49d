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
@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_standard_errors_are_as_large_as_the_spread(
    found: dict[tuple[str, str], Floats], policy: str, estimator: str
) -> None:
    """Intervals are not wide by mistake: their error is the spread over logs, within a fifth."""
    value, low, high = found[policy, estimator].T
    assert ((high - low).mean() / 4) == pytest.approx(value.std(ddof=1), rel=0.2)


@pytest.mark.parametrize("policy", POLICIES)
def test_a_fair_reward_model_makes_dr_the_steadiest(
    found: dict[tuple[str, str], Floats], policy: str
) -> None:
    """With a fair reward model DR spreads less over logs than SNIPS and IPS do."""
    spread = {name: found[policy, name][:, 0].std() for name in ("IPS", "SNIPS", "DR")}
    assert spread["DR"] < min(spread["IPS"], spread["SNIPS"])
    # the intervals tell more surely than 100 values do
    width = {n: np.ptp(found[policy, n][:, 1:], axis=1).mean() for n in ("IPS", "SNIPS", "DR")}
    assert width["DR"] < 0.95 * min(width["IPS"], width["SNIPS"])


def test_a_wrong_reward_model_costs_dr_precision_but_not_truth(
    found: dict[tuple[str, str], Floats], twin: Twin, policies: dict[str, Floats]
) -> None:
    """With a model that says the contrary DR still holds the truth, in wider intervals."""
    contrary = _over_logs(twin, {"nearest": policies["nearest"]}, 1 - twin.truth)["nearest", "DR"]
    assert _logs_within(contrary, twin.value(policies["nearest"])) >= _LEAST_WITHIN
    width = (contrary[:, 2] - contrary[:, 1]).mean()
    fair = found["nearest", "DR"]
    assert width > 1.3 * (fair[:, 2] - fair[:, 1]).mean()


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
