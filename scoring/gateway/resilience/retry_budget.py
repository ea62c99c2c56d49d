"""A budget for calls beyond the first: retries and hedges stay a share of the requests.

Each request adds its share, each extra call takes one; what was not used is kept, but no more than
``LARGEST_RESERVE``, so that a quiet hour does not pay for a storm of retries. The token bucket is
the one of Finagle's ``RetryBudget``, without its time to live and its reserve by second: at our
rates a request's share is soon used, and a budget that starts empty can state its bound without
"after a while".
"""

RETRY_SHARE = 0.1
LARGEST_RESERVE = 10.0


class RetryBudget:
    """Counts what extra calls may still be made.

    Args:
        share: Extra calls for each request, 0 to 1.
    """

    def __init__(self, share: float) -> None:
        self._share = share
        self._reserve = 0.0

    def request(self) -> None:
        """Count a request, which is not extra."""
        self._reserve = min(self._reserve + self._share, LARGEST_RESERVE)

    def take(self) -> bool:
        """Take the right to one extra call; False when there is none."""
        if self._reserve < 1 - 1e-9:  # ten tenths are one
            return False
        self._reserve -= 1
        return True
