"""Off-policy values and their standard errors, over plain arrays.

Arrays are float64 [n], one element a decision, about the candidate that was chosen. Each estimator
returns its value with the influence of every decision, of mean zero; from that follow its standard
error, and those of differences between estimates on the same log.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import norm

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Scores:
    """An estimate before its interval.

    Attributes:
        value: In units of the reward.
        influence: How far each decision moves the value, times n, float64 [n].
    """

    value: float
    influence: Floats

    def minus(self, other: "Scores") -> "Scores":
        """Return the difference of two estimates on the same decisions."""
        return Scores(self.value - other.value, self.influence - other.influence)


@dataclass(frozen=True)
class Estimate:
    """A value with its standard error and the ends of its interval."""

    value: float
    standard_error: float
    low: float
    high: float


def importance_weights(new_probability: Floats, propensity: Floats) -> Floats:
    """Return the new policy's probability over the log's.

    Raises:
        ZeroDivisionError: A propensity is not above 0, so the log cannot have chosen it.
    """
    if not (propensity > 0).all():
        raise ZeroDivisionError("a chosen candidate has a propensity that is not above 0")
    return np.asarray(new_probability / propensity)


def logged(reward: Floats) -> Scores:
    """Return what the logging policy itself earned: the mean reward."""
    value = float(reward.mean())
    return Scores(value, reward - value)


def ips(reward: Floats, weight: Floats) -> Scores:
    """Return inverse propensity scoring: mean(w r) (Horvitz and Thompson, 1952).

    Unbiased, but of high variance, and it changes if a constant is added to every reward.
    """
    terms = weight * reward
    value = float(terms.mean())
    return Scores(value, terms - value)


def snips(reward: Floats, weight: Floats) -> Scores:
    """Return self-normalised IPS: sum(w r) / sum(w) (Swaminathan and Joachims, NeurIPS 2015).

    Of smaller variance than IPS, with a bias of the order 1/n. The influence is that of a ratio of
    two means (delta method).
    """
    value = float((weight * reward).sum() / weight.sum())
    return Scores(value, weight * (reward - value) / weight.mean())


def doubly_robust(reward: Floats, weight: Floats, predicted: Floats, expected: Floats) -> Scores:
    """Return mean(expected + w (r - predicted)) (Dudik, Langford and Li, ICML 2011).

    Unbiased if the propensities or the reward model are right. The model must not have been fitted
    on these decisions.

    Args:
        reward: Of the chosen candidate.
        weight: Of the chosen candidate.
        predicted: The reward model's prediction for the chosen candidate.
        expected: The prediction averaged over all candidates by the new policy's probabilities.
    """
    terms = expected + weight * (reward - predicted)
    value = float(terms.mean())
    return Scores(value, terms - value)


def estimate(scores: Scores, level: float = 0.95) -> Estimate:
    """Return the estimate with a normal interval of a level between 0 and 1.

    The standard error is sqrt(sum(influence^2) / (n (n - 1))): for a mean, the usual one.
    """
    n = len(scores.influence)
    error = float(np.sqrt((scores.influence**2).sum() / (n * (n - 1)))) if n > 1 else np.inf
    reach = float(norm.ppf((1 + level) / 2)) * error
    return Estimate(scores.value, error, scores.value - reach, scores.value + reach)
