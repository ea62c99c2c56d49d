"""What was measured as tables for a person to read."""

from collections.abc import Mapping, Sequence

import numpy as np
from rich.table import Table

from benchmarks.streaming.cpu import PYTHON_WORKERS, TASK_MANAGER
from benchmarks.streaming.delay import GOALS_S, DelayRun, quantile
from benchmarks.streaming.window import Window

CORES = 2
"""The size of machine that shares are of."""
JOB_PARTS = (TASK_MANAGER, PYTHON_WORKERS, "Redis")


def processors(window: Window) -> Table:
    """Return who used how much of the processor."""
    table = Table(title=f"processor time in {window.seconds:.0f} s", title_justify="left")
    for name in ("part", "CPU s", f"share of {CORES} cores", "CPU ms per 1,000 events"):
        table.add_column(name, justify="left" if name == "part" else "right")
    for part, seconds in sorted(window.cpu_s.items(), key=lambda item: -item[1]):
        share = seconds / (CORES * window.seconds)
        per_event = window.cpu_ms_per_1000(part, of=window.events)
        table.add_row(part, f"{seconds:.1f}", f"{share:.1%}", f"{per_event:.1f}")
    return table


def rates(title: str, windows: Mapping[str, Sequence[Window]], first: str) -> Table:
    """Return the rates of several ways side by side; ``first`` names the column of the ways."""
    table = Table(
        title=title,
        caption="p10 | p50 | p90: rows/s in each second; CPU: ms per 1,000 rows of the task "
        "manager, the Python workers and Redis; Python: of those workers alone",
        title_justify="left",
    )
    columns = (first, "events/s", "rows/s", "p10 | p50 | p90", "ratio", "CPU", "Python", "late")
    for name in columns:
        table.add_column(name, justify="left" if name == first else "right")
    base = rows_per_s(next(iter(windows.values())))
    for way, of_way in windows.items():
        rows = sum(w.rows for w in of_way)
        seconds = sum(w.seconds for w in of_way)
        every = [rate for w in of_way for rate in w.row_rates]
        job = sum(w.cpu_ms_per_1000(*JOB_PARTS, of=1) for w in of_way) / max(rows, 1)
        python = sum(w.cpu_ms_per_1000(PYTHON_WORKERS, of=1) for w in of_way) / max(rows, 1)
        table.add_row(
            way,
            f"{sum(w.events for w in of_way) / seconds:,.0f}",
            f"{rows / seconds:,.0f}",
            " | ".join(f"{np.quantile(every, q):,.0f}" for q in (0.1, 0.5, 0.9)),
            f"{rows / seconds / base:.2f}",
            f"{job:.1f}",
            f"{python:.1f}",
            str(sum(w.late for w in of_way)),
        )
    return table


def rows_per_s(windows: Sequence[Window]) -> float:
    """Return the mean rate of rows over several windows."""
    return sum(w.rows for w in windows) / sum(w.seconds for w in windows)


def delays(run: DelayRun) -> Table:
    """Return how long an event takes to a readable row, by view."""
    table = Table(
        title=f"event to readable row, {run.window.events_per_s:,.0f} events/s",
        title_justify="left",
    )
    for name in ("view", "seen", "p50 s", "p90 s", "p99 s", "max s", "goal p99 s", "held"):
        table.add_column(name, justify="left" if name == "view" else "right")
    for found in run.delays:
        p99, goal = quantile(found, 0.99), GOALS_S[found.view]
        table.add_row(
            found.view,
            str(len(found.seconds)),
            *(f"{quantile(found, q):.2f}" for q in (0.5, 0.9, 0.99, 1.0)),
            f"{goal:g}",
            "yes" if p99 <= goal else "[bold red]no[/]",
        )
    return table
