"""From results to the numbers that a registration hangs on."""

from dataclasses import replace

import pytest

from training.errors import DataError
from training.evaluation.calibration import CalibrationCurve
from training.evaluation.evaluate import Evaluated
from training.evaluation.intervals import Estimate
from training.evaluation.measures import METRICS
from training.evaluation.results import INCUMBENT, MODEL, Measured, Results
from training.evaluation.rules import RULES
from training.steps import evaluation_report, gated
from training.steps.evaluation_report import Gates
from training.steps.value import TRUE, Value

NAN = float("nan")
NOTHING = dict.fromkeys(METRICS, Estimate(0.0, -0.1, 0.1))


@pytest.fixture
def results(evaluated: Evaluated) -> Results:
    """Results of the small archive, in which the decisive metric is the true success."""
    assert evaluated.results.decisive == "true_success_at_1"
    return evaluated.results


def _with_gain(results: Results, other: str, metric: str, gained: Estimate) -> Results:
    measured: Measured = {**results.model_less.get(other, NOTHING), metric: gained}
    return replace(results, model_less={**results.model_less, other: measured})


def _value(results: Results) -> Value:
    gains = {name: measured[TRUE] for name, measured in results.model_less.items()}
    return Value(TRUE, gains)


def _gates(results: Results) -> Gates:
    return gated.gates(results, _value(results))


def test_the_best_rule_must_be_beaten_for_certain(results: Results) -> None:
    """The gain over the rules is the least certain one: the lowest bound of all rules."""
    for rule, low in zip(RULES, (0.3, 0.1, 0.2), strict=True):
        gained = Estimate(0.4, low, 0.5)
        results = _with_gain(results, rule, "true_success_at_1", gained)
    assert _gates(results).value_over_rules == 0.1


@pytest.mark.parametrize(
    ("metric", "gate", "worse", "not_sure"),
    [
        ("true_success_at_1", "value_lost", Estimate(-0.2, -0.3, -0.1), Estimate(-0.1, -0.2, 0.1)),
        ("ndcg_at_5", "ndcg_lost", Estimate(-0.2, -0.3, -0.1), Estimate(-0.1, -0.2, 0.1)),
        ("eta_mae_min", "eta_lost_min", Estimate(0.2, 0.1, 0.3), Estimate(0.1, -0.1, 0.2)),
    ],
)
def test_only_a_measurable_loss_counts(
    results: Results, metric: str, gate: str, worse: Estimate, not_sure: Estimate
) -> None:
    """Against the incumbent, what an interval is sure of is lost; else the number is below 0."""
    lost = _gates(_with_gain(results, INCUMBENT, metric, worse))
    assert getattr(lost, gate) == pytest.approx(0.1)
    assert getattr(_gates(_with_gain(results, INCUMBENT, metric, not_sure)), gate) < 0


def test_without_an_incumbent_nothing_is_lost(results: Results) -> None:
    """The first model is held to the rules only."""
    found = gated.report(results, _value(results), "version", None)
    assert found.incumbent is None
    assert found.gates.value_lost == found.gates.ndcg_lost == found.gates.eta_lost_min == 0
    assert INCUMBENT not in found.metrics


@pytest.mark.parametrize(
    ("coverage", "off"),
    [
        (Estimate(0.85, 0.8, 0.92), 0.0),
        (Estimate(0.8, 0.7, 0.85), 0.05),
        (Estimate(0.97, 0.96, 0.98), 0.06),
    ],
)
def test_a_p90_may_be_too_narrow_or_too_wide(
    results: Results, coverage: Estimate, off: float
) -> None:
    """What counts is how far 0.9 lies outside of the interval, on either side."""
    contenders = {**results.contenders}
    contenders[MODEL] = {**contenders[MODEL], "eta_p90_coverage": coverage}
    found = _gates(replace(results, contenders=contenders))
    assert found.p90_coverage_off == pytest.approx(off)


def test_luck_is_taken_off_the_calibration_error(results: Results) -> None:
    """Right chances have an error too: only what is above it counts."""
    curve = CalibrationCurve(error=0.05, error_if_right=0.03, bins=())
    found = _gates(replace(results, calibration=curve))
    assert found.calibration_error_beyond_luck == pytest.approx(0.02)


def test_what_could_not_be_measured_is_no_pass(results: Results) -> None:
    """A gate without a number ends the step, by name: JSON has no NaN, and a null would pass."""
    unknown = _with_gain(results, "lowest_eta", "eta_mae_min", Estimate(NAN, NAN, NAN))
    with pytest.raises(DataError, match=r"eta_gained_over_formula_min.*archive of more hours"):
        _gates(unknown)


def test_the_report_reads_back(results: Results) -> None:
    """What is written is what is read; what was not measured is null."""
    found = gated.report(results, _value(results), "version", None)
    assert evaluation_report.decode(evaluation_report.encode(found)) == found
    assert found.metrics["nearest"]["success_brier"].value is None
    assert found.test.offers == results.size.offers
