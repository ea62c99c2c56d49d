"""When a log cannot answer for a policy."""

import dataclasses
import re

import numpy as np
import pytest

from tests.training.off_policy.bandit import WEIGHT
from training.off_policy import support
from training.off_policy.support import Limits, Support

SOUND = Support(
    decisions=1000,
    effective_sample_size=200.0,
    largest_weight=9.0,
    clipped_share=0.0,
    mean_weight=1.02,
    mean_weight_error=0.05,
    unsupported_mass=0.0,
)


def test_support_by_hand() -> None:
    """Kish's size is (1.6 + 0.4 + 2 + 1)^2 / (2.56 + 0.16 + 4 + 1) = 25 / 7.72 = 3.23834."""
    found = support.measure(WEIGHT, np.inf, 0.0)
    assert found.effective_sample_size == pytest.approx(3.23834, rel=1e-5)
    assert found.largest_weight == 2.0
    assert found.mean_weight == 1.25
    assert found.clipped_share == 0.0


def test_cut_weights_are_counted() -> None:
    """Cut at 1.5: two of four, (1.5 + 0.4 + 1.5 + 1)^2 / (2.25 + 0.16 + 2.25 + 1) = 3.42049."""
    found = support.measure(WEIGHT, 1.5, 0.0)
    assert found.clipped_share == 0.5
    assert found.largest_weight == 1.5
    assert found.effective_sample_size == pytest.approx(3.42049, rel=1e-5)
    assert found.mean_weight == 1.25


def test_enough_support_is_no_refusal() -> None:
    """A log within the limits is accepted."""
    assert support.refusal(SOUND, Limits()) is None


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"unsupported_mass": 0.25}, r"25\.00% of its probability .* below 0\.001"),
        ({"effective_sample_size": 12.34}, r"1,000 decisions tell as much as 12\.3 .* 50 are"),
        ({"mean_weight": 0.6}, r"mean weight is 0\.600, .* 0\.050, and not 1"),
        ({"mean_weight": 1.4}, r"mean weight is 1\.400"),
    ],
)
def test_a_refusal_says_what_and_how_much(changed: dict[str, float], message: str) -> None:
    """Mass without support, too few effective decisions, and wrong propensities are refused."""
    why = support.refusal(dataclasses.replace(SOUND, **changed), Limits())
    assert why is not None
    assert re.search(message, why)


def test_weights_of_zero_are_refused_whatever_the_limits() -> None:
    """A policy that would never have chosen as the log did has no value, not a division by 0."""
    nothing = support.measure(np.zeros(4), np.inf, 0.0)
    assert support.refusal(nothing, Limits(least_effective_sample_size=0.0)) is not None
