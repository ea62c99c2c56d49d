"""How far apart two distributions are, and how far chance alone takes them."""

import math

import numpy as np
import numpy.typing as npt
from scipy.stats import chi2

Floats = npt.NDArray[np.float64]
LEAST_SHARE = 1e-4
"""Stands for a share of 0, which has no logarithm."""


def known(values: Floats) -> Floats:
    """Return the values that are neither NaN nor infinite."""
    return np.asarray(values[np.isfinite(values)])


def psi(reference: Floats, served: Floats, edges: Floats) -> float:
    """Return the population stability index: sum of (s - r) ln(s / r) over bins.

    (Siddiqi, Credit Risk Scorecards, 2006.) It is the symmetric divergence of Jeffreys (1946) of
    the binned shares.

    Args:
        reference: n known values.
        served: m known values.
        edges: Where bins end, ascending; the outer two bins are open.
    """
    bounds = np.concatenate([[-np.inf], edges, [np.inf]])
    r, s = (
        np.clip(np.histogram(values, bounds)[0] / len(values), LEAST_SHARE, None)
        for values in (reference, served)
    )
    return float(np.sum((s - r) * np.log(s / r)))


def psi_by_chance(bins: int, reference: int, served: int, level: float) -> float:
    """Return what PSI stays below, but for ``level``, when nothing has changed.

    PSI over (1/n + 1/m) is about chi-squared with bins - 1 degrees of freedom (Yurdakul, Naranjo:
    Statistical properties of the population stability index, Journal of Risk Model Validation,
    2020).

    Args:
        bins: Number of bins.
        reference: Independent draws of the one sample.
        served: Independent draws of the other.
        level: The chance to exceed it.
    """
    return float(chi2.ppf(1 - level, max(bins - 1, 1)) * (1 / reference + 1 / served))


def ks(reference: Floats, served: Floats) -> float:
    """Return the two-sample Kolmogorov-Smirnov distance of known values, 0 to 1."""
    both = np.concatenate([reference, served])
    both.sort()
    ours = np.searchsorted(np.sort(served), both, side="right") / len(served)
    theirs = np.searchsorted(np.sort(reference), both, side="right") / len(reference)
    return float(np.abs(ours - theirs).max())


def ks_by_chance(reference: int, served: int, level: float) -> float:
    """Return what the KS distance stays below, but for ``level``, when nothing has changed.

    The asymptotic bound sqrt(-ln(level / 2) / 2) sqrt(1/n + 1/m) (Smirnov, 1948).
    """
    return math.sqrt(-math.log(level / 2) / 2) * math.sqrt(1 / reference + 1 / served)


def share_by_chance(share: float, reference: int, served: int, level: float) -> float:
    """Return how far two shares around ``share`` differ at most, but for ``level``, by chance."""
    spread = math.sqrt(share * (1 - share) * (1 / reference + 1 / served))
    return math.sqrt(-2 * math.log(level / 2)) * spread
