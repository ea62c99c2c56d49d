"""The four benchmarks as the command runs them: on a stack of their own, then a table."""

import argparse
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

from rich.console import Console
from rich.progress import Progress

from benchmarks.streaming import delay, peers, tables, throughput
from benchmarks.streaming.stack import Stack
from benchmarks.streaming.throughput import Run
from benchmarks.streaming.ways import WAYS
from benchmarks.streaming.window import Window
from deploy.local.ports import Ports, free_offset
from deploy.local.processes import Supervisor

STORM_SHARE = 0.5
Found = dict[str, Any]
Result = TypeVar("Result")


class Benchmark:
    """One run of the command: its options, its progress, what it prints."""

    def __init__(self, options: argparse.Namespace, console: Console, progress: Progress) -> None:
        self.options = options
        self.console = console
        self._progress = progress
        self._task = progress.add_task("starting", total=None)

    def tell(self, text: str, share: float | None = None) -> None:
        """Say what is being done, and how much of it is over."""
        self._progress.update(
            self._task, description=text, total=share and 1.0, completed=share or 0.0
        )

    def with_stack(self, work: Callable[[Stack], Result], name: str) -> Result:
        """Do a piece of work on a new stack, and end that."""
        run_dir = self.options.run_dir.resolve() / name
        with Supervisor(run_dir / "logs") as supervisor:
            ports = Ports().shifted(free_offset())
            extra = dict(setting.split("=", 1) for setting in self.options.flink)
            stack = Stack(supervisor, run_dir, ports, self.options.parallelism, extra)
            self.tell(f"{name}: starting Kinesis, Redis and Flink")
            stack.start(self.options.shards)
            self.tell(f"{name}: events and job")
            return work(stack)

    def wanted(self, bad_share: float = 0.0) -> Run:
        """Return what the options ask for."""
        options = self.options
        return Run(options.seconds, options.warm_up, getattr(options, "rate", None), bad_share)


def _with_bad(bench: Benchmark, share: float) -> Window:
    def work(stack: Stack) -> Window:
        told = partial(bench.tell, f"{share:.0%} bad: measuring")
        return throughput.run(stack, bench.wanted(share), told)

    return bench.with_stack(work, f"bad-{share:g}")


def run_throughput(bench: Benchmark) -> Found:
    """Measure one stack's throughput."""
    window = bench.with_stack(
        lambda stack: throughput.run(
            stack, bench.wanted(), lambda share: bench.tell("measuring", share)
        ),
        "throughput",
    )
    rate = bench.options.rate
    how = "from a backlog" if rate is None else f"at {rate:,.0f} events/s"
    bench.console.print(
        tables.rates("Kinesis to Redis, provider_motion", {how: [window]}, "events come")
    )
    bench.console.print(tables.processors(window))
    return {"window": window}


def run_storm(bench: Benchmark) -> Found:
    """Measure throughput without and with bad records."""
    windows = {f"{s:.0%} bad": [_with_bad(bench, s)] for s in (0.0, STORM_SHARE)}
    bench.console.print(
        tables.rates("Kinesis to Redis with bad records, same total", windows, "records")
    )
    clean, stormy = (of_share[0] for of_share in windows.values())
    good = stormy.events_per_s * (1 - STORM_SHARE) / clean.events_per_s
    bench.console.print(
        f"Good events: {good:.2f} of the rate without bad ones; their share is {1 - STORM_SHARE:g}."
    )
    return {"windows": windows}


def run_peers(bench: Benchmark) -> Found:
    """Measure the Python edges in turns."""
    windows: dict[str, list[Window]] = {name: [] for name in WAYS.values()}
    for way in peers.turns(bench.options.rounds):
        windows[WAYS[way]].append(_with_peer(bench, way))
    bench.console.print(tables.rates("Kinesis to Redis, provider_motion", windows, "Python edge"))
    return {"windows": windows}


def _with_peer(bench: Benchmark, way: str) -> Window:
    def work(stack: Stack) -> Window:
        return peers.run(stack, bench.wanted(), way, partial(bench.tell, f"{WAYS[way]}: measuring"))

    return bench.with_stack(work, f"peer-{way}")


def run_delay(bench: Benchmark) -> Found:
    """Measure the delays of all views."""
    options = bench.options
    found = bench.with_stack(
        lambda stack: delay.run(
            stack,
            options.rate,
            options.seconds,
            options.warm_up,
            lambda share: bench.tell("measuring", share),
        ),
        "delay",
    )
    bench.console.print(tables.delays(found))
    bench.console.print(tables.processors(found.window))
    bench.console.print(f"The generator was at most {found.behind_schedule_s:.2f} s late.")
    return {
        "seconds": {
            view.view: {f"p{q * 100:g}": delay.quantile(view, q) for q in (0.5, 0.9, 0.99, 1.0)}
            for view in found.delays
        },
        "window": found.window,
    }
