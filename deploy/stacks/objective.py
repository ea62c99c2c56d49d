"""An objective: what must hold, and by what it is seen that it does not."""

from dataclasses import dataclass

from aws_cdk.aws_cloudwatch import IMetric


@dataclass(frozen=True)
class Objective:
    """One thing that must hold.

    Attributes:
        name: Of its alarm, without the product's prefix.
        meaning: What is wrong in ALARM, as a sentence without its end.
        runbook: The page and its section.
        metric: What is measured.
        threshold: What it must not go beyond.
        is_least: Whether it must not fall below the threshold, instead of rise above it.
        periods: How many periods are looked at.
        breaching: How many of them must be bad.
        silence_is_bad: Whether no data means that it does not hold.
    """

    name: str
    meaning: str
    runbook: str
    metric: IMetric
    threshold: float
    is_least: bool = False
    periods: int = 5
    breaching: int = 3
    silence_is_bad: bool = False


@dataclass(frozen=True)
class Deployed:
    """Names that the deployment makes.

    Attributes:
        balancer: The load balancer's full name, a dimension of its metrics.
        tasks: The target group's full name.
        least_tasks: How many tasks stand at least.
        store_nodes: How many nodes the online store has.
        missed_starts: Name of the queue of retrainings that did not start.
    """

    balancer: str
    tasks: str
    least_tasks: int
    store_nodes: int
    missed_starts: str
