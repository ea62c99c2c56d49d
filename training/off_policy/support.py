"""Whether a log can answer for a policy at all."""

from dataclasses import dataclass

import numpy as np

from training.off_policy.estimators import Floats

_MOST_STANDARD_ERRORS = 5.0
"""That the mean weight may lie from 1."""
_ROUNDING = 1e-3
"""Propensities may have been logged with three decimals."""


@dataclass(frozen=True)
class Limits:
    """What is asked of a log.

    Attributes:
        propensity_floor: A candidate that the log chooses less often is not supported.
        most_unsupported_mass: Of the new policy's probability, on such candidates, as a mean over
            decisions. The value can be wrong by so much of the reward's range.
        least_effective_sample_size: Decisions.
    """

    propensity_floor: float = 0.001
    most_unsupported_mass: float = 0.001
    least_effective_sample_size: float = 50.0


@dataclass(frozen=True)
class Support:
    """How far a log of n decisions speaks for a policy.

    Attributes:
        decisions: n.
        effective_sample_size: Decisions that would tell as much if all weights were equal.
        largest_weight: Of one decision, after the cut.
        clipped_share: Share of the decisions whose weight was cut.
        mean_weight: Before the cut; 1, up to chance, if the propensities are those of the log.
        mean_weight_error: Its standard error.
        unsupported_mass: See ``Limits``.
    """

    decisions: int
    effective_sample_size: float
    largest_weight: float
    clipped_share: float
    mean_weight: float
    mean_weight_error: float
    unsupported_mass: float


def effective_sample_size(weight: Floats) -> float:
    """Return sum(w)^2 / sum(w^2) (Kish, 1965); 0 where all weights are 0."""
    squares = float((weight**2).sum())
    return float(weight.sum()) ** 2 / squares if squares > 0 else 0.0


def measure(raw_weight: Floats, highest_weight: float, unsupported_mass: float) -> Support:
    """Return the support of a policy from the weights of the chosen candidates, float64 [n]."""
    cut = np.minimum(raw_weight, highest_weight)
    return Support(
        decisions=len(cut),
        effective_sample_size=effective_sample_size(cut),
        largest_weight=float(cut.max()),
        clipped_share=float((raw_weight > highest_weight).mean()),
        mean_weight=float(raw_weight.mean()),
        mean_weight_error=float(raw_weight.std() / np.sqrt(len(cut))),
        unsupported_mass=unsupported_mass,
    )


def refusal(support: Support, limits: Limits) -> str | None:
    """Return why no estimate may be given, with the numbers and a remedy; None if one may."""
    if support.unsupported_mass > limits.most_unsupported_mass:
        return (
            f"{support.unsupported_mass:.2%} of its probability is on candidates that the log "
            f"chooses with a propensity below {limits.propensity_floor:g} "
            f"(at most {limits.most_unsupported_mass:.2%} may be): no reward tells of them; take "
            "a policy nearer to the log's, or a log that explores more"
        )
    least = limits.least_effective_sample_size
    if support.effective_sample_size < least or support.largest_weight == 0:
        return (
            f"its {support.decisions:,} decisions tell as much as "
            f"{support.effective_sample_size:.1f} would (at least "
            f"{least:g} are needed; largest weight "
            f"{support.largest_weight:.1f}): take a longer log, or a policy nearer to the log's"
        )
    off = abs(support.mean_weight - 1)
    if off > _MOST_STANDARD_ERRORS * support.mean_weight_error + _ROUNDING:
        return (
            f"its mean weight is {support.mean_weight:.3f}, with a standard error of "
            f"{support.mean_weight_error:.3f}, and not 1: the propensities are not those by which "
            "the log was drawn, or what it would choose was hardly ever drawn"
        )
    return None
