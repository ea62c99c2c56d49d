"""What the registration of a model hangs on: the condition's table.

The numbers come from ``gates`` in ``evaluation.json``, whose form ``training.steps`` declares and
docs/retraining.md explains; a test holds the names equal.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Gate:
    """A number of the evaluation and its threshold.

    Attributes:
        measure: Its name in ``evaluation.json``.
        parameter: The pipeline's parameter that is its threshold.
        threshold: The parameter's default, in the measure's unit.
        is_least: Whether the measure must be at least the threshold; else at most.
    """

    measure: str
    parameter: str
    threshold: float
    is_least: bool = False


GATES = (
    Gate("value_over_rules", "LeastValueOverRules", 0.0, is_least=True),
    Gate("eta_gained_over_formula_min", "LeastEtaGainMin", 0.0, is_least=True),
    Gate("value_lost", "MostValueLost", 0.0),
    Gate("ndcg_lost", "MostNdcgLost", 0.0),
    Gate("eta_lost_min", "MostEtaLostMin", 0.0),
    Gate("calibration_error_beyond_luck", "MostCalibrationError", 0.05),
    Gate("p90_coverage_off", "MostP90CoverageOff", 0.03),
)
