"""Metrics as the objectives read them: of our own, and of the services that we use."""

from collections.abc import Mapping, Sequence

from aws_cdk import Duration
from aws_cdk.aws_cloudwatch import IMetric, MathExpression, Metric

from deploy import measured
from deploy.names import NAMESPACE
from deploy.stacks import collector

MINUTE, HOUR, DAY = Duration.minutes(1), Duration.hours(1), Duration.days(1)


def gateway(name: str, statistic: str = "Sum", period: Duration = MINUTE, **labels: str) -> Metric:
    """Return a metric of all gateway tasks together; without labels, over all of their values."""
    return Metric(
        namespace=NAMESPACE,
        metric_name=name,
        dimensions_map=collector.named(name, labels),
        statistic=statistic,
        period=period,
    )


def monitoring(name: str, statistic: str, **labels: str) -> Metric:
    """Return a metric of the daily monitoring.

    Raises:
        ValueError: It puts no such metric, or not with these labels.
    """
    if measured.MONITORING.get(name) != tuple(labels):
        raise ValueError(
            f"{name} with labels {list(labels)} does not reach CloudWatch; take one of "
            "deploy.measured.MONITORING with all of its labels in their order"
        )
    return Metric(
        namespace=NAMESPACE,
        metric_name=name,
        dimensions_map=labels,
        statistic=statistic,
        period=DAY,
    )


def service(
    namespace: str,
    name: str,
    statistic: str,
    dimensions: Mapping[str, str],
    period: Duration = MINUTE,
) -> Metric:
    """Return a metric that a service of AWS publishes."""
    return Metric(
        namespace=f"AWS/{namespace}",
        metric_name=name,
        dimensions_map=dimensions,
        statistic=statistic,
        period=period,
    )


def percent(parts: Sequence[IMetric], whole: Sequence[IMetric]) -> MathExpression:
    """Return what share some counts are of others, percent.

    A count that never happened has no metric, and is 0; without any whole there is no share.
    """
    return MathExpression(
        expression=f"100 * ({_sum('part', parts)}) / ({_sum('whole', whole)})",
        using_metrics={**_numbered("part", parts), **_numbered("whole", whole)},
        label="Percent",
        period=MINUTE,
    )


def total(metrics: Sequence[IMetric], period: Duration) -> MathExpression:
    """Return a sum of metrics of which any may be missing."""
    return MathExpression(
        expression=_sum("each", metrics),
        using_metrics=_numbered("each", metrics),
        label="Sum",
        period=period,
    )


def highest(metrics: Sequence[IMetric]) -> MathExpression:
    """Return the highest of several metrics."""
    names = _numbered("each", metrics)
    return MathExpression(
        expression=f"MAX([{', '.join(names)}])",
        using_metrics=names,
        label="Highest",
        period=MINUTE,
    )


def rate(metric: IMetric) -> MathExpression:
    """Return by how much a count that only grows grew in a second."""
    return MathExpression(
        expression="RATE(count)", using_metrics={"count": metric}, label="A second", period=MINUTE
    )


def _numbered(name: str, metrics: Sequence[IMetric]) -> dict[str, IMetric]:
    return {f"{name}{number}": metric for number, metric in enumerate(metrics)}


def _sum(name: str, metrics: Sequence[IMetric]) -> str:
    return " + ".join(f"FILL({each}, 0)" for each in _numbered(name, metrics))
