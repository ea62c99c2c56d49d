"""The logging policy: near ones first, mostly, with every probability known.

Candidates are drawn one after another without replacement. The first is drawn with the
propensities below; each next one with the same propensities renormalised over those that are
left. So the probability of any offer, given those before it, is
``propensity / (1 - sum of the propensities of the earlier offers)``.
"""

import numpy as np

from simulator.geography import Floats, Ints

EXPLORATION_SHARE = 0.25
"""Share of the probability that is spread evenly over all candidates."""
_NEARNESS_KM = 1.8
"""A candidate this much farther is offered the job e times less often."""


def propensities(distance_km: Floats) -> Floats:
    """Return the probability of each candidate to be offered the job first; sums to 1.

    Args:
        distance_km: Straight-line distances, float64 [n], n at least 1.
    """
    nearness = np.exp(-(distance_km - distance_km.min()) / _NEARNESS_KM)
    chosen = (1 - EXPLORATION_SHARE) * nearness / nearness.sum()
    probability: Floats = chosen + EXPLORATION_SHARE / len(distance_km)
    return np.asarray(probability / probability.sum())


def offer_order(propensity: Floats, most: int, rng: np.random.Generator) -> Ints:
    """Return positions in the order in which they are offered the job, int64 [<= most]."""
    # the Gumbel trick: sorting by log p + Gumbel noise is drawing without replacement by p
    keys = np.log(propensity) + rng.gumbel(size=len(propensity))
    return np.argsort(-keys, kind="stable")[:most].astype(np.int64)
