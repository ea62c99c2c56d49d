"""From an event to a row that can be read, for all four jobs together at a steady rate."""

import random
import sys
from dataclasses import dataclass

import msgspec
import numpy as np

from benchmarks.streaming import events
from benchmarks.streaming.counts import JobCounts
from benchmarks.streaming.poll import Delays, Watched
from benchmarks.streaming.stack import Groups, Stack
from benchmarks.streaming.window import Report, Window, measure
from deploy.local.layout import REPOSITORY
from feature_repo.schema import (
    CELL_CONDITIONS,
    CELL_DEMAND,
    PROVIDER_AVAILABILITY,
    PROVIDER_MOTION,
)
from flink_jobs.event_schemas import PROVIDER_GPS

GOALS_S = {
    PROVIDER_MOTION.name: 20.0,
    PROVIDER_AVAILABILITY.name: 5.0,
    CELL_CONDITIONS.name: 20.0,
    CELL_DEMAND.name: 20.0,
}
"""The 99th percentile of each view."""

WATCHED_ENTITIES = 500
AFTERWARDS_S = 3
"""The poller outlives the count of processor time, so that its own is counted."""
ALL_VIEWS: Groups = {
    "jobs": {"name": "benchmark"},
    "streams": {"initial_position": "LATEST"},
    "event_time": {"conditions_slide_s": "15", "demand_slide_s": "15"},
}


@dataclass(frozen=True)
class DelayRun:
    """What was measured: the delays of each view, and the window that they fell into."""

    delays: list[Delays]
    window: Window
    behind_schedule_s: float


def quantile(delays: Delays, share: float) -> float:
    """Return a quantile of a view's delays, seconds; NaN if no row changed."""
    return float(np.quantile(delays.seconds, share)) if delays.seconds else float("nan")


def run(stack: Stack, rate: float, seconds: float, warm_up_s: float, report: Report) -> DelayRun:
    """Measure on a stack whose streams are empty."""
    job = stack.submit(ALL_VIEWS)
    stack.start_load("--rate", rate)
    counts = JobCounts(stack, job, events.SHARES)
    watched, found = stack.run_dir / "watched.json", stack.run_dir / "delays.json"
    watched.write_bytes(msgspec.json.encode(_watched(rate)))

    def begin() -> None:
        argv = [sys.executable, "-m", "benchmarks.streaming.poll", "--redis-url", stack.redis_url,
                "--watched", str(watched), "--seconds", str(seconds + AFTERWARDS_S),
                "--report", str(found)]  # fmt: skip
        environment = {"PYTHONPATH": str(REPOSITORY)}
        stack.children["poller"] = stack.supervisor.start(
            "poll", argv, environment, stack.run_dir, ends=True
        )

    window = measure(
        stack,
        counts,
        warm_up_s=warm_up_s,
        seconds=seconds,
        backlog=None,
        report=report,
        begin=begin,
    )
    stack.supervisor.finish(stack.children.pop("poller"))
    delays = msgspec.json.decode(found.read_bytes(), type=list[Delays])
    return DelayRun(delays, window, stack.end_load().late_s)


def _watched(rate: float) -> list[Watched]:
    share = events.SHARES[PROVIDER_GPS] / sum(events.SHARES.values())
    providers = [events.provider_id(n) for n in range(events.provider_count(rate * share))]
    dispatch = events.cells()[: events.DISPATCH_CELLS]
    entities = {
        PROVIDER_MOTION.name: providers,
        PROVIDER_AVAILABILITY.name: providers,
        CELL_CONDITIONS.name: events.cells(),
        CELL_DEMAND.name: dispatch,
    }
    rng = random.Random(events.SEED)
    return [
        Watched(view, rng.sample(known, min(WATCHED_ENTITIES, len(known))))
        for view, known in entities.items()
    ]
