"""The objectives of the gateway: what clients notice, and what is answered from a lower rung."""

from collections.abc import Iterator

from deploy import sizing
from deploy.measured import ENDPOINT_RUNGS, STORE_RUNGS
from deploy.stacks.measures import gateway, percent, service
from deploy.stacks.objective import Deployed, Objective

RUNBOOK = "docs/failure-modes.md#the-gateway"


def serving(deployed: Deployed) -> Iterator[Objective]:
    """Yield what clients notice."""
    balancer = {"LoadBalancer": deployed.balancer}
    answers = gateway("gateway_decisions_total")
    requests = service("ApplicationELB", "RequestCount", "Sum", balancer)
    failures = [
        service("ApplicationELB", f"HTTPCode_{by}_5XX_Count", "Sum", balancer)
        for by in ("Target", "ELB")
    ]
    yield Objective(
        "latency-p99",
        "A hundredth of the requests take more than 150 ms",
        RUNBOOK,
        service("ApplicationELB", "TargetResponseTime", "p99", balancer),
        0.150,
    )
    yield Objective(
        "errors",
        "More than 0.1 % of the requests fail",
        RUNBOOK,
        percent(failures, [requests]),
        0.1,
    )
    yield Objective(
        "refused",
        "More than 1 % of the requests are refused for load",
        RUNBOOK,
        percent([gateway("gateway_decisions_total", status="429")], [answers]),
        1,
    )
    yield Objective(
        "silence",
        "Nobody is answered, or the gateway's metrics do not arrive",
        RUNBOOK,
        answers,
        1,
        is_least=True,
        periods=10,
        breaching=10,
        silence_is_bad=True,
    )
    yield Objective(
        "healthy-tasks",
        "Fewer tasks are healthy than the peak needs: as many as are left without a zone",
        RUNBOOK,
        service(
            "ApplicationELB",
            "HealthyHostCount",
            "Minimum",
            {"TargetGroup": deployed.tasks, **balancer},
        ),
        deployed.least_tasks * (sizing.ZONES - 1) // sizing.ZONES,
        is_least=True,
        silence_is_bad=True,
    )


def falling_back(deployed: Deployed) -> Iterator[Objective]:  # noqa: ARG001 - as all of them
    """Yield what is answered from a lower rung, and whether the rungs would hold."""
    answered = [gateway("gateway_decisions_total", status="200")]
    for name, what, rungs in (
        ("fallback-share", "without the endpoint", ENDPOINT_RUNGS),
        ("store-fallback-share", "without the online store", STORE_RUNGS),
    ):
        degraded = [gateway("gateway_degraded_total", reason=rung) for rung in rungs]
        yield Objective(
            name,
            f"More than 1 % of the decisions are made {what}",
            RUNBOOK,
            percent(degraded, answered),
            1,
        )
    yield Objective(
        "fallback-differs",
        "The gateway's own model and the endpoint's do not agree: they have different bundles",
        RUNBOOK,
        percent(
            [gateway("gateway_cheap_path_same_first_total", rung="in_process")],
            [gateway("gateway_cheap_path_compared_total", rung="in_process")],
        ),
        99,
        is_least=True,
    )
    yield Objective(
        "decisions-lost",
        "Decisions are not logged, and cannot be learned from",
        RUNBOOK,
        gateway("gateway_decision_log_dropped_total"),
        0,
        periods=1,
        breaching=1,
    )
    yield Objective(
        "decisions-waiting",
        "Half a gigabyte of decisions waits on a task's disk: the stream does not take them",
        RUNBOOK,
        gateway("gateway_decision_log_spill_bytes", "Maximum"),
        500e6,
    )
