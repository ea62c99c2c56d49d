"""The gates: each returns the reasons for which a model may not go on; none is good.

A number that was not measured fails its gate: NaN is never within a limit.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from deploy.promotion.evidence import Evaluation, Measured, Monitored
from deploy.promotion.limits import Limits
from deploy.promotion.parity import Parity
from deploy.sagemaker.pipeline.gates import GATES

NOT_MEASURED = float("nan")


def offline(evaluation: Evaluation, limits: Limits) -> Iterator[str]:
    """Judge the evaluation as the pipeline's condition does, on requests new to the model."""
    yield from _below("offline: requests", evaluation.test.requests, limits.test_requests)
    for gate in GATES:
        judge = _below if gate.is_least else _above
        value = evaluation.gates.get(gate.measure, NOT_MEASURED)
        yield from judge(f"offline: {gate.measure}", value, getattr(limits, gate.measure))


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
