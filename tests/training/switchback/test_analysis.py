"""Effects, against a regression, against pencil and paper, and against their own definition."""

import numpy as np
import pytest

from training.errors import DataError
from training.switchback import analysis, design, generator
from training.switchback.analysis import Score
from training.switchback.blocks import BlockMeans, Floats
from training.switchback.design import Bools

SHAPE = (3, 6, 4)


@pytest.fixture
def experiment() -> tuple[BlockMeans, Bools]:
    """Blocks of uneven size, one of them empty, with an effect of 0.3."""
    rng = np.random.default_rng(5)
    treated = design.assign(SHAPE, rng)[0]
    events = rng.poisson(8, SHAPE).astype(float)
    events[0, 2, 1] = 0
    mean = rng.normal(0, 0.2, SHAPE) + rng.normal(size=(3, 6, 1)) + 0.3 * treated
    return BlockMeans(np.where(events > 0, mean, 0.0), events), treated


def _regression(blocks: BlockMeans, treated: Bools) -> float:
    """Return the coefficient of the arm in least squares over dummies, an independent way."""
    region, day, slot = (index.ravel() for index in np.indices(treated.shape))
    by_slot = np.eye(region.max() * 4 + 4)[region * 4 + slot]
    by_day = np.eye(region.max() * 6 + 6)[region * 6 + day]
    design_matrix = np.column_stack([treated.ravel(), by_slot, by_day])
    root = np.sqrt(blocks.events.ravel())
    found, *_ = np.linalg.lstsq(design_matrix * root[:, None], blocks.mean.ravel() * root)
    return float(found[0])


def test_the_effect_is_that_of_weighted_least_squares(
    experiment: tuple[BlockMeans, Bools],
) -> None:
    """The effect is the coefficient of the arm beside region-slot and region-day effects.

    The arms' means beside it are those of their events, not of their blocks.
    """
    blocks, treated = experiment
    rng = np.random.default_rng(1)
    found = analysis.effects({"m": blocks}, treated, 99, rng)["m"]
    assert found.value == pytest.approx(_regression(blocks, treated), abs=1e-8)
    for arm, mean in ((treated, found.treatment), (~treated, found.control)):
        assert mean == pytest.approx(np.average(blocks.mean[arm], weights=blocks.events[arm]))


def test_two_days_and_two_slots_by_hand() -> None:
    """Four assignments are possible, and two of them stand out as far: p is 1/2.

    Means 5, 1 on the first day and 2, 3 on the second; treated are 5 and 3. Less the means of days
    and slots 1.25 is left in each block, + where treated, - where not; of the arm, 0.5. So the
    effect is (1.25 + 1.25) / (0.5 + 0.5) = 2.5. The scores of the four assignments are 2.5, -2.5,
    0 and 0; no effect however large is ever refused, so the interval has no ends.
    """
    blocks = BlockMeans(np.array([[[5.0, 1.0], [2.0, 3.0]]]), np.full((1, 2, 2), 7.0))
    treated = np.array([[[True, False], [False, True]]])
    found = analysis.effects({"m": blocks}, treated, 3999, np.random.default_rng(1))["m"]
    assert found.value == pytest.approx(2.5)
    assert found.p_value == pytest.approx(0.5, abs=0.03)
    assert (found.low, found.high) == (-np.inf, np.inf)
    assert (found.control, found.treatment) == (1.5, 4.0)


def test_a_p_value_counts_the_experiment_among_its_redraws() -> None:
    """Of four redraws two are as far as 2: (1 + 2) / (1 + 4); never 0, however few they are."""
    drawn = np.array([1.0, 2.0, -3.0, 0.0])
    assert analysis.p_values(np.array(2.0), drawn) == pytest.approx(0.6)
    assert analysis.p_values(np.array(9.0), drawn) == pytest.approx(0.2)


def test_redraws_keep_the_design() -> None:
    """A redraw treats as many days in each region and slot, and differs from the experiment."""
    treated = design.assign((2, 7, 3), np.random.default_rng(4))[0]
    drawn = analysis.redraw(treated, 50, np.random.default_rng(1))
    assert (drawn.sum(axis=2) == treated.sum(axis=1)).all()
    assert (drawn != treated).any(axis=(1, 2, 3)).all()


def test_the_interval_has_what_the_test_does_not_refuse(
    experiment: tuple[BlockMeans, Bools],
) -> None:
    """Just inside each end the p-value of that effect is above 5 %, just outside it is not."""
    blocks, treated = experiment
    redraws = 999

    def p_value(effect: float) -> float:
        without = BlockMeans(blocks.mean - effect * treated, blocks.events)
        score = Score.of(without, treated)
        drawn = analysis.redraw(treated, redraws, np.random.default_rng(8))
        return float(analysis.p_values(score.observed, drawn.reshape(redraws, -1) @ score.outcome))

    # one batch of redraws, so that both see the same ones
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(analysis, "_REDRAWS_AT_A_TIME", redraws)
        found = analysis.effects({"m": blocks}, treated, redraws, np.random.default_rng(8))["m"]
    step = 1e-4
    assert p_value(found.low + step) > 0.05 >= p_value(found.low - step)
    assert p_value(found.high - step) > 0.05 >= p_value(found.high + step)
    assert p_value(0.0) == found.p_value


def test_what_a_region_has_on_a_day_or_in_an_hour_is_no_effect(
    experiment: tuple[BlockMeans, Bools],
) -> None:
    """Bad weather on a day, or quiet nights, in one region change neither effect nor interval."""
    blocks, treated = experiment
    rng = np.random.default_rng(2)
    weather = 5 * rng.normal(size=(3, 6, 1)) + 5 * rng.normal(size=(3, 1, 4))
    other = BlockMeans(blocks.mean + weather, blocks.events)
    one, two = (
        analysis.effects({"m": b}, treated, 499, np.random.default_rng(3))["m"]
        for b in (blocks, other)
    )
    assert two.value == pytest.approx(one.value, abs=1e-7)
    assert (two.low, two.high) == pytest.approx((one.low, one.high), abs=1e-6)


def test_intervals_hold_the_true_effect() -> None:
    """Of 300 experiments with an effect of 5 points, 95 % intervals hold it in about 95 %."""
    rng = np.random.default_rng(11)
    rates = generator.usual_rates(3, 3, 600, 0.5)
    shape = (3, 10, 8)
    held = 0
    for _ in range(300):
        treated = design.assign(shape, rng)
        drawn = generator.draw(1, rates, treated, 0.05, 1.0, rng)
        blocks = BlockMeans(drawn.mean[0], drawn.events[0])
        found = analysis.effects({"success": blocks}, treated[0], 399, rng)["success"]
        held += found.low <= 0.05 <= found.high
    # 95 % of 300 is 285, its standard deviation 3.8
    assert 272 <= held <= 297


def test_arms_that_never_meet_are_refused() -> None:
    """Without events of both arms in any slot there is nothing to compare."""
    treated = np.array([[[True], [False]]])
    events: Floats = np.array([[[3.0], [0.0]]])
    with pytest.raises(DataError, match="m: no hour and region has events of both arms"):
        analysis.effects({"m": BlockMeans(events, events)}, treated, 99, np.random.default_rng(1))
