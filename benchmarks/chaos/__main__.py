"""``make chaos``: every fault, to every dependency, under every load, and what came of it."""

import argparse
import asyncio
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import uvloop
from rich.console import Console
from rich.table import Table

from benchmarks.chaos.asker import Asker
from benchmarks.chaos.cases import (
    DELAY_S,
    KILLED,
    Case,
    Phases,
    cases,
    failures,
    percentile_ms,
)
from benchmarks.chaos.fault_proxy import Fault
from benchmarks.chaos.stack import Stack
from deploy.local.processes import ProcessError

BEFORE_S = 2.0
RECOVERED_AFTER_S = 9.0
"""The longest pause of a breaker, and a second."""
AFTER_S = 2.0
READY_S = 30.0
FAILED = 1
TABLE_COLUMNS = 140
"""Where nobody says how wide the output is."""

console = Console(width=None if sys.stdout.isatty() else TABLE_COLUMNS)


@dataclass(frozen=True)
class Rates:
    """Requests a second of each load, and how long a fault lasts."""

    steady: float
    surge: float
    fault_s: float

    def of(self, load: str) -> float:
        """Return a load's requests a second."""
        return self.steady if load == "steady" else self.surge


async def run_case(stack: Stack, asker: Asker, case: Case, rates: Rates) -> Phases:
    """Do a fault under a load that begins before it and ends after it."""
    stack.refresh()
    await _until_healthy(asker)
    ends_s = BEFORE_S + rates.fault_s
    asking = asyncio.create_task(asker.ask(rates.of(case.load), ends_s))
    await asyncio.sleep(BEFORE_S)
    await asyncio.to_thread(_begin, stack, case)
    answers = await asking
    await asyncio.to_thread(_end, stack, case)
    if case.load == "steady":
        await asker.ask(rates.steady, RECOVERED_AFTER_S)
        after = await asker.ask(rates.steady, AFTER_S)
    else:
        after = []
    return Phases([a for a in answers if a.due_s >= BEFORE_S], after)


def _begin(stack: Stack, case: Case) -> None:
    if case.dependency is None:
        return
    if case.fault == KILLED:
        stack.kill(case.dependency)
    else:
        stack.proxies[case.dependency].set(Fault(case.fault), DELAY_S)


def _end(stack: Stack, case: Case) -> None:
    if case.dependency is not None:
        stack.heal(case.dependency, killed=case.fault == KILLED)


async def _until_healthy(asker: Asker) -> None:
    deadline = time.monotonic() + READY_S
    while True:
        answers = await asker.ask(20, 1.0)
        if all(answer.status == 200 and not answer.degraded for answer in answers):
            return
        if time.monotonic() > deadline:
            raise ProcessError(f"the gateway is still degraded after {READY_S:g} s")


def _table() -> Table:
    table = Table(title="What faults do to answers (during the fault)")
    for column in ("fault", "load", "answers by status", "rungs", "p50 ms", "p99 ms", "verdict"):
        table.add_column(column, justify="right" if column.endswith("ms") else "left")
    return table


def _row(case: Case, phases: Phases, found: list[str]) -> list[str]:
    return [
        case.name,
        case.load,
        _counts(str(answer.status) for answer in phases.during),
        _counts(rung for answer in phases.during for rung in answer.degraded),
        *(f"{percentile_ms(phases.during, share):.0f}" for share in (0.5, 0.99)),
        "; ".join(found) or "as promised",
    ]


def _counts(names: Iterable[str]) -> str:
    return ", ".join(f"{name} x {count}" for name, count in Counter(names).most_common())


async def _run(stack: Stack, rates: Rates, only: str) -> tuple[Table, int]:
    asker, table, broken = Asker(stack.gateway_port, seed=0), _table(), 0
    for case in cases():
        if only not in f"{case.name}, {case.load}":
            continue
        phases = await run_case(stack, asker, case, rates)
        found = failures(case, phases)
        broken += bool(found)
        table.add_row(*_row(case, phases, found))
        console.print(f"{case.name}, {case.load}: {'; '.join(found) or 'as promised'}")
    asker.close()
    return table, broken


def main() -> int:
    """Run the matrix; return 1 when a promise was broken."""
    options = _parser().parse_args()
    rates = Rates(options.steady, options.surge, options.fault_seconds)
    directory = Path(tempfile.mkdtemp(prefix="chaos-"))
    try:
        with Stack(directory) as stack:
            table, broken = uvloop.run(_run(stack, rates, options.only))
    except ProcessError as error:
        console.print(f"chaos: {error}")
        return FAILED
    except KeyboardInterrupt:
        return 130
    finally:
        shutil.rmtree(directory, ignore_errors=True)
    console.print(table)
    if not table.row_count:
        console.print(f"no row has {options.only!r} in its name")
        return FAILED
    console.print(f"{broken} of {table.row_count} not as promised")
    return FAILED if broken else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.chaos",
        description="Start Redis, endpoint and gateway, do every fault to them under load, and "
        "print what came of it. Ends with 1 if a promise was broken.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--steady", type=float, default=30.0, help="requests a second")
    parser.add_argument("--surge", type=float, default=300.0, help="requests a second, too many")
    parser.add_argument("--fault-seconds", type=float, default=4.0, help="how long a fault lasts")
    parser.add_argument("--only", default="", help="only rows with this in their name, as 'redis'")
    return parser


if __name__ == "__main__":
    sys.exit(main())
