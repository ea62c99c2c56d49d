"""The alarms that stop the rollout of a variant of the endpoint, one set for each variant."""

from aws_cdk import Duration, aws_cloudwatch
from constructs import Construct

from deploy.names import ENDPOINT, NAMESPACE, guardrail_alarms
from deploy.stacks import collector

LATENCY_P99_MS = 40
"""The gateway's budget for scoring."""
ERRORS_PERCENT = 1
INVALID_PERCENT = 0.1
_MINUTE = Duration.minutes(1)
_PERIODS, _BREACHING_PERIODS = 3, 2
RUNBOOK = "docs/failure-modes.md#the-gateway"

_ANSWERS = "gateway_endpoint_answers_total"

Metric = aws_cloudwatch.IMetric


class Guardrails(Construct):
    """Latency, errors and invalid answers of one variant.

    A variant that nobody asks has no data, and an alarm without data is not OK: what has proved
    nothing is not rolled out further.
    """

    def __init__(self, scope: Construct, name: str, variant: str) -> None:
        super().__init__(scope, name)
        latency, errors, invalid = guardrail_alarms(variant)
        self._alarm(
            latency,
            _sagemaker("ModelLatency", variant, "p99"),
            LATENCY_P99_MS * 1000,
            f"p99 of the model's own time over {LATENCY_P99_MS} ms",
        )
        # Of each request SageMaker notes 0 or 1, so the average is the share.
        self._alarm(
            errors,
            _sagemaker("Invocation5XXErrors", variant, "Average"),
            ERRORS_PERCENT / 100,
            f"more than {ERRORS_PERCENT} % of requests failed",
        )
        self._alarm(
            invalid,
            _invalid_percent(variant),
            INVALID_PERCENT,
            f"more than {INVALID_PERCENT} % of answers were no scores that can be",
        )

    def _alarm(self, name: str, metric: Metric, threshold: float, meaning: str) -> None:
        aws_cloudwatch.Alarm(
            self,
            name,
            alarm_name=name,
            alarm_description=f"{meaning}. {RUNBOOK}",
            metric=metric,
            threshold=threshold,
            comparison_operator=aws_cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
            evaluation_periods=_PERIODS,
            datapoints_to_alarm=_BREACHING_PERIODS,
            treat_missing_data=aws_cloudwatch.TreatMissingData.MISSING,
        )


def _sagemaker(name: str, variant: str, statistic: str) -> aws_cloudwatch.Metric:
    return aws_cloudwatch.Metric(
        namespace="AWS/SageMaker",
        metric_name=name,
        dimensions_map={"EndpointName": ENDPOINT, "VariantName": variant},
        statistic=statistic,
        period=_MINUTE,
    )


def _invalid_percent(variant: str) -> aws_cloudwatch.MathExpression:
    """Return the share of a variant's answers that the gateway could not use, percent.

    What was never counted has no metric: no invalid answer is 0, no valid one is no data.
    """
    answers = {
        outcome: aws_cloudwatch.Metric(
            namespace=NAMESPACE,
            metric_name=_ANSWERS,
            dimensions_map=collector.named(_ANSWERS, {"variant": variant, "outcome": outcome}),
            statistic="Sum",
            period=_MINUTE,
        )
        for outcome in ("valid", "invalid")
    }
    return aws_cloudwatch.MathExpression(
        expression="100 * FILL(invalid, 0) / (FILL(invalid, 0) + FILL(valid, 0))",
        using_metrics=answers,
        period=_MINUTE,
        label="Invalid answers, percent",
    )
