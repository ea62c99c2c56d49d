"""What the gateway measures, for Prometheus."""

import os
from functools import cache

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from scoring.gateway.candidate_table import UnusableRows
from scoring.gateway.messages import RecommendationAnswer

PROMETHEUS_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
"""Where the library lets the metrics of several processes meet. Others set it, too: Feast does when
it is imported. So it does not tell whether the gateway has several processes."""
SHARED_DIRECTORY_VARIABLE = "GATEWAY_SHARED_DIR"
"""The directory that the processes of one gateway share; set where there are several."""

_BUCKETS_S = (0.001, 0.002, 0.005, 0.01, 0.02, 0.04, 0.08, 0.15, 0.3, 1.0)

DECISIONS = Counter("gateway_decisions_total", "Answers given, by HTTP status.", ["status"])
STAGE_SECONDS = Histogram(
    "gateway_stage_seconds", "Time in a stage of one decision.", ["stage"], buckets=_BUCKETS_S
)
DEGRADED = Counter("gateway_degraded_total", "Decisions made on a lower rung.", ["reason"])
EXCLUDED = Counter("gateway_excluded_total", "Candidates excluded, by code.", ["code"])
CONSIDERED = Histogram(
    "gateway_candidates", "Candidates a decision considered.", buckets=(1, 10, 50, 100, 200, 400)
)
FEATURE_AGE = Histogram(
    "gateway_stalest_feature_seconds",
    "Age of the stalest stream view of the provider recommended first.",
    buckets=(1, 5, 15, 30, 60, 120, 300),
)
UNUSABLE_ROWS = Counter(
    "gateway_unusable_rows_total",
    "Rows asked for and not usable, by view and why.",
    ["view", "why"],
)


def exposition() -> bytes:
    """Return all metrics in Prometheus' text form; those of all worker processes together."""
    if SHARED_DIRECTORY_VARIABLE not in os.environ:
        return generate_latest()
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return generate_latest(registry)


def observe(answer: RecommendationAnswer) -> None:
    """Count one answer."""
    for stage, elapsed_ms in answer.stage_ms.items():
        _stage_seconds(stage).observe(elapsed_ms / 1000)
    for reason in answer.degraded:
        DEGRADED.labels(reason=reason).inc()
    for code, count in answer.excluded.items():
        _excluded(code).inc(count)
    CONSIDERED.observe(answer.candidates_considered)
    stalest = answer.recommendations[0].stalest if answer.recommendations else None
    if stalest is not None:
        FEATURE_AGE.observe(stalest.age_s)


def count_unusable(rows: UnusableRows) -> None:
    """Count the rows that one decision could not use."""
    for view, counts in rows.items():
        for why, count in counts.items():
            if count:
                _unusable_rows(view, why).inc(count)


# Looking a label up costs more than counting; there are few, so each is looked up once.
@cache
def _stage_seconds(stage: str) -> Histogram:
    return STAGE_SECONDS.labels(stage=stage)


@cache
def _excluded(code: str) -> Counter:
    return EXCLUDED.labels(code=code)


@cache
def _unusable_rows(view: str, why: str) -> Counter:
    return UNUSABLE_ROWS.labels(view=view, why=why)
