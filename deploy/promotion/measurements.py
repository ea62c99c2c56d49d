"""What CloudWatch knows of the endpoint: its alarms, and what each variant did."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from math import ceil
from typing import Any

from deploy.names import ENDPOINT
from deploy.promotion.evidence import Measured

SAGEMAKER = "AWS/SageMaker"
_STATISTICS = {
    "requests": ("Invocations", "Sum"),
    "errors": ("Invocation5XXErrors", "Sum"),
    "p50": ("ModelLatency", "p50"),
    "p99": ("ModelLatency", "p99"),
}
_US_PER_MS = 1000
_MINUTE = timedelta(minutes=1)


class Measurements:
    """CloudWatch.

    Args:
        client: boto3's ``cloudwatch``.
    """

    def __init__(self, client: Any) -> None:
        self._client = client

    def alarms(self, names: Sequence[str]) -> Mapping[str, str]:
        """Return the states of those alarms that there are: OK, ALARM, INSUFFICIENT_DATA."""
        found = self._client.describe_alarms(AlarmNames=list(names))
        every = found.get("MetricAlarms", []) + found.get("CompositeAlarms", [])
        return {alarm["AlarmName"]: alarm["StateValue"] for alarm in every}

    def trip(self, name: str, reason: str) -> None:
        """Put an alarm into ALARM by hand: what watches it acts, until it is evaluated again."""
        self._client.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason=reason)

    def measured(self, variant: str, start: datetime, end: datetime) -> Measured:
        """Return what a variant did from a time to another."""
        # One period of whole minutes for all of it, so that a percentile is of all requests. It
        # may lie across a border of periods: then of the two percentiles the worse one counts.
        period_s = 60 * max(ceil((end - start) / _MINUTE), 1)
        answer = self._client.get_metric_data(
            MetricDataQueries=list(_queries(variant, period_s)), StartTime=start, EndTime=end
        )
        values = {found["Id"]: found["Values"] for found in answer["MetricDataResults"]}
        return Measured(
            requests=round(sum(values["requests"])),
            errors=round(sum(values["errors"])),
            p50_ms=max(values["p50"], default=float("nan")) / _US_PER_MS,
            p99_ms=max(values["p99"], default=float("nan")) / _US_PER_MS,
        )


def _queries(variant: str, period_s: int) -> Iterator[dict[str, Any]]:
    dimensions = [
        {"Name": "EndpointName", "Value": ENDPOINT},
        {"Name": "VariantName", "Value": variant},
    ]
    for identifier, (metric, statistic) in _STATISTICS.items():
        yield {
            "Id": identifier,
            "MetricStat": {
                "Metric": {
                    "Namespace": SAGEMAKER,
                    "MetricName": metric,
                    "Dimensions": dimensions,
                },
                "Period": period_s,
                "Stat": statistic,
            },
        }
