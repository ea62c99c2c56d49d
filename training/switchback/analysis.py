"""The effect of an arm, tested by drawing the assignment again.

Events of one block share weather, traffic and arm, and successive blocks resemble each other: a
test over events takes that for an effect. Here the assignment is what is random (Bojinov,
Simchi-Levi and Zhao, Management Science 2023): it is drawn again many times, as the design could
have drawn it, and the effect is significant if few of these redraws look as good. Whatever the
outcomes' correlation, that is wrong in 5 % of experiments without an effect.
"""

from dataclasses import dataclass

import numpy as np

from training.errors import DataError
from training.switchback.blocks import BlockMeans, Floats
from training.switchback.design import Bools

_CONVERGED = 1e-10
_MOST_ROUNDS = 10_000
_REDRAWS_AT_A_TIME = 250


@dataclass(frozen=True)
class Effect:
    """Treatment less control, per event, with its interval and the means of the arms."""

    value: float
    low: float
    high: float
    p_value: float
    control: float
    treatment: float


def residuals(values: Floats, weight: Floats) -> Floats:
    """Return what region-slot and region-day means leave of values, [..., regions, days, slots].

    Weighted two-way fixed effects, by taking off the means of either kind in turn until nothing
    changes (Frisch-Waugh-Lovell; alternating projections).

    Raises:
        DataError: It does not settle.
    """
    left = np.array(values, dtype=np.float64)
    by_slot = np.maximum(weight.sum(axis=-2, keepdims=True), 1e-300)
    by_day = np.maximum(weight.sum(axis=-1, keepdims=True), 1e-300)
    for _ in range(_MOST_ROUNDS):
        off_slot = (weight * left).sum(axis=-2, keepdims=True) / by_slot
        left -= off_slot
        off_day = (weight * left).sum(axis=-1, keepdims=True) / by_day
        left -= off_day
        if max(np.abs(off_slot).max(), np.abs(off_day).max()) < _CONVERGED:
            return left
    raise DataError("the means of slots and days cannot be told apart: take more days, or regions")


@dataclass(frozen=True)
class Score:
    """How far the treated blocks stand out, for one metric; arrays [..., blocks].

    The effect is ``observed / unit``. A redraw's score of the outcomes less an effect t is
    ``drawn @ outcome - t * (drawn @ arm)``.
    """

    outcome: Floats
    arm: Floats
    observed: Floats
    unit: Floats

    @classmethod
    def of(cls, blocks: BlockMeans, treated: Bools) -> "Score":
        """Return the score of outcomes under an assignment; leading axes are experiments."""
        arm = treated.astype(np.float64)
        outcome = blocks.events * residuals(blocks.mean, blocks.events)
        share = blocks.events * residuals(arm, blocks.events)
        axes = (-3, -2, -1)
        return cls(
            outcome.reshape(*outcome.shape[:-3], -1),
            share.reshape(*share.shape[:-3], -1),
            np.asarray((arm * outcome).sum(axis=axes)),
            np.asarray((arm * share).sum(axis=axes)),
        )


def redraw(treated: Bools, count: int, rng: np.random.Generator) -> Bools:
    """Return assignments with the same numbers of treated days in each region and slot."""
    return rng.permuted(np.broadcast_to(treated, (count, *treated.shape)), axis=2)


def effects(
    metrics: dict[str, BlockMeans],
    treated: Bools,
    redraws: int,
    rng: np.random.Generator,
    level: float = 0.95,
) -> dict[str, Effect]:
    """Return the effect on each metric.

    The weight of a block is its number of events. The interval has every effect that a test at
    1 - ``level`` would not refuse, if it were the same for all blocks.

    Raises:
        DataError: A metric has no block of both arms to compare.
    """
    scores = {name: Score.of(blocks, treated) for name, blocks in metrics.items()}
    for name, score in scores.items():
        if score.unit < 1e-9:
            raise DataError(f"{name}: no hour and region has events of both arms; take more days")
    columns = np.stack([part for s in scores.values() for part in (s.outcome, s.arm)], axis=1)
    drawn = _redrawn_scores(treated, columns, redraws, rng)
    return {
        name: _effect(score, drawn[:, 2 * i], drawn[:, 2 * i + 1], metrics[name], treated, level)
        for i, (name, score) in enumerate(scores.items())
    }


def _redrawn_scores(
    treated: Bools, columns: Floats, redraws: int, rng: np.random.Generator
) -> Floats:
    parts = []
    for begin in range(0, redraws, _REDRAWS_AT_A_TIME):
        count = min(_REDRAWS_AT_A_TIME, redraws - begin)
        parts.append(redraw(treated, count, rng).reshape(count, -1) @ columns)
    return np.concatenate(parts)


def _effect(  # noqa: PLR0913, PLR0917 - the parts of one metric
    score: Score, outcome: Floats, arm: Floats, blocks: BlockMeans, treated: Bools, level: float
) -> Effect:
    value = float(score.observed / score.unit)
    low, high = _interval(score, outcome, arm, level)
    weight = blocks.events
    return Effect(
        value,
        low,
        high,
        float(p_values(score.observed, outcome)),
        control=float(np.average(blocks.mean[~treated], weights=weight[~treated])),
        treatment=float(np.average(blocks.mean[treated], weights=weight[treated])),
    )


def p_values(observed: Floats, drawn: Floats) -> Floats:
    """Return the share of redraws (first axis) that stand out as far, the experiment's included."""
    as_far = np.abs(drawn) >= np.abs(observed) * (1 - 1e-12)
    return np.asarray((1 + as_far.sum(axis=0)) / (1 + len(drawn)))


def _interval(score: Score, outcome: Floats, arm: Floats, level: float) -> tuple[float, float]:
    """Return the ends of the effects t that the test does not refuse.

    A redraw stands out as far as the experiment, |outcome - t arm| >= |observed - t unit|, for t
    between the two roots below: both lie on either side of the effect, as |arm| < unit. Where it
    is not, the redraw counts for every t.
    """
    weaker = np.abs(arm) < score.unit
    gap, sum_ = score.unit - arm, score.unit + arm
    roots = np.full((2, len(arm)), np.inf)
    np.divide(score.observed - outcome, gap, out=roots[0], where=weaker)
    np.divide(score.observed + outcome, sum_, out=roots[1], where=weaker)
    below = np.sort(np.where(weaker, roots.min(axis=0), -np.inf))
    above = np.sort(np.where(weaker, roots.max(axis=0), np.inf))
    # t is kept while 1 + (redraws that stand out as far) > (1 - level)(1 + redraws)
    least = int(np.floor((1 - level) * (1 + len(arm)) + 1e-9))
    if least < 1:
        return -np.inf, np.inf
    return float(below[least - 1]), float(above[-least])
