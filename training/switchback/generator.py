"""Outcomes as a switchback meets them, drawn quickly: uneven demand, blocks alike in time.

Each region and slot has its own demand and chance of success. On top, the logit of success moves
as a first-order autoregression over time, partly shared by all regions (weather), so that the
events of a block are alike and successive blocks resemble each other; demand moves likewise.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.signal import lfilter
from scipy.special import expit, logit

from training.switchback.blocks import BlockMeans, Floats
from training.switchback.design import HOURS_PER_DAY, Bools

_MEMORY_H = 6.0
"""After so many hours the correlation of a region's condition with itself is 1/e."""
_SUCCESS_SD = 0.4
"""Of the logit of success: about 9 points of success at a rate of 0.6."""
_DEMAND_SD = 0.3
"""Of the logarithm of demand."""
_SHARED = 0.4
"""Share of a condition's variance that all regions have in common."""
_LIKE_EVENTS = 20.0
"""Events of the overall rate that a slot's own rate is drawn towards."""


@dataclass(frozen=True)
class Rates:
    """What is usual in a region and slot, float64 [regions, slots].

    Attributes:
        events: Per block.
        success: Chance, 0 to 1.
    """

    events: Floats
    success: Floats


def usual_rates(
    regions: int, hours_per_block: int, events_per_day: float, success_rate: float
) -> Rates:
    """Return rates of regions of unequal size, with quiet nights; success is rarer in rush hours.

    Args:
        regions: Region i has 1 / (1 + i) of the demand of the first.
        hours_per_block: A divisor of 24.
        events_per_day: Over all regions.
        success_rate: About the mean, 0 to 1.
    """
    hour = np.arange(0, HOURS_PER_DAY, hours_per_block) + hours_per_block / 2
    daily = 0.6 + 0.4 * np.sin((hour - 8) * np.pi / 12)
    rush = np.exp(-(((hour - 8) / 1.4) ** 2)) + np.exp(-(((hour - 17.3) / 1.7) ** 2))
    size = 1.0 / (1 + np.arange(regions))
    demand = np.outer(size / size.sum(), daily / daily.sum())
    of_region = np.linspace(-0.3, 0.3, regions) if regions > 1 else np.zeros(1)
    chance = expit(logit(success_rate) + of_region[:, None] - 0.6 * rush)
    return Rates(events_per_day * demand, chance)


def rates_of(outcomes: pd.DataFrame, hours_per_block: int) -> Rates:
    """Return the rates of past outcomes, as ``blocks.checked_outcomes`` returns them.

    A slot with few events is drawn towards the overall rate of success.
    """
    outcomes = outcomes[outcomes["success"].notna()]
    region = outcomes["region"].astype("category")
    slot = outcomes["time"].dt.hour.to_numpy() // hours_per_block
    slots = HOURS_PER_DAY // hours_per_block
    block = region.cat.codes.to_numpy(dtype=np.int64) * slots + slot
    size = len(region.cat.categories) * slots
    success = outcomes["success"].to_numpy(dtype=np.float64)
    events = np.bincount(block, minlength=size).astype(np.float64)
    wins = np.bincount(block, success, minlength=size) + _LIKE_EVENTS * success.mean()
    days = max((outcomes["time"].max() - outcomes["time"].min()) / pd.Timedelta(days=1), 1.0)
    shape = (len(region.cat.categories), slots)
    chance = np.clip(wins / (events + _LIKE_EVENTS), 0.01, 0.99)
    return Rates((events / days).reshape(shape), chance.reshape(shape))


def conditions(
    count: int, rates: Rates, days: int, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """Draw the expected events and the chance of success, [count, regions, days, slots]."""
    shape = (count, rates.events.shape[0], days, rates.events.shape[1])
    demand = np.exp(_DEMAND_SD * _wandering(shape, rng) - _DEMAND_SD**2 / 2)
    mood = _SUCCESS_SD * _wandering(shape, rng)
    return (
        rates.events[:, None, :] * demand,
        np.asarray(expit(logit(rates.success)[:, None, :] + mood)),
    )


def draw(  # noqa: PLR0913, PLR0917 - what a block's outcomes hang on
    count: int,
    rates: Rates,
    treated: Bools,
    effect: float,
    counted_share: float,
    rng: np.random.Generator,
) -> BlockMeans:
    """Draw success in the blocks of many experiments, [count, regions, days, slots].

    Args:
        count: Experiments.
        rates: What is usual.
        treated: Their assignments, [count, regions, days, slots].
        effect: Added to the chance of success where treated.
        counted_share: Of a block, after the washout.
        rng: The source of chance.
    """
    expected, chance = conditions(count, rates, treated.shape[2], rng)
    events = rng.poisson(expected * counted_share)
    wins = rng.binomial(events, np.clip(chance + effect * treated, 0, 1))
    return BlockMeans(wins / np.maximum(events, 1), events.astype(np.float64))


def _wandering(shape: tuple[int, int, int, int], rng: np.random.Generator) -> Floats:
    """Return conditions of mean 0 and variance 1 that remember, alike over the regions in part."""
    count, regions, days, slots = shape
    own = _autoregression((count, regions, days * slots), slots, rng)
    shared = _autoregression((count, 1, days * slots), slots, rng)
    mixed = np.sqrt(1 - _SHARED) * own + np.sqrt(_SHARED) * shared
    return np.asarray(mixed.reshape(shape))


def _autoregression(shape: tuple[int, int, int], slots: int, rng: np.random.Generator) -> Floats:
    memory = np.exp(-HOURS_PER_DAY / slots / _MEMORY_H)
    shocks = rng.standard_normal(shape) * np.sqrt(1 - memory**2)
    shocks[..., 0] /= np.sqrt(1 - memory**2)  # begins in its stationary state
    return np.asarray(lfilter([1.0], [1.0, -memory], shocks, axis=-1))
