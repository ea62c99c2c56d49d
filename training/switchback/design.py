"""Which arm runs where and when.

A block is a region, a day and a slot of the day. In each region and slot half of the days are
treated, drawn at random; so both arms see the same regions and the same hours.
"""

from dataclasses import dataclass
from datetime import datetime

import numpy as np
import numpy.typing as npt
import pandas as pd

from training.errors import DataError

CONTROL, TREATMENT = "control", "treatment"
HOURS_PER_DAY = 24
HOURS_PER_BLOCK = (1, 2, 3, 4, 6, 8, 12, 24)

Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Plan:
    """What an experiment is made of.

    Attributes:
        regions: Their names.
        start: Of the first day, with a time zone.
        days: At least 2.
        hours_per_block: A divisor of 24.
        washout_minutes: At the head of every block, in which the other arm still has its effect.
    """

    regions: tuple[str, ...]
    start: datetime
    days: int
    hours_per_block: int
    washout_minutes: float

    def __post_init__(self) -> None:
        """Check the parts.

        Raises:
            DataError: One is not as it must be.
        """
        if not self.regions or len(set(self.regions)) < len(self.regions):
            raise DataError(f"regions {list(self.regions)}: give one or more different names")
        if self.days < 2:
            raise DataError(f"days {self.days}: each hour needs a day of each arm; give 2 or more")
        if self.hours_per_block not in HOURS_PER_BLOCK:
            raise DataError(
                f"hours per block {self.hours_per_block}: give one of {HOURS_PER_BLOCK}"
            )
        require_washout(self.washout_minutes, self.hours_per_block)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Regions, days, slots a day."""
        return len(self.regions), self.days, HOURS_PER_DAY // self.hours_per_block


def require_washout(washout_minutes: float, hours_per_block: int) -> None:
    """Check that a washout leaves something of a block.

    Raises:
        DataError: It does not, or is negative.
    """
    if not 0 <= washout_minutes < 60 * hours_per_block:
        raise DataError(
            f"washout minutes {washout_minutes:g}: give 0 or more, and less than a block of "
            f"{hours_per_block} h"
        )


def assign(shape: tuple[int, int, int], rng: np.random.Generator, count: int = 1) -> Bools:
    """Draw assignments; True is treatment, bool [count, regions, days, slots].

    With an odd number of days the odd day's arm is shared out evenly over each region's slots.
    """
    regions, days, slots = shape
    extra = rng.permuted(np.broadcast_to(np.arange(slots) % 2, (count, regions, slots)), axis=2)
    flip = rng.integers(0, 2, (count, regions, 1))  # an odd number of slots favours neither arm
    treated = days // 2 + (days % 2) * (extra ^ flip)
    ordered = np.arange(days)[:, None] < treated[:, :, None, :]
    return rng.permuted(ordered, axis=2)


def assignment_table(plan: Plan, treated: Bools) -> pd.DataFrame:
    """Return one row a block.

    Columns: ``region``, ``day`` and ``slot`` (from 0), ``block_start``, ``counted_from`` (after the
    washout), ``block_end`` and ``arm``.

    Args:
        plan: The experiment.
        treated: bool [regions, days, slots].
    """
    region, day, slot = (index.ravel() for index in np.indices(plan.shape))
    block = pd.Timedelta(hours=plan.hours_per_block)
    hours = HOURS_PER_DAY * day + plan.hours_per_block * slot
    start = pd.Timestamp(plan.start).tz_convert("UTC") + pd.to_timedelta(hours, unit="h")
    table = pd.DataFrame({"region": np.array(plan.regions)[region], "day": day, "slot": slot})
    return table.assign(
        block_start=start,
        counted_from=start + pd.Timedelta(minutes=plan.washout_minutes),
        block_end=start + block,
        arm=np.where(treated.ravel(), TREATMENT, CONTROL),
    )
