"""The rungs of scoring: the endpoint, the same bundle in this process, the rule."""

from scoring.endpoint.scorer import Scorer, Scores
from scoring.gateway.cheap_path import CheapPath
from scoring.gateway.circumstances import Circumstances
from scoring.gateway.resilience.circuit_breaker import CircuitBreaker, CircuitOpenError
from scoring.gateway.resilience.clock import Clock, monotonic
from scoring.gateway.resilience.deadline import DeadlineExceededError
from scoring.gateway.resilience.hedge import Hedge
from scoring.gateway.rungs import Rung
from scoring.gateway.score import CandidateScorer, EndpointError, Matrix, RuleScorer

ENDPOINT_S = 0.06
"""The longest that the endpoint is waited for; its own budget is 40 ms at the 99th percentile."""
REST_S = 0.03
"""What scoring in process, policy and reasons need: the endpoint never takes it from them."""
IN_PROCESS_S = 0.015
"""With less time than this left, the rule scores: it takes microseconds."""


class ScoreLadder:
    """Scores on the first rung that answers; belongs to one event loop.

    Args:
        endpoint: The model endpoint.
        in_process: The same bundle here; None if there is none.
        cheap_path: What compares the lower rungs with the endpoint.
        clock: What tells the time.
    """

    def __init__(
        self,
        endpoint: CandidateScorer,
        in_process: Scorer | None,
        cheap_path: CheapPath | None = None,
        clock: Clock = monotonic,
    ) -> None:
        self._endpoint = endpoint
        self._in_process = in_process
        self._cheap_path = cheap_path or CheapPath(in_process)
        self._rule = RuleScorer()
        self._breaker = CircuitBreaker("endpoint", (EndpointError, TimeoutError), clock)
        self._hedge = Hedge(clock)

    async def score(
        self, matrix: Matrix, explain_rows: int, circumstances: Circumstances
    ) -> Scores:
        """Score float32 [n, f], noting what did not work."""
        try:
            scores = await self._breaker.call(
                lambda: self._from_endpoint(matrix, explain_rows, circumstances)
            )
        except (EndpointError, TimeoutError, DeadlineExceededError, CircuitOpenError):
            circumstances.note(Rung.ENDPOINT_UNAVAILABLE)
            return self._here(matrix, explain_rows, circumstances)
        if not circumstances.shedding:
            self._cheap_path.maybe_compare(matrix, scores)
        return scores

    async def _from_endpoint(
        self, matrix: Matrix, explain_rows: int, circumstances: Circumstances
    ) -> Scores:
        async with circumstances.deadline.limit(ENDPOINT_S, keep_s=REST_S):
            return await self._hedge.call(
                lambda: self._endpoint.score(matrix, explain_rows),
                shedding=circumstances.shedding,
            )

    def _here(self, matrix: Matrix, explain_rows: int, circumstances: Circumstances) -> Scores:
        if self._in_process is not None and circumstances.deadline.remaining_s() > IN_PROCESS_S:
            return self._in_process.score(matrix, explain_rows)
        circumstances.note(Rung.RULE_SCORE)
        return self._rule.score(matrix)
