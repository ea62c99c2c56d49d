"""Whether a chance of 70 % comes true seven times in ten."""

from dataclasses import dataclass

import numpy as np
from scipy.stats import binomtest

from training.evaluation.cases import Cases, Int64s
from training.evaluation.intervals import Estimate, Floats
from training.evaluation.measures import successes

BINS = 10
_SIMULATIONS = 200


@dataclass(frozen=True)
class Bin:
    """Offers of like chance: what was said, what happened, and how many there were."""

    said: float
    happened: Estimate
    offers: int


@dataclass(frozen=True)
class CalibrationCurve:
    """How chances compare with what happened.

    Attributes:
        error: Expected calibration error, 0 to 1.
        error_if_right: Below this it stays in 95 of 100 archives of as many offers if every
            chance is exactly right.
        bins: From the lowest chances to the highest, equally filled.
    """

    error: float
    error_if_right: float
    bins: tuple[Bin, ...]


def curve(cases: Cases, chance: Floats, seed: int) -> CalibrationCurve:
    """Return the reliability curve of the labelled offers."""
    said, happened = chance[cases.labelled], successes(cases)[cases.labelled]
    bins = bin_of(said)
    return CalibrationCurve(
        calibration_error(said, happened),
        error_if_right(said, seed),
        tuple(_bin(said[bins == number], happened[bins == number]) for number in np.unique(bins)),
    )


def _bin(said: Floats, happened: Floats) -> Bin:
    """Return one bin with the interval of Wilson (1927).

    It is of use where nothing or everything succeeded, unlike a bootstrap. It takes offers for
    independent, which in one bin they nearly are: it has few of the same event.
    """
    bounds = binomtest(int(happened.sum()), len(happened)).proportion_ci(method="wilson")
    rate = Estimate(float(happened.mean()), float(bounds.low), float(bounds.high))
    return Bin(float(said.mean()), rate, len(said))


def bin_of(chance: Floats) -> Int64s:
    """Return the number of each row's bin by rising chance, all bins equally filled, int64 [n]."""
    bins = np.empty(len(chance), dtype=np.int64)
    bins[np.argsort(chance, kind="stable")] = np.arange(len(chance)) * BINS // len(chance)
    return bins


def calibration_error(chance: Floats, happened: Floats) -> float:
    """Return the expected calibration error over equally filled bins, 0 to 1.

    Naeini et al. (2015), with bins of equal counts: the mean distance between what a bin's chances
    say and what happened. It is never zero: see ``error_if_right``.
    """
    return _error(bin_of(chance), chance - happened)


def _error(bins: Int64s, gap: Floats) -> float:
    return float(np.abs(np.bincount(bins, weights=gap, minlength=BINS)).sum() / len(gap))


def error_if_right(chance: Floats, seed: int) -> float:
    """Return the 95th percentile of the calibration error of outcomes drawn from the chances.

    The consistency of Broecker and Smith (2007): what luck alone makes of chances that are right.
    """
    random = np.random.default_rng(seed)
    bins = bin_of(chance)
    drawn = [
        _error(bins, chance - (random.random(len(chance)) < chance)) for _ in range(_SIMULATIONS)
    ]
    return float(np.percentile(drawn, 95))
