"""From what evaluation found to ``evaluation.json``."""

import math
from collections.abc import Mapping

import msgspec

from training.errors import DataError
from training.evaluation.intervals import Estimate
from training.evaluation.measures import METRICS
from training.evaluation.results import INCUMBENT, MODEL, Measured, Results
from training.evaluation.rules import RULES
from training.steps.evaluation_report import EvaluationReport, Gates, Measure, Measures, Tested
from training.steps.value import Value

_ETA, _COVERAGE = "eta_mae_min", "eta_p90_coverage"


def report(results: Results, value: Value, version: str, incumbent: str | None) -> EvaluationReport:
    """Return what a model's evaluation says.

    Args:
        results: With the incumbent among the contenders if there is one.
        value: What the model gains.
        version: The bundle's.
        incumbent: Version of the incumbent's bundle.

    Raises:
        DataError: A gate could not be measured.
    """
    size = results.size
    return EvaluationReport(
        version=version,
        incumbent=incumbent,
        value_metric=value.metric,
        test=Tested(size.events, size.offers, size.whole_events, size.first, size.last),
        gates=gates(results, value),
        metrics=_measures(results.contenders),
        model_less=_measures(results.model_less),
    )


def gates(results: Results, value: Value) -> Gates:
    """Return the numbers that the registration hangs on.

    Raises:
        DataError: One could not be measured.
    """
    found = Gates(
        value_over_rules=min(value.gains[rule].low for rule in RULES),
        eta_gained_over_formula_min=-results.model_less["lowest_eta"][_ETA].high,
        value_lost=-value.gains[INCUMBENT].high + 0.0 if INCUMBENT in value.gains else 0.0,
        ndcg_lost=_lost(results, "ndcg_at_5"),
        eta_lost_min=_lost(results, _ETA),
        calibration_error_beyond_luck=results.calibration.error
        - results.calibration.error_if_right,
        p90_coverage_off=_distance(METRICS[_COVERAGE].aim, results.contenders[MODEL][_COVERAGE]),
    )
    for name, number in msgspec.structs.asdict(found).items():
        if not math.isfinite(number):
            raise DataError(
                f"{name} could not be measured on {results.size.events} requests of the test "
                "split: take an archive of more hours"
            )
    return found


def _lost(results: Results, metric: str) -> float:
    """Return the least that the model is worse than the incumbent; below 0 it may be better."""
    if INCUMBENT not in results.model_less:
        return 0.0
    gained = results.model_less[INCUMBENT][metric]
    return (-gained.high if METRICS[metric].better > 0 else gained.low) + 0.0  # no "-0.0"


def _distance(aim: float, found: Estimate) -> float:
    """Return how far the aim is outside an interval."""
    off = (found.low - aim, aim - found.high)
    return math.nan if any(map(math.isnan, off)) else max(0.0, *off)


def _measures(found: Mapping[str, Measured]) -> dict[str, Measures]:
    return {
        name: {metric: _measure(estimate) for metric, estimate in measured.items()}
        for name, measured in found.items()
    }


def _measure(found: Estimate) -> Measure:
    # what was not measured is null: JSON has no NaN
    numbers = (found.value, found.low, found.high)
    return Measure(*(number if math.isfinite(number) else None for number in numbers))
