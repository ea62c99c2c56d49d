"""One measurement: what happened, and what it cost, between two moments of a running job."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import psutil

from benchmarks.streaming.counts import Counts, JobCounts
from benchmarks.streaming.cpu import CpuMeter, Parts, used
from benchmarks.streaming.stack import Stack

SAMPLE_S = 1.0
SAMPLES_LEFT = 3
MORE_THAN_BEACONS = 100
"""Beacons are hash fields as well; the first batch of rows has more."""
FIRST_ROW_S = 180.0
OTHERS = "everything else on the machine"

Report = Callable[[float], None]
"""Told how much of the measurement is over, 0 to 1."""


@dataclass(frozen=True)
class Sample:
    """The counts at a moment of the monotonic clock, seconds."""

    at_s: float
    counts: Counts


@dataclass(frozen=True)
class Window:
    """What was measured.

    Attributes:
        seconds: How long.
        events: Events that the sources read.
        rows: Rows that Redis took.
        late: Events that came after their windows had closed.
        cpu_s: Processor seconds by part, and of what else ran on the machine.
        event_rates: Events a second, one value a sample.
        row_rates: Rows a second, one value a sample.
    """

    seconds: float
    events: int
    rows: int
    late: int
    cpu_s: Parts
    event_rates: list[float]
    row_rates: list[float]

    @property
    def events_per_s(self) -> float:
        """Mean events a second."""
        return self.events / self.seconds

    @property
    def rows_per_s(self) -> float:
        """Mean rows a second."""
        return self.rows / self.seconds

    def cpu_ms_per_1000(self, *parts: str, of: int) -> float:
        """Processor milliseconds of some parts for each 1,000 of a count."""
        return sum(self.cpu_s[part] for part in parts) * 1e6 / max(of, 1)


def measure(  # noqa: PLR0913 - one argument a limit
    stack: Stack,
    counts: JobCounts,
    *,
    warm_up_s: float,
    seconds: float,
    backlog: int | None,
    report: Report,
    begin: Callable[[], None] = lambda: None,
) -> Window:
    """Wait for the first rows and a warm-up, then count for some time.

    Args:
        stack: What runs.
        counts: The job's.
        warm_up_s: From the first row on; the JVM compiles, the windows fill.
        seconds: How long to count.
        backlog: Events there are in all; counting ends shortly before their end.
        report: Told of the progress.
        begin: Called after the warm-up.
    """
    _wait_for_rows(stack, counts)
    # Asked all the time: Flink answers with what it had when it was asked before.
    _samples(stack, counts, warm_up_s, backlog, lambda _: None)
    begin()
    meter = CpuMeter(stack.pids())
    cpu, busy = meter.read(), _busy_s()
    samples = _samples(stack, counts, seconds, backlog, report)
    cpu_s = used(cpu, meter.read())
    cpu_s[OTHERS] = max(_busy_s() - busy - sum(cpu_s.values()), 0.0)
    return window_of(samples, cpu_s)


def _samples(
    stack: Stack, counts: JobCounts, seconds: float, backlog: int | None, report: Report
) -> list[Sample]:
    """Read the counts each second for some time, or until shortly before the backlog's end."""
    samples = [Sample(time.monotonic(), counts.read())]
    while (passed_s := samples[-1].at_s - samples[0].at_s) < seconds:
        if backlog is not None and ends_soon(samples, backlog):
            break
        report(passed_s / seconds)
        stack.supervisor.check()
        time.sleep(SAMPLE_S)
        samples.append(Sample(time.monotonic(), counts.read()))
    return samples


def window_of(samples: Sequence[Sample], cpu_s: Parts) -> Window:
    """Return what happened between the first and the last sample."""
    first, last = samples[0], samples[-1]
    pairs = list(pairwise(samples))
    return Window(
        seconds=last.at_s - first.at_s,
        events=last.counts.events - first.counts.events,
        rows=last.counts.rows - first.counts.rows,
        late=last.counts.late - first.counts.late,
        cpu_s=cpu_s,
        event_rates=[(b.counts.events - a.counts.events) / (b.at_s - a.at_s) for a, b in pairs],
        row_rates=[(b.counts.rows - a.counts.rows) / (b.at_s - a.at_s) for a, b in pairs],
    )


def ends_soon(samples: Sequence[Sample], backlog: int) -> bool:
    """Return whether the backlog may end within a few samples."""
    read = samples[-1].counts.events
    step = read - samples[max(len(samples) - 2, 0)].counts.events
    return read + SAMPLES_LEFT * step >= backlog


def _wait_for_rows(stack: Stack, counts: JobCounts) -> None:
    before = counts.read()

    def has_rows() -> bool:
        now = counts.read()
        return now.events > 0 and now.rows - before.rows > MORE_THAN_BEACONS

    stack.supervisor.wait_until("the first rows", has_rows, FIRST_ROW_S)


def _busy_s() -> float:
    times = psutil.cpu_times()
    return float(sum(times) - times.idle - times.iowait)
