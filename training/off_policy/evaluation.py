"""What policies would have earned, each with its support or the reason for none."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from training.off_policy import estimators, support
from training.off_policy.estimators import Estimate, Scores
from training.off_policy.support import Limits, Support
from training.off_policy.table import LoggedDecisions


@dataclass(frozen=True)
class PolicyValue:
    """A policy's estimates; none where it is refused.

    Attributes:
        policy: Its name.
        support: How far the log speaks for it.
        refusal: Why there is no estimate; None if there is.
        values: By estimator.
        gains: Over what the logging policy earned on the same decisions, by estimator.
    """

    policy: str
    support: Support
    refusal: str | None
    values: dict[str, Estimate]
    gains: dict[str, Estimate]


def logged_value(log: LoggedDecisions, level: float) -> Estimate:
    """Return what the logging policy earned."""
    return estimators.estimate(estimators.logged(log.reward), level)


def evaluate(
    log: LoggedDecisions,
    policy: str,
    limits: Limits,
    level: float = 0.95,
    highest_weight: float = np.inf,
) -> PolicyValue:
    """Return the estimates of a policy: IPS, SNIPS and, with a reward model, DR.

    Args:
        log: The decisions.
        policy: One of the log's.
        limits: Beyond them it is refused.
        level: Of the intervals, between 0 and 1.
        highest_weight: Larger weights are cut to this; that biases the value, mostly downwards.
    """
    raw = estimators.importance_weights(
        log.policies[policy][log.chosen], log.propensity[log.chosen]
    )
    outside = (log.propensity < limits.propensity_floor).astype(np.float64)
    mass = float(log.mean_over_policy(policy, outside).mean())
    found = support.measure(raw, highest_weight, mass)
    why_not = support.refusal(found, limits)
    if why_not is not None:
        return PolicyValue(policy, found, why_not, {}, {})
    scores = _scores(log, policy, np.minimum(raw, highest_weight))
    own = estimators.logged(log.reward)
    return PolicyValue(
        policy,
        found,
        None,
        {name: estimators.estimate(s, level) for name, s in scores.items()},
        {name: estimators.estimate(s.minus(own), level) for name, s in scores.items()},
    )


def doubly_robust(log: LoggedDecisions, policy: str) -> Scores:
    """Return a policy's DR scores, whatever its support; the log needs predictions.

    Where the log never chose what the policy would, the reward model speaks alone.
    """
    weight = estimators.importance_weights(
        log.policies[policy][log.chosen], log.propensity[log.chosen]
    )
    return _scores(log, policy, weight)["DR"]


def _scores(log: LoggedDecisions, policy: str, weight: estimators.Floats) -> dict[str, Scores]:
    scores = {
        "IPS": estimators.ips(log.reward, weight),
        "SNIPS": estimators.snips(log.reward, weight),
    }
    if log.prediction is not None:
        expected = log.mean_over_policy(policy, log.prediction)
        predicted = log.prediction[log.chosen]
        scores["DR"] = estimators.doubly_robust(log.reward, weight, predicted, expected)
    return scores


def as_frame(values: list[PolicyValue]) -> pd.DataFrame:
    """Return one row a policy and estimator, or one a refused policy, with all numbers."""
    rows = [
        {
            "policy": v.policy,
            "estimator": name,
            **{key: getattr(v.values[name], key) for key in _NUMBERS if name},
            **{f"gain_{key}": getattr(v.gains[name], key) for key in _NUMBERS if name},
            **vars(v.support),
            "refusal": v.refusal,
        }
        for v in values
        for name in (v.values or [""])
    ]
    return pd.DataFrame(rows)


_NUMBERS = ("value", "standard_error", "low", "high")
