"""Puts what the daily monitoring measured where alarms look: from Prometheus' text to CloudWatch.

    python -m training.monitoring ... --out .run/monitoring
    python -m deploy.publish_monitoring .run/monitoring/monitoring.prom

Run it after each run of the monitoring, also after one that found something: the alarms on drift,
skew and calibration read it, and another one tells when nothing came for a day.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError
from prometheus_client.parser import text_string_to_metric_families

from deploy.measured import MONITORING
from deploy.names import NAMESPACE

FINISHED = "monitoring_finished_seconds"
_FAILED, _USAGE_ERROR = 1, 2


class MeasuredError(ValueError):
    """The file is not what the monitoring writes; the message says what to do."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Put the metrics of a file; return the exit code."""
    options = _parser().parse_args(arguments)
    try:
        data = metric_data(options.file.read_text(encoding="utf-8"))
    except (OSError, MeasuredError) as error:
        sys.stderr.write(f"{options.file}: {error}; run python -m training.monitoring first\n")
        return _USAGE_ERROR
    client = boto3.client("cloudwatch", region_name=options.region)
    try:
        client.put_metric_data(Namespace=NAMESPACE, MetricData=data)
    except (BotoCoreError, ClientError) as error:
        sys.stderr.write(f"CloudWatch did not take {len(data)} values: {error}\n")
        return _FAILED
    sys.stdout.write(f"{len(data)} values of {options.file} are in {NAMESPACE}\n")
    return 0


def metric_data(text: str) -> list[dict[str, Any]]:
    """Return the values that reach CloudWatch, as ``PutMetricData`` takes them (1,000 at most).

    Their time is when the monitoring finished.

    Raises:
        MeasuredError: The text has not all of them.
    """
    samples = list(_samples(text))
    finished = [value for name, _, value in samples if name == FINISHED]
    missing = {FINISHED, "monitoring_findings", "monitoring_decisions_examined"} - {
        name for name, _, _ in samples
    }
    if missing:
        raise MeasuredError(f"has no {', '.join(sorted(missing))}")
    return [
        {
            "MetricName": name,
            "Dimensions": [{"Name": label, "Value": labels[label]} for label in MONITORING[name]],
            "Timestamp": datetime.fromtimestamp(finished[0], UTC),
            "Value": value,
        }
        for name, labels, value in samples
        if name in MONITORING
    ]


def _samples(text: str) -> Iterator[tuple[str, dict[str, str], float]]:
    try:
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                yield sample.name, sample.labels, sample.value
    except ValueError as error:
        raise MeasuredError(f"is not Prometheus' text ({error})") from error


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m deploy.publish_monitoring",
        description="Put what the daily monitoring measured to CloudWatch, for its alarms.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("file", type=Path, help="monitoring.prom of training.monitoring")
    parser.add_argument("--region", default="us-east-1", help="AWS region")
    return parser


if __name__ == "__main__":
    sys.exit(main())
