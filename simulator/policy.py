"""Who is offered a job, and in which order: the interface, and three policies of the twin's own.

A policy outside of the simulator (a trained model, say) is any object with ``rank``; a ``World``
takes it as an argument.
"""

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from simulator.luck import Floats, Ints
from simulator.outcomes import Prospects, Request
from simulator.providers import Providers

EXPLORATION_SHARE = 0.25
"""Share of the probability that is spread evenly over all candidates."""
_NEARNESS_KM = 1.8
"""A candidate this much farther is offered the job e times less often."""


@dataclass(frozen=True)
class Truth:
    """What nobody in the world can know of n candidates: only an oracle may read it.

    Attributes:
        prospects: What they would usually do.
        success_probability: Their true chances of success if offered now, float64 [n].
    """

    prospects: Prospects
    success_probability: Floats


class Observer(Protocol):
    """Knows what the jobs would know (``observed.py``)."""

    def as_of(self, candidates: Ints, cell: str, now_s: float) -> dict[str, npt.NDArray[Any]]:
        """Return the stream views' features of some candidates and the driver's cell."""
        ...


@dataclass(frozen=True)
class Choice:
    """One request and its n candidates, nearest first; n is at least 1.

    Attributes:
        request: What is asked for.
        now_s: When, epoch seconds.
        providers: All providers of the world.
        candidates: Who could come, int64 [n], positions in ``providers``.
        distance_km: Straight-line distances, float64 [n].
        truth: For an oracle only.
        observed: What the jobs would know now, where the world keeps it (``observed=True``): ask
            ``observed.as_of(candidates, request.cell, now_s)``.
    """

    request: Request
    now_s: float
    providers: Providers
    candidates: Ints
    distance_km: Floats
    truth: Truth
    observed: Observer | None = None


@dataclass(frozen=True)
class Ranking:
    """In which order the candidates of a choice are offered the job.

    Attributes:
        order: Positions in ``Choice.candidates``, int64 [m], best first, none twice. The desk
            stops asking after ``dispatch.MOST_OFFERS``.
        propensity: The probability of each candidate to be first, float64 [n]; sums to 1.
    """

    order: Ints
    propensity: Floats


class Policy(Protocol):
    """Ranks candidates."""

    def rank(self, choice: Choice, rng: np.random.Generator) -> Ranking:
        """Rank the candidates of a choice.

        Args:
            choice: The request and who could come.
            rng: Keyed by the request, and of no use to anything else: what a policy draws
                changes nothing in what the candidates would do.
        """
        ...


@dataclass(frozen=True)
class Logging:
    """The policy that archives are made with: near ones first, mostly, every probability known.

    Candidates are drawn one after another without replacement. The first is drawn with the
    propensities; each next one with the same propensities renormalised over those that are left.
    So the probability of any offer, given those before it, is
    ``propensity / (1 - sum of the propensities of the earlier offers)``.
    """

    def rank(self, choice: Choice, rng: np.random.Generator) -> Ranking:
        """Draw an order by the propensities of the distances."""
        propensity = propensities(choice.distance_km)
        return Ranking(drawn_order(propensity, rng), propensity)


@dataclass(frozen=True)
class Nearest:
    """The nearest first, always."""

    def rank(self, choice: Choice, rng: np.random.Generator) -> Ranking:
        """Order by straight-line distance."""
        del rng
        return certain(-choice.distance_km)


@dataclass(frozen=True)
class Oracle:
    """The true chance of success decides: what no ranker can beat at the first offer."""

    def rank(self, choice: Choice, rng: np.random.Generator) -> Ranking:
        """Order by the true chance of success."""
        del rng
        return certain(choice.truth.success_probability)


def certain(score: Floats) -> Ranking:
    """Return the ranking of a policy that leaves nothing to chance.

    Args:
        score: Higher is better, float64 [n]; of equal ones the earlier comes first.
    """
    order = np.argsort(-score, kind="stable").astype(np.int64)
    propensity = np.zeros(len(score))
    propensity[order[0]] = 1.0
    return Ranking(order, propensity)


def propensities(distance_km: Floats) -> Floats:
    """Return the probability of each candidate to be offered the job first; sums to 1.

    Args:
        distance_km: Straight-line distances, float64 [n], n at least 1.
    """
    nearness = np.exp(-(distance_km - distance_km.min()) / _NEARNESS_KM)
    chosen = (1 - EXPLORATION_SHARE) * nearness / nearness.sum()
    probability: Floats = chosen + EXPLORATION_SHARE / len(distance_km)
    return np.asarray(probability / probability.sum())


def drawn_order(propensity: Floats, rng: np.random.Generator) -> Ints:
    """Return all positions in the order of a draw without replacement, int64 [n].

    Sorting by log p plus Gumbel noise is such a draw (Kool, van Hoof and Welling 2019).
    """
    keys = np.log(propensity) + rng.gumbel(size=len(propensity))
    return np.argsort(-keys, kind="stable").astype(np.int64)
