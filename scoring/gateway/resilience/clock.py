"""The time that these modules go by: seconds that never go back."""

import time
from collections.abc import Callable

Clock = Callable[[], float]
"""Returns seconds; only differences mean something. Tests give one that stands still."""

monotonic: Clock = time.monotonic
