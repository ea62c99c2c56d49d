"""What was measured, as tables to read and as plain values to keep."""

from collections.abc import Sequence
from typing import Any

from rich.table import Table

from benchmarks.feature_store import reading, writing
from benchmarks.feature_store.filling import Memory
from benchmarks.feature_store.seen import Soak

Found = dict[str, Any]


def of_reads(entities: int, contestants: Sequence[reading.Contestant]) -> list[Found]:
    """Return one line a contestant; the first is what the others are compared with."""
    peer = contestants[0].costs
    return [
        {
            "entities": entities,
            "way": c.name,
            "p50 ms": c.costs.wall(0.5),
            "p99 ms": c.costs.wall(0.99),
            "client CPU ms": c.costs.client,
            "Redis CPU ms": c.costs.redis,
            "sent KB": c.bytes_sent / 1e3,
            "got KB": c.bytes_got / 1e3,
            "x faster": peer.wall(0.5) / c.costs.wall(0.5),
            "x less client": peer.client / c.costs.client,
            "x less Redis": peer.redis / c.costs.redis,
        }
        for c in contestants
    ]


def of_writes(view: str, batch: int, contestants: Sequence[writing.Contestant]) -> list[Found]:
    """Return one line a contestant; the first is what the others are compared with."""
    peer = contestants[0].costs
    return [
        {
            "view": view,
            "way": c.name,
            "rows/s": batch / c.costs.wall(0.5) * 1e3,
            "client CPU us/row": c.costs.client / batch * 1e3,
            "Redis CPU us/row": c.costs.redis / batch * 1e3,
            "x faster": peer.wall(0.5) / c.costs.wall(0.5),
            "x less client": peer.client / c.costs.client,
            "x less Redis": peer.redis / c.costs.redis,
        }
        for c in contestants
    ]


def of_memory(layouts: Sequence[Memory]) -> list[Found]:
    """Return one line a layout."""
    first = layouts[0].bytes_a_provider
    return [
        {
            "layout": layout.name,
            "bytes a provider": layout.bytes_a_provider,
            "x less": first / layout.bytes_a_provider,
        }
        for layout in layouts
    ]


def of_soak(way: str, found: Soak) -> list[Found]:
    """Return one line for each of what must stay flat."""
    lines = []
    for name, seen in (
        ("resident MB", found.resident_mb),
        ("read, wall us", found.wall_us),
        ("read, CPU us", found.cpu_us),
    ):
        first, last = found.ends(seen)
        lines.append(
            {
                "way": way,
                "reads": int(found.reads[-1]),
                "what": name,
                "at first": first,
                "at last": last,
                "slope, a million reads": found.slope(seen),
            }
        )
    return lines


def table(title: str, lines: Sequence[Found], caption: str = "") -> Table:
    """Return lines as a table."""
    shown = Table(title=title, title_justify="left", caption=caption, caption_justify="left")
    for name, value in lines[0].items():
        shown.add_column(name, justify="left" if isinstance(value, str) else "right")
    for line in lines:
        shown.add_row(*map(_text, line.values()))
    return shown


def _text(value: Any) -> str:
    if not isinstance(value, float):
        return str(value)
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
