"""What an analysis would have said of many simulated experiments: false alarms, and power."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from scipy.stats import binom, binomtest, norm, t

from training.switchback import generator
from training.switchback.analysis import Score, p_values, residuals
from training.switchback.blocks import BlockMeans, Floats
from training.switchback.design import HOURS_PER_DAY, Bools, assign, require_washout
from training.switchback.generator import Rates

REDRAWN, CLUSTERED, NAIVE = "redrawn assignment", "clustered regression", "t-test over events"
_EXPERIMENTS_AT_A_TIME = 50

Progress = Callable[[int], None]


@dataclass(frozen=True)
class Trial:
    """What is simulated.

    Attributes:
        rates: What is usual in a region and slot.
        days: Of the experiment.
        washout_minutes: At the head of each block.
        effect: On the chance of success.
        simulations: Experiments.
        redraws: Of the assignment.
    """

    rates: Rates
    days: int
    washout_minutes: float
    effect: float = 0.0
    simulations: int = 1000
    redraws: int = 999

    def __post_init__(self) -> None:
        """Check the washout.

        Raises:
            DataError: It leaves nothing of a block.
        """
        require_washout(self.washout_minutes, HOURS_PER_DAY // self.rates.events.shape[1])

    @property
    def shape(self) -> tuple[int, int, int]:
        """Regions, days, slots a day."""
        regions, slots = self.rates.events.shape
        return regions, self.days, slots

    @property
    def counted_share(self) -> float:
        """Share of a block after the washout."""
        return 1 - self.washout_minutes / (60 * HOURS_PER_DAY / self.shape[2])


@dataclass(frozen=True)
class Share:
    """A share of experiments with an interval."""

    value: float
    low: float
    high: float


def simulate(
    trial: Trial, rng: np.random.Generator, progress: Progress = lambda _done: None
) -> dict[str, Floats]:
    """Return the p-values of the experiments by analysis, float64 [simulations].

    All experiments are compared with the same redraws, which is sound as each has an assignment
    drawn by itself; it saves most of the time.
    """
    redrawn = assign(trial.shape, rng, trial.redraws).reshape(trial.redraws, -1)
    parts: dict[str, list[Floats]] = {REDRAWN: [], CLUSTERED: [], NAIVE: []}
    for count in _batches(trial.simulations):
        treated = assign(trial.shape, rng, count)
        blocks = generator.draw(
            count, trial.rates, treated, trial.effect, trial.counted_share, rng
        )  # fmt: skip
        score = Score.of(blocks, treated)
        parts[REDRAWN].append(p_values(score.observed, redrawn @ score.outcome.T))
        parts[CLUSTERED].append(clustered_p_values(blocks, treated))
        parts[NAIVE].append(naive_p_values(blocks, treated))
        progress(count)
    return {name: np.concatenate(found) for name, found in parts.items()}


def rejected(p_value: Floats, size: float = 0.05) -> Share:
    """Return the share of p-values at or below a size, with its 95 % interval (Wilson)."""
    count = int((p_value <= size).sum())
    ends = binomtest(count, len(p_value)).proportion_ci(method="wilson")
    return Share(count / len(p_value), float(ends.low), float(ends.high))


def by_chance(size: float, count: int, level: float) -> Share:
    """Return between which shares of ``count`` experiments a true share lies, but for 1 - level."""
    low, high = binom.interval(level, count, size)
    return Share(size, float(low) / count, float(high) / count)


def clustered_p_values(blocks: BlockMeans, treated: Bools) -> Floats:
    """Return p-values of a regression on block means with errors clustered by region and day.

    Weighted least squares with region-slot and region-day effects; CR1 errors against t with
    clusters - 1 degrees of freedom (Cameron and Miller, Journal of Human Resources 2015).
    """
    arm = residuals(treated.astype(np.float64), blocks.events)
    outcome = residuals(blocks.mean, blocks.events)
    axes = (-3, -2, -1)
    unit = (blocks.events * arm**2).sum(axis=axes)
    effect = (blocks.events * arm * outcome).sum(axis=axes) / unit
    left = outcome - effect[:, None, None, None] * arm
    cluster = (blocks.events * arm * left).sum(axis=-1)
    clusters = cluster.shape[1] * cluster.shape[2]
    error = np.sqrt(clusters / (clusters - 1) * (cluster**2).sum(axis=(-2, -1))) / unit
    return np.asarray(2 * t.sf(np.abs(effect / error), clusters - 1))


def naive_p_values(blocks: BlockMeans, treated: Bools) -> Floats:
    """Return p-values of a comparison of all events of either arm, as if they were independent."""
    axes = (-3, -2, -1)
    counts = [np.where(arm, blocks.events, 0).sum(axis=axes) for arm in (treated, ~treated)]
    wins = [
        np.where(arm, blocks.events * blocks.mean, 0).sum(axis=axes) for arm in (treated, ~treated)
    ]
    one, other = (w / n for w, n in zip(wins, counts, strict=True))
    error = np.sqrt(one * (1 - one) / counts[0] + other * (1 - other) / counts[1])
    return np.asarray(2 * norm.sf(np.abs(one - other) / error))


def _batches(total: int) -> Iterator[int]:
    for begin in range(0, total, _EXPERIMENTS_AT_A_TIME):
        yield min(_EXPERIMENTS_AT_A_TIME, total - begin)
