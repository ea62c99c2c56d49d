"""The guardrail alarms, and what brings the gateway's count of invalid answers to them.

On AWS the infrastructure makes the alarms, and an agent beside the gateway sends its metrics.
"""

import threading
import urllib.request
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

from prometheus_client.parser import text_string_to_metric_families

from deploy.names import (
    CANDIDATE_VARIANT,
    ENDPOINT,
    NAMESPACE,
    PRODUCTION_VARIANT,
    guardrail_alarms,
)

ANSWERS = "gateway_endpoint_answers"
OUTCOMES = ("valid", "invalid")
LATEST_US = 250_000.0
PERIOD_S = 6
"""Minutes on AWS."""
SEND_S = 0.5


def make(cloudwatch: Any) -> None:
    """Make the alarms of both variants."""
    for variant in (PRODUCTION_VARIANT, CANDIDATE_VARIANT):
        latency, errors, invalid = guardrail_alarms(variant)
        # The 90th: of a canary's few requests a second the 99th is the slowest one alone.
        slow = {"MetricName": "ModelLatency", "ExtendedStatistic": "p90", "Threshold": LATEST_US}
        failed = {"MetricName": "Invocation5XXErrors", "Statistic": "Sum", "Threshold": 1.0}
        wrong = {"MetricName": ANSWERS, "Statistic": "Sum", "Threshold": 1.0}
        _put(cloudwatch, latency, "AWS/SageMaker", _variant(variant), slow)
        _put(cloudwatch, errors, "AWS/SageMaker", _variant(variant), failed)
        _put(cloudwatch, invalid, NAMESPACE, {"variant": variant, "outcome": "invalid"}, wrong)


def _variant(name: str) -> dict[str, str]:
    return {"EndpointName": ENDPOINT, "VariantName": name}


def _put(
    cloudwatch: Any,
    name: str,
    namespace: str,
    dimensions: Mapping[str, str],
    watched: Mapping[str, Any],
) -> None:
    cloudwatch.put_metric_alarm(
        AlarmName=name,
        Namespace=namespace,
        Dimensions=_dimensions(dimensions),
        ComparisonOperator="GreaterThanThreshold",
        Period=PERIOD_S,
        EvaluationPeriods=1,
        TreatMissingData="missing",
        **watched,
    )


class Agent:
    """Sends how many answers of the endpoint the gateway took and did not take, until left.

    Args:
        gateway_port: Where its metrics are.
        cloudwatch: boto3's client.
    """

    def __init__(self, gateway_port: int, cloudwatch: Any) -> None:
        self._url = f"http://127.0.0.1:{gateway_port}/metrics"
        self._cloudwatch = cloudwatch
        self._counted: dict[tuple[str, str], float] = {}
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._end.wait(SEND_S):
            self._send()

    def _send(self) -> None:
        with urllib.request.urlopen(self._url) as answer:  # noqa: S310 - our own gateway
            families = text_string_to_metric_families(answer.read().decode())
        counted = {
            (sample.labels["variant"], sample.labels["outcome"]): sample.value
            for family in families
            if family.name == ANSWERS
            for sample in family.samples
            if sample.name.endswith("_total")
        }
        # What was never counted is not told, and an alarm on it would have no data.
        every = [(variant, outcome) for variant, _ in counted for outcome in OUTCOMES]
        more = {key: counted.get(key, 0.0) - self._counted.get(key, 0.0) for key in every}
        self._counted = counted
        if more:
            data = [_datum(variant, outcome, value) for (variant, outcome), value in more.items()]
            self._cloudwatch.put_metric_data(Namespace=NAMESPACE, MetricData=data)


def _datum(variant: str, outcome: str, value: float) -> dict[str, Any]:
    dimensions = _dimensions({"variant": variant, "outcome": outcome})
    return {"MetricName": ANSWERS, "Dimensions": dimensions, "Value": value}


def _dimensions(of: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"Name": name, "Value": value} for name, value in of.items()]
