"""How alike two models answer the same requests."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from deploy.promotion.answers import Answer, read

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Parity:
    """What the shadow's answers are beside production's; NaN where there is no pair.

    Attributes:
        pairs: Requests that both have answered with scores that can be.
        invalid: Requests that the shadow answered with anything else.
        same_first: Share of pairs in which both put the same candidate first, 0 to 1. Told, not
            judged: where many are nearly as good, two good models seldom agree on the first.
        chance_lost: Mean over pairs of the chance of success that production gives its own first
            less the one that it gives the shadow's first: what is lost if production is right.
        rank_correlation: Median over pairs of Spearman's correlation of the scores, -1 to 1.
        eta_shift_min: Median over pairs of the mean absolute difference of median minutes.
        chance_shift: Mean over all candidates of the shadow's chance less production's.
    """

    pairs: int
    invalid: int
    same_first: float
    chance_lost: float
    rank_correlation: float
    eta_shift_min: float
    chance_shift: float


def compare(bodies: Sequence[tuple[bytes, bytes]]) -> Parity:
    """Return how alike the answers of production and shadow are, pair by pair."""
    read_pairs = [(read(ours), read(theirs)) for ours, theirs in bodies]
    both = [
        (ours, theirs)
        for ours, theirs in read_pairs
        if ours is not None and theirs is not None and len(ours.scores) == len(theirs.scores)
    ]
    answered = [theirs for ours, theirs in read_pairs if ours is not None]
    shifts = [theirs.chances - ours.chances for ours, theirs in both]
    return Parity(
        pairs=len(both),
        invalid=len(answered) - len(both),
        same_first=_mean([_first(ours) == _first(theirs) for ours, theirs in both]),
        chance_lost=_mean(
            [
                float(ours.chances[_first(ours)] - ours.chances[_first(theirs)])
                for ours, theirs in both
            ]
        ),
        rank_correlation=_median([_spearman(ours, theirs) for ours, theirs in both]),
        eta_shift_min=_median(
            [float(np.abs(theirs.eta_p50_min - ours.eta_p50_min).mean()) for ours, theirs in both]
        ),
        chance_shift=float(np.concatenate(shifts).mean()) if shifts else float("nan"),
    )


def _first(answer: Answer) -> int:
    return int(np.argmax(answer.scores))


def _spearman(ours: Answer, theirs: Answer) -> float:
    """Return the correlation of ranks; NaN where one of them ranks nobody above another."""
    one, other = _ranks(ours.scores), _ranks(theirs.scores)
    if not one.std() or not other.std():
        return float("nan")
    return float(np.corrcoef(one, other)[0, 1])


def _ranks(scores: npt.NDArray[np.float32]) -> Floats:
    """Return ranks from the lowest score on; equal scores share the mean of their ranks."""
    _, which, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks: Floats = (np.cumsum(counts) - (counts - 1) / 2)[which]
    return ranks


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values)) if values else float("nan")


def _median(values: Sequence[float]) -> float:
    known = [value for value in values if not np.isnan(value)]
    return float(np.median(known)) if known else float("nan")
