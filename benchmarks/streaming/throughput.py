"""Events a second from Kinesis to Redis through the motion job alone; and the same in a storm."""

from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.streaming.counts import JobCounts
from benchmarks.streaming.stack import Groups, Stack
from benchmarks.streaming.window import Report, Window, measure
from feature_repo.schema import PROVIDER_MOTION
from flink_jobs.event_schemas import PROVIDER_GPS

PEAK_FIXES_PER_S = 5333
"""80,000 providers, a fix each 15 s: the spacing of a backlog's events."""

BACKLOG_PER_S = 30_000
"""So many events are there for each second of warm-up and measurement."""

MOTION: Groups = {
    "jobs": {"views": PROVIDER_MOTION.name, "name": "benchmark"},
    # A backlog's events are older than live ones.
    "event_time": {"max_age_s": "86400"},
}


@dataclass(frozen=True)
class Run:
    """How to measure.

    Attributes:
        seconds: How long to count.
        warm_up_s: How long not to, before.
        rate: Events a second, live; None for a backlog.
        bad_share: Of a backlog's events, 0 to 1.
    """

    seconds: float
    warm_up_s: float
    rate: float | None = None
    bad_share: float = 0.0


def run(stack: Stack, wanted: Run, report: Report, program: Sequence[object] = ()) -> Window:
    """Measure the motion job, or a program that starts it, on a stack whose streams are empty."""
    backlog = _fill(stack, wanted) if wanted.rate is None else None
    job = stack.submit(MOTION, program)
    if wanted.rate is not None:
        stack.start_load("--gps", "--rate", wanted.rate)
    window = measure(
        stack,
        JobCounts(stack, job, [PROVIDER_GPS]),
        warm_up_s=wanted.warm_up_s,
        seconds=wanted.seconds,
        backlog=backlog,
        report=report,
    )
    if wanted.rate is not None:
        stack.end_load()
    return window


def _fill(stack: Stack, wanted: Run) -> int:
    """Put a backlog that lasts for a measurement; return how many events it has."""
    count = round((wanted.seconds + wanted.warm_up_s) * BACKLOG_PER_S)
    arguments = ("--gps", "--rate", PEAK_FIXES_PER_S, "--bad-share", wanted.bad_share)
    return stack.fill(*arguments, "--fill", count).events
