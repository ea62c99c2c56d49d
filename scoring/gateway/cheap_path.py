"""Runs the rungs below the endpoint on a share of the traffic, so that they are known to work.

They score what the endpoint has scored, after the answer has left, and what they would have
recommended is compared with what was.
"""

import asyncio
import random
from collections.abc import Callable

import numpy as np
from prometheus_client import Counter, Histogram

from scoring.endpoint.scorer import Scorer, Scores
from scoring.gateway.score import Matrix, RuleScorer

SHARE = 0.01
AFTER_S = 0.02
"""The answer leaves first."""

COMPARED = Counter("gateway_cheap_path_compared_total", "Decisions scored again.", ["rung"])
SAME_FIRST = Counter(
    "gateway_cheap_path_same_first_total", "Of those, with the same candidate first.", ["rung"]
)
SCORE_LOST = Histogram(
    "gateway_cheap_path_score_lost",
    "The endpoint's score of its own first candidate less that of the rung's first.",
    ["rung"],
    buckets=(0.0, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0),
)


class CheapPath:
    """Compares the lower rungs of one event loop with the endpoint.

    Args:
        in_process: The bundle in this process.
        share: Of the decisions, 0 to 1.
        draw: Returns numbers in [0, 1).
    """

    def __init__(
        self,
        in_process: Scorer | None,
        share: float = SHARE,
        draw: Callable[[], float] = random.random,
    ) -> None:
        rule = RuleScorer()
        self._rungs = {"rule": rule.score}
        if in_process is not None:
            self._rungs["in_process"] = in_process.score
        self._share = share
        self._draw = draw

    def maybe_compare(self, matrix: Matrix, served: Scores) -> None:
        """Take the decision if chance says so; the comparison is made later."""
        if self._draw() < self._share:
            asyncio.get_running_loop().call_later(AFTER_S, self.compare, matrix, served)

    def compare(self, matrix: Matrix, served: Scores) -> None:
        """Score the matrix on each lower rung and count what comes of it."""
        first = int(np.argmax(served.scores))
        for rung, score in self._rungs.items():
            other = int(np.argmax(score(matrix).scores))
            COMPARED.labels(rung=rung).inc()
            if other == first:
                SAME_FIRST.labels(rung=rung).inc()
            lost = float(served.scores[first] - served.scores[other])
            SCORE_LOST.labels(rung=rung).observe(lost)
