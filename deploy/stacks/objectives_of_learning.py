"""The objectives of the model: that what it learned still holds, and that it learns anew."""

from collections.abc import Iterator

from deploy.measured import DRIFTS, SKEWS
from deploy.stacks import measures
from deploy.stacks.measures import DAY, monitoring, service
from deploy.stacks.objective import Deployed, Objective

RUNBOOK = "docs/monitoring.md#what-to-do"
RETRAINING_RUNBOOK = "docs/infrastructure.md#retraining"


def learning(deployed: Deployed) -> Iterator[Objective]:
    """Yield what the model rests on: told once a day, or once a retraining."""
    for name, meaning, kinds in (
        ("drift", "Served features have drifted from those of training", DRIFTS),
        ("skew", "Served features are not those of history", SKEWS),
        ("calibration", "The chances that are told do not come true", ("calibration",)),
    ):
        found = [
            monitoring("monitoring_findings", "Maximum", severity="stop", kind=kind)
            for kind in kinds
        ]
        yield Objective(
            name, meaning, RUNBOOK, measures.total(found, DAY), 0, periods=1, breaching=1
        )
    yield Objective(
        "monitoring-ran",
        "The daily monitoring has not run, or found no decisions",
        RUNBOOK,
        monitoring("monitoring_decisions_examined", "Maximum"),
        1,
        is_least=True,
        periods=1,
        breaching=1,
        silence_is_bad=True,
    )
    yield Objective(
        "retraining-missed",
        "A retraining did not start",
        RETRAINING_RUNBOOK,
        service(
            "SQS",
            "ApproximateNumberOfMessagesVisible",
            "Maximum",
            {"QueueName": deployed.missed_starts},
        ),
        0,
        periods=1,
        breaching=1,
    )
