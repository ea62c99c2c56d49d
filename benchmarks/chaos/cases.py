"""The fault matrix: what is done to what, under which load, and what must come of it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from benchmarks.chaos.asker import Answer
from benchmarks.chaos.fault_proxy import Fault
from benchmarks.chaos.stack import Dependency

KILLED = "killed"
"""Not a fault of the proxy: the process is ended with SIGKILL, and started again."""
DELAY_S = 0.3
"""Of ``LATENCY`` and ``SLOW_CLOSE``: several times what a request waits for a dependency."""

RUNGS = {
    Dependency.REDIS: "feature_store_unavailable_last_rows",
    Dependency.ENDPOINT: "endpoint_unavailable",
}
OVERLOAD_RUNG = "overload_fewer_candidates"
P99_MS = 150.0
BY_CHANCE = 0.05
"""Share of answers that may take a rung without a fault: other programs use the processor too."""
FAULTS = (Fault.LATENCY, Fault.RESET, Fault.BLACKHOLE, Fault.SLOW_CLOSE, KILLED)
LOADS = ("steady", "surge")
_OK, _OVERLOAD = 200, 429


@dataclass(frozen=True)
class Case:
    """One row of the matrix; without a dependency it is the load alone."""

    load: str
    dependency: Dependency | None = None
    fault: str = Fault.NONE

    @property
    def name(self) -> str:
        """How tables call it."""
        return "no fault" if self.dependency is None else f"{self.dependency}: {self.fault}"


@dataclass(frozen=True)
class Phases:
    """The answers to a case's requests.

    Attributes:
        during: To those that were due while the fault was there.
        after: To those that were due when it had been over for long enough.
    """

    during: list[Answer]
    after: list[Answer]


def cases() -> Iterator[Case]:
    """Yield the whole matrix."""
    for load in LOADS:
        yield Case(load)
        for dependency in Dependency:
            for fault in FAULTS:
                yield Case(load, dependency, fault)


def failures(case: Case, phases: Phases) -> list[str]:
    """Return what was not as promised; nothing is good."""
    found = []
    allowed = {_OK} if case.load == "steady" else {_OK, _OVERLOAD}
    statuses = {answer.status for answer in phases.during + phases.after}
    if not statuses <= allowed:
        found.append(f"answers with status {sorted(statuses - allowed)}")
    if empty := sum(a.status == _OK and not a.provider_ids for a in phases.during):
        found.append(f"{empty} rankings of nobody")
    p99_ms = percentile_ms(phases.during, 0.99)
    if p99_ms > P99_MS:
        found.append(f"p99 of {p99_ms:.0f} ms")
    rungs = {rung for answer in phases.during for rung in answer.degraded}
    expected = set() if case.dependency is None else {RUNGS[case.dependency]}
    if missing := expected - rungs:
        found.append(f"rung {missing.pop()} not named")
    if case.load == "steady":
        if _share(phases.during, lambda answer: set(answer.degraded) - expected) > BY_CHANCE:
            found.append(f"rungs {sorted(rungs - expected)} without reason")
        if _share(phases.after, lambda answer: answer.degraded) > BY_CHANCE:
            found.append("not recovered")
    return found


def _share(answers: list[Answer], holds: Callable[[Answer], object]) -> float:
    return sum(bool(holds(answer)) for answer in answers) / max(len(answers), 1)


def percentile_ms(answers: list[Answer], share: float) -> float:
    """Return a percentile of the latencies, milliseconds; 0 without answers."""
    ordered = sorted(answer.latency_ms for answer in answers)
    return ordered[min(int(share * len(ordered)), len(ordered) - 1)] if ordered else 0.0
