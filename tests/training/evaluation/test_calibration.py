"""Chances against what happened."""

import numpy as np
import pytest

from training.evaluation import calibration
from training.evaluation.evaluate import Evaluated


def test_calibration_error_by_hand() -> None:
    """A chance that is always 0.2 too high has that error; a right one has none."""
    happened = np.array([1.0, 0.0] * 100)
    assert calibration.calibration_error(np.full(200, 0.5), happened) == pytest.approx(0)
    assert calibration.calibration_error(np.full(200, 0.7), happened) == pytest.approx(0.2)


def test_right_chances_stay_below_what_luck_makes() -> None:
    """Outcomes drawn from the chances exceed the bound in about 5 %, wrong ones nearly always."""
    random = np.random.default_rng(5)
    exceeded, found = [], []
    for seed in range(100):
        chance = random.beta(2, 5, 400)
        happened = (random.random(400) < chance).astype(float)
        bound = calibration.error_if_right(chance, seed)
        exceeded.append(calibration.calibration_error(chance, happened) > bound)
        too_high = np.minimum(chance + 0.15, 1)
        found.append(calibration.calibration_error(too_high, happened) > bound)
    assert np.mean(exceeded) <= 0.12
    assert np.mean(found) >= 0.9


def test_bins_are_equally_filled_and_rise() -> None:
    """Ten bins differ by one row at most, and a higher bin has no lower chance."""
    chance = np.random.default_rng(2).random(1003)
    bins = calibration.bin_of(chance)
    assert np.ptp(np.bincount(bins)) <= 1
    assert (np.diff(bins[np.argsort(chance)]) >= 0).all()


def test_a_bin_without_success_still_has_an_interval() -> None:
    """Nought of a hundred is no proof of nought: the interval reaches above it."""
    found = calibration._bin(np.full(100, 0.01), np.zeros(100)).happened
    assert found.value == 0
    assert 0.01 < found.high < 0.06


def test_the_curve_is_of_all_labelled_offers(evaluated: Evaluated) -> None:
    """The bins hold each labelled test offer once, and their mean is the success rate."""
    bins = evaluated.results.calibration.bins
    assert sum(each.offers for each in bins) == evaluated.results.size.offers
    mean = np.average([each.happened.value for each in bins], weights=[b.offers for b in bins])
    rate = evaluated.results.contenders["model"]["success_rate"].value
    assert mean == pytest.approx(rate)
