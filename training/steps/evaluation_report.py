"""``evaluation.json``: what a registered model was found to be, and what its registration hangs on.

The form is a contract: the pipeline's condition reads ``gates``, promotion reads the rest
(docs/retraining.md).
"""

from datetime import datetime

import msgspec

NAME = "evaluation.json"


class Measure(msgspec.Struct, frozen=True):
    """A number with its 95 % interval; all null where nothing could be measured."""

    value: float | None
    low: float | None
    high: float | None


class Tested(msgspec.Struct, frozen=True):
    """What was measured on: the latest requests, none of which the model learned from.

    Attributes:
        requests: With at least one labelled offer.
        offers: With a label.
        whole_requests: Requests of which the candidates without an offer are there too.
        first: Time of the first request.
        last: Time of the last request.
    """

    requests: int
    offers: int
    whole_requests: int
    first: datetime
    last: datetime


class Gates(msgspec.Struct, frozen=True):
    """What the condition compares with its thresholds: always numbers.

    Each is the bound of a 95 % interval that is kind to the model where harm is asked for, and
    hard where gain is: a model is refused for what is measurably bad, and for no measurable gain.

    Attributes:
        value_over_rules: The least that the model's value is above that of the best simple rule.
        eta_gained_over_formula_min: The least by which arrivals are better predicted than by the
            ETA formula, mean absolute error in minutes.
        value_lost: The least that its value is below the incumbent's; 0 without an incumbent.
        ndcg_lost: The same of NDCG@5.
        eta_lost_min: The same of the mean absolute error of arrivals, in minutes.
        calibration_error_beyond_luck: Expected calibration error of the chances of success less
            what luck makes of right ones.
        p90_coverage_off: The least that the share of arrivals within the p90 is away from 0.9.
    """

    value_over_rules: float
    eta_gained_over_formula_min: float
    value_lost: float
    ndcg_lost: float
    eta_lost_min: float
    calibration_error_beyond_luck: float
    p90_coverage_off: float


Measures = dict[str, Measure]


class EvaluationReport(msgspec.Struct, frozen=True):
    """The content of ``evaluation.json``.

    Attributes:
        version: The bundle's.
        incumbent: Version of the bundle that serves; null if there is none.
        value_metric: What "value" is in ``gates``: success of the first choice, the true chance of
            it (``true_success_at_1``) where the archive knows the truth, else as estimated from
            the log (``off_policy_success_at_1``).
        test: What was measured on.
        gates: What the registration hangs on.
        metrics: Each metric of the ``model``, the ``incumbent``, a ``simpler_model`` and the rules.
        model_less: Each metric of the model less that of each other, paired by request.
    """

    version: str
    incumbent: str | None
    value_metric: str
    test: Tested
    gates: Gates
    metrics: dict[str, Measures]
    model_less: dict[str, Measures]


def encode(report: EvaluationReport) -> bytes:
    """Return the file's content."""
    return msgspec.json.format(msgspec.json.encode(report), indent=2) + b"\n"


def decode(content: bytes) -> EvaluationReport:
    """Read a file's content.

    Raises:
        msgspec.DecodeError: It is of another form.
    """
    return msgspec.json.decode(content, type=EvaluationReport)
