"""The motion job with three Python edges, in turns, each over a backlog of its own."""

from pathlib import Path

from benchmarks.streaming import throughput
from benchmarks.streaming.stack import Stack
from benchmarks.streaming.throughput import Run
from benchmarks.streaming.ways import FEAST, WAYS
from benchmarks.streaming.window import Report, Window

PROGRAM = Path(__file__).with_name("peer_app.py")


def turns(rounds: int) -> list[str]:
    """Return the ways in the order of measurement, the other way round every second time."""
    order = list(WAYS)
    return [way for number in range(rounds) for way in order[:: -1 if number % 2 else 1]]


def run(stack: Stack, wanted: Run, way: str, report: Report) -> Window:
    """Measure one way on a stack whose streams are empty."""
    registry = stack.run_dir / "feast_registry.db"
    if way == FEAST:
        # Feast takes seconds to import, and only this way needs it here.
        from benchmarks.streaming.feast_peer import register  # noqa: PLC0415

        registry.unlink(missing_ok=True)
        register(stack.redis_url, registry)
    program = [PROGRAM, "--writer", way, "--registry", registry]
    return throughput.run(stack, wanted, report, program)
