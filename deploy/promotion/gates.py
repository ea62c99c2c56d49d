"""The gates: each returns the reasons for which a model may not go on; none is good.

A number that was not measured fails its gate: NaN is never within a limit.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from deploy.promotion.evidence import Measured, Metrics, Monitored
from deploy.promotion.limits import Limits
from deploy.promotion.parity import Parity

P90 = 0.9
NOT_MEASURED = float("nan")


def offline(metrics: Metrics, limits: Limits) -> Iterator[str]:
    """Judge the evaluation on events that the model has not seen."""

    def value(name: str) -> float:
        return metrics.get(name, NOT_MEASURED)

    gain = value("ndcg_at_1_model") - value("ndcg_at_1_nearest")
    brier = _share(value("success_brier"), value("success_brier_of_base_rate"))
    minutes = _share(value("eta_mae_min"), value("eta_mae_min_of_formula"))
    coverage = abs(value("eta_p90_coverage") - P90)
    calibration = value("success_calibration_error")
    yield from _below("offline: test_events", value("test_events"), limits.test_events)
    yield from _below("offline: NDCG@1 above the nearest rule's", gain, limits.ndcg_gain)
    yield from _above("offline: Brier score over the base rate's", brier, limits.brier_share)
    yield from _above("offline: calibration error", calibration, limits.calibration_error)
    yield from _above("offline: minutes' error over the formula's", minutes, limits.eta_share)
    yield from _above("offline: p90 coverage off 0.9", coverage, limits.coverage_error)


def skew(monitored: Monitored, now: datetime, limits: Limits) -> Iterator[str]:
    """Judge the daily job's report on what is served."""
    for stop in monitored.stops:
        yield f"skew: {stop}"
    age_h = (now - monitored.finished) / timedelta(hours=1)
    yield from _above("skew: age of the report, hours", age_h, limits.monitoring_age_h)


def latency(production: Measured, shadow: Measured, limits: Limits) -> Iterator[str]:
    """Judge how soon the shadow answered, and whether it did."""
    yield from _below("latency: the shadow's requests", shadow.requests, limits.shadow_requests)
    yield from _above("latency: the shadow's p99, ms", shadow.p99_ms, limits.p99_ms)
    ratio = _share(shadow.p99_ms, production.p99_ms)
    yield from _above("latency: the shadow's p99 over production's", ratio, limits.p99_share)
    errors = _share(shadow.errors, shadow.requests)
    yield from _above("latency: share of 5xx of the shadow", errors, limits.error_share)


def parity(found: Parity, limits: Limits) -> Iterator[str]:
    """Judge how far the shadow's answers are from production's."""
    if found.invalid:
        yield f"parity: {found.invalid} answers of the shadow are no scores that can be"
    yield from _below("parity: pairs", found.pairs, limits.pairs)
    if not found.pairs:
        return
    correlation, shift = found.rank_correlation, abs(found.chance_shift)
    yield from _above("parity: chance lost", found.chance_lost, limits.chance_lost)
    yield from _below("parity: rank correlation", correlation, limits.rank_correlation)
    yield from _above("parity: minutes' difference", found.eta_shift_min, limits.eta_shift_min)
    yield from _above("parity: change of the chance of success", shift, limits.chance_shift)


def alarms(states: Mapping[str, str], needed: Sequence[str]) -> Iterator[str]:
    """Judge whether the guardrails stand: without them nothing would roll back by itself."""
    for name in needed:
        state = states.get(name)
        if state is None:
            yield f"guardrails: there is no alarm {name!r}; deploy the stack that makes it"
        elif state == "ALARM":
            yield f"guardrails: alarm {name!r} is in ALARM before anything was begun"


def canary(measured: Measured, states: Mapping[str, str], limits: Limits) -> Iterator[str]:
    """Judge whether a stage that no alarm stopped has proved anything."""
    yield from _below("canary: requests answered", measured.requests, limits.canary_requests)
    for name, state in states.items():
        if state != "OK":
            yield f"guardrails: alarm {name!r} is in {state} at the end of the stage"


def _share(of: float, whole: float) -> float:
    return of / whole if whole else NOT_MEASURED


def _below(what: str, value: float, limit: float) -> Iterator[str]:
    if not value >= limit:
        yield f"{what} is {value:.4g}, must be at least {limit:g}"


def _above(what: str, value: float, limit: float) -> Iterator[str]:
    if not value <= limit:
        yield f"{what} is {value:.4g}, must be at most {limit:g}"
