"""What became of an offer, as one number: what the ranker learns to expect.

A job on time is worth one. An offer that was declined is worth nothing: the next provider is
asked, and little time is lost. One that was accepted and not completed is worth less than
nothing: the driver waited for somebody who did not come. Every minute that a provider travels
has a price, whatever comes of it: so long nobody else can be helped by that truck. What was tried
and measured: ``docs/decisions/0013-rank-by-what-an-offer-is-worth.md``.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

WORTH_OF_GRADE = np.array([0.0, -0.1, 0.1, 1.0, 1.0])
"""By grade (``training.labels``): declined, not completed, late, on time, on time and satisfied."""
PRICE_OF_A_MINUTE = 0.01
"""Of travel, from the offer to the arrival."""
LONGEST_PRICED_MIN = 60.0
"""Beyond, a minute costs nothing more: one odd record must not outweigh a hundred plain ones."""
HIGHEST = float(WORTH_OF_GRADE.max())
LOWEST = float(WORTH_OF_GRADE.min()) - PRICE_OF_A_MINUTE * LONGEST_PRICED_MIN

Floats = npt.NDArray[np.float64]


def worth(grade: npt.NDArray[np.integer[Any]], minutes_to_arrival: Floats) -> Floats:
    """Return what offers turned out to be worth, float64 [n], from ``LOWEST`` to ``HIGHEST``.

    Args:
        grade: Integers [n], 0 to 4.
        minutes_to_arrival: From the offer, float64 [n]; NaN where nobody arrived.
    """
    travelled_min = np.minimum(np.nan_to_num(minutes_to_arrival, nan=0.0), LONGEST_PRICED_MIN)
    return np.asarray(WORTH_OF_GRADE[grade] - PRICE_OF_A_MINUTE * travelled_min)


def as_share(worths: Floats) -> Floats:
    """Return worths as shares of the way from ``LOWEST`` to ``HIGHEST``, float64 [n] in [0, 1].

    Cross-entropy on shares estimates their mean (it is a proper loss for a mean in [0, 1]), and a
    mean of shares orders as the mean of worths does.
    """
    return (worths - LOWEST) / (HIGHEST - LOWEST)
