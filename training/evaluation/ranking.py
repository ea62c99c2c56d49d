"""NDCG and first choices of many events at once.

Normalised discounted cumulative gain: Jarvelin and Kekalainen (2002), with the gain 2^grade - 1
of Burges et al. (2005) and the discount 1 / log2(position + 1).
"""

import numpy as np
import numpy.typing as npt

from training.evaluation.cases import Int64s, summed
from training.evaluation.intervals import Floats


def positions(event: Int64s, score: Floats, events: int) -> Int64s:
    """Return each row's place within its event, 0 for the highest score; ties by row order.

    Args:
        event: Number of each row's event, int64 [n], 0 to ``events`` - 1, in any order.
        score: float64 [n].
        events: How many events there are.
    """
    order = np.lexsort((-score, event))
    sizes = np.bincount(event, minlength=events)
    starts = np.cumsum(sizes) - sizes
    place = np.empty(len(event), dtype=np.int64)
    place[order] = np.arange(len(event)) - starts[event[order]]
    return place


def ndcg(event: Int64s, grade: Floats, score: Floats, events: int, at: int) -> Floats:
    """Return NDCG of each event, float64 [events]; NaN where no row has any gain."""
    gain = 2.0**grade - 1
    got = _dcg(event, gain, positions(event, score, events), events, at)
    best = _dcg(event, gain, positions(event, gain, events), events, at)
    return np.divide(got, best, out=np.full(events, np.nan), where=best > 0)


def _dcg(event: Int64s, gain: Floats, place: Int64s, events: int, at: int) -> Floats:
    discounted = np.where(place < at, gain / np.log2(place + 2.0), 0.0)
    return summed(event, discounted, events)


def can_be_wrong(event: Int64s, grade: Floats, events: int) -> npt.NDArray[np.bool_]:
    """Return bool [events]: whether an event has rows of different grades.

    One offer, or equal grades, cannot be ordered wrongly: such events would flatter every rule.
    """
    lowest, highest = np.full(events, np.inf), np.full(events, -np.inf)
    np.minimum.at(lowest, event, grade)
    np.maximum.at(highest, event, grade)
    different: npt.NDArray[np.bool_] = highest > lowest
    return different


def first_choices(event: Int64s, score: Floats, events: int) -> Int64s:
    """Return the row that each event's highest score is in, int64 [events].

    Every event must have a row.
    """
    first = np.flatnonzero(positions(event, score, events) == 0)
    chosen = np.empty(events, dtype=np.int64)
    chosen[event[first]] = first
    return chosen
