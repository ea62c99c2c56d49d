"""The bill as tables in Markdown, which are read as well in a terminal, and as JSON."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from deploy import sizing
from deploy.cost.bill import SECONDS, Line, Load, bill
from deploy.cost.designs import DESIGNS, PRODUCT, Design
from deploy.cost.inputs import Inputs, table
from deploy.cost.prices import REGION, Price

SERVING = ("Online store", "Endpoint", "Gateway")
BAR_DOLLARS = 100.0
"""What one block of a bar stands for."""


@dataclass(frozen=True)
class Month:
    """A design's bills for the same sizes: a month as it is, and a month that is all peak."""

    design: Design
    usual: list[Line]
    all_peak: list[Line]


def months(peak_per_s: float, prices: Mapping[str, Price], inputs: Inputs) -> list[Month]:
    """Return the bills of every design."""
    usual, all_peak = loads(peak_per_s, inputs)
    return [
        Month(design, bill(design, usual, prices, inputs), bill(design, all_peak, prices, inputs))
        for design in DESIGNS
    ]


def loads(peak_per_s: float, inputs: Inputs) -> tuple[Load, Load]:
    """Return a month as it is, and one in which the peak lasts all the time."""
    return Load(peak_per_s, inputs.decisions_a_month), Load(peak_per_s, peak_per_s * SECONDS)


def markdown(peak_per_s: float, prices: Mapping[str, Price], inputs: Inputs) -> str:
    """Return all tables."""
    bills = months(peak_per_s, prices, inputs)
    product = next(month for month in bills if month.design is PRODUCT)
    parts = [
        _heading(peak_per_s, inputs),
        _by_line(product),
        "### Beside other designs",
        _by_design(bills, peak_per_s, inputs),
        "### Inputs",
        _table(("input", "value", "unit", "from"), _input_rows(inputs)),
        f"### Prices, {REGION}, on demand",
        _table(("price", "$", "for", "seen"), _price_rows(prices)),
    ]
    return "\n\n".join(parts) + "\n"


def as_json(peak_per_s: float, prices: Mapping[str, Price], inputs: Inputs) -> dict[str, Any]:
    """Return designs with their lines and totals."""
    usual, all_peak = loads(peak_per_s, inputs)
    return {
        month.design.name: {
            "dollars_a_month": _sum(month.usual),
            "dollars_a_million": _sum(month.usual) / usual.decisions * 1e6,
            "dollars_a_million_all_peak": _sum(month.all_peak) / all_peak.decisions * 1e6,
            "lines": [
                {
                    "area": line.area,
                    "what": line.what,
                    "quantity": line.quantity,
                    "unit": line.price.unit,
                    "dollars": line.dollars,
                }
                for line in month.usual
            ],
        }
        for month in months(peak_per_s, prices, inputs)
    }


def _heading(peak_per_s: float, inputs: Inputs) -> str:
    million, mean = inputs.decisions_a_month / 1e6, inputs.decisions_a_month / SECONDS
    return (
        f"### By line, sized for {peak_per_s:,.0f} decisions/s\n\n"
        f"A month has {million:g} million decisions, {mean:.1f}/s on average; "
        f"a month all at the peak would have {peak_per_s * SECONDS / 1e6:,.0f} million."
    )


def _by_line(month: Month) -> str:
    rows: list[tuple[str, ...]] = []
    all_peak = {(line.area, line.what): line.dollars for line in month.all_peak}
    for area, lines in groupby(month.usual, key=lambda line: line.area):
        of_area = list(lines)
        total = _sum(of_area)
        peak = _sum([line for line in month.all_peak if line.area == area])
        bar = "█" * round(total / BAR_DOLLARS)
        rows.append((f"**{area}**", "", f"**{total:,.0f}**", f"**{peak:,.0f}**", bar))
        for line in of_area:
            each = f"{_short(line.quantity)} x ${line.price.dollars:g}"
            dear = all_peak[line.area, line.what]
            rows.append((line.what, each, f"{line.dollars:,.2f}", f"{dear:,.2f}", ""))
    total, peak = _sum(month.usual), _sum(month.all_peak)
    rows.append(("**All**", "", f"**{total:,.0f}**", f"**{peak:,.0f}**", ""))
    head = ("", "", "$ a month", "all at the peak", f"a block is ${BAR_DOLLARS:g}")
    return _table(head, rows)


def _by_design(bills: Sequence[Month], peak_per_s: float, inputs: Inputs) -> str:
    usual, all_peak = loads(peak_per_s, inputs)
    base = _sum(bills[0].usual)
    rows = [
        (
            month.design.name,
            _milliseconds(month.design),
            str(month.design.gateway_tasks(peak_per_s)),
            str(month.design.endpoint_instances(peak_per_s)),
            str(month.design.store_nodes(peak_per_s)),
            f"{_sum([line for line in month.usual if line.area in SERVING]):,.0f}",
            f"{_sum(month.usual):,.0f}",
            f"{_sum(month.usual) / base:.1f}",
            f"{_sum(month.usual) / usual.decisions * 1e6:,.2f}",
            f"{_sum(month.all_peak) / all_peak.decisions * 1e6:,.2f}",
        )
        for month in bills
    ]
    head = (
        "design", "CPU ms a decision: gateway + endpoint + store", "gateway tasks",
        "endpoint instances", "store nodes", "serving, $ a month", "all, $ a month", "times ours",
        "$ a million decisions", "$ a million, all at the peak",
    )  # fmt: skip
    return _table(head, rows)


def _milliseconds(design: Design) -> str:
    cost = design.cost
    return f"{cost.gateway:g} + {cost.endpoint:g} + {cost.store:g}"


def _input_rows(inputs: Inputs) -> list[tuple[str, ...]]:
    utilisation = sizing.TARGET_UTILISATION
    return [
        ("target_utilisation", f"{utilisation:g}", "of what two zones have", "`deploy/sizing.py`"),
        *((name, _plain(value), unit, origin) for name, value, unit, origin in table(inputs)),
    ]


def _price_rows(prices: Mapping[str, Price]) -> list[tuple[str, ...]]:
    return [
        (f"[{price.name}]({price.source})", f"{price.dollars:g}", price.unit, price.seen)
        for price in prices.values()
    ]


def _sum(lines: Sequence[Line]) -> float:
    return sum(line.dollars for line in lines)


def _plain(value: float) -> str:
    return f"{value:,.0f}" if value >= 1000 else f"{value:g}"


def _short(quantity: float) -> str:
    return f"{quantity:,.0f}" if quantity >= 10 else f"{quantity:.3g}"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
