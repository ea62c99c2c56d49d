"""The objectives of the features: that they are fresh, view by view, and can be read."""

from collections.abc import Iterator

from aws_cdk.aws_cloudwatch import IMetric

from deploy.measured import STREAM_VIEWS
from deploy.stacks import measures, online_store
from deploy.stacks.flink import APPLICATION_NAME
from deploy.stacks.measures import gateway, percent, service
from deploy.stacks.objective import Deployed, Objective
from deploy.streams import DEAD_LETTER, STREAMS

JOBS_RUNBOOK = "docs/failure-modes.md#the-streaming-jobs"
JOBS_METRICS = "docs/data-engineer.md#metrics-and-alarms"
STORE_RUNBOOK = "docs/feature-store.md#settings"

DEAD_LETTER_BYTES_AN_EVENT_BYTE = 3
"""A letter has the event, the reason and the times."""


def fresh(deployed: Deployed) -> Iterator[Objective]:  # noqa: ARG001 - as all of them
    """Yield what keeps features fresh, view by view."""
    answered = [gateway("gateway_decisions_total", status="200")]
    for view in STREAM_VIEWS:
        stalled = gateway("gateway_degraded_total", reason=f"pipeline_stalled:{view}")
        yield Objective(
            f"freshness-{view}",
            f"More than 1 % of the decisions do without {view}, whose pipeline stands still",
            JOBS_RUNBOOK,
            percent([stalled], answered),
            1,
        )
        yield Objective(
            f"watermark-lag-{view}",
            f"{view} is more than a minute behind the clock, or its job does not run",
            JOBS_METRICS,
            service(
                "KinesisAnalytics",
                "watermark_lag_ms",
                "Maximum",
                {"Application": APPLICATION_NAME, "view": view},
            ),
            60_000,
            periods=2,
            breaching=2,
            silence_is_bad=True,
        )
    inputs = [_incoming_bytes(stream.name) for stream in STREAMS if stream.is_input]
    yield Objective(
        "dead-letters",
        "More than 1 % of the events are refused",
        JOBS_METRICS,
        percent([_incoming_bytes(DEAD_LETTER)], inputs),
        1 * DEAD_LETTER_BYTES_AN_EVENT_BYTE,
    )
    for name, metric, meaning in (
        ("job-restarts", "numRestarts", "The streaming job restarts"),
        ("failed-checkpoints", "numberOfFailedCheckpoints", "Checkpoints of the job fail"),
    ):
        application = {"Application": APPLICATION_NAME}
        yield Objective(
            name,
            meaning,
            JOBS_METRICS,
            measures.rate(service("KinesisAnalytics", metric, "Maximum", application)),
            0,
            breaching=1,
        )


def storing(deployed: Deployed) -> Iterator[Objective]:
    """Yield what the online store needs."""
    for name, metric, threshold, meaning in (
        ("store-processor", "EngineCPUUtilization", 70, "A node has less to give than it should"),
        ("store-memory", "DatabaseMemoryUsagePercentage", 75, "A node is getting full"),
        ("store-replication", "ReplicationLag", 5, "A replica is more than 5 s behind"),
    ):
        nodes = [
            service("ElastiCache", metric, "Maximum", {"CacheClusterId": online_store.node(number)})
            for number in range(1, deployed.store_nodes + 1)
        ]
        yield Objective(
            name,
            f"{meaning} (the highest of all nodes)",
            STORE_RUNBOOK,
            measures.highest(nodes),
            threshold,
            silence_is_bad=True,
        )


def _incoming_bytes(stream: str) -> IMetric:
    return service("Kinesis", "IncomingBytes", "Sum", {"StreamName": stream})
