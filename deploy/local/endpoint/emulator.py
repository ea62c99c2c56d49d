"""Starts the emulator for CloudWatch and S3: ``python -m deploy.local.endpoint.emulator``.

Its alarms look at a metric whatever its dimensions are, so that one variant's would ring for the
other's. Here an alarm has its own dimensions' values only, and silence as it says.
"""

import time
from typing import Any

from ministack import app
from ministack.services import cloudwatch

_COMPARISONS = {
    "GreaterThanThreshold": lambda value, threshold: value > threshold,
    "GreaterThanOrEqualToThreshold": lambda value, threshold: value >= threshold,
    "LessThanThreshold": lambda value, threshold: value < threshold,
    "LessThanOrEqualToThreshold": lambda value, threshold: value <= threshold,
}
_SILENT = {"notBreaching": "OK", "breaching": "ALARM", "missing": "INSUFFICIENT_DATA"}


def evaluate(alarm: dict[str, Any]) -> None:
    """Set an alarm's state by the values within its newest periods."""
    alarm["StateValue"] = _state(alarm, _values(alarm))
    alarm["StateUpdatedTimestamp"] = int(time.time())


def _values(alarm: dict[str, Any]) -> list[float]:
    dimensions = {each["Name"]: each["Value"] for each in alarm["Dimensions"]}
    key = (alarm["Namespace"], alarm["MetricName"], cloudwatch._dims_key(dimensions))
    since = time.time() - alarm["Period"] * alarm["EvaluationPeriods"]
    points = cloudwatch._metrics.get(key, [])
    return [point["Value"] for point in points if point["Timestamp"] >= since]


def _state(alarm: dict[str, Any], values: list[float]) -> str:
    if not values:
        # "ignore" keeps the state
        return _SILENT.get(alarm["TreatMissingData"], str(alarm["StateValue"]))
    statistic = alarm.get("ExtendedStatistic") or alarm["Statistic"]
    value = cloudwatch._stat_value(cloudwatch._calc_stats(values), statistic, values)
    breaching = _COMPARISONS[alarm["ComparisonOperator"]](value, alarm["Threshold"])
    return "ALARM" if breaching else "OK"


if __name__ == "__main__":
    cloudwatch._evaluate_alarm = evaluate
    app.main()
