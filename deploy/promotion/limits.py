"""The limits of all gates, one number each; ``--limit NAME=VALUE`` changes one."""

from collections.abc import Iterable
from dataclasses import dataclass, field, fields, replace
from typing import Any

from deploy.sagemaker.pipeline.gates import GATES


class LimitError(ValueError):
    """A limit is not known or is no number."""


def _limit(default: float, meaning: str) -> Any:
    return field(default=default, metadata={"meaning": meaning})


def _offline(measure: str, meaning: str) -> Any:
    """Return a limit that is the pipeline's threshold: a model it registers is one we take."""
    [threshold] = [gate.threshold for gate in GATES if gate.measure == measure]
    return _limit(threshold, f"offline: {meaning}")


@dataclass(frozen=True)
class Limits:
    """What the gates allow; the meanings are what ``--help`` shows."""

    test_requests: float = _limit(30, "offline: requests measured on, at least")
    value_over_rules: float = _offline(
        "value_over_rules", "gain over the best simple rule, at least"
    )
    eta_gained_over_formula_min: float = _offline(
        "eta_gained_over_formula_min", "the same of minutes, at least"
    )
    value_lost: float = _offline("value_lost", "measurably worse than the incumbent, at most")
    ndcg_lost: float = _offline("ndcg_lost", "the same of NDCG@5, at most")
    eta_lost_min: float = _offline("eta_lost_min", "the same of minutes, at most")
    calibration_error_beyond_luck: float = _offline(
        "calibration_error_beyond_luck", "of the chances, at most"
    )
    p90_coverage_off: float = _offline(
        "p90_coverage_off", "arrivals within the p90 off 0.9, at most"
    )
    monitoring_age_h: float = _limit(36, "skew: age of the daily job's report, hours, at most")
    shadow_requests: float = _limit(500, "latency: requests the shadow has answered, at least")
    p99_ms: float = _limit(40, "latency: the shadow's p99, ms, at most (the budget of the stage)")
    p99_share: float = _limit(1.5, "latency: the shadow's p99 over production's, at most")
    error_share: float = _limit(0.001, "latency: share of 5xx answers of the shadow, at most")
    pairs: float = _limit(300, "parity: requests that both have answered, at least")
    chance_lost: float = _limit(0.05, "parity: chance lost if production is right, at most")
    rank_correlation: float = _limit(0.7, "parity: median Spearman correlation, at least")
    eta_shift_min: float = _limit(3.0, "parity: median difference of minutes, at most")
    chance_shift: float = _limit(0.05, "parity: mean change of the chance of success, at most")
    canary_requests: float = _limit(100, "canary: requests a stage has answered, at least")

    def changed(self, assignments: Iterable[str]) -> "Limits":
        """Return these with some changed, each ``NAME=VALUE``.

        Raises:
            LimitError: One names no limit, or gives no number.
        """
        values = dict(_parsed(text) for text in assignments)
        return replace(self, **values)


def described() -> str:
    """Return all limits with their defaults, a line each."""
    return "\n".join(
        f"  {limit.name}={limit.default:g}: {limit.metadata['meaning']}" for limit in fields(Limits)
    )


def _parsed(text: str) -> tuple[str, float]:
    name, _, value = text.partition("=")
    names = [limit.name for limit in fields(Limits)]
    if name not in names:
        raise LimitError(f"--limit: there is no limit {name!r}; there are {', '.join(names)}")
    try:
        return name, float(value)
    except ValueError as error:
        raise LimitError(f"--limit: {name} is {value!r}, which is no number") from error
