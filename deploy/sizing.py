"""How many tasks, instances and nodes carry the peak, also when a zone is lost.

Everything that serves stands in three zones and is sized so that any two of them carry the peak:
losing a zone asks nothing of anybody, neither of a person nor of an autoscaler (static stability).
The measured inputs stand here once; the stacks and the cost page take them from here.
"""

from dataclasses import dataclass
from math import ceil

ZONES = 3

PEAK_DECISIONS_PER_S = 1200.0

TARGET_UTILISATION = 0.7
"""Of the processors that are left when a zone is lost, at the peak."""


@dataclass(frozen=True)
class ProcessorMs:
    """Processor time of one decision, milliseconds, by the process that spends it."""

    gateway: float
    endpoint: float
    store: float


MEASURED = ProcessorMs(gateway=6.1, endpoint=2.5, store=0.7)
"""``python -m benchmarks.gateway peer --rate 110`` on two slow cores: docs/gateway.md, "Found"."""

PEER = ProcessorMs(gateway=228.0, endpoint=0.0, store=11.9)
"""What the same run found of FastAPI, Feast's SDK and its Redis layout, scoring in process."""

MEASURED_ANSWER_MS = 20.0
"""From a request's first byte to its answer, in the middle: the example in README.md."""


@dataclass(frozen=True)
class Unit:
    """What a service is made of.

    Attributes:
        kind: Its name at AWS; for a Fargate task its processors and memory.
        cores: Processors that it can keep busy.
    """

    kind: str
    cores: float


GATEWAY_TASK = Unit("2 vCPU, 4 GB", cores=2)
ENDPOINT_INSTANCE = Unit("ml.c6i.xlarge", cores=4)
STORE_NODE = Unit("cache.m7g.large", cores=1)
"""Two processors, but commands are executed by one thread; every node is read from."""


def busy_cores(decisions_per_s: float, cpu_ms: float) -> float:
    """Return how many processors a rate keeps busy all the time."""
    return decisions_per_s * cpu_ms / 1000


def units_a_zone(
    cpu_ms: float,
    unit: Unit,
    decisions_per_s: float = PEAK_DECISIONS_PER_S,
    target_utilisation: float = TARGET_UTILISATION,
    zones: int = ZONES,
) -> int:
    """Return how many units each zone needs so that all zones but one carry the rate.

    Args:
        cpu_ms: Processor time of one decision, milliseconds.
        unit: What is counted.
        decisions_per_s: The rate.
        target_utilisation: Of the units that are left, 0 to 1.
        zones: Over how many zones the units are spread.

    Raises:
        ValueError: There is only one zone, and nothing is left without it.
    """
    if zones < 2:
        raise ValueError(f"zones is {zones}: nothing is left without one; use 2 or more")
    needed = busy_cores(decisions_per_s, cpu_ms) / (unit.cores * target_utilisation)
    return ceil(needed / (zones - 1))


def units(
    cpu_ms: float,
    unit: Unit,
    decisions_per_s: float = PEAK_DECISIONS_PER_S,
    target_utilisation: float = TARGET_UTILISATION,
    zones: int = ZONES,
) -> int:
    """Return how many units all zones need together; arguments as of ``units_a_zone``."""
    return zones * units_a_zone(cpu_ms, unit, decisions_per_s, target_utilisation, zones)


def utilisation(cpu_ms: float, unit: Unit, count: int, decisions_per_s: float) -> float:
    """Return the share of a number of units that a rate keeps busy."""
    return busy_cores(decisions_per_s, cpu_ms) / (count * unit.cores)


def decisions_per_s_a_unit(cpu_ms: float, unit: Unit, target_utilisation: float) -> float:
    """Return the rate that keeps one unit busy for a share of the time."""
    return unit.cores * target_utilisation * 1000 / cpu_ms


def concurrency(decisions_per_s: float, answer_ms: float) -> float:
    """Return how many requests are in work on average (Little's law)."""
    return decisions_per_s * answer_ms / 1000


def steady_utilisation(zones: int = ZONES) -> float:
    """Return the utilisation in all zones that becomes the target when one of them is lost.

    An autoscaler that holds this leaves enough at every rate, not at the peak alone.
    """
    return TARGET_UTILISATION * (zones - 1) / zones


def table() -> str:
    """Return what stands for the peak as a Markdown table: docs/infrastructure.md has it."""
    rows = [
        "| service | unit | processor ms a decision | a zone | in all | busy at the peak "
        "| without a zone |",
        "|---|---|---|---|---|---|---|",
    ]
    for service, cpu_ms, unit in (
        ("gateway", MEASURED.gateway, GATEWAY_TASK),
        ("endpoint", MEASURED.endpoint, ENDPOINT_INSTANCE),
        ("online store", MEASURED.store, STORE_NODE),
    ):
        count = units(cpu_ms, unit)
        left = count - count // ZONES
        busy = [utilisation(cpu_ms, unit, n, PEAK_DECISIONS_PER_S) for n in (count, left)]
        rows.append(
            f"| {service} | {unit.kind} | {cpu_ms:g} | {count // ZONES} | {count} "
            f"| {busy[0]:.0%} | {busy[1]:.0%} |"
        )
    return "\n".join(rows)
