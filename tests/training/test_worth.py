"""What an offer turned out to be worth."""

import numpy as np
import pytest

from training.worth import HIGHEST, LOWEST, as_share, worth


def test_worths_are_those_worked_out_by_hand() -> None:
    """A declined offer is worth 0, a job on time 1, each less 0.01 for a minute of travel."""
    grade = np.array([0, 1, 1, 2, 3, 4])
    minutes = np.array([np.nan, np.nan, 20.0, 50.0, 12.0, 30.0])
    assert worth(grade, minutes) == pytest.approx([0.0, -0.1, -0.3, -0.4, 0.88, 0.7])


def test_an_odd_record_costs_no_more_than_an_hour() -> None:
    """Minutes beyond the longest priced ones change nothing."""
    assert worth(np.array([2, 2]), np.array([60.0, 900.0])) == pytest.approx([-0.5, -0.5])


def test_shares_keep_the_order_of_mean_worths() -> None:
    """Shares are in [0, 1], the ends are reached, and a mean of them is the share of the mean."""
    worths = np.array([LOWEST, 0.0, 0.5, HIGHEST])
    shares = as_share(worths)
    assert (shares[0], shares[-1]) == (0.0, 1.0)
    assert np.all(np.diff(shares) > 0)
    assert shares.mean() == pytest.approx(as_share(worths.mean(keepdims=True))[0])


def test_nobody_waits_gladly_for_one_who_does_not_come() -> None:
    """Accepted and not completed is worth less than declined, and late less than on time."""
    declined, failed, late, on_time, satisfied = worth(np.arange(5), np.full(5, np.nan))
    assert failed < declined < late < on_time <= satisfied
