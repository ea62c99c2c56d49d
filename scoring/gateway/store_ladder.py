"""The rungs of the feature store: Redis, then the rows read last."""

from dataclasses import dataclass

from redis import RedisError
from redis.exceptions import ConnectionError as LostError

from feature_repo.online.async_reader import AsyncFeatureReader
from scoring.gateway.candidate_table import CandidateTable
from scoring.gateway.circumstances import Circumstances
from scoring.gateway.errors import StoreUnavailableError
from scoring.gateway.last_positions import nearest
from scoring.gateway.messages import RecommendationRequest
from scoring.gateway.pipeline_watch import PipelineWatch, without
from scoring.gateway.read import read, recall
from scoring.gateway.resilience.circuit_breaker import CircuitBreaker, CircuitOpenError
from scoring.gateway.resilience.clock import Clock, monotonic
from scoring.gateway.resilience.deadline import DeadlineExceededError
from scoring.gateway.resilience.metrics import RETRIES
from scoring.gateway.resilience.retry_budget import RETRY_SHARE, RetryBudget
from scoring.gateway.retrieve import MAX_CANDIDATES, Retriever
from scoring.gateway.rungs import Rung, pipeline_stalled, schema_mismatch
from scoring.gateway.stages import StageClock

REDIS_S = 0.05
"""The longest that Redis is waited for, retrieve and read together; the budget is 18 ms at p99."""
REST_S = 0.06
"""What the stages after it need, the endpoint's failure included."""
SHEDDING_CANDIDATES = 100


@dataclass(frozen=True)
class _Question:
    """One request, on its way down the rungs."""

    request: RecommendationRequest
    decided_us: int
    stages: StageClock
    circumstances: Circumstances

    def affordable(self, provider_ids: list[str]) -> list[str]:
        """Return the nearest only while load is shed; all of those that the request names."""
        if not self.circumstances.shedding or self.request.candidates is not None:
            return provider_ids
        if len(provider_ids) > SHEDDING_CANDIDATES:
            self.circumstances.note(Rung.FEWER_CANDIDATES)
        return provider_ids[:SHEDDING_CANDIDATES]


class StoreLadder:
    """Finds and reads candidates on the first rung that answers; belongs to one event loop.

    Args:
        retriever: Asks the geo index.
        reader: Reads rows; the ones that it remembers are the lower rung.
        watch: Knows which pipelines stand still.
        clock: What tells the time.
    """

    def __init__(
        self,
        retriever: Retriever,
        reader: AsyncFeatureReader,
        watch: PipelineWatch,
        clock: Clock = monotonic,
    ) -> None:
        self._retriever = retriever
        self._reader = reader
        self._watch = watch
        self._breaker = CircuitBreaker("redis", (RedisError, TimeoutError), clock)
        self._retries = RetryBudget(RETRY_SHARE)

    async def candidates(
        self,
        request: RecommendationRequest,
        decided_us: int,
        stages: StageClock,
        circumstances: Circumstances,
    ) -> CandidateTable:
        """Return who may come into question, and what is known of them.

        Raises:
            StoreUnavailableError: Redis did not answer, and nothing is known from before.
        """
        question = _Question(request, decided_us, stages, circumstances)
        try:
            table = await self._breaker.call(lambda: self._from_redis(question))
        except (RedisError, TimeoutError, DeadlineExceededError, CircuitOpenError) as error:
            circumstances.note(Rung.LAST_ROWS)
            table = self._from_memory(question, error)
        for view, counts in table.unusable.items():
            if counts["mismatched"]:
                circumstances.note(schema_mismatch(view))
        for view in self._watch.stalled:
            circumstances.note(pipeline_stalled(view))
        return without(table, self._watch.stalled)

    async def _from_redis(self, question: _Question) -> CandidateTable:
        self._retries.request()
        async with question.circumstances.deadline.limit(REDIS_S, keep_s=REST_S):
            try:
                return await self._ask(question)
            except LostError:
                if not self._retries.take():
                    raise
                RETRIES.labels(dependency="redis").inc()
                return await self._ask(question)

    async def _ask(self, question: _Question) -> CandidateTable:
        with question.stages.stage("retrieve"):
            found = await self._retriever.retrieve(question.request)
            provider_ids = question.affordable(found.provider_ids)
        with question.stages.stage("read"):
            return await read(self._reader, question.request, question.decided_us, provider_ids)

    def _from_memory(self, question: _Question, error: Exception) -> CandidateTable:
        request = question.request
        with question.stages.stage("retrieve"):
            if request.candidates is None:
                near = nearest(self._reader, request.location, MAX_CANDIDATES)
                provider_ids = question.affordable(near)
            else:
                provider_ids = list(dict.fromkeys(request.candidates))
        with question.stages.stage("read"):
            table = recall(self._reader, request, question.decided_us, provider_ids)
        if table.unusable["provider_profile"]["missing"] == len(provider_ids):
            raise StoreUnavailableError(
                f"Redis did not answer ({error}), and no candidate is known from before",
                field="feature store",
                value=type(error).__name__,
                remedy="ask again; operations see /readyz",
            ) from error
        return table
