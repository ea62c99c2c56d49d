"""What was seen over a soak, and whether it grew."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

WARM_UP_SHARE = 0.1
"""What is read before memory counts: connections, caches and the allocator fill."""
READS_A_SLOPE = 1_000_000


@dataclass(frozen=True)
class Soak:
    """What was seen over a soak, one value a sample.

    Attributes:
        reads: How many reads so far.
        resident_mb: Memory of this process.
        wall_us: Median time of a read since the sample before.
        cpu_us: Mean processor time of a read since then.
    """

    reads: npt.NDArray[np.float64]
    resident_mb: npt.NDArray[np.float64]
    wall_us: npt.NDArray[np.float64]
    cpu_us: npt.NDArray[np.float64]

    def slope(self, seen: npt.NDArray[np.float64]) -> float:
        """Return by how much it grows in a million reads: least squares, after the warm-up."""
        after = self.reads > self.reads[-1] * WARM_UP_SHARE
        return float(np.polyfit(self.reads[after], seen[after], 1)[0] * READS_A_SLOPE)

    def ends(self, seen: npt.NDArray[np.float64]) -> tuple[float, float]:
        """Return the medians of the first tenth after the warm-up, and of the last tenth."""
        tenth = max(1, len(seen) // 10)
        return float(np.median(seen[tenth : 2 * tenth])), float(np.median(seen[-tenth:]))
