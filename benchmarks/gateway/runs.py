"""The runs: one rate, the highest rate held, three times that, the peer, and a million requests."""

import argparse
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

from rich.console import Console

from benchmarks import machine_pace
from benchmarks.feature_store.tables import table
from benchmarks.gateway import stages, tables
from benchmarks.gateway.load import NOBODY, OK, REFUSED, Seen, merged
from benchmarks.gateway.stack import Settings, Stack
from benchmarks.gateway.tables import Found
from benchmarks.streaming.cpu import Parts, used
from deploy.local.processes import Supervisor

WARM_UP_RATE = 40.0
IDLE_S = 10.0
PACE_S = 10.0
HELD_P99_MS = 150.0
HOLD_STEPS = 6
"""Halvings between a rate that was held and one that was not."""
SEARCH_S = 15.0
"""How long a rate is tried before the one that is found is held for the whole time."""
STEP_BACK = 0.95
SOAK_SAMPLES = 20
SOAK_SHOWN = ("requests", "gateway MB", "endpoint MB", "answered/s", "p50 ms", "p99 ms", "refused")
COLUMNS_AT_MOST = 7
"""A table with more is shown with a column a line instead."""


@dataclass(frozen=True)
class Benchmark:
    """One run: what was asked for, and where it is told."""

    options: argparse.Namespace
    console: Console

    def show(self, title: str, lines: list[Found], caption: str = "") -> None:
        """Print a table."""
        wide = len(lines[0]) > COLUMNS_AT_MOST
        self.console.print(table(title, tables.turned(lines) if wide else lines, caption))

    def say(self, text: str) -> None:
        """Tell what is being done."""
        self.console.print(text, highlight=False)


@dataclass(frozen=True)
class Measured:
    """A load, and the processor time of each process over it."""

    rate: float
    seen: Seen
    used: Parts
    idle: Parts

    def processes(self) -> list[Found]:
        """Return processor time by process."""
        return tables.processes(self.seen, self.used, self.idle, IDLE_S)


def together(turns: Sequence[Measured]) -> Measured:
    """Return several turns of one load as one."""
    used_s = {part: sum(turn.used[part] for turn in turns) for part in turns[0].used}
    return Measured(turns[0].rate, merged([turn.seen for turn in turns]), used_s, turns[0].idle)


def with_stack(benchmark: Benchmark, run: Callable[[Stack, Parts], Found]) -> Found:
    """Run something on a whole stack, told what each process takes without load."""
    options = benchmark.options
    settings = Settings(
        port=options.port,
        providers=options.providers,
        seed=options.seed,
        workers=options.workers,
        bundle=options.bundle,
        run_dir=options.run_dir,
    )
    load, pace = os.getloadavg()[0], machine_pace.measure(PACE_S)
    with Supervisor(options.run_dir) as supervisor:
        benchmark.say(f"{options.providers:,} providers; load average {load:.1f} before; {pace}")
        stack = Stack(supervisor, settings)
        stack.start_store()
        stack.start_serving()
        stack.load(WARM_UP_RATE, options.warm_up)
        return {**run(stack, _idle(stack)), "machine": asdict(pace)}


def _idle(stack: Stack) -> Parts:
    """Return what each process uses without load: Redis takes the jobs' writes all the time."""
    before = stack.cpu()
    time.sleep(IDLE_S)
    return used(before, stack.cpu())


def measure(
    stack: Stack, idle: Parts, rate: float, seconds: float, url: str | None = None
) -> Measured:
    """Send a load to the gateway, or to another URL; return what it saw and what it took."""
    before = stack.cpu()
    seen = stack.load(rate, seconds, url)
    return Measured(rate, seen, used(before, stack.cpu()), idle)


def run_rate(benchmark: Benchmark) -> Found:
    """Ask at one rate: latency, and processor time by process and stage."""
    options = benchmark.options

    def run(stack: Stack, idle: Parts) -> Found:
        measured = measure(stack, idle, options.rate, options.seconds)
        found = {
            "load": [tables.summary(options.rate, measured.seen)],
            "candidates": tables.candidates(measured.seen),
            "processes": measured.processes(),
            "stages by the wall": tables.stages(measured.seen),
            "stages by processor time": stages.measure(stack),
            "endings": tables.endings(measured.seen),
        }
        for title, lines in found.items():
            benchmark.show(title, lines)
        return {**found, "degraded": tables.degraded(measured.seen)}

    return with_stack(benchmark, run)


def is_held(seen: Seen) -> bool:
    """Return whether every request was answered, and 99 in 100 within the promise."""
    refused = any(status == REFUSED for status in seen.statuses)
    late = tables.quantile(seen, 0.99) > HELD_P99_MS
    return not (tables.errors(seen) or refused or late)


def _find_held(benchmark: Benchmark, stack: Stack, lines: list[Found]) -> float:
    """Return a rate that was held for a short time, close to the highest such."""
    low, high = float(benchmark.options.low), float(benchmark.options.high)
    for _ in range(HOLD_STEPS):
        rate = (low + high) / 2
        seen = stack.load(rate, SEARCH_S)
        lines.append({"held": "yes" if is_held(seen) else "no", **tables.summary(rate, seen)})
        benchmark.say(f"  {rate:.0f}/s {lines[-1]['held']}, p99 {lines[-1]['p99 ms']:.0f} ms")
        low, high = (rate, high) if is_held(seen) else (low, rate)
    return low


def _hold(benchmark: Benchmark, stack: Stack, idle: Parts) -> tuple[Measured, list[Found]]:
    lines: list[Found] = []
    rate = _find_held(benchmark, stack, lines)
    while True:
        benchmark.say(f"holding {rate:.0f}/s for {benchmark.options.seconds:g} s")
        measured = measure(stack, idle, rate, benchmark.options.seconds)
        held = is_held(measured.seen)
        lines.append({"held": "yes" if held else "no", **tables.summary(rate, measured.seen)})
        if held or rate < 1:
            return measured, lines
        rate *= STEP_BACK


def run_hold(benchmark: Benchmark) -> Found:
    """Search the highest rate that is held, and measure at 70 % of it."""

    def run(stack: Stack, idle: Parts) -> Found:
        measured, lines = _hold(benchmark, stack, idle)
        below = measure(stack, idle, 0.7 * measured.rate, benchmark.options.seconds)
        found = {
            "rates tried, the last one held": lines,
            "at 70 % of it": [tables.summary(below.rate, below.seen)],
            "candidates": tables.candidates(measured.seen),
            "processes at the held rate": measured.processes(),
        }
        for title, shown in found.items():
            benchmark.show(title, shown)
        return found

    return with_stack(benchmark, run)


def run_overload(benchmark: Benchmark) -> Found:
    """Ask three times as much as can be done: how much is done, how soon the rest is refused."""
    options = benchmark.options

    def run(stack: Stack, idle: Parts) -> Found:
        held = measure(stack, idle, options.held, options.seconds)
        over = measure(stack, idle, options.times * options.held, options.seconds)
        goodput = _in_time(over.seen) / _in_time(held.seen)
        found = {
            "load": [tables.summary(m.rate, m.seen) for m in (held, over)],
            "endings under overload": tables.endings(over.seen),
            "goodput": [{"of what was answered in time at the held rate": goodput}],
        }
        for title, lines in found.items():
            benchmark.show(title, lines)
        return {**found, "degraded": tables.degraded(over.seen)}

    return with_stack(benchmark, run)


def _in_time(seen: Seen) -> float:
    """Return answers within the promise, a second."""
    in_time = tables.of(seen, [OK, NOBODY]) <= HELD_P99_MS
    return float(in_time.sum()) / seen.took_s


def run_soak(benchmark: Benchmark) -> Found:
    """Ask very often, and look whether memory and latency stay as they are."""
    options = benchmark.options

    def run(stack: Stack, _idle_parts: Parts) -> Found:
        lines: list[Found] = []
        seconds = options.requests / options.rate / SOAK_SAMPLES
        for sample in range(1, SOAK_SAMPLES + 1):
            seen = stack.load(options.rate, seconds)
            lines.append(
                {
                    "requests": round(sample * options.requests / SOAK_SAMPLES),
                    "gateway MB": stack.resident_mb("gateway"),
                    "endpoint MB": stack.resident_mb("endpoint"),
                    **tables.summary(options.rate, seen),
                }
            )
            benchmark.say(f"  {lines[-1]['requests']:,}: {lines[-1]['gateway MB']:.0f} MB")
        growth = tables.growth(lines)
        benchmark.show("soak", [{name: line[name] for name in SOAK_SHOWN} for line in lines])
        benchmark.show("growth", growth)
        return {"soak": lines, "growth": growth}

    return with_stack(benchmark, run)
